"""Read the examples that were written for this project and are bundled with it."""

import json

from core.errors import PrunescopeError
from core.inputs.tables import Table
from core.request.catalog import SHIPPED, Task

FOLDER = SHIPPED / "subsets"
EVALUATION = "evaluation"
CALIBRATION = "calibration"
TRAINING_PART = "training"  # what an embedded checkpoint was fine-tuned on, where that was written too


def read_written(task: Task, part: str) -> Table:
    """Read one part of a task's written examples: its text columns and `label`, rows counted within the part.

    Raises:
        PrunescopeError: There are none for this task.
    """
    path = FOLDER / f"{task.name}.jsonl"
    if not path.is_file():
        raise PrunescopeError(f"no written examples for task '{task.name}': choose hub or a folder as data")
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    rows = [values for values in lines if values["part"] == part]
    cells = {name: tuple(str(values[name]) for values in rows) for name in (*task.text_columns, "label")}
    return Table(path.name, cells, tuple(range(len(rows))))
