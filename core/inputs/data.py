"""Find the data that a request names: their splits, their files, and how they are read.

Each kind of data has a split to evaluate and one to score on; a table has none to score on.

A data set on the Hub is read from its own Parquet files, or from those that the Hub has converted,
at one commit; a loading script is never run. File names show the configuration and the split:
pushed data sets have `CONFIG/SPLIT-00000-of-00003.parquet` or `data/SPLIT-….parquet`, converted
ones `CONFIG/SPLIT/0000.parquet`.
"""

import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

from huggingface_hub.errors import RevisionNotFoundError

from core.errors import PrunescopeError
from core.inputs import uploads
from core.inputs.checkpoint_files import refused
from core.inputs.hub import (
    MAIN,
    Listing,
    Report,
    Repository,
    check_size,
    fetch,
    fetch_one,
    list_files,
)
from core.inputs.tables import DataFile, Table, read_table, row_count
from core.inputs.texts import CALIBRATION, EVALUATION, read_written
from core.request.catalog import Task
from core.request.limits import (
    DATASET,
    dataset_of,
    is_hosted,
    kind_of_data,
    limits,
)
from core.request.sweep_request import choose
from core.results.schema import WHOLE

TRAINING = "train"  # the split to score on
VALIDATION = "validation"
CONVERTED = "refs/convert/parquet"  # the branch of Parquet files that the Hub has made
DEFAULT = "default"  # the configuration of a data set that has only one
_SHARD = re.compile(r"(.+?)-\d{5}-of-\d{5}(?:-[0-9a-f]+)?")

Splits = dict[str, tuple[str, ...]]  # file names in name order, by split


class Data(NamedTuple):
    """Labelled data, downloaded where necessary when a split is read.

    Attributes:
        source: Where they come from, as a result records it.
        name: Their name in a result.
        read: Reads a split.
        evaluated: The split that evaluation examples are drawn from.
        scored: The split that methods score on; None for the rows that the evaluation leaves.
        reference: A data set on the Hub with its commit, as a request names it; None for others.
        is_table: Whether their columns may have any names; those of GLUE and of the written
            examples are fixed.
        is_private: Whether others must not be able to find their texts.
    """

    source: Literal["hub", "folder", "written", "file"]
    name: str
    read: Callable[[str], Table]
    evaluated: str
    scored: str | None = None
    reference: str | None = None
    is_table: bool = False
    is_private: bool = False


def find_data(
    data: str,
    task: Task | None,
    split: str | None = None,
    report: Report | None = None,
) -> Data:
    """Find the data that a request names.

    Of tables and data sets only as many rows are read as the limits allow.

    Args:
        data: See `SweepRequest`.
        task: A preset; None where the data need none.
        split: The split of a data set on the Hub; see `SweepRequest`.
        report: Called with (stage, done, total) during a download.

    Raises:
        PrunescopeError: They are missing.
    """
    kind = kind_of_data(data)
    if kind == "file" or kind == "own":
        file = uploads.find(data) if kind == "own" else DataFile(Path(data), Path(data).name)
        is_private = kind == "own" and is_hosted()
        if is_private:  # others must not see its name
            file = DataFile(file.path, f"own-file{file.path.suffix}")
        rows = limits().rows
        return Data(
            "file",
            file.name,
            lambda _: read_table((file,), rows),
            WHOLE,
            is_table=True,
            is_private=is_private,
        )
    if kind == "dataset":
        on_hub = find_dataset(data, split or VALIDATION, report)
        has_training = TRAINING in on_hub.splits and on_hub.split != TRAINING
        return Data(
            "hub",
            on_hub.name,
            on_hub.read,
            on_hub.split,
            TRAINING if has_training else None,
            on_hub.reference,
            is_table=True,
        )
    assert task is not None  # a checked request
    if kind == "written":
        place = "written for Prunescope"
        return Data(kind, place, partial(read_written, task), EVALUATION, CALIBRATION)
    repository = Repository(task.dataset_id, repo_type="dataset")
    folder = Path(data).resolve() if kind == "folder" else None

    def read_glue(split: str) -> Table:
        """Read a split of GLUE, from the Hub or from a folder of its layout."""
        place = f"{task.name}/{split}-00000-of-00001.parquet"
        path = folder / place if folder else fetch_one(repository, place, report)
        if not path.is_file():
            raise PrunescopeError(
                f"the data folder has no {place}: give one in the Hub's GLUE layout, or choose hub"
            )
        return read_table([DataFile(path, place)])

    name = folder.name if folder else task.dataset_id
    return Data(kind, name, read_glue, task.split, TRAINING)


# ---------------------------------------------------------------- data sets on the Hub


class HubData(NamedTuple):
    """One configuration of a data set on the Hub.

    Attributes:
        listing: Its files at one commit.
        name: The data set's id, with the configuration if there are several.
        splits: The files of each of its splits.
        split: The split that is evaluated.
        report: Called with (stage, done, total) during a download.
    """

    listing: Listing
    name: str
    splits: Splits
    split: str
    report: Report | None = None

    @property
    def reference(self) -> str:
        """The data set with its commit, as a request names it."""
        return f"{DATASET}{self.name}@{self.listing.pinned.revision}"

    def read(self, split: str) -> Table:
        """Download as much of a split as is read, and read it; see `files`."""
        return read_table(self.files(split), limits().rows)

    def files(self, split: str) -> tuple[DataFile, ...]:
        """Download a split's files in name order until they have as many rows as are read.

        Raises:
            PrunescopeError: They are too large, damaged, or cannot be reached.
        """
        names = self.splits[split]
        files: list[DataFile] = []
        rows = 0
        for number, name in enumerate(names, 1):
            check_size(self.listing, names[:number])
            file = DataFile(fetch(self.listing, name, self.report), name)
            files.append(file)
            rows += row_count(file.path)
            if rows >= limits().rows:
                return tuple(files)
        counts = map(int, re.findall(r"-of-(\d{5})", " ".join(names)))
        if max(counts, default=0) > len(names):
            raise PrunescopeError(
                f"'{self.name}': only a part of '{split}' is in the local cache: try again online"
            )
        return tuple(files)


def find_dataset(data: str, split: str, report: Report | None = None) -> HubData:
    """Find a data set on the Hub and pin its commit; nothing is downloaded yet.

    Args:
        data: The data set, as a request names it.
        split: The split to evaluate.
        report: Called with (stage, done, total) during a download.

    Raises:
        PrunescopeError: It does not exist, has no Parquet files, or no such configuration or split.
    """
    id_, config, revision = dataset_of(data)
    listing = list_files(Repository(id_, revision or MAIN, "dataset"))
    configs = layout(listing.sizes)
    if not configs and not revision:
        try:
            listing = list_files(Repository(id_, CONVERTED, "dataset"))
        except PrunescopeError as error:
            if not isinstance(error.__cause__, RevisionNotFoundError):
                raise
        configs = layout(listing.sizes)
    if not configs:
        branch = revision or MAIN
        fault = f"has no Parquet files at revision '{branch}', and a loading script is never run"
        raise refused(id_, fault, "leave the revision out, or choose another data set")
    if not config:
        config = next(iter(configs)) if len(configs) == 1 else DEFAULT
    splits = configs[choose(config, configs, f"configuration of {id_}")]
    choose(split, splits, f"split of {id_}")
    name = id_ if [*configs] == [DEFAULT] else f"{id_}/{config}"
    return HubData(listing, name, splits, split, report)


def layout(names: Iterable[str]) -> dict[str, Splits]:
    """Return the splits of each configuration, by the names of a data set's Parquet files."""
    configs: dict[str, Splits] = {}
    for name in sorted(names):
        path = PurePosixPath(name)
        if path.suffix != ".parquet":
            continue
        folder = path.parent
        shard = _SHARD.fullmatch(path.stem)
        split = shard[1] if shard else path.stem
        if path.stem.isdigit() and folder.name:  # a shard in the folder of its split
            split = folder.name.removeprefix("partial-")
            folder = folder.parent
        config = folder.name if folder.name not in ("", "data") else DEFAULT
        splits = configs.setdefault(config, {})
        splits[split] = (*splits.get(split, ()), name)
    return configs
