"""Pooled verdicts: which cells there are, what is estimated over them, and when it counts.

tests/independent computes the shipped estimates again.
"""

import numpy as np
import pytest

from benchmarks.pooled import pool
from core.findings.pooled import ALL, Pooled
from core.results.schema import SweepResult
from tests.core.findings import made
from tests.core.findings.made import around, network

PLACES = [("sst2", 4), ("cola", 4), ("sst2", 6), ("cola", 6)]
SHARES = {"same": (0.71, 0.69, 0.72, 0.70), "apart": (0.95, 0.70, 0.97, 0.72), "more": (0.90, 0.91, 0.92, 0.91)}


def table(shares: tuple[float, ...], *others: list[SweepResult]) -> tuple[Pooled, ...]:
    settings = [{"task": task, "num_layers": layers} for task, layers in PLACES]
    shelves = [[network(share, **known), *around(0.7, **known)] for share, known in zip(shares, settings, strict=False)]
    return pool(made.judged(*shelves, *others))


def test_seed_twins_count_once_by_the_mean_of_their_shares() -> None:
    twin = [made.of_seed(1, result) for result in (network(0.75), *around(0.7))]
    (without,), (with_twin,) = table(SHARES["same"]), table(SHARES["same"], twin)
    before, after = (pooled.cells[1] for pooled in (without, with_twin))  # CoLA, SST-2 with four layers …
    assert (len(before.keys), len(after.keys), len(with_twin.cells)) == (1, 2, len(without.cells))
    assert after.contrast.difference == pytest.approx(np.mean([before.contrast.difference, 0.05]))
    assert after.contrast.seed_deviation == pytest.approx(before.contrast.seed_deviation), "they share the draws"


@pytest.mark.parametrize(("shares", "state"), [("same", "equivalent"), ("apart", "inconclusive"), ("more", "steeper")])
def test_the_interval_decides_the_state(shares: str, state: str) -> None:
    (pooled,) = table(SHARES[shares])
    assert pooled.estimates[ALL].state == state
