"""Find the texts of a result's examples: those that come with this project, and those that this computer has kept."""

import json
import re
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path

from core.errors import PrunescopeError
from core.inputs.tables import Table
from core.request.catalog import SHIPPED, TASKS, Task
from core.results.key import fingerprint_of
from core.results.schema import TaskRecord
from core.results.store import write_atomically

FOLDER = SHIPPED / "subsets"  # holds the examples that were written for this project
EVALUATION, CALIBRATION = "evaluation", "calibration"
TRAINING_PART = (
    "training"  # the data that an embedded checkpoint was fine-tuned on, if they were written too
)
Texts = tuple[tuple[str, ...], ...]  # one or two texts per example


def read_written(task: Task, part: str) -> Table:
    """Read one part of a task's written examples: its text columns and `label`, rows counted within the part.

    Raises:
        PrunescopeError: There are none for this task.
    """
    path = FOLDER / f"{task.name}.jsonl"
    if not path.is_file():
        raise PrunescopeError(
            f"no written examples for task '{task.name}': choose hub, a folder or a file as data"
        )
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    rows = [values for values in lines if values["part"] == part]
    cells = {
        name: tuple(str(values[name]) for values in rows) for name in (*task.text_columns, "label")
    }
    return Table(path.name, cells, tuple(range(len(rows))))


def folder() -> Path:
    """Return the folder in which texts are kept."""
    return user_cache_path("prunescope") / "subsets"


def remember(fingerprint: str, texts: Texts) -> None:
    """Keep the texts of a result's examples, in evaluation order; if there is no room for them, pages go without."""
    with suppress(OSError):
        write_atomically(folder() / f"{fingerprint}.json", json.dumps(texts, ensure_ascii=False))


def texts_of(task: TaskRecord) -> Texts | None:
    """Find the texts of a result's examples, in evaluation order; None if this computer does not have them.

    The record's fingerprint shows whether texts belong to a result.
    """
    try:
        if task.source == "written":
            table = read_written(TASKS[task.name], task.split)
            columns = [table.column(column) for column in TASKS[task.name].text_columns]
            texts = tuple(tuple(column[row] for column in columns) for row in task.examples)
        elif re.fullmatch("[0-9a-f]{64}", task.fingerprint):
            texts = tuple(
                map(
                    tuple,
                    json.loads((folder() / f"{task.fingerprint}.json").read_text(encoding="utf-8")),
                )
            )
        else:
            return None
        return texts if fingerprint_of(task.name, texts, task.gold) == task.fingerprint else None
    except (PrunescopeError, OSError, LookupError, RecursionError, ValueError, TypeError):
        return None
