"""Parquet files in the Hub's GLUE layout."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from core.errors import PrunescopeError
from core.request.catalog import Task

if TYPE_CHECKING:
    from datasets import Dataset


def split_files(folder: Path, task: Task, split: str) -> list[Path]:
    """Finds the parquet files of one split in a folder in the Hub's GLUE layout.

    Args:
        folder: The folder that holds one folder a task.
        task: The task.
        split: The split's name, such as `train`.

    Raises:
        PrunescopeError: There are none.
    """
    files = sorted((folder / task.name).glob(f"{split}-*.parquet"))
    if not files:
        raise PrunescopeError(
            f"data folder '{folder.name}' has no {task.name}/{split}-00000-of-00001.parquet: "
            "give a folder in the Hub's GLUE layout, or choose hub"
        )
    return files


def read_split(folder: Path, task: Task, split: str) -> "Dataset":
    """Reads one split from a folder in the Hub's GLUE layout.

    Args:
        folder: The folder that holds one folder a task.
        task: The task whose columns are needed.
        split: The split's name, such as `train`.

    Returns:
        All rows, in memory.

    Raises:
        PrunescopeError: The files are absent, unreadable, or lack a column.
    """
    return read_parquet(split_files(folder, task, split), task)


def read_parquet(files: Sequence[Path], task: Task) -> "Dataset":
    """Reads parquet files of one split into memory.

    Args:
        files: The split's files, in order.
        task: The task whose columns are needed.

    Raises:
        PrunescopeError: A file is unreadable or lacks a column.
    """
    import datasets  # costs a second: a warm run answers from the cache instead

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)  # it logs what it also raises
    place = f"{task.name}/{files[0].name}"
    try:
        with TemporaryDirectory() as folder:  # its Arrow copy of the file is of no use to anyone
            data = datasets.Dataset.from_parquet([str(file) for file in files], cache_dir=folder, keep_in_memory=True)
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise PrunescopeError(f"{place} is not readable as parquet: download it again") from error
    missing = [name for name in (*task.text_columns, "label") if name not in data.column_names]
    if missing:
        raise PrunescopeError(
            f"{place} has no column '{missing[0]}', only {', '.join(data.column_names)}: is it the data of {task.name}?"
        )
    return data
