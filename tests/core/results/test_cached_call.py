"""The cache for all visitors: nothing is computed twice, and no answer belongs to another call."""

from pathlib import Path

from core.results.cached_call import cached_call
from core.results.schema import SweepResult
from core.results.store import load, save
from tests.builders import make_result, with_own_key

MAGNITUDE = make_result(num_layers=3, amounts=(0.0, 0.3, 0.6, 0.9), num_examples=80)


def test_a_call_is_cached_by_the_numbers_of_a_whole_result(
    tmp_path: Path,
) -> None:
    computed: list[SweepResult] = []

    def accuracy(result: SweepResult, frame: int = -1) -> float | None:
        computed.append(result)
        return result.frames[frame].metrics["accuracy"]

    path = save(MAGNITUDE, tmp_path)
    first = load(path)
    second = load(path)
    assert cached_call(accuracy, first) == cached_call(accuracy, second) == accuracy(first)
    assert computed == [first, first], "computed once for all who have read the same file"
    assert cached_call(accuracy, second, 1) == accuracy(second, 1) != accuracy(second)
    changed = MAGNITUDE.frames[-1].model_copy(update={"metrics": {"accuracy": 0.125}})
    forged = with_own_key(MAGNITUDE, frames=(*MAGNITUDE.frames[:-1], changed))
    assert forged.key == MAGNITUDE.key
    assert cached_call(accuracy, forged) == 0.125, "of a file of the same key with other numbers"
    computed.clear()
    running = MAGNITUDE.model_copy(update={"checksum": "", "frames": MAGNITUDE.frames[:2]})
    assert cached_call(accuracy, running) == cached_call(accuracy, running)
    assert computed == [running] * 2, "answers about a running sweep are not cached"
