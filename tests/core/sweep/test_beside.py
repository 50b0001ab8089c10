"""What a sweep measures beside CKA: floor, other measures, working range, early stop."""

from pathlib import Path

import numpy as np

from core.results.statistics import GapAtDamage
from tests.core.sweep.test_sweep import run


def test_a_sweep_stops_after_the_damage_asked_for(tiny_bert: Path, glue_folder: Path) -> None:
    amounts = tuple(k / 20 for k in range(19))
    whole = run(tiny_bert, glue_folder, amounts=amounts)
    damages = [1 - np.mean(frame.own("mean")) for frame in whole.frames]
    stopped = run(tiny_bert, glue_folder, amounts=amounts, until_damage=0.1)
    reached = int(np.argmax(np.array(damages) >= 0.1))
    assert 0 < reached < len(damages) - 1
    assert stopped.frames == whole.frames[: reached + 1]
    assert stopped.pruning.stop.amounts == amounts
    assert stopped.key != whole.key
    there = stopped.statistics["cka"]["mean"].gap_at_damage["0.1"]
    assert isinstance(there, GapAtDamage)
    assert there == whole.statistics["cka"]["mean"].gap_at_damage["0.1"]


def test_the_working_range_may_be_judged_on_all_examples_at_hand(tiny_bert: Path, glue_folder: Path) -> None:
    subset = run(tiny_bert, glue_folder, num_examples=40)
    judged = run(tiny_bert, glue_folder, num_examples=40, range_examples="all")
    everything = run(tiny_bert, glue_folder, num_examples=None)
    assert subset.key == judged.key, "it changes no frame"
    assert subset.frames == judged.frames
    assert subset.working_range.examples == 40
    assert judged.working_range.examples == len(everything.task.gold) > 40
    np.testing.assert_allclose(judged.working_range.lead, everything.working_range.lead)
    assert judged.working_range.to == everything.working_range.to
