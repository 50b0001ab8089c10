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
TRAINS = (
    f"Up to {MOST_REFIT:,} rows that are not judged train it, zeros held, and once the unpruned "
    "model as long."
)
ROWS_TO_TRAIN = "A file of labelled rows to train on in their place (columns of the same names)"


def first_to_change(result: SweepResult, reduction: n.ReductionKey) -> str:
    """Name the first layers to change, and the amount; a dash if nothing was removed."""
    order = layers_of(result, reduction)
    first = order.first or order.last
    if len(result.frames) < 2 or not first:
        return NONE
    if first[0].censored:
        return f"None, up to {n.amount_name(result.amounts[-1])}"
    amount = num.percent(first[0].rank)
    if len(first) == sum(layer.is_defined for layer in order.every) > 1:
        return f"All layers, at {amount}"
    labels = layers_named([layer.label for layer in first], n.point_labels(result.points))
    return f"{n.capitalised(labels)}, at {amount}"


def methods_table(
    results: Iterable[SweepResult], reduction: n.ReductionKey
) -> dict[str, dict[str, str]]:
    """Tabulate how far a model can be pruned by each method: by key, the farthest first.

    Amounts of weights and of units are not alike; the shares of encoder weights removed are.

    Args:
        results: Whole sweeps of one checkpoint on the same examples.
        reduction: By which layers have changed.
    """
    rows: list[tuple[float, str, str, dict[str, str]]] = []
    for result in results:
        works = (result.working_range and result.working_range.to) or 0.0
        share = result.frames[result.amounts.index(works)].prunable_sparsity
        until = works_words(result) or NONE
        if works:
            until = f"{n.amount_name(works)} of {n.units_name(result)}"
        if num.percent(share) != n.amount_name(works):
            until += f", {num.percent(share)} of encoder weights"
        name = n.brief_name(result.pruning)
        cells = {
            "Method": name,
            "Works up to": n.capitalised(until),
            "First layer to fall": first_to_change(result, reduction),
        }
        rows.append((-share, name, result.key, cells))
    return {key: cells for *_, key, cells in sorted(rows)}


def check_sentence(deviations: Mapping[str, Any]) -> str:
    """Say how far a frame deviates from two recomputations.

    Args:
        deviations: See `core.sweep.recompute.Deviations.to_json`.
    """
    engine = deviations["engine"].values()
    others = deviations["others"].values()
    own = _largest([*engine, *others, deviations["accuracy"]])
    torch_cka = _largest(deviations["torch_cka"].values())
    confirmed = "confirmed" if deviations["within_tolerance"] else "not confirmed"
    expected = ""
    if deviations["cause"]:
        allowed = num.small(deviations["allowed"])
        expected = f" Up to {allowed} is expected: the result was computed {deviations['cause']}."
    return (
        f"The frame is {confirmed} at {n.amount_name(deviations['amount'])}: computed again it "
        f"differs by {own} at most, from the CKA of torch-cka by {torch_cka}.{expected}"
    )


def _largest(differences: Iterable[float | None]) -> str:
    """Write the largest difference; None stands for a value that only one computation has."""
    infinite = float("inf")
    return num.small(max(infinite if size is None else size for size in differences))


def reading_note(task: TaskRecord) -> str:
    """Say which files, rows and columns were read; empty for GLUE and the written examples."""
    if not task.columns:
        return ""
    files = [f"{file.name}, rows {file.rows[0] + 1} to {file.rows[1]}" for file in task.files or ()]
    guessed = f" ({n.listed(task.guessed)} guessed)" if task.guessed else ""
    mapped = f"; {meanings_name(task.label_map)}" if task.label_map else ""
    return f"Read from {n.listed(files)}: {columns_name(task.columns)}{guessed}{mapped}."


def division_words(division: Division) -> str:
    """Say how rows are divided for a study of cuts, and how precise that makes it."""
    words = (
        f"{sum(division):,} rows: {division.refit:,} to refit, {division.stop:,} to stop early, "
        f"{division.judged:,} to judge: expect about ± {points(division.width)}; more rows narrow "
        "it."
    )
    if division.judged < MIN_PROMISED:
        words += f" Fewer than {MIN_PROMISED} judged rows promise nothing."
    return words


def columns_name(columns: ColumnsRecord | None) -> str:
    """Name the columns that were read from a table; empty if no columns were chosen."""
    if not columns:
        return ""
    texts = " and ".join(f"“{column}”" for column in columns.text)
    return f"the text from {texts}, the label from “{columns.label}”"


def meanings_name(label_map: Mapping[str, str | None] | None) -> str:
    """Say what the values of a label column mean that are no label names."""
    meanings = [
        f"“{value}” {'is left out' if label is None else f'means {label}'}"
        for value, label in (label_map or {}).items()
    ]
    return n.listed(meanings)


# ---------------------------------------------------------------- what to be careful about


def caution(result: SweepResult) -> str:
    """Warn about few examples, doubtful labels and data seen in pretraining; else be empty."""
    notes = []
    count = len(result.task.examples)
    if count < FEW_EXAMPLES:
        notes.append(
            f"{count} examples are few: below {FEW_EXAMPLES}, small differences may be noise."
        )
    rare = rare_labels(result.task)
    if rare:
        notes.append(
            "No score says much about labels with fewer than 2 evaluation examples "
            f"({first_few(rare)})."
        )
    doubt = label_doubt(result)
    if doubt:
        accuracy, better, labels = doubt
        notes.append(
            f"The unpruned model's accuracy is {num.decimals(accuracy, 2)}; with its labels in the "
            f"order {', '.join(map(n.brief_label, labels))} it would be "
            f"{num.decimals(better, 2)}. Check id2label in its config.json, and which label each "
            "value of the label column means."
        )
    elif result.working_range and result.working_range.to is None:
        notes.append(_no_lead(result))
    if result.task.name == "qqp" and (result.checkpoint.recipe or result.checkpoint.id in EMBEDDED):
        notes.append(
            "Pretraining has seen Quora's duplicate questions, so scores on QQP may be optimistic."
        )
    coarsest = max(np.diff(result.amounts), default=0.0)
    if coarsest > 0.15:
        notes.append(
            f"Steps of {num.percent(coarsest)} are coarse: amounts between them are estimates."
        )
    return " ".join(notes)


def _no_lead(result: SweepResult) -> str:
    """Say that a model does no better than one label, and what to check."""
    task = result.task
    answers = set(result.frames[0].predictions)
    checks = ["the order of its labels"]
    does = "is not shown to be better than guessing"
    if len(answers) == 1:  # it gives that one in any order of the labels
        checks = []
        does = f"always answers “{n.brief_label(task.label_names[min(answers)])}”"
    if task.columns:
        checks.append("the columns that are read")
    checks.append("whether the checkpoint is fine-tuned for this task")
    return (
        f"Unpruned, the model {does}, so the cost of pruning cannot be measured. Check "
        f"{n.listed(checks)}."
    )
