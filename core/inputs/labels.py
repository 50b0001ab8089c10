"""Match a task's labels with the names of a classifier's rows and the values of a label column.

Fine-tuned checkpoints number their labels as they please: some SST-2 heads put `positive` first,
some MNLI heads `contradiction`. Labels are matched by name, never by score or order. A name such as
LABEL_1 gives only a number, which identifies a label where the numbering is known: GLUE's, or that
of a checkpoint whose own labels have such names.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from unicodedata import normalize

from core.errors import PrunescopeError, first_few
from core.inputs.checkpoint_files import refused
from core.request.catalog import MAX_NAME_CHARS, TASKS, Task
from core.request.sweep_request import (
    MAX_LABELS,
    MIN_LABELS,
    LabelMap,
    meaning_text,
)

CORRECT_LABELS = "correct id2label in its config.json"

# Characters found in copied cells.
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_NUMBER = re.compile(r"(?:label_?)?(\d{1,4})")
_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "negative": ("neg",),
    "positive": ("pos",),
    "unacceptable": ("not_acceptable", "ungrammatical", "not_grammatical"),
    "acceptable": ("grammatical",),
    "not_equivalent": ("not_paraphrase", "different"),
    "equivalent": ("paraphrase", "same"),
    "not_duplicate": ("not_duplicates", "not_paraphrase", "different"),
    "duplicate": ("duplicates", "paraphrase", "same"),
    "not_entailment": ("not_entail", "not_entailed"),
    "entailment": ("entail", "entails", "entailed"),
    "contradiction": ("contradict", "contradicts", "contradictory"),
}


def label_names(config: Mapping[str, Any], checkpoint: str) -> tuple[str, ...]:
    """Return the names of a checkpoint's labels in the order of its classifier's rows.

    As in transformers, a configuration without `id2label` has `num_labels` labels LABEL_0, LABEL_1,
    …, by default two.

    Args:
        config: The content of config.json, checked by `core.inputs.checkpoint_files.check_config`.
        checkpoint: The checkpoint's name in messages.

    Raises:
        PrunescopeError: The configuration does not name labels 0, 1, 2 and so on, they are too few
            or too many, one has no name, or two have the same.
    """
    named = config.get("id2label")
    if named is None:
        named = {number: f"LABEL_{number}" for number in range(config.get("num_labels", 2))}
    try:
        by_number = {int(number): str(name) for number, name in named.items()}
        names = tuple(by_number[number] for number in range(len(named)))
        if max(map(len, names)) > MAX_NAME_CHARS:
            raise ValueError
    except (
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        OverflowError,
    ) as error:
        fault = f"names no labels 0, 1, 2, … of at most {MAX_NAME_CHARS:,} characters"
        raise refused(checkpoint, fault, CORRECT_LABELS) from error
    different = {folded(name) for name in names} - {""}
    if not MIN_LABELS <= len(different) == len(names) <= MAX_LABELS:
        fault = f"has {len(names)} labels, {first_few(names)}"
        remedy = f"choose a classifier with {MIN_LABELS} to {MAX_LABELS} labels of different names"
        raise refused(checkpoint, fault, f"{remedy}, or {CORRECT_LABELS}")
    return names


def label_of(name: str, task: Task) -> int | None:
    """Return the index of the task's label that a name stands for; None if it stands for none.

    Case, width, spaces, hyphens and underscores do not matter. LABEL_1 and 1 mean the label with
    that number where the task numbers its labels.
    """
    word = folded(name)
    labels = [folded(label) for label in task.label_names]
    if word in labels:
        return labels.index(word)
    spellings = [{_plain(label)} for label in labels]
    if task.name in TASKS:  # GLUE's numbering
        spellings = [
            {label, str(number), *_SYNONYMS.get(label, ())} for number, label in enumerate(labels)
        ]
    fits = [_plain(word) in spelled for spelled in spellings]
    return fits.index(True) if fits.count(True) == 1 else None


def _plain(word: str) -> str:
    """Return `LABEL_1` and `01` as 1, and `no_` and `non_` at the beginning as `not_`."""
    match = _NUMBER.fullmatch(word)
    return str(int(match[1])) if match else re.sub(r"^non?_", "not_", word)


def folded(name: str) -> str:
    """Return a name without differences in case, width, spaces, hyphens and underscores."""
    return re.sub(
        r"[\s_-]+",
        "_",
        normalize("NFKC", name).translate(_INVISIBLE).strip().casefold(),
    )


def meanings(
    values: Iterable[str],
    task: Task,
    label_map: LabelMap,
    place: str,
    mappable: bool = True,
) -> dict[str, int | None]:
    """Find the label that each value of a label column means: that of the map, else of its name.

    Args:
        values: The column's cells; an empty one means nothing and is left out.
        task: The task.
        label_map: Values and the names of the labels that they mean, None to leave their rows out.
            An entry holds for all values that `folded` makes equal, unless they have entries of
            their own.
        place: The column's name in messages.
        mappable: Whether the user can map values.

    Returns:
        A label index for every value, None to leave its rows out.

    Raises:
        PrunescopeError: A value means no label, or the map makes no sense.
    """
    different = sorted({*values} - {""})
    mapped: dict[str, int | None] = {}
    for value, name in label_map:
        if value in mapped or len(value) > MAX_NAME_CHARS:
            raise PrunescopeError(
                f"label map: '{value[:40]}' is there twice, or too long: "
                f"give values such as {first_few(different)} once"
            )
        mapped[value] = None if name is None else label_of(name, task)
        if name is not None and mapped[value] is None:
            raise PrunescopeError(
                f"label map: '{name[:40]}' is none of {first_few(task.label_names)}: choose a label"
            )
    mapped = {folded(value): label for value, label in mapped.items()} | mapped
    labels: dict[str, int | None] = {}
    unknown: dict[str, str] = {}  # one spelling of each value
    for value in different:
        entry = value if value in mapped else folded(value)
        labels[value] = mapped.get(entry, label_of(value, task))
        if labels[value] is None and entry not in mapped:
            unknown[entry] = value
    if unknown:
        spellings = [*unknown.values()]
        value = spellings[0][:40]
        remedy = (
            "name another column with --label, or what each value means, or nothing, with "
            f"--label-map='{meaning_text(value, 'LABEL')}' "
            f"(in Python label_map={{{value!r}: 'LABEL'}})"
        )
        if not mappable:
            remedy = "correct the file, or choose another task"
        raise PrunescopeError(
            f"{place} says {first_few(spellings)}, which is none of the labels "
            f"{first_few(task.label_names)}: {remedy}"
        )
    return labels


def label_order(names: Sequence[str], task: Task, checkpoint: str) -> tuple[int, ...]:
    """Find the row of the classifier that answers each of the task's labels.

    Args:
        names: The checkpoint's label names, in the order of its rows.
        task: The task.
        checkpoint: The checkpoint's name in messages.

    Returns:
        One row number per label of the task; (0, 1, …) if the checkpoint has the task's order.

    Raises:
        PrunescopeError: There are more or fewer names than labels, a name fits no label, or two
            names fit the same.
    """
    labels = [label_of(name, task) for name in names]
    order = [labels.index(label) for label in range(len(task.label_names)) if label in labels]
    if not len(order) == len(names) == len(task.label_names):
        raise refused(
            checkpoint,
            f"has {len(names)} labels, {first_few(names)}, which do not match those of task "
            f"{task.name}, {first_few(task.label_names)}, one to one",
            f"choose the task that it was fine-tuned on, or {CORRECT_LABELS}",
        )
    return tuple(order)
