"""The Grid's sentences."""

from collections import Counter
from typing import get_args

from core.findings.grid import Grid
from core.findings.words import numbered, state
from core.results.names import listed
from core.sweep.control_contrast import Direction


def grid_heading(grid: Grid) -> str:
    """Say how the verdicts on show are spread over the four states."""
    counts = Counter(verdict.direction for verdict in grid.verdicts.values())
    if not counts:
        return f"{numbered(sum(map(len, grid.cells.values())), 'sweep')} at a glance, without a verdict"
    parts = [f"{counts[direction]} {state(direction)}" for direction in get_args(Direction) if counts[direction]]
    return f"Of {numbered(counts.total(), 'verdict')}: {listed(parts)}"


def grid_reasons(grid: Grid) -> str:
    """Count why verdicts cannot be told; empty if all can."""
    counts = Counter(verdict.reason for verdict in grid.verdicts.values() if verdict.reason).most_common()
    return f"Cannot be told: {', '.join(f'{count} × {reason}' for reason, count in counts)}." if counts else ""
