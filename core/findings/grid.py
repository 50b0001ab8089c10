"""A grid of sweeps as one table: settings, how far the model works, which layer changes first, and the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.findings.claim import Verdict, verdict
from core.findings.lab import key_figures
from core.findings.overview import metric_of
from core.findings.verdicts import adjusted_p_values, verdict_cell, with_rows
from core.request.catalog import METRICS
from core.results.choices import task_title
from core.results.names import decimals, models_name, points_name, pruning_name
from core.results.schema import GapAtDamage, SweepResult

REDUCTION = "mean"  # the default view
AMOUNT = 0.5  # whose metric stands beside the unpruned model's
DAMAGE = "0.1"
NONE = "–"


@dataclass(frozen=True)
class GridRow:
    """One sweep of a grid.

    Attributes:
        cells: By column, without the verdict.
        granularity: Whether it removes single weights or whole units.
        verdict: None for a sweep that none is given about.
    """

    cells: dict[str, str]
    granularity: str
    verdict: Verdict | None


def grid_rows(results: Sequence[SweepResult]) -> list[GridRow]:
    """Describe the sweeps of one checkpoint on the same examples.

    Random controls and sweeps that stop at a damage serve the others and have no rows, unless there is nothing else.

    Args:
        results: All of them, since each is judged beside others.
    """
    whole = [result for result in results if result.pruning.controls is None and result.pruning.stop is None]
    judged = {result.key for result in with_rows(whole)}
    return [
        GridRow(_cells(result), result.pruning.granularity, verdict(result, results) if result.key in judged else None)
        for result in whole or results
    ]


def grid_table(rows: Sequence[GridRow]) -> list[dict[str, str]]:
    """Write all rows of a grid; its verdicts are corrected for their number."""
    known = [row.verdict for row in rows if row.verdict]
    adjusted = iter(adjusted_p_values(known))
    return [
        {**row.cells, "Verdict": verdict_cell(row.verdict, next(adjusted), row.granularity) if row.verdict else NONE}
        for row in rows
    ]


def _cells(result: SweepResult) -> dict[str, str]:
    metric = metric_of(result)
    first, *_, holds = (
        (figure.value for figure in key_figures(result, REDUCTION)) if _is_pruned(result) else (NONE, NONE)
    )
    return {
        "Checkpoint": models_name(result),
        "Task": f"{task_title(result.task.name)}, {len(result.task.examples)} examples",
        "Pruning": pruning_name(result),
        "Compared after": points_name(result.points),
        "Metric": METRICS[metric].title,
        "Unpruned": _metric_at(result, metric, 0.0),
        "At 50 %": _metric_at(result, metric, AMOUNT),
        "Holds": holds,
        "First to change": NONE if result.against else first,
        "Gap at change 0.1": _gap(result),
    }


def _is_pruned(result: SweepResult) -> bool:
    return len(result.frames) > 1


def _metric_at(result: SweepResult, metric: str, amount: float) -> str:
    value = next((frame.metrics[metric] for frame in result.frames if frame.amount == amount), None)
    return NONE if value is None else decimals(value, 3)


def _gap(result: SweepResult) -> str:
    """Write how much more similar the lower half of the layers stays at one overall change, with its interval."""
    known = result.statistics_of(REDUCTION)
    gap = known.gap_at_damage.get(DAMAGE) if known else None
    if not isinstance(gap, GapAtDamage):
        return NONE
    return f"{decimals(gap.value, 3)} ({decimals(gap.low, 3)} to {decimals(gap.high, 3)})"
