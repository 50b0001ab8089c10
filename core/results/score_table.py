"""The scores of a frame as a table in Markdown, for the README of a checkpoint."""

from core.results.fields import Bounds
from core.results.schema import Frame


def score_table(frame: Frame) -> str:
    """Tabulate every metric with its value and its 95 % interval."""
    rows = (
        f"| {name.replace('_', ' ')} | {'undefined' if value is None else f'{value:.4f}'} "
        f"| {_interval(frame.intervals.get(name))} |"
        for name, value in frame.metrics.items()
    )
    return "\n".join(("| metric | value | 95 % interval |", "|---|---|---|", *rows))


def _interval(interval: Bounds | None) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else "unknown"
