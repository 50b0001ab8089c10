"""Read parquet files in the Hub's GLUE layout, and draw samples from them."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import sha256_of
from core.inputs.sample_cache import recall, remember
from core.inputs.sampling import Sample, Texts, draw
from core.request.catalog import DEFAULT_EXAMPLES, ENGINE_VERSION, Task
from core.results.schema import digest

if TYPE_CHECKING:
    from datasets import Dataset


def split_files(folder: Path, task: Task, split: str) -> list[Path]:
    """Find the parquet files of one split of a task, such as `train`.

    Args:
        folder: A folder in the Hub's GLUE layout, with one folder per task.
        task: The task.
        split: The split's name.

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
    """Read all rows of one split of a task into memory, from a folder in the Hub's GLUE layout.

    Raises:
        PrunescopeError: The files are absent, unreadable, or lack a column.
    """
    return read_parquet(split_files(folder, task, split), task)


def read_parquet(files: Sequence[Path], task: Task) -> "Dataset":
    """Read the parquet files of one split into memory, in the order given.

    Raises:
        PrunescopeError: A file is unreadable or lacks a column of the task.
    """
    import datasets  # takes a second, which a run with cached samples saves

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)  # it logs what it also raises
    place = f"{task.name}/{files[0].name}"
    try:
        with TemporaryDirectory() as folder:  # for an Arrow copy of the file, which nobody needs afterwards
            data = datasets.Dataset.from_parquet([str(file) for file in files], cache_dir=folder, keep_in_memory=True)
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise PrunescopeError(f"{place} is not readable as parquet: download it again") from error
    missing = [name for name in (*task.text_columns, "label") if name not in data.column_names]
    if missing:
        raise PrunescopeError(
            f"{place} has no column '{missing[0]}', only {', '.join(data.column_names)}: is it the data of {task.name}?"
        )
    return data


def sample_of(
    files: Sequence[Path],
    task: Task,
    num_examples: int | None,
    default: int = DEFAULT_EXAMPLES,
    excluded: Texts = (),
) -> Sample:
    """Draw a sample from the parquet files of one split as `draw` does, or recall the one drawn before.

    Raises:
        PrunescopeError: A file is unreadable, or `draw` refuses its rows.
    """
    content = [sha256_of(file) for file in files]
    wanted = [num_examples, default, excluded]
    key = digest([content, task.name, task.text_columns, len(task.label_names), wanted, ENGINE_VERSION])
    known = recall(key)
    if known:
        return known
    data = read_parquet(files, task)
    columns = {name: list(data[name]) for name in (*task.text_columns, "label")}
    sample = draw(columns, f"{task.name}/{files[0].name}", task, num_examples, default, excluded)
    remember(key, sample)
    return sample
