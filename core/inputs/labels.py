"""Match a checkpoint's label names with a task's: which row of the classifier answers which label. No torch.

Fine-tuned checkpoints number their labels as they please: some SST-2 heads put `positive` first, some MNLI heads
`contradiction`. Labels are matched by name and never by score. A name such as LABEL_1 gives only a number.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import PrunescopeError
from core.request.catalog import Task

MAX_LABELS = 1_000  # no task has more; `num_labels` is read from a stranger's file
MAX_LISTED_LABELS = 6  # in a message
LABEL_MAX_CHARS = 40  # of each

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


def label_names(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of a checkpoint's labels in the order of its classifier's rows.

    As in transformers, a configuration without `id2label` has `num_labels` labels LABEL_0, LABEL_1, …, by default two.

    Args:
        config: The content of config.json.

    Raises:
        ValueError: The configuration does not name labels 0, 1, 2 and so on.
    """
    named = config.get("id2label")
    if named is None:
        count = int(config.get("num_labels") or 2)
        if not 1 <= count <= MAX_LABELS:
            raise ValueError(f"num_labels is {count}, expected 1 to {MAX_LABELS}")
        return tuple(f"LABEL_{number}" for number in range(count))
    names = {int(number): str(name) for number, name in named.items()}
    if sorted(names) != list(range(len(named))):
        raise ValueError("id2label does not number its labels 0, 1, 2, …")
    return tuple(names[number] for number in range(len(names)))


def label_of(name: str, task: Task) -> int | None:
    """Return the index of the task's label that a name stands for; None if it fits none.

    Case, spaces, hyphens and underscores do not matter; LABEL_1 and 1 mean the label with that number.
    """
    word = re.sub(r"[\s_-]+", "_", name.strip().lower())
    if number := _NUMBER.fullmatch(word):
        index = int(number[1])
        return index if index < len(task.label_names) else None
    word = re.sub(r"^non?_", "not_", word)
    for index, label in enumerate(task.label_names):
        if word == label or word in _SYNONYMS.get(label, ()):
            return index
    return None


def label_order(names: Sequence[str], task: Task, checkpoint: str) -> tuple[int, ...]:
    """Find the row of the classifier that answers each of the task's labels.

    Args:
        names: The checkpoint's label names, in the order of its rows.
        task: The task.
        checkpoint: The checkpoint, for the message.

    Returns:
        One row number per label of the task; (0, 1, …) if the checkpoint has the task's order.

    Raises:
        PrunescopeError: There are more or fewer names than labels, a name fits no label, or two names fit the same.
    """
    if len(names) != len(task.label_names):
        raise PrunescopeError(
            f"'{checkpoint}' has {len(names)} labels ({_listed(names)}), task {task.name} has "
            f"{len(task.label_names)} ({_listed(task.label_names)}): choose the task that it was fine-tuned on"
        )
    meant = [label_of(name, task) for name in names]
    if sorted(-1 if label is None else label for label in meant) != list(range(len(names))):
        raise PrunescopeError(
            f"'{checkpoint}' has the labels {_listed(names)}, which do not match those of task {task.name} "
            f"({_listed(task.label_names)}) one to one: choose the task that it was fine-tuned on, or correct id2label "
            "in its config.json"
        )
    return tuple(meant.index(label) for label in range(len(names)))


def _listed(names: Sequence[str]) -> str:
    shown = [" ".join(name.split())[:LABEL_MAX_CHARS] for name in names[:MAX_LISTED_LABELS]]
    return ", ".join([*shown, "…"] if len(names) > MAX_LISTED_LABELS else shown)
