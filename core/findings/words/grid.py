"""The Grid's sentences."""

from collections import Counter

from core.findings.grid import Grid
from core.findings.words import numbered
from core.findings.words.verdict import STATES, state
from core.results.names import listed


def grid_heading(grid: Grid) -> str:
    """Say how the verdicts on show are spread over the four states."""
    counts = Counter(verdict.state for verdict in grid.verdicts.values())
    if not counts:
        return f"{numbered(sum(map(len, grid.cells.values())), 'sweep')} at a glance, without a verdict"
    parts = [f"{counts[known]} {state(known)}" for known in STATES if counts[known]]
    return f"Of {numbered(counts.total(), 'verdict')}: {listed(parts)}"
