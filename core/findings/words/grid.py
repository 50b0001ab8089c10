"""The Grid's sentences."""

from collections import Counter
from collections.abc import Sequence

from core.findings.choices import seed_groups
from core.findings.grid import Grid, GridRow, comparable_rows, corrected_verdicts
from core.findings.words import NONE, Table, numbered, share_span
from core.findings.words.numbers import decimals
from core.findings.words.verdict import REASONS, STATES, beside_random, state, verdict_cell
from core.request.catalog import DAMAGE
from core.results.names import listed
from core.sweep.control_contrast import DIFFERENT


def grid_heading(grid: Grid) -> str:
    """Say how the verdicts on show are spread over the four states."""
    counts = Counter(verdict.state for verdict in grid.verdicts.values())
    if not counts:
        return f"{numbered(sum(map(len, grid.cells.values())), 'sweep')} at a glance, without a verdict"
    parts = [f"{counts[known]} {state(known)}" for known in STATES if counts[known]]
    return f"Of {numbered(counts.total(), 'verdict')}: {listed(parts)}"


def replication_sentences(rows: Sequence[GridRow], pruning: str) -> tuple[str, ...]:
    """Say where the change lies on all checkpoints, and whether the method decides it; nothing of a single one.

    Args:
        rows: Of one pruning, each on another checkpoint or task.
        pruning: Its name inside a sentence.
    """
    found = comparable_rows(rows)
    if not found:
        return ()
    checkpoints = {row.column.checkpoint for row, _ in found}
    upper = len(checkpoints - {row.column.checkpoint for row, known in found if known.lead != "upper"})
    differing = len({row.column.checkpoint for row, known in found if known.state in DIFFERENT})
    others = len({row.column.checkpoint for row in rows} - checkpoints)
    shares = [known.share for _, known in found if known.share is not None]
    farthest = max(abs(known.contrast.difference) for _, known in found if known.contrast)
    where = "changes most on all" if upper == len(checkpoints) else f"is shown to change most on {upper} of"
    depths = listed([str(depth) for depth in sorted({row.own.shape[1] for row, _ in found})])
    lacking = f"; {others} more cannot be compared with random removal" if others else ""
    return (
        f"The upper half of the layers {where} {len(checkpoints)} checkpoints with {depths} layers: "
        f"{share_span(shares)} of an overall change of {decimals(DAMAGE, 2)} lies there "
        f"under {pruning}{lacking}.",
        f"Judged alone, {differing or 'none'} of them {'shows' if differing < 2 else 'show'} a difference from random "
        f"removal, whose mean share is at most {numbered(round(100 * farthest), 'percentage point')} away.",
    )


def replication_table(rows: Sequence[GridRow], own: Sequence[GridRow] = ()) -> Table:
    """Tabulate the shares and the verdicts of one pruning on several checkpoints, corrected for their number.

    Args:
        rows: Those that a claim counts.
        own: A visitor's, which stand below them and are judged alone.
    """
    known = corrected_verdicts([row for row, _ in comparable_rows(rows)])
    shown = [(row, known[row.key], "") for row in rows if row.key in known]
    shown += [(row, row.verdict, " (yours)") for row in own if row.verdict]
    return [
        {
            "Checkpoint": row.cells["Checkpoint"] + whose,
            "Layers": str(row.own.shape[1]),
            **beside_random([found]),
        }
        for row, found, whose in shown
    ]


def seeds_table(grid: Grid) -> Table:
    """Tabulate a grid's verdicts over checkpoints that differ only in the seed; empty where none do."""
    rows = {row.key: row for rows in grid.cells.values() for row in rows}
    places = {key: (rows[key].checkpoint, rows[key].column.fingerprint, rows[key].setting) for key in grid.verdicts}
    return [
        {"Checkpoints": name, "Pruning": rows[keys[0]].setting, **beside_random([grid.verdicts[key] for key in keys])}
        for name, keys in seed_groups(places)
    ]


def reasons_table(grid: Grid) -> Table:
    """Count the reasons of a grid's inconclusive verdicts, the commonest first, and say what each takes."""
    counts = Counter(known.reason for known in grid.verdicts.values() if known.reason)
    return [
        {"Why a verdict is inconclusive": why, "Verdicts": str(count), "What would decide it": REASONS[why]}
        for why, count in counts.most_common()
    ]


def grid_table(rows: Sequence[GridRow]) -> Table:
    """Tabulate all rows of a grid; their verdicts are corrected for their number."""
    known = corrected_verdicts(rows)
    return [row.cells | {"Verdict": verdict_cell(known[row.key]) if row.key in known else NONE} for row in rows]
