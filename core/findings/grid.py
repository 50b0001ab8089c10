"""A grid of sweeps: as a table with a row for every setting, and as a picture of settings × checkpoints."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.findings.accuracy import metric_of
from core.findings.choices import task_title
from core.findings.claim import BY_INTERVAL, Verdict, at_damage, corrected, verdict, with_rows
from core.findings.comparable import control_sweeps, controls_of
from core.findings.layers import own_similarity
from core.findings.words import NONE, estimated
from core.findings.words.lab import columns_name, key_figures, meanings_name
from core.findings.words.numbers import decimals, percent
from core.request.amounts import amount_text
from core.request.catalog import METHODS, METRICS, REDUCTION, SECOND_DAMAGE
from core.request.scope import run_of
from core.results import store
from core.results.names import checkpoint_name, data_name, points_name, pruning_name
from core.results.schema import SweepResult
from core.sweep.statistics import Array

AMOUNT = 0.5  # whose metric stands beside the unpruned model's
ATTENTION = "attention blocks"  # where layers are usually compared


@dataclass(frozen=True)
class Column:
    """A checkpoint and the examples that it was measured on.

    Attributes:
        revision: The digest of the checkpoint's content.
        fingerprint: The examples' fingerprint.
        checkpoint: The checkpoint's name.
        task: The task and the number of examples.
        data: The examples' full name, and of a table what was read: its columns, and what its labels mean.
    """

    revision: str
    fingerprint: str
    checkpoint: str
    task: str
    data: tuple[str, ...]


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
        own: (frames, points) own CKA.
        control: The mean of its random controls over the same amounts; None without any.
    """

    key: str
    checkpoint: str
    column: Column
    setting: str
    place: tuple[int, int, bool, str]
    cells: dict[str, str]
    verdict: Verdict | None
    amounts: tuple[float, ...]
    own: Array
    control: Array | None


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
    cells, pruning, run = _cells(result), result.pruning, run_of(result.pruning.scope)
    points = cells["Compared after"]
    setting = cells["Pruning"] + ("" if points == ATTENTION else f", {points}")
    task, revision = result.task, result.checkpoint.revision
    data = data_name(result), columns_name(task.columns), meanings_name(task.label_map)
    seeds = [own_similarity(seed, REDUCTION) for seed in controls_of(result, results) if seed.amounts == result.amounts]
    return GridRow(
        key=result.key,
        checkpoint=result.checkpoint.id,
        column=Column(revision, task.fingerprint, cells["Checkpoint"], cells["Task"], data),
        setting=setting,
        place=([*METHODS].index(pruning.method), run.start if run else -1, pruning.scope == "all-linear", setting),
        cells=cells,
        verdict=verdict(result, results) if is_judged else None,
        amounts=result.amounts,
        own=own_similarity(result, REDUCTION),
        control=np.mean(seeds, axis=0) if seeds else None,
    )


def _cells(result: SweepResult) -> dict[str, str]:
    metric, reached = metric_of(result), at_damage(result, REDUCTION, SECOND_DAMAGE)
    first, _, holds = key_figures(result, REDUCTION)
    scores = {frame.amount: frame.metrics[metric] for frame in result.frames}
    unpruned, half = (NONE if (value := scores.get(at)) is None else decimals(value, 3) for at in (0.0, AMOUNT))
    return {
        "Checkpoint": checkpoint_name(result),
        "Task": f"{task_title(result.task.name)}, {len(result.task.examples)} examples",
        "Pruning": pruning_name(result),
        "Compared after": points_name(result.points),
        "Metric": METRICS[metric].title,
        "Unpruned": unpruned,
        f"At {percent(AMOUNT)}": half,
        "Holds": holds,
        "First to change": first,
        f"Gap at change {amount_text(SECOND_DAMAGE)}": estimated(reached[0]) if reached else NONE,
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
    known = [(row, row.verdict) for row in rows if row.verdict and row.verdict.reason in BY_INTERVAL]
    return known if len({row.column.checkpoint for row, _ in known}) > 1 else []


# ---------------------------------------------------------------- as a picture


@dataclass(frozen=True)
class Grid:
    """Settings × checkpoints.

    Attributes:
        columns: The columns, each with the two lines that head it.
        settings: The names of the rows.
        cells: By setting and column; of one setting there may be several sweeps, such as one in other steps.
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
    kept = [row for row in rows if row.key in shown]
    columns = sorted({row.column for row in kept}, key=lambda column: (column.checkpoint, column.data))
    cells = defaultdict(list)
    for row in kept:
        cells[row.setting, row.column].append(row)
    settings = dict.fromkeys(row.setting for row in sorted(kept, key=lambda row: row.place))
    verdicts = {key: known for key, known in corrected_verdicts(rows).items() if key in shown}
    return Grid({column: _head(column, columns) for column in columns}, tuple(settings), cells, verdicts)


def _head(column: Column, columns: Iterable[Column]) -> tuple[str, str]:
    """Name a column as briefly as tells it from the others."""
    alike = [other for other in columns if (other.checkpoint, other.task) == (column.checkpoint, column.task)]
    parts = zip(column.data, *(other.data for other in alike), strict=True)
    differs = [own for own, *others in parts if own and {*others} != {own}]
    name = f"{column.checkpoint} ({column.revision[:7]})" if len({c.revision for c in alike}) > 1 else column.checkpoint
    return name, ", ".join(differs) or column.task
