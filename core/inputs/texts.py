"""Find the texts of a result's examples, which come with this project or are kept here."""

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
EVALUATION = "evaluation"
CALIBRATION = "calibration"
# The data that an embedded checkpoint was fine-tuned on, if they were written too.
TRAINING_PART = "training"
Texts = tuple[tuple[str, ...], ...]  # one or two texts per example


def read_written(task: Task, part: str) -> Table:
    """Read one part of a task's written examples: its text columns and `label`.

    Rows are counted within the part.

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
    cells = {}
    for column in (*task.text_columns, "label"):
        cells[column] = tuple(str(values[column]) for values in rows)
    return Table(path.name, cells, tuple(range(len(rows))))


def folder() -> Path:
    """Return the folder in which texts are kept."""
    return user_cache_path("prunescope") / "subsets"


def remember(fingerprint: str, texts: Texts) -> None:
    """Keep the texts of a result's examples, in evaluation order, if there is room for them."""
    with suppress(OSError):
        write_atomically(
            folder() / f"{fingerprint}.json",
            json.dumps(texts, ensure_ascii=False),
        )


def texts_of(task: TaskRecord) -> Texts | None:
    """Find the texts of a result's examples, in evaluation order; None if they are not here.

    The record's fingerprint shows whether texts belong to a result.
    """
    try:
        if task.source == "written":
            table = read_written(TASKS[task.name], task.split)
            rows = [
                *zip(
                    *map(table.column, TASKS[task.name].text_columns),
                    strict=True,
                )
            ]
            texts = tuple(rows[row] for row in task.examples)
        elif re.fullmatch("[0-9a-f]{64}", task.fingerprint):
            path = folder() / f"{task.fingerprint}.json"
            texts = tuple(map(tuple, json.loads(path.read_text(encoding="utf-8"))))
        else:
            return None
        fingerprint = fingerprint_of(task.name, texts, task.gold)
    except (
        PrunescopeError,
        OSError,
        LookupError,
        RecursionError,
        ValueError,
        TypeError,
    ):
        return None
    return texts if fingerprint == task.fingerprint else None
