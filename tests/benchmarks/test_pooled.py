"""When a pooled estimate counts; tests/independent computes the shipped ones again."""

import numpy as np
import pytest

from benchmarks.pooled import pool, shares
from core.findings.pooled import ALL
from tests.core.findings import made
from tests.core.findings.made import around, network

PLACES = [
    {"task": "sst2", "num_layers": 4},
    {"task": "cola", "num_layers": 4},
    {"task": "sst2", "num_layers": 6},
    {"task": "cola", "num_layers": 6},
]


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
    for share, place in zip(shares, PLACES, strict=True):
        groups.append([network(share, **place), *around(0.7, **place)])

    (pooled,) = pool(made.judged(*groups))

    assert pooled.estimates[ALL].state == state


def test_a_share_that_returns_is_a_ratio_of_means() -> None:
    changes = np.array([[[-0.4], [0.3]], [[-0.1], [-0.1]]])
    assert shares(changes).mean(0) == pytest.approx(0.2 / 0.5)
