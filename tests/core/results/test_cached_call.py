"""The cache for all visitors: nothing is computed twice, and no answer belongs to another call."""

from pathlib import Path
from unittest.mock import Mock

from core.results.cached_call import cached_call
from core.results.schema import SweepResult
from core.results.store import load, save
from tests.builders import make_result, with_own_key

RESULT = make_result(num_layers=3, amounts=(0.0, 0.3, 0.6), num_examples=80)


def accuracy(result: SweepResult, frame: int = -1) -> float | None:
    return result.frames[frame].metrics["accuracy"]


def test_a_call_is_cached_for_all_who_have_read_the_same_file(tmp_path: Path) -> None:
    compute = Mock(side_effect=accuracy)
    path = save(RESULT, tmp_path)
    for _ in range(2):
        assert cached_call(compute, load(path)) == accuracy(RESULT)
    compute.assert_called_once()
    assert cached_call(compute, RESULT, 0) == accuracy(RESULT, 0)


def test_other_numbers_under_the_same_key_have_other_answers() -> None:
    changed = RESULT.frames[-1].model_copy(update={"metrics": {"accuracy": 0.125}})
    forged = with_own_key(RESULT, frames=(*RESULT.frames[:-1], changed))

    assert forged.key == RESULT.key
    assert cached_call(accuracy, RESULT) != 0.125
    assert cached_call(accuracy, forged) == 0.125


def test_answers_about_a_running_sweep_are_not_cached() -> None:
    compute = Mock()
    running = RESULT.model_copy(update={"checksum": ""})
    for _ in range(2):
        cached_call(compute, running)
    assert compute.call_count == 2
