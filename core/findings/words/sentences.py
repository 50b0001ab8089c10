"""The Sentences page's sentences: on all examples, and on one that a visitor types."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from core.findings.sentences import ALL, KINDS, Example, changes_in, label_name
from core.findings.words import Finding, numbered
from core.findings.words.numbers import decimals, main_score
from core.request.amounts import amount_text
from core.request.catalog import MAX_LENGTH, TASKS
from core.request.sweep_request import column_name
from core.results.names import amount_name, brief_label
from core.results.prediction import Prediction
from core.results.provenance import task_of
from core.results.schema import SweepResult, TaskRecord

EXPLANATION = """
Each line is one example: blue where the model predicts its label, orange where it does not; below
the gap, those that are incorrect even without pruning. It *flips* at the first amount where the
prediction is not the unpruned model's.
"""
FILTERS = {  # by flip
    ALL: "All",
    "flips": "Flips at some amount",
    "never": "Never flips",
    "right": "Correct unpruned, then flips",
    "wrong": "Incorrect unpruned, then flips",
    "returns": "Flips and later reverts",
}
NO_FIT = "No example fits all of these filters: choose “All” or “Any” in one of them."
NO_TEXTS = (
    "Others' sentences, such as GLUE's, are not ours to ship: run the Lab on them to see them."
)
NOT_AT_HAND = (
    "To try a sentence of your own, run this in the Lab, or choose a bundled checkpoint's result "
    "above."
)
WRITTEN = "Show the sentences written for this project"  # a button


def flips_finding(result: SweepResult, examples: Sequence[Example]) -> Finding:
    """Say how many of all examples flip, when, and what is predicted at the largest amount."""
    count = len(examples)
    right = sum(example.is_correct_unpruned for example in examples)
    score = main_score(result.task, result.frames[0])
    correct = f"Unpruned, the model is correct on {right} of {count} examples ({score})"
    if len(result.amounts) < 2:
        return Finding("Only the unpruned model has been measured", (f"{correct}.",))
    largest = amount_name(result.amounts[-1])
    [(label, most)] = Counter(example.predictions[-1] for example in examples).most_common(1)
    last = (
        f"At {largest}, the last amount measured, {most} of {count} are predicted "
        f"“{label_name(result, label)}”."
    )
    flips = sorted(example.flip for example in examples if example.flip)
    if not flips:
        return Finding(f"No prediction flips up to {largest}", (f"{correct}.", last))
    first, half = (amount_name(result.amounts[flips[k]]) for k in (0, (len(flips) - 1) // 2))
    returning = sum(example.returns for example in examples)
    reverts = f"{returning} later {'reverts' if returning == 1 else 'revert'}"
    return Finding(
        f"{len(flips)} of {count} predictions flip, half of the {len(flips)} by the time {half} is "
        "removed",
        (f"{correct}; the first flips at {first}, and {reverts}.", last),
    )


def flip_choices(result: SweepResult, examples: Sequence[Example]) -> dict[str, str]:
    """List the filters by flip: the kinds, then every amount at which some examples flip first.

    Returns:
        Each filter's word in the address, and its title on screen with the number of examples.
    """
    choices = {
        name: f"{title} ({sum(map(KINDS[name], examples))})" for name, title in FILTERS.items()
    }
    counts = Counter(example.flip for example in examples)
    for k, amount in enumerate(result.amounts):
        if counts[k]:
            choices[amount_text(amount)] = f"First flips at {amount_name(amount)} ({counts[k]})"
    return choices


def text_names(task: TaskRecord) -> list[str]:
    """Name the columns of the examples' texts."""
    columns = task_of(task).text_columns
    if task.name not in TASKS:  # a table of one's own, whose columns may be called anything
        columns = ("text",) if len(columns) == 1 else ("text1", "text2")
    return [column_name(column).capitalize() for column in columns]


def examples_table(result: SweepResult, examples: Sequence[Example]) -> list[dict[str, Any]]:
    """Tabulate examples: their texts where they are kept, when each flips, and its labels."""
    names = text_names(result.task)
    table = []
    for example in examples:
        flip = "never"
        after = ""
        if example.flip:
            flip = amount_name(result.amounts[example.flip])
            after = label_name(result, example.predictions[example.flip])
        row = {
            "Flips at": flip,
            **dict(zip(names, example.texts, strict=False)),
            "Label": label_name(result, example.gold),
            "Unpruned": label_name(result, example.predictions[0]),
            "After the flip": after,
            "Later reverts": "yes" if example.returns else "",
            "Row": example.row,
        }
        table.append(row)
    return table


def prediction_sentence(prediction: Prediction) -> str:
    """Say what is predicted without pruning, and where that first changes."""
    labels = prediction.predicted
    answers = [
        f"“{brief_label(prediction.labels[label])}” ({decimals(probabilities[label], 2)})"
        for label, probabilities in zip(labels, prediction.probabilities, strict=True)
    ]
    turns = changes_in(labels)
    unpruned = f"Unpruned, the model says {answers[0]}"
    if not turns:
        last = amount_name(prediction.amounts[-1])
        return f"{unpruned}, and still does at {last}, the last amount measured."
    first = turns[0]
    turn = f"{answers[first]} from {amount_name(prediction.amounts[first])} on"
    more = f", and changes {numbered(len(turns) - 1, 'more time')}" if turns[1:] else ""
    return f"{unpruned}; pruned, it says {turn}{more}."


def prediction_note(prediction: Prediction) -> str:
    """Say which part of the text the model does not read; empty if it reads everything."""
    count = prediction.num_tokens
    notes = []
    if count > MAX_LENGTH:
        notes.append(f"The text has {count} tokens; the model reads the first {MAX_LENGTH}.")
    if prediction.num_unknown:
        unknown = numbered(prediction.num_unknown, "token")
        notes.append(f"Unknown to this checkpoint and read as [UNK]: {unknown}.")
    return " ".join(notes)
