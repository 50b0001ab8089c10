"""When a pooled estimate counts; tests/independent computes the shipped ones again."""

import numpy as np
import pytest

from benchmarks.pooled import pool, shares
from core.findings.pooled import ALL
from tests.core.findings import made
from tests.core.findings.made import around, network

PLACES = [("sst2", 4), ("cola", 4), ("sst2", 6), ("cola", 6)]


@pytest.mark.parametrize(
    ("shares", "state"),
    [
        ((0.71, 0.69, 0.72, 0.70), "equivalent"),
        ((0.95, 0.70, 0.97, 0.72), "inconclusive"),
        ((0.90, 0.91, 0.92, 0.91), "steeper"),
    ],
)
def test_the_interval_decides_the_state(shares: tuple[float, ...], state: str) -> None:
    groups = []
    for share, (task, layers) in zip(shares, PLACES, strict=True):
        setting = {"task": task, "num_layers": layers}
        groups.append([network(share, **setting), *around(0.7, **setting)])

    (pooled,) = pool(made.judged(*groups))

    assert pooled.estimates[ALL].state == state


def test_a_share_that_returns_is_a_ratio_of_means() -> None:
    changes = np.array([[[-0.4], [0.3]], [[-0.1], [-0.1]]])
    assert shares(changes).mean(0) == pytest.approx(0.2 / 0.5)
