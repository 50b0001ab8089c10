"""The Lab's figures and sentences; the heading of a result is that of the Layers page."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from core.errors import first_few
from core.findings.accuracy import label_doubt, rare_labels
from core.findings.layers import layers_of
from core.findings.words import NONE, layers_named, points, works_words
from core.findings.words import numbers as num
from core.request.catalog import EMBEDDED, FEW_EXAMPLES, MIN_PROMISED
from core.request.cut_request import MOST_REFIT, Division
from core.results import names as n
from core.results.schema import ColumnsRecord, SweepResult, TaskRecord

TRAIN_AGAIN = "Train it again"  # a panel and its button
TRAINS = f"Up to {MOST_REFIT:,} rows that are not judged train it, zeros held, and once the unpruned model as long."
ROWS_TO_TRAIN = "A file of labelled rows to train on in their place (columns of the same names)"


def first_to_change(result: SweepResult, reduction: n.ReductionKey) -> str:
    """Name the first layers of a result to change, and the amount; a dash if nothing was removed."""
    order = layers_of(result, reduction)
    first = order.first or order.last
    if len(result.frames) < 2 or not first:
        return NONE
    if first[0].censored:
        return f"None, up to {n.amount_name(result.amounts[-1])}"
    is_every = len(first) == sum(layer.is_defined for layer in order.every) > 1
    labels = layers_named([layer.label for layer in first], n.point_labels(result.points))
    return f"{'All layers' if is_every else n.capitalised(labels)}, at {num.percent(first[0].rank)}"


def methods_table(
    results: Iterable[SweepResult], reduction: n.ReductionKey
) -> dict[str, dict[str, str]]:
    """Tabulate how far a model can be pruned by each method: by the keys of the results, the farthest first.

    Amounts of weights and of units are not alike; the shares of encoder weights that are removed by then are.

    Args:
        results: Whole sweeps of one checkpoint on the same examples.
        reduction: By which layers have changed.
    """
    rows: list[tuple[float, str, str, dict[str, str]]] = []
    for result in results:
        first, name = first_to_change(result, reduction), n.brief_name(result.pruning)
        works = (result.working_range and result.working_range.to) or 0.0
        share = result.frames[result.amounts.index(works)].prunable_sparsity
        until = (
            f"{n.amount_name(works)} of {n.units_name(result)}"
            if works
            else works_words(result) or NONE
        )
        also = (
            f", {num.percent(share)} of encoder weights"
            if num.percent(share) != n.amount_name(works)
            else ""
        )
        cells = {
            "Method": name,
            "Works up to": n.capitalised(until) + also,
            "First layer to fall": first,
        }
        rows.append((-share, name, result.key, cells))
    return {key: cells for *_, key, cells in sorted(rows)}


def check_sentence(deviations: Mapping[str, Any]) -> str:
    """Say how far a frame deviates from two recomputations; takes `core.sweep.recompute.Deviations.to_json()`."""

    def largest(
        differences: Iterable[float | None],
    ) -> str:  # None stands for a value that only one computation has
        return num.small(
            max(float("inf") if difference is None else difference for difference in differences)
        )

    own = largest(
        [*deviations["engine"].values(), *deviations["others"].values(), deviations["accuracy"]]
    )
    confirmed = "confirmed" if deviations["within_tolerance"] else "not confirmed"
    cause, allowed = deviations["cause"], num.small(deviations["allowed"])
    expected = cause and f" Up to {allowed} is expected: the result was computed {cause}."
    return (
        f"The frame is {confirmed} at {n.amount_name(deviations['amount'])}: computed again it differs by {own} at "
        f"most, from the CKA of torch-cka by {largest(deviations['torch_cka'].values())}.{expected}"
    )


def reading_note(task: TaskRecord) -> str:
    """Say which files, rows and columns were read; empty for GLUE and the written examples."""
    if not task.columns:
        return ""
    files = n.listed(
        [f"{file.name}, rows {file.rows[0] + 1} to {file.rows[1]}" for file in task.files or ()]
    )
    guessed = f" ({n.listed(task.guessed)} guessed)" if task.guessed else ""
    mapped = f"; {meanings_name(task.label_map)}" if task.label_map else ""
    return f"Read from {files}: {columns_name(task.columns)}{guessed}{mapped}."


def division_words(division: Division) -> str:
    """Say how rows are divided for a study of cuts, and how precise that makes it."""
    rows = f"{sum(division):,} rows: {division.refit:,} to refit, {division.stop:,} to stop early"
    expected = f"expect about ± {points(division.width)}; more rows narrow it"
    if division.judged < MIN_PROMISED:
        expected = f"{expected}. Fewer than {MIN_PROMISED} judged rows promise nothing"
    return f"{rows}, {division.judged:,} to judge: {expected}."


def columns_name(columns: ColumnsRecord | None) -> str:
    """Name the columns that were read from a table; empty if no columns were chosen."""
    texts = " and ".join(f"“{column}”" for column in columns.text) if columns else ""
    return f"the text from {texts}, the label from “{columns.label}”" if columns else ""


def meanings_name(label_map: Mapping[str, str | None] | None) -> str:
    """Say what the values of a label column mean that are no label names."""
    meanings = (label_map or {}).items()
    return n.listed(
        [
            f"“{value}” {'is left out' if label is None else f'means {label}'}"
            for value, label in meanings
        ]
    )


# ---------------------------------------------------------------- what to be careful about

QUORA = "Pretraining has seen Quora's duplicate questions, so scores on QQP may be optimistic."
SWITCHED = (
    "Check id2label in its config.json, and which label each value of the label column means."
)


def caution(result: SweepResult) -> str:
    """Warn about few examples, rare or doubtful labels and data seen in pretraining; else return an empty text."""
    notes, count = [], len(result.task.examples)
    if count < FEW_EXAMPLES:
        notes.append(
            f"{count} examples are few: below {FEW_EXAMPLES}, small differences may be noise."
        )
    if rare := rare_labels(result.task):
        notes.append(
            f"No score says much about labels with fewer than 2 evaluation examples ({first_few(rare)})."
        )
    accuracy, better, labels = label_doubt(result) or (0.0, 0.0, ())
    if labels:
        notes.append(
            f"The unpruned model's accuracy is {num.decimals(accuracy, 2)}; with its labels in the order "
            f"{', '.join(map(n.brief_label, labels))} it would be {num.decimals(better, 2)}. {SWITCHED}"
        )
    elif result.working_range and result.working_range.to is None:
        notes.append(_no_lead(result))
    if result.task.name == "qqp" and (result.checkpoint.recipe or result.checkpoint.id in EMBEDDED):
        notes.append(QUORA)
    if (coarsest := max(np.diff(result.amounts), default=0.0)) > 0.15:
        notes.append(
            f"Steps of {num.percent(coarsest)} are coarse: amounts between them are estimates."
        )
    return " ".join(notes)


def _no_lead(result: SweepResult) -> str:
    """Say that a model does no better than one label, and what to check."""
    task, answers = result.task, set(result.frames[0].predictions)
    does, order = "is not shown to be better than guessing", ["the order of its labels"]
    if len(answers) == 1:  # it gives that one in any order of the labels
        does, order = f"always answers “{n.brief_label(task.label_names[min(answers)])}”", []
    columns = ["the columns that are read"] if task.columns else []
    checks = [*order, *columns, "whether the checkpoint is fine-tuned for this task"]
    return f"Unpruned, the model {does}, so the cost of pruning cannot be measured. Check {n.listed(checks)}."
