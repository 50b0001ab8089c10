"""A grid of sweeps: as a table with a row for every setting, and as a picture of settings × checkpoints."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.findings.accuracy import metric_of
from core.findings.choices import task_title
from core.findings.claim import Verdict, corrected, verdict, with_rows
from core.findings.comparable import controls_of
from core.findings.survival import own_similarity
from core.findings.words import NONE, with_interval
from core.findings.words.lab import key_figures
from core.request.amounts import amount_text
from core.request.catalog import METHODS, METRICS, REDUCTION, SECOND_DAMAGE
from core.request.scope import run_of
from core.results.names import data_name, decimals, models_name, percent, points_name, pruning_name
from core.results.schema import SweepResult
from core.results.statistics import GapAtDamage

AMOUNT = 0.5  # whose metric stands beside the unpruned model's
ATTENTION = "attention blocks"  # where layers are usually compared
COMPARED = (None, "interval too wide")  # reasons that leave shares as good as those of a verdict

Curves = npt.NDArray[np.float64]  # own CKA, (frames, points)


@dataclass(frozen=True)
class Column:
    """A checkpoint and the examples that it was measured on.

    Attributes:
        revision: The digest of the checkpoint's content.
        fingerprint: The examples' fingerprint.
        checkpoint: The checkpoint's name.
        task: The task and the number of examples.
        data: The examples' full name.
    """

    revision: str
    fingerprint: str
    checkpoint: str
    task: str
    data: str


@dataclass(frozen=True)
class GridRow:
    """One sweep of a grid, without the result: those of a whole grid are kept.

    Attributes:
        key: The result's key.
        checkpoint: Its checkpoint's id.
        column: What was pruned, and what it was measured on.
        setting: How it was pruned, and where layers were compared if not after attention blocks.
        place: Orders settings: by method, then from the whole encoder to single layers, the first before the last.
        cells: By column of the table, without the verdict.
        verdict: None for a sweep that none is given about.
        amounts: The amounts.
        own: Own CKA at every amount.
        control: The mean of its random controls over the same amounts; None without any.
    """

    key: str
    checkpoint: str
    column: Column
    setting: str
    place: tuple[int, int, bool, bool, str]
    cells: dict[str, str]
    verdict: Verdict | None
    amounts: tuple[float, ...]
    own: Curves
    control: Curves | None


def grid_rows(results: Sequence[SweepResult]) -> list[GridRow]:
    """Describe the sweeps of one checkpoint on the same examples.

    Random controls and sweeps that stop at a damage serve the others and have no rows, unless there is nothing else.

    Args:
        results: All of them, since each is judged beside others.
    """
    whole = [result for result in results if result.pruning.controls is None and result.pruning.stop is None]
    judged = {result.key for result in with_rows(whole)}
    return [_row(result, results, result.key in judged) for result in whole or results]


def _row(result: SweepResult, results: Sequence[SweepResult], is_judged: bool) -> GridRow:
    cells, points, pruning = _cells(result), points_name(result.points), result.pruning
    elsewhere, run = points != ATTENTION, run_of(pruning.scope)
    setting = cells["Pruning"] + (f", {points}" if elsewhere else "")
    revision, fingerprint = result.checkpoint.revision, result.task.fingerprint
    controls = (control for control in controls_of(result, results) if control.amounts == result.amounts)
    seeds = [own_similarity(control, REDUCTION) for control in controls]
    return GridRow(
        key=result.key,
        checkpoint=result.checkpoint.id,
        column=Column(revision, fingerprint, cells["Checkpoint"], cells["Task"], data_name(result)),
        setting=setting,
        place=(
            list(METHODS).index(pruning.method),
            -1 if run is None else run.start,
            pruning.scope == "all-linear",
            elsewhere,
            setting,
        ),
        cells=cells,
        verdict=verdict(result, results) if is_judged else None,
        amounts=result.amounts,
        own=own_similarity(result, REDUCTION),
        control=np.mean(seeds, axis=0) if seeds else None,
    )


def _cells(result: SweepResult) -> dict[str, str]:
    metric, statistics = metric_of(result), result.statistics_of(REDUCTION)
    figures = list(key_figures(result, REDUCTION).values()) or [NONE]
    scores = {frame.amount: frame.metrics[metric] for frame in result.frames}
    unpruned, half = (NONE if (value := scores.get(at)) is None else decimals(value, 3) for at in (0.0, AMOUNT))
    gap = statistics.gap_at_damage.get(amount_text(SECOND_DAMAGE)) if statistics else None
    return {
        "Checkpoint": models_name(result),
        "Task": f"{task_title(result.task.name)}, {len(result.task.examples)} examples",
        "Pruning": pruning_name(result),
        "Compared after": points_name(result.points),
        "Metric": METRICS[metric].title,
        "Unpruned": unpruned,
        f"At {percent(AMOUNT)}": half,
        "Holds": figures[-1],
        "First to change": NONE if result.against else figures[0],
        f"Gap at change {amount_text(SECOND_DAMAGE)}": with_interval(gap.value, gap.low, gap.high)
        if isinstance(gap, GapAtDamage)
        else NONE,
    }


def corrected_verdicts(rows: Sequence[GridRow]) -> dict[str, Verdict]:
    """Correct the verdicts of a grid for their number; return them by the keys of the results."""
    judged = {row.key: row.verdict for row in rows if row.verdict}
    return dict(zip(judged, corrected(list(judged.values())), strict=True))


def comparable_rows(rows: Iterable[GridRow]) -> list[tuple[GridRow, Verdict]]:
    """Return the sweeps that are compared with all seeds of random removal, each with its verdict alone.

    Args:
        rows: Of one pruning, each on another checkpoint or task.

    Returns:
        Nothing where they are all on one checkpoint.
    """
    known = [(row, row.verdict) for row in rows if row.verdict and row.verdict.reason in COMPARED]
    known = [(row, verdict) for row, verdict in known if verdict.method and len(verdict.controls) >= verdict.needed]
    return known if len({row.column.checkpoint for row, _ in known}) > 1 else []


# ---------------------------------------------------------------- as a picture


@dataclass(frozen=True)
class Grid:
    """Settings × checkpoints.

    Attributes:
        columns: The columns, each with the two lines that head it.
        settings: The names of the rows.
        cells: By setting and column; of one setting there may be several sweeps, such as one by further measures.
        verdicts: By the keys of the results.
    """

    columns: dict[Column, tuple[str, str]]
    settings: tuple[str, ...]
    cells: Mapping[tuple[str, Column], Sequence[GridRow]]
    verdicts: Mapping[str, Verdict]


def arranged(rows: Sequence[GridRow], shown: Collection[str]) -> Grid:
    """Arrange rows of a grid by setting and checkpoint.

    Args:
        rows: All rows, since verdicts are corrected for their number, whatever is shown of them.
        shown: The keys of those to show.
    """
    known, kept = corrected_verdicts(rows), [row for row in rows if row.key in shown]
    columns = sorted({row.column for row in kept}, key=lambda column: (column.checkpoint, column.data))
    named = Counter((column.checkpoint, column.task) for column in columns)
    places = {row.setting: row.place for row in kept}
    cells: dict[tuple[str, Column], list[GridRow]] = {}
    for row in kept:
        cells.setdefault((row.setting, row.column), []).append(row)
    return Grid(
        {
            column: (column.checkpoint, column.task)
            if named[column.checkpoint, column.task] == 1
            else (f"{column.checkpoint} ({column.revision[:7]})", column.data)
            for column in columns
        },
        tuple(sorted(places, key=places.__getitem__)),
        cells,
        {row.key: known[row.key] for row in kept if row.key in known},
    )
