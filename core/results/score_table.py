"""The scores of a frame as a table in Markdown, for the README of a checkpoint."""

from core.results.schema import Frame


def score_table(frame: Frame) -> str:
    """Tabulate every metric with its value and its 95 % interval."""
    rows = ["| metric | value | 95 % interval |", "|---|---|---|"]
    for name, value in frame.metrics.items():
        interval = frame.intervals.get(name)
        ends = f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else "unknown"
        rows.append(f"| {name.replace('_', ' ')} | {'undefined' if value is None else f'{value:.4f}'} | {ends} |")
    return "\n".join(rows)
