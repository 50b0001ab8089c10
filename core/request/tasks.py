"""Tasks: GLUE's presets by name, and those that are made from what a checkpoint's labels say; texts typed for them."""

from collections.abc import Sequence

from core.errors import PrunescopeError
from core.request.catalog import CHECKPOINTS, MAX_LENGTH, TASKS, Task

AUTO = "auto"  # the name of a task that is made from a checkpoint's labels
AUTO_TITLE = "The checkpoint's own labels"
MIN_LABELS, MAX_LABELS = 2, 50
TASK_NAMES = (*TASKS, AUTO)
MAX_CHARACTERS = 2_000  # of a typed text: several times what fits into MAX_LENGTH tokens


def usual_task(checkpoint: str) -> str:
    """Return the task that a known checkpoint was fine-tuned on; for others it is made from their labels."""
    known = CHECKPOINTS.get(checkpoint.partition("@")[0])
    return known.task if known else AUTO


def made_task(text_columns: Sequence[str], label_names: Sequence[str]) -> Task:
    """Make the task of a classifier that is none of GLUE's.

    Args:
        text_columns: One or two columns of the data.
        label_names: The checkpoint's labels, in the order of its classifier's rows.
    """
    metrics = ("accuracy", "matthews_correlation", "macro_f1")
    question = "Which of the checkpoint's labels fits?"
    return Task(AUTO, AUTO_TITLE, question, tuple(text_columns), tuple(label_names), metrics, dataset_id="")


def own_task(checkpoint: str, label_names: Sequence[str]) -> Task:
    """Make the task of a checkpoint's own labels, with the text columns of the task that it is known for, if any."""
    known = TASKS.get(usual_task(checkpoint))
    return made_task(known.text_columns if known else (), label_names)


def check_texts(texts: Sequence[str], task: Task) -> tuple[str, ...]:
    """Strip the space around typed texts, one for each of the task's columns.

    Raises:
        PrunescopeError: The number of texts is wrong, or one is empty or too long.
    """
    stripped = tuple(text.strip() for text in texts)
    for column, text in zip(task.text_columns, stripped, strict=True):
        if not 0 < len(text) <= MAX_CHARACTERS:
            fault = f"the {column_name(column)} has {len(text):,} characters"
            raise PrunescopeError(f"{fault}: type 1 to {MAX_CHARACTERS:,} (the model reads {MAX_LENGTH} tokens)")
    return stripped


def column_name(column: str) -> str:
    """Name a task's text column on screen: `sentence1` becomes `first sentence`."""
    ordinals = {"1": "first ", "2": "second "}
    return ordinals.get(column[-1], "") + column.rstrip("12")
