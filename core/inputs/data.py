"""Find the data that a request names: which splits there are, which files hold them, and how they are read. No torch.

Each kind of data gives the split that is evaluated, and the one to score on; a table has none of its own for that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import PrunescopeError
from core.inputs import uploads
from core.inputs.hub import Report, fetch_one
from core.inputs.hub_data import find_dataset
from core.inputs.tables import DataFile, Table, read_table
from core.inputs.written_examples import CALIBRATION, EVALUATION, read_written
from core.request.catalog import Task
from core.request.limits import is_hosted, limits
from core.request.places import dataset_of, kind_of_data

DataSource = Literal["hub", "folder", "written", "file"]
TRAINING = "train"  # the split to score on
VALIDATION = "validation"
WHOLE = "all"  # the only split of a file


@dataclass(frozen=True)
class Data:
    """Labelled data, downloaded where necessary when a split is read.

    Attributes:
        source: Where they come from, as a result records it.
        name: Their name for readers.
        read: Reads a split.
        evaluated: The split that evaluation examples are drawn from.
        scored: The split that methods score on; None where they score on what the evaluation leaves over.
        reference: A data set on the Hub with its commit, as a request names it; None for other data.
    """

    source: DataSource
    name: str
    read: Callable[[str], Table]
    evaluated: str
    scored: str | None = None
    reference: str | None = None


def find_data(data: str, task: Task | None, split: str | None = None, report: Report | None = None) -> Data:
    """Find the data that a request names; of files of others, as many rows are read as the limits allow.

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
        file = uploads.find(data) if kind == "own" else DataFile(Path(data), Path(data).name)
        if kind == "own" and is_hosted():  # nothing that others may see calls it by its own name
            file = DataFile(file.path, f"own-file{file.path.suffix}")
        return Data("file", file.name, lambda _: read_table((file,), limits().rows), WHOLE)
    if kind == "dataset":
        found = find_dataset(dataset_of(data), split or VALIDATION, report)
        scored = TRAINING if TRAINING in found.splits and found.split != TRAINING else None
        return Data(
            *("hub", found.name, lambda split: read_table(found.files(split), limits().rows)),
            *(found.split, scored, found.reference),
        )
    assert task is not None  # a checked request
    if kind == "written":
        return Data("written", "written for Prunescope", lambda part: read_written(task, part), EVALUATION, CALIBRATION)
    folder = Path(data) if kind == "folder" else None

    def read(split: str) -> Table:
        """Read a split of GLUE, from the Hub or from a folder of its layout."""
        place = f"{task.name}/{split}-00000-of-00001.parquet"
        if folder is None:
            paths = [fetch_one(task.dataset_id, place, kind="dataset", report=report)]
        else:
            paths = sorted((folder / task.name).glob(f"{split}-*.parquet"))
        if not paths:
            raise PrunescopeError(
                f"the data folder has no {place}: give a folder in the Hub's GLUE layout, or choose hub"
            )
        return read_table([DataFile(path, f"{task.name}/{path.name}") for path in paths])

    if folder is None:
        return Data("hub", task.dataset_id, read, task.split, TRAINING)
    return Data("folder", folder.resolve().name, read, task.split, TRAINING)
