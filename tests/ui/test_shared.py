"""What is computed once for all visitors; what that means for pages is in tests/pages/test_shared.py."""

from collections.abc import Callable
from operator import itemgetter
from pathlib import Path

import pytest
from cachetools import LRUCache

from core.results.schema import SweepResult
from core.results.store import load, save
from tests.builders import make_result, with_own_key
from ui import shared
from ui.shared import once

SMALL = {"num_layers": 3, "amounts": (0.0, 0.3, 0.6, 0.9), "num_examples": 80}
MAGNITUDE, WANDA, RANDOM = (make_result(**SMALL, method=method) for method in ("magnitude", "wanda", "random"))


@pytest.fixture(autouse=True)
def nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_answers", LRUCache(shared.MOST_BYTES, getsizeof=itemgetter(1)))


@pytest.fixture
def asked() -> list[SweepResult]:
    """The results of which `accuracy` was computed."""
    return []


@pytest.fixture
def accuracy(asked: list[SweepResult]) -> Callable[[SweepResult, int], float | None]:
    def compute(result: SweepResult, frame: int) -> float | None:
        asked.append(result)
        return result.frames[frame].metrics["accuracy"]

    return compute


Accuracy = Callable[[SweepResult, int], float | None]


def test_it_is_computed_once_for_all_who_have_read_the_same_file(
    accuracy: Accuracy, asked: list[SweepResult], tmp_path: Path
) -> None:
    path = save(MAGNITUDE, tmp_path)
    first, second = load(path), load(path)
    assert once(accuracy, first, 1) == once(accuracy, second, 1) == accuracy(first, 1)
    assert asked == [first, first]
    assert once(accuracy, second, 3) == accuracy(second, 3) != accuracy(second, 1)


def test_a_file_of_the_same_key_with_other_numbers_is_another_one(accuracy: Accuracy) -> None:
    changed = MAGNITUDE.frames[1].model_copy(update={"metrics": {"accuracy": 0.125}})
    forged = with_own_key(MAGNITUDE, frames=(MAGNITUDE.frames[0], changed, *MAGNITUDE.frames[2:]))
    assert forged.key == MAGNITUDE.key
    assert once(accuracy, MAGNITUDE, 1) != once(accuracy, forged, 1) == 0.125


def test_of_a_sweep_that_still_runs_nothing_is_kept(accuracy: Accuracy, asked: list[SweepResult]) -> None:
    running = [
        MAGNITUDE.model_copy(update={"key": "", "checksum": "", "frames": MAGNITUDE.frames[:count]}) for count in (1, 2)
    ]
    assert [once(accuracy, result, -1) for result in running] == [accuracy(result, -1) for result in running]
    assert len(asked) == 4
    assert not shared._answers


def test_what_was_asked_for_longest_ago_makes_room(
    accuracy: Accuracy, asked: list[SweepResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "_answers", LRUCache(2 * shared.SENTENCE_BYTES, getsizeof=itemgetter(1)))
    for result in (MAGNITUDE, WANDA, MAGNITUDE, RANDOM, MAGNITUDE, WANDA):
        once(accuracy, result, 0)
    assert asked == [MAGNITUDE, WANDA, RANDOM, WANDA]
