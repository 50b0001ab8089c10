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
        names = ", ".join(sorted(file.stem for file in FOLDER.glob("*.jsonl"))) or "none"
        raise PrunescopeError(
            f"no written examples for task '{task.name}' (there are some for {names}): choose hub or a folder as data"
        )
    columns: dict[str, list[str]] = {name: [] for name in (*task.text_columns, "label")}
    for line in path.read_text(encoding="utf-8").splitlines():
        values = json.loads(line)
        if values["part"] == part:
            for name, column in columns.items():
                column.append(str(values[name]))
    cells = {name: tuple(column) for name, column in columns.items()}
    return Table(path.name, cells, tuple(range(len(cells["label"]))))
