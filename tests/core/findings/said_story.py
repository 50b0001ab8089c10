"""What the story and the table of all results say over a set of facts: see `test_said`."""

from collections.abc import Iterator
from dataclasses import replace
from unittest.mock import patch

import numpy as np

from benchmarks.pooled import pooled_table
from core.findings.layers import Towards
from core.findings.pooled import ALL, WHOLE, Cell, Pooled, PooledEstimate
from core.findings.words import Finding, Table, grid, story
from core.findings.words.grid import grid_rows
from core.results.schema import SweepResult
from core.sweep.control_contrast import Contrast
from tests.builders import make_result
from tests.core.findings import made
from tests.core.findings.made import SEEDS, UNITS, around, holding_to, network


def lines(*findings: Finding) -> Iterator[str]:
    for finding in findings:
        yield f"# {finding.heading}"
        yield from finding.sentences
        for note in finding.notes:
            yield f"Note: {note}"


def table_lines(table: Table) -> Iterator[str]:
    for cells in table:
        yield " | ".join(cells.values())


def stories() -> Iterator[str]:
    one_layer = network(scope="layer:1")
    units = network(**UNITS)
    yield from chances(one_layer, units)
    with patch.object(story, "shipped", list):
        yield from lines(story.chance_finding(network(), []))
    for result in (network(), one_layer):
        yield from lines(story.watch_question(result), story.alone_finding(result, None))
    yield from lines(
        story.watch_finding(units, [], "mean"),
        story.SIMILAR,
        story.towards_finding(network(), None),
    )
    for nearest, earlier, later in (
        ((0, 1, 1, 2), 0.02, -0.03),
        ((0, 1, 2, 3), 0.02, -0.03),
        ((0, 1, 2, 3), -0.01, 0.0),
    ):
        towards = Towards(np.array([nearest]), earlier, later)
        yield from lines(story.towards_finding(network(), towards))


def chances(one_layer: SweepResult, units: SweepResult) -> Iterator[str]:
    broken = [made.working_to(seed, 0.04) for seed in SEEDS]
    coarse = made.seeds(*made.SEED_SHARES, amounts=made.COARSE)
    at_outputs = made.seeds(*made.SEED_SHARES, points="layer")
    for result, beside in (
        (network(0.7), SEEDS),
        (network(0.9), SEEDS),
        (network(0.3), SEEDS),
        (network(0.5), SEEDS),
        (network(), SEEDS[:4]),
        (network(), [*SEEDS[:3], *coarse[3:]]),
        (network(0.9), made.seeds(0.9, 0.2, 0.7)),
        (network(0.9), broken),
        (network(statistics=False), SEEDS),
        (network(points="layer"), at_outputs),
        (SEEDS[0], []),
        (one_layer, []),
        (units, []),
        (network(amounts=(0.0,)), []),
        (network(), []),
    ):
        yield story.watch_finding(result, beside, "mean").heading
        with patch.object(story, "shipped", lambda: [pool(0.013, 0.029)]):
            yield from lines(story.chance_finding(result, beside))


def limits() -> Iterator[str]:
    alone = made.working_to(make_result(**made.HELD, scope="layer:1"), 0.4, examples=872)
    for result in (
        holding_to(0.4),
        holding_to(0.6),
        holding_to(0.0),
        holding_to(None),
        make_result(**made.HELD),
        alone,
        make_result(num_layers=1, amounts=(0.0,)),
    ):
        yield story.working_text(result)


def grids() -> Iterator[str]:
    judged = grid_rows([network(0.81), *around(0.7)])
    others = []
    for k in range(20):
        others += [row._replace(key=str(k)) for row in grid_rows([network(), *around(0.7)])]
    for rows in (
        judged,
        grid_rows([network(0.9)]),
        grid_rows([network(points="layer")]),
        [*judged, *others],
        others,
    ):
        # Corrected for all, whatever is shown.
        yield grid.grid_heading(grid.arranged(rows, [rows[0].key]))
    unpruned = grid_rows([network(amounts=(0.0,))])
    controls = grid_rows(SEEDS[:1])  # which have rows where there is nothing else
    for rows in ([*judged, *unpruned], controls):
        for cells in grid.grid_table(grid.arranged(rows)):
            yield " | ".join("–" if cell is None else str(cell) for cell in cells.values())


def pool(
    value: float,
    half: float,
    whole: float = 0,
) -> Pooled:
    """A method over two checkpoints of one task."""

    def estimate(half: float) -> PooledEstimate:
        bounds = (value - half, value + half)
        return PooledEstimate(
            cells=8,
            value=value,
            interval=bounds,
            within=(value - half / 9, value + half / 9),
            deviation=0.033,
            inconsistency=0.876,
            predicted=None,
        )

    cell = Cell(
        task="SST-2",
        layers=6,
        keys=("first", "second"),
        upper=2,
        control_upper=2,
        needed=5,
        by_seed={0: value, 1: value},
        contrast=Contrast(value, 0.02, 0.01, 5, 256),
    )
    estimates = {
        WHOLE: estimate(whole or half),
        ALL: estimate(half),
    }
    return Pooled("magnitude", "encoder", (cell,), estimates)


def claims() -> Iterator[str]:
    equivalent = pool(0.013, 0.029)
    flatter = pool(-0.082, 0.072, whole=0.103)
    outcomes = [equivalent, flatter, pool(0.15, 0.04), pool(-0.003, 0.101)]
    for pooled in (
        *outcomes,
        replace(equivalent, method="wanda"),  # which removes another share
        replace(equivalent, method="attribution"),  # of which none is known
    ):
        yield from lines(grid.claim_finding(pooled))
    yield from table_lines(pooled_table(outcomes[:2]))
    yield from grid.differences(outcomes)
    yield from grid.differences(outcomes[:1])
    yield grid.MEANING
