"""A grid of sweeps as a table, each with the verdict beside its random controls."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.findings.accuracy import metric_of
from core.findings.choices import task_title
from core.findings.claim import BY_INTERVAL, Verdict, at_damage, corrected, verdict, with_rows
from core.findings.comparable import control_sweeps
from core.findings.words import NONE, estimated
from core.findings.words.lab import columns_name, key_figures, meanings_name
from core.findings.words.numbers import decimals, percent
from core.request.amounts import amount_text
from core.request.catalog import METHODS, METRICS, REDUCTION, SECOND_DAMAGE
from core.request.scope import run_of
from core.results import store
from core.results.names import checkpoint_name, data_name, points_name, pruning_name
from core.results.schema import SweepResult

AMOUNT = 0.5  # whose metric stands beside the unpruned model's
ATTENTION = "attention blocks"  # where layers are usually compared


@dataclass(frozen=True)
class GridRow:
    """One sweep of a grid, without the result: those of a whole grid are kept.

    Attributes:
        key: The result's key.
        checkpoint: Its checkpoint's id.
        name: Its checkpoint's name.
        fingerprint: The examples' fingerprint.
        layers: The number of its layers.
        setting: How it was pruned, and where layers were compared if not after attention blocks.
        place: The order of rows: by checkpoint, by method, then from the whole encoder to single layers.
        cells: The cells of the table by column, the verdict's empty.
        verdict: The verdict, not corrected; None for a sweep that has none.
    """

    key: str
    checkpoint: str
    name: str
    fingerprint: str
    layers: int
    setting: str
    place: tuple[str, str, int, int, bool, str]
    cells: dict[str, str]
    verdict: Verdict | None


@dataclass(frozen=True)
class Grid:
    """Sweeps in the order of a table, and their verdicts by key, corrected for their number."""

    rows: tuple[GridRow, ...]
    verdicts: Mapping[str, Verdict]


def arranged(rows: Sequence[GridRow], shown: Collection[str] | None = None) -> Grid:
    """Arrange the rows of a grid.

    Args:
        rows: All rows: verdicts are corrected for their number, whatever is shown.
        shown: The keys of the rows to show; None shows all.
    """
    keys = {row.key for row in rows} if shown is None else {*shown}
    verdicts = {key: verdict for key, verdict in corrected_verdicts(rows).items() if key in keys}
    return Grid(tuple(sorted((row for row in rows if row.key in keys), key=lambda row: row.place)), verdicts)


def grid_rows(results: Sequence[SweepResult]) -> list[GridRow]:
    """Describe the sweeps of one checkpoint on the same examples.

    Random controls and sweeps that stop at a damage serve the others and have no rows, unless there is nothing else. A
    visitor is told which verdict lacks its control; a shipped sweep without one is there for something else.

    Args:
        results: All of them, since each is judged beside others.
    """
    whole = [result for result in results if result.pruning.controls is None and result.pruning.stop is None]
    judged = {row.key for row in with_rows(whole) if control_sweeps(row, results) or not store.is_shipped(row.key)}
    return [_row(result, results, result.key in judged) for result in whole or results]


def _row(result: SweepResult, results: Sequence[SweepResult], is_judged: bool) -> GridRow:
    pruning, run, points = result.pruning, run_of(result.pruning.scope), points_name(result.points)
    name, task = checkpoint_name(result), task_title(result.task.name)
    setting = pruning_name(result) + ("" if points == ATTENTION else f", {points}")
    order = [*METHODS].index(pruning.method), run.start if run else -1, pruning.scope == "all-linear"
    return GridRow(
        key=result.key,
        checkpoint=result.checkpoint.id,
        name=name,
        fingerprint=result.task.fingerprint,
        layers=result.checkpoint.num_layers,
        setting=setting,
        place=(name, task, *order, setting),
        cells={"Pruning": setting, "Checkpoint": name, **_cells(result)},
        verdict=verdict(result, results) if is_judged else None,
    )


def _cells(result: SweepResult) -> dict[str, str]:
    metric, reached, task = metric_of(result), at_damage(result, REDUCTION, SECOND_DAMAGE), result.task
    first, _, holds = key_figures(result, REDUCTION)
    scores = {frame.amount: frame.metrics[metric] for frame in result.frames}
    unpruned, half = (NONE if (value := scores.get(at)) is None else decimals(value, 3) for at in (0.0, AMOUNT))
    examples = data_name(result), columns_name(task.columns), meanings_name(task.label_map)
    return {
        "Task": f"{task_title(task.name)}, {len(task.examples)} examples",
        "Verdict": NONE,
        "First to change": first,
        "Holds": holds,
        "Metric": METRICS[metric].title,
        "Unpruned": unpruned,
        f"At {percent(AMOUNT)}": half,
        f"Gap at change {amount_text(SECOND_DAMAGE)}": estimated(reached[0]) if reached else NONE,
        "Examples": ", ".join(filter(None, examples)),
        "Revision": result.checkpoint.revision[:7],
    }


def corrected_verdicts(rows: Sequence[GridRow]) -> dict[str, Verdict]:
    """Correct the verdicts of a grid for their number; return them by the keys of the results."""
    judged = {row.key: row.verdict for row in rows if row.verdict}
    return dict(zip(judged, corrected(list(judged.values())), strict=True))


def comparable_rows(rows: Iterable[GridRow]) -> list[tuple[GridRow, Verdict]]:
    """Return the sweeps that are compared with all seeds of random removal, each with its verdict alone.

    Args:
        rows: The sweeps of one pruning, each on another checkpoint or task.

    Returns:
        The sweeps; none if all are on one checkpoint.
    """
    known = [(row, row.verdict) for row in rows if row.verdict and row.verdict.reason in BY_INTERVAL]
    return known if len({row.name for row, _ in known}) > 1 else []
