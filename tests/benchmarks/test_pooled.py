"""Pooled verdicts: which cells there are, what is estimated over them, and when it counts.

tests/independent computes the shipped estimates again.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.pooled import estimate, pool
from benchmarks.verdicts import write_table
from core.findings import pooled
from core.findings.pooled import ALL, Pooled
from core.findings.words.grid import claim_finding, grid_rows, own_marks
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


def test_draws_shared_by_checkpoints_widen_the_interval() -> None:
    ((first, second, *_),) = (pooled.cells for pooled in table(SHARES["same"]))
    cells = [
        replace(cell, contrast=replace(cell.contrast, difference=0.0), by_seed={0: 0.2, 1: -0.2})
        for cell in (first, second)
    ]
    shared = estimate(cells)
    assert (shared.between, shared.interval) == ((0, 0), shared.within)
    assert shared.interval[1] > 1
    separate = estimate([replace(cells[0], by_seed={2: 0.1}), cells[1]])
    assert (separate.within, separate.interval) == (None, separate.between), "no common seed"


@pytest.mark.parametrize(("shares", "state"), [("same", "equivalent"), ("apart", "inconclusive"), ("more", "steeper")])
def test_the_interval_decides_the_state(shares: str, state: str) -> None:
    (pooled,) = table(SHARES[shares])
    assert pooled.estimates[ALL].state == state


def test_single_cells_and_too_few_seeds_are_not_pooled() -> None:
    assert table(SHARES["same"][:1]) == ()
    bare = network(0.7, task="qqp")
    (pooled,) = table(SHARES["same"], [bare, *around(0.7, task="qqp")[:1]])
    assert bare.key not in pooled.keys


def test_the_app_reads_what_was_written(shipped: Path) -> None:
    assert pooled.shipped() == ()
    known = table(SHARES["same"])
    shipped.parent.mkdir(exist_ok=True)
    write_table(pooled.FILE, known)
    assert pooled.shipped() == known
    assert "the upper layers change most on all 4 checkpoints, and random removal" in claim_finding(known[0]).heading
    own = network(0.9, task="qnli")
    rows = grid_rows([own, *around(0.7, task="qnli")])
    ((setting, ((_, beside),)),) = own_marks(rows).items()
    assert (setting, beside.difference) == ((known[0].method, known[0].scope), pytest.approx(0.2))
    assert pooled.shipped() == known, "a mark counts nowhere"
