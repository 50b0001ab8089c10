"""Pooled verdicts: when an estimate counts. tests/independent computes the shipped cells and estimates again."""

import numpy as np
import pytest

from benchmarks.pooled import pool, shares
from core.findings.pooled import ALL
from tests.core.findings import made
from tests.core.findings.made import around, network

PLACES = [("sst2", 4), ("cola", 4), ("sst2", 6), ("cola", 6)]
SHARES = {
    "same": (0.71, 0.69, 0.72, 0.70),
    "apart": (0.95, 0.70, 0.97, 0.72),
    "more": (0.90, 0.91, 0.92, 0.91),
}


@pytest.mark.parametrize(
    ("shares", "state"), [("same", "equivalent"), ("apart", "inconclusive"), ("more", "steeper")]
)
def test_the_interval_decides_the_state(shares: str, state: str) -> None:
    settings = [{"task": task, "num_layers": layers} for task, layers in PLACES]
    places = zip(SHARES[shares], settings, strict=True)
    (pooled,) = pool(
        made.judged(*([network(share, **known), *around(0.7, **known)] for share, known in places))
    )
    assert pooled.estimates[ALL].state == state


def test_a_share_that_returns_is_a_ratio_of_means() -> None:
    assert shares(np.array([[[-0.4], [0.3]], [[-0.1], [-0.1]]])).mean(0) == pytest.approx(0.2 / 0.5)
