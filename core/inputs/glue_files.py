"""Read a whole split in the Hub's GLUE layout as a data set, for training."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from core.errors import PrunescopeError
from core.inputs.data import split_files
from core.request.catalog import Task

if TYPE_CHECKING:
    from datasets import Dataset


def read_split(folder: Path, task: Task, split: str) -> "Dataset":
    """Read all rows of one split of a task into memory, from a folder in the Hub's GLUE layout.

    Raises:
        PrunescopeError: The files are absent, unreadable, or lack a column.
    """
    import datasets  # takes a second, and only training needs it

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)  # it logs what it also raises
    files = split_files(folder, task, split)
    place = f"{task.name}/{files[0].name}"
    try:
        with TemporaryDirectory() as cache:  # for an Arrow copy of the file, which nobody needs afterwards
            data = datasets.Dataset.from_parquet([str(file) for file in files], cache_dir=cache, keep_in_memory=True)
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise PrunescopeError(f"{place} is not readable as parquet: download it again") from error
    missing = [name for name in (*task.text_columns, "label") if name not in data.column_names]
    if missing:
        raise PrunescopeError(
            f"{place} has no column '{missing[0]}', only {', '.join(data.column_names)}: give the data of {task.name}"
        )
    return data
