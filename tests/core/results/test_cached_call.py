"""The cache for all visitors: nothing is computed twice, and no answer belongs to another call."""

from operator import itemgetter
from pathlib import Path

import pytest
from cachetools import LRUCache

from core.results import cached_call as shared
from core.results.cached_call import cached_call
from core.results.schema import SweepResult
from core.results.store import load, save
from tests.builders import declining, make_result, with_own_key

SMALL = {"num_layers": 3, "amounts": (0.0, 0.3, 0.6, 0.9), "num_examples": 80}
MAGNITUDE, WANDA = make_result(**SMALL, own_cka=declining(0.7)), make_result(**SMALL, method="wanda")
CONTROL = make_result(**SMALL, method="random", seed=1)


def test_a_call_is_cached_by_numbers_until_it_is_the_oldest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_answers", LRUCache(2 * shared.SENTENCE_BYTES, getsizeof=itemgetter(1)))
    computed: list[SweepResult] = []

    def accuracy(result: SweepResult, frame: int = -1) -> float | None:
        computed.append(result)
        return result.frames[frame].metrics["accuracy"]

    path = save(MAGNITUDE, tmp_path)
    first, second = load(path), load(path)
    assert cached_call(accuracy, first) == cached_call(accuracy, second) == accuracy(first)
    assert computed == [first, first], "computed once for all who have read the same file"
    assert cached_call(accuracy, second, 1) == accuracy(second, 1) != accuracy(second)
    changed = MAGNITUDE.frames[-1].model_copy(update={"metrics": {"accuracy": 0.125}})
    forged = with_own_key(MAGNITUDE, frames=(*MAGNITUDE.frames[:-1], changed))
    assert forged.key == MAGNITUDE.key
    assert cached_call(accuracy, forged) == 0.125, "of a file of the same key with other numbers"
    computed.clear()
    for result in (MAGNITUDE, WANDA, MAGNITUDE, CONTROL, MAGNITUDE, WANDA):
        cached_call(accuracy, result)
    assert computed == [MAGNITUDE, WANDA, CONTROL, WANDA], "the least recently used makes room"
    running = [WANDA.model_copy(update={"checksum": "", "frames": WANDA.frames[:count]}) for count in (1, 2)]
    assert [cached_call(accuracy, result) for result in running] == [accuracy(result) for result in running]
    assert len(computed) == 8, "answers about a running sweep are not cached"
