"""Find the data that a request names: which splits there are, which files hold them, and how they are read. No torch.

Each kind of data gives the split that is evaluated, and the one to score on; a table has none of its own for that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from core.errors import PrunescopeError
from core.inputs import uploads
from core.inputs.hub import Report, fetch_one
from core.inputs.hub_data import HubData, find_dataset
from core.inputs.tables import DataFile, Table, read_table
from core.inputs.written_examples import CALIBRATION, EVALUATION, read_written
from core.request.catalog import Task
from core.request.limits import limits
from core.request.sweep_request import dataset_of, kind_of_data

DataSource = Literal["hub", "folder", "written", "file"]
TRAINING = "train"  # the split to score on
VALIDATION = "validation"
WHOLE = "all"  # the only split of a file


@dataclass(frozen=True)
class Part:
    """One split.

    Attributes:
        name: The split's name in a result.
        files: Its files; none for the written examples.
        read: Reads its rows.
    """

    name: str
    files: tuple[DataFile, ...]
    read: Callable[[], Table]


@dataclass(frozen=True)
class Data:
    """Labelled data, downloaded where necessary when a split is asked for.

    Attributes:
        source: Where they come from, as a result records it.
        name: Their name for readers.
        evaluated: Returns the split that evaluation examples are drawn from.
        scored: Returns the split that methods score on; None where they score on what the evaluation leaves over.
        reference: A data set on the Hub with its commit, as a request names it; None for other data.
    """

    source: DataSource
    name: str
    evaluated: Callable[[], Part]
    scored: Callable[[], Part] | None = None
    reference: str | None = None


def find_data(data: str, task: Task | None, split: str | None = None, report: Report | None = None) -> Data:
    """Find the data that a request names.

    Args:
        data: See `SweepRequest`.
        task: A preset; None where the data need none.
        split: Of a data set on the Hub: see `SweepRequest`.
        report: Called with (stage, done, total) during a download.

    Raises:
        PrunescopeError: They are missing.
    """
    kind = kind_of_data(data)
    if kind in ("own", "file"):
        file = uploads.find_nameless(data) if kind == "own" else DataFile(Path(data), Path(data).name)
        return Data("file", file.name, lambda: _table(WHOLE, (file,)))
    if kind == "dataset":
        found = find_dataset(dataset_of(data), split or VALIDATION, report)
        evaluated, scored = (partial(_of_hub, found, name) for name in (found.split, TRAINING))
        is_shared = found.split == TRAINING or TRAINING not in found.splits
        return Data("hub", found.name, evaluated, None if is_shared else scored, found.reference)
    assert task is not None  # a checked request
    if kind == "written":
        evaluated, scored = (partial(_written, task, part) for part in (EVALUATION, CALIBRATION))
        return Data("written", "written for Prunescope", evaluated, scored)
    folder = Path(data) if kind == "folder" else None
    evaluated, scored = (partial(_glue, task, name, folder, report) for name in (task.split, TRAINING))
    if folder is None:
        return Data("hub", task.dataset_id, evaluated, scored)
    return Data("folder", folder.resolve().name, evaluated, scored)


def place_on_hub(task: Task, split: str) -> str:
    """Return the path of a split's file within GLUE on the Hub."""
    return f"{task.name}/{split}-00000-of-00001.parquet"


def _table(split: str, files: tuple[DataFile, ...]) -> Part:
    """Return a split of files of others, as far as the limits allow."""
    return Part(split, files, lambda: read_table(files, limits().rows))


def _of_hub(found: HubData, split: str) -> Part:
    return _table(split, found.files(split))


def _written(task: Task, part: str) -> Part:
    return Part(part, (), lambda: read_written(task, part))


def _glue(task: Task, split: str, folder: Path | None, report: Report | None) -> Part:
    """Return a split of GLUE, from the Hub or from a folder of its layout."""
    if folder is None:
        paths = [fetch_one(task.dataset_id, place_on_hub(task, split), kind="dataset", report=report)]
    else:
        paths = sorted((folder / task.name).glob(f"{split}-*.parquet"))
    if folder and not paths:
        raise PrunescopeError(
            f"data folder '{folder.name}' has no {place_on_hub(task, split)}: give a folder in the Hub's GLUE layout, "
            "or choose hub"
        )
    files = tuple(DataFile(path, f"{task.name}/{path.name}") for path in paths)
    return Part(split, files, lambda: read_table(files))
