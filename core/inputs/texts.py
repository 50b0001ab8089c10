"""Find the texts of a result's examples: those that come with this project, and those that were drawn here before."""

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

FOLDER = SHIPPED / "subsets"  # of the examples that were written for this project
EVALUATION, CALIBRATION = "evaluation", "calibration"
TRAINING_PART = "training"  # what an embedded checkpoint was fine-tuned on, where that was written too
Texts = tuple[tuple[str, ...], ...]  # one or two texts per example


def read_written(task: Task, part: str) -> Table:
    """Read one part of a task's written examples: its text columns and `label`, rows counted within the part.

    Raises:
        PrunescopeError: There are none for this task.
    """
    path = FOLDER / f"{task.name}.jsonl"
    if not path.is_file():
        raise PrunescopeError(f"no written examples for task '{task.name}': choose hub, a folder or a file as data")
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    rows = [values for values in lines if values["part"] == part]
    cells = {name: tuple(str(values[name]) for values in rows) for name in (*task.text_columns, "label")}
    return Table(path.name, cells, tuple(range(len(rows))))


def folder() -> Path:
    """Return where texts are kept."""
    return user_cache_path("prunescope") / "subsets"


def remember(fingerprint: str, texts: Texts) -> None:
    """Keep the texts of a result's examples, in evaluation order; without room for them they are not shown later."""
    with suppress(OSError):
        write_atomically(folder() / f"{fingerprint}.json", json.dumps(texts, ensure_ascii=False))


def texts_of(task: TaskRecord) -> Texts | None:
    """Find the texts of a result's examples, in evaluation order; None if this computer does not have them.

    Texts belong to a result if they have its record's fingerprint.
    """
    try:
        if task.source == "written":
            table = read_written(TASKS[task.name], task.split)
            columns = [table.column(column) for column in TASKS[task.name].text_columns]
            found = tuple(tuple(column[row] for column in columns) for row in task.examples)
        elif re.fullmatch("[0-9a-f]{64}", task.fingerprint):
            kept = (folder() / f"{task.fingerprint}.json").read_text(encoding="utf-8")
            found = tuple(map(tuple, json.loads(kept)))
        else:
            return None
        return found if fingerprint_of(task.name, found, task.gold) == task.fingerprint else None
    except (PrunescopeError, OSError, LookupError, RecursionError, ValueError, TypeError):
        return None
