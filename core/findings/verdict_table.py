"""The table of all verdicts: task × method × checkpoint, and below seed twins their spread."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.findings.claim import Verdict, verdict
from core.findings.spread import NONE, OfCheckpoint, Spread, spreads
from core.findings.verdicts import adjusted_p_values, control_shares, corrected, verdict_cell, with_rows
from core.request.catalog import DAMAGE, METHODS, SECOND_DAMAGE, TASKS
from core.results.choices import family_of, task_title
from core.results.names import checkpoint_name, decimals, method_name, percent
from core.results.schema import SweepResult
from core.sweep.control_contrast import Direction


@dataclass(frozen=True)
class VerdictRow:
    """One method on one checkpoint and task.

    Attributes:
        result: The method's sweep.
        verdict: At the damage that it is judged by.
        second: At SECOND_DAMAGE.
        adjusted: The p-value of a difference from chance after Holm's correction over the table; None without one.
    """

    result: SweepResult
    verdict: Verdict
    second: Verdict
    adjusted: float | None

    @property
    def of_checkpoint(self) -> OfCheckpoint:
        """The verdict as one of several seed twins'."""
        place = (self.result.task.fingerprint, method_name(self.result))
        return OfCheckpoint(self.result.checkpoint.id, place, self.verdict, self.direction)

    @property
    def direction(self) -> Direction:
        """The verdict after Holm's correction, which a difference must survive."""
        return corrected(self.verdict, self.adjusted)


def verdict_table(results: Iterable[SweepResult], companions: Iterable[SweepResult]) -> list[VerdictRow]:
    """Judge the results that can be judged, one row per task, checkpoint and method.

    Args:
        results: Any results; controls, single layers and sweeps in smaller steps have no row of their own, and of
            several results of one pruning, such as one by further measures, only the first has.
        companions: The results that they are judged beside.
    """
    companions, judged = list(companions), sorted(with_rows(results), key=_place)
    verdicts = [verdict(result, companions) for result in judged]
    return [
        VerdictRow(result, known, verdict(result, companions, damage=SECOND_DAMAGE), adjusted)
        for result, known, adjusted in zip(judged, verdicts, adjusted_p_values(verdicts), strict=True)
    ]


def _place(result: SweepResult) -> tuple[int, str, bool, int, str, str, int]:
    tasks, methods = list(TASKS), list(METHODS)
    task = result.task.name
    place = tasks.index(task) if task in tasks else len(tasks)
    return (
        place,
        task,
        result.task.source == "written",
        methods.index(result.pruning.method),
        result.pruning.scope or "",
        family_of(result.checkpoint.id) or result.checkpoint.id,
        result.checkpoint.recipe.seed if result.checkpoint.recipe else 0,
    )


def verdict_rows(table: Sequence[VerdictRow]) -> list[dict[str, str]]:
    """Write the table, a row of texts per method and checkpoint; below seed twins a row with their spread."""
    found = {
        [*spread.checkpoints][-1]: spread for spread in spreads({row.result.key: row.of_checkpoint for row in table})
    }
    rows = []
    for row in table:
        rows.append(_cells(row))
        if spread := found.get(row.result.key):
            rows.append(_spread_cells(spread, [twin for twin in table if twin.result.key in spread.checkpoints]))
    return rows


def _cells(row: VerdictRow) -> dict[str, str]:
    return {
        "Task": _task(row.result),
        "Checkpoint": _without_task(checkpoint_name(row.result), row.result),
        "Method": method_name(row.result),
        **{
            f"{title} {decimals(known.damage, 2)}": text(known)
            for known in (row.verdict, row.second)
            for title, text in (("In the upper half at", _share), ("Random at", control_shares))
        },
        f"Verdict at {decimals(DAMAGE, 2)}": _verdict(row),
        "Layer that differs most": _layer(row.verdict),
        "Beyond the emptied model": _beyond(row.verdict),
    }


def _spread_cells(spread: Spread, twins: Sequence[VerdictRow]) -> dict[str, str]:
    """Write the row below seed twins: the means of their shares ± the standard deviation from twin to twin."""
    return {
        "Task": _task(twins[0].result),
        "Checkpoint": _without_task(spread.name, twins[0].result),
        "Method": method_name(twins[0].result),
        **{
            f"{title} {decimals(verdicts[0].damage, 2)}": text(verdicts)
            for verdicts in ([twin.verdict for twin in twins], [twin.second for twin in twins])
            for title, text in (("In the upper half at", spread.shares), ("Random at", spread.control_shares))
        },
        f"Verdict at {decimals(DAMAGE, 2)}": spread.states,
        "Layer that differs most": NONE,
        "Beyond the emptied model": NONE,
    }


def _without_task(name: str, result: SweepResult) -> str:
    """Leave the task out of a checkpoint's name, since it stands beside it."""
    return name.replace(f", fine-tuned on {task_title(result.task.name)}", "")


def _task(result: SweepResult) -> str:
    return task_title(result.task.name) + (", written" if result.task.source == "written" else "")


def _share(verdict: Verdict) -> str:
    return NONE if verdict.share is None else percent(verdict.share)


def _verdict(row: VerdictRow) -> str:
    return verdict_cell(row.verdict, row.direction)


def _layer(verdict: Verdict) -> str:
    if verdict.layer is None:
        return NONE
    return f"{verdict.layer.label}: {verdict.layer.value:+.3f}".replace("-", "−")


def _beyond(verdict: Verdict) -> str:
    beyond = verdict.beyond
    return beyond.state if beyond.value is None else f"{beyond.state} ({decimals(beyond.value, 3)})"
