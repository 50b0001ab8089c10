"""Read a task's training and validation examples, as texts and as tokens for the Trainer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from datasets import Dataset

from core.inputs.glue_files import read_split
from core.inputs.written_examples import EVALUATION, TRAINING_PART, read_written
from core.request.catalog import MAX_LENGTH, Task

WRITTEN = Path("written")  # in place of a folder: the examples written for this project


def read_examples(data: Path, task: Task, split: str) -> Dataset:
    """Read the training or the validation split of a task.

    Args:
        data: A folder in the Hub's GLUE layout, or `written`, whose evaluation examples serve as the validation split.
        task: The task.
        split: `train`, or the task's own.

    Raises:
        PrunescopeError: There is none, or it is malformed.
    """
    if data != WRITTEN:
        return read_split(data, task, split)
    table = read_written(task, TRAINING_PART if split == "train" else EVALUATION)
    columns = {name: table.column(name) for name in task.text_columns}
    return Dataset.from_dict({**columns, "label": [int(label) for label in table.column("label")]})


def texts(data: Dataset, task: Task) -> Iterator[tuple[str, ...]]:
    """Yield the one or two texts of each example."""
    return zip(*(data[column] for column in task.text_columns), strict=True)


def tokenise_split(tokenizer: Any, task: Task, source: Path, split: str) -> Dataset:
    """Read one split and tokenise it for the Trainer.

    Returns:
        A data set with the model's inputs, such as `input_ids` and `attention_mask`, and with `label`.
    """
    data = read_examples(source, task, split)

    def encode(batch: dict[str, list[Any]]) -> dict[str, Any]:
        return dict(tokenizer(*(batch[c] for c in task.text_columns), truncation=True, max_length=MAX_LENGTH))

    return data.map(encode, batched=True, remove_columns=[c for c in data.column_names if c != "label"])
