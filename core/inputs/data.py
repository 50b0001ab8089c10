"""Find the data that a request names: which splits there are, which files hold them, and how they are read. No torch.

Each kind of data gives the split that is evaluated, and the one to score on; a table has none of its own for that.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.errors import PrunescopeError
from core.inputs import uploads
from core.inputs.hub import Report, dataset_file
from core.inputs.hub_data import find_dataset
from core.inputs.parts import TRAINING, DataSource, Part
from core.inputs.tables import DataFile, read_table
from core.inputs.written_examples import CALIBRATION, EVALUATION, read_written
from core.request.catalog import Task
from core.request.limits import limits
from core.request.sweep_request import dataset_of, kind_of_data

VALIDATION = "validation"
WHOLE = "all"  # the only split of a file


class Data(Protocol):
    """Labelled data."""

    @property
    def source(self) -> DataSource:
        """Where they come from, as a result records it."""

    @property
    def name(self) -> str:
        """Their name for readers."""

    def evaluated(self) -> Part:
        """Return the split that evaluation examples are drawn from."""

    @property
    def reference(self) -> str | None:
        """A data set on the Hub with its commit, as a request names it; None for other data."""

    @property
    def is_shared(self) -> bool:
        """Whether methods score on what the evaluation leaves over, since there is no split for that."""

    def scored(self) -> Part:
        """Return the split that methods score on."""


def find_data(data: str, task: Task | None, split: str | None = None, report: Report | None = None) -> Data:
    """Find the data that a request names; download what is missing when a split is asked for.

    Args:
        data: See `SweepRequest`.
        task: A preset; None where the data need none.
        split: Of a data set on the Hub: see `SweepRequest`.
        report: Called with (stage, done, total) during a download.

    Raises:
        PrunescopeError: They are missing.
    """
    kind = kind_of_data(data)
    if kind == "own":
        return TableData(uploads.find_nameless(data))
    if kind == "file":
        return TableData(DataFile(Path(data), Path(data).name))
    if kind == "dataset":
        return find_dataset(dataset_of(data), split or VALIDATION, report)
    assert task is not None  # a checked request
    if kind == "written":
        return WrittenData(task)
    return GlueData(task, Path(data) if kind == "folder" else None, report)


@dataclass(frozen=True)
class WrittenData:
    """The examples written for this project."""

    task: Task
    source: DataSource = "written"
    name: str = "written for Prunescope"
    is_shared: bool = False
    reference: None = None

    def evaluated(self) -> Part:
        """Return the evaluation examples."""
        return self._part(EVALUATION)

    def scored(self) -> Part:
        """Return the calibration examples."""
        return self._part(CALIBRATION)

    def _part(self, name: str) -> Part:
        return Part(name, (), lambda: read_written(self.task, name))


@dataclass(frozen=True)
class GlueData:
    """GLUE, from the Hub or in a folder of its layout.

    Attributes:
        task: The task.
        folder: The folder, with one folder per task; None for the Hub.
        report: Called with (stage, done, total) during a download.
    """

    task: Task
    folder: Path | None
    report: Report | None = None
    is_shared: bool = False
    reference: None = None

    @property
    def source(self) -> DataSource:
        """Where the data come from."""
        return "hub" if self.folder is None else "folder"

    @property
    def name(self) -> str:
        """The data set's id, or the folder's own name."""
        return self.task.dataset_id if self.folder is None else self.folder.resolve().name

    def evaluated(self) -> Part:
        """Return the validation split."""
        return self._part(self.task.split)

    def scored(self) -> Part:
        """Return the training split."""
        return self._part(TRAINING)

    def _part(self, split: str) -> Part:
        if self.folder is None:
            paths = [dataset_file(self.task.dataset_id, place_on_hub(self.task, split), self.report)]
        else:
            paths = split_files(self.folder, self.task, split)
        files = tuple(DataFile(path, f"{self.task.name}/{path.name}") for path in paths)
        return Part(split, files, lambda: read_table(files))


@dataclass(frozen=True)
class TableData:
    """One file with a table, from which both evaluation and calibration examples are drawn."""

    file: DataFile
    source: DataSource = "file"
    is_shared: bool = True
    reference: None = None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.file.name

    def evaluated(self) -> Part:
        """Return the whole file, as far as the limits allow."""
        return Part(WHOLE, (self.file,), lambda: read_table((self.file,), limits().rows))

    def scored(self) -> Part:
        """Return the whole file again: what is not evaluated may be scored on."""
        return self.evaluated()


def place_on_hub(task: Task, split: str) -> str:
    """Return the path of a split's file within GLUE on the Hub."""
    return f"{task.name}/{split}-00000-of-00001.parquet"


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
            f"data folder '{folder.name}' has no {place_on_hub(task, split)}: "
            "give a folder in the Hub's GLUE layout, or choose hub"
        )
    return files
