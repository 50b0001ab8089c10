"""What several checkpoints together say: which cells there are, what is estimated over them, and when it counts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.pooled import estimate, pool
from benchmarks.verdicts import write_table
from core.findings import pooled
from core.findings.grid import grid_rows
from core.findings.pooled import ALL, FEWEST_PREDICTED, WHOLE, Pooled, marks
from core.findings.words import narrow
from core.findings.words.grid import claim_finding, pooled_table
from core.results.schema import SweepResult
from tests.core.findings import made
from tests.core.findings.made import around, network

PLACES = [("sst2", 4), ("cola", 4), ("sst2", 6), ("cola", 6)]
SHARES = {"same": (0.71, 0.69, 0.72, 0.70), "apart": (0.95, 0.70, 0.97, 0.72), "more": (0.90, 0.91, 0.92, 0.91)}


def table(shares: tuple[float, ...], *others: list[SweepResult]) -> tuple[Pooled, ...]:
    settings = [{"task": task, "num_layers": layers} for task, layers in PLACES]
    shelves = [[network(share, **known), *around(0.7, **known)] for share, known in zip(shares, settings, strict=False)]
    return pool(made.judged(*shelves, *others))


def test_cells_are_tasks_at_a_depth_and_the_wider_interval_counts() -> None:
    """`tests/independent` computes the estimates again."""
    (known,) = table(SHARES["apart"])
    assert [(cell.task, cell.layers) for cell in known.cells] == [("CoLA", 4), ("SST-2", 4), ("CoLA", 6), ("SST-2", 6)]
    found = known.estimates[ALL]
    assert set(known.estimates) == {"4 layers", "6 layers", WHOLE, ALL}
    assert (found.predicted is None, known.estimates["4 layers"].predicted) == (found.cells < FEWEST_PREDICTED, None)
    assert found.interval == max((found.between, found.within), key=lambda bounds: bounds[1] - bounds[0])
    assert [(cell.upper, cell.control_upper, len(cell.keys)) for cell in known.cells] == [(1, 1, 1)] * 4
    whole = pooled_table([known])
    for part in narrow(whole, naming=2):
        assert [row["Over"] for row in part] == [row["Over"] for row in whole], "every part names its rows"


def test_seed_twins_count_once_by_the_mean_of_their_shares() -> None:
    twin = [made.of_seed(1, result) for result in (network(0.75), *around(0.7))]
    (alone,), (known,) = table(SHARES["same"]), table(SHARES["same"], twin)
    before, after = (next(c for c in one.cells if (c.task, c.layers) == ("SST-2", 4)) for one in (alone, known))
    assert (len(before.keys), len(after.keys), len(known.cells)) == (1, 2, len(alone.cells))
    assert after.contrast.difference == pytest.approx(np.mean([before.contrast.difference, 0.05]))
    assert after.contrast.seed_deviation == pytest.approx(before.contrast.seed_deviation), "they share the draws"


def test_draws_that_repeat_over_checkpoints_widen_the_interval() -> None:
    (known,) = table(SHARES["same"])
    nothing = (replace(cell, contrast=replace(cell.contrast, difference=0.0)) for cell in known.cells)
    cells = [replace(cell, by_seed={0: 0.2, 1: -0.2}) for cell in nothing]
    found = estimate(cells)
    assert (found.between, found.interval) == ((0, 0), found.within)
    assert found.interval[1] > 1
    apart = estimate([replace(cells[0], by_seed={2: 0.1}), cells[1]])
    assert (apart.within, apart.interval) == (None, apart.between), "no seed that both have"


@pytest.mark.parametrize(("shares", "state"), [("same", "equivalent"), ("apart", "inconclusive"), ("more", "steeper")])
def test_an_estimate_counts_by_its_interval(shares: str, state: str) -> None:
    (known,) = table(SHARES[shares])
    assert known.estimates[ALL].state == state


def test_a_single_cell_or_too_few_seeds_say_nothing_together() -> None:
    assert table(SHARES["same"][:1]) == ()
    bare = network(0.7, task="qqp")
    (known,) = table(SHARES["same"], [bare, *around(0.7, task="qqp")[:1]])
    assert bare.key not in known.keys


def test_what_is_shipped_is_what_was_written(shipped: Path) -> None:
    assert pooled.shipped() == ()
    known = table(SHARES["same"])
    shipped.parent.mkdir(exist_ok=True)
    write_table(pooled.FILE, known)
    assert pooled.shipped() == known
    assert "the upper layers change most, on all 4 checkpoints." in claim_finding(known[0]).heading
    own = network(0.9, task="qnli")
    rows = grid_rows([own, *around(0.7, task="qnli")])
    ((title, ((_, beside),)),) = marks(rows).items()
    assert (title, beside.difference) == (known[0].title, pytest.approx(0.2))
    assert pooled.shipped() == known, "a mark counts nowhere"
