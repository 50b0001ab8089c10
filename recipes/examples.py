"""Read a task's training and validation examples, and tokenise them for the Trainer."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet
from datasets import Dataset

from core.errors import PrunescopeError
from core.inputs.texts import EVALUATION, TRAINING_PART, read_written
from core.request.catalog import MAX_LENGTH, Task

Columns = Mapping[str, Any]  # the task's text columns and `label`, a list or tuple each


def read_examples(data: Path | None, task: Task, split: str) -> Columns:
    """Read the training or the validation split of a task.

    Args:
        data: Folder in the Hub's GLUE layout; not used for examples written for this project.
        task: The task.
        split: `train`, or the task's evaluation split.

    Raises:
        PrunescopeError: The folder has no such split.
    """
    if not task.dataset_id:
        columns = read_written(task, TRAINING_PART if split == "train" else EVALUATION).cells
        return {**columns, "label": list(map(int, columns["label"]))}
    files = sorted(data.glob(f"{task.name}/{split}-*.parquet")) if data else []
    if not files:
        raise PrunescopeError(
            f"no {task.name}/{split}-….parquet: give --data, a folder in the layout of {task.dataset_id}"
        )
    return dict(pyarrow.parquet.ParquetDataset(files).read([*task.text_columns, "label"]).to_pydict())


def texts(examples: Columns, task: Task) -> Iterator[tuple[str, ...]]:
    """Yield the one or two texts of each example."""
    return zip(*(examples[column] for column in task.text_columns), strict=True)


def tokenise(tokenizer: Any, examples: Columns, task: Task) -> Dataset:
    """Make a data set with the model's inputs, such as `input_ids`, and with `label`."""
    columns = (list(examples[column]) for column in task.text_columns)
    encoded = tokenizer(*columns, truncation=True, max_length=MAX_LENGTH)
    return Dataset.from_dict({**encoded, "label": examples["label"]})
