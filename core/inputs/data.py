"""Find the data that a request names: their splits, their files, and how they are read.

Each kind of data has a split to evaluate and one to score on; a table has none to score on.

A data set on the Hub is read from its own Parquet files, or from those that the Hub has converted,
at one commit; a loading script is never run. File names show the configuration and the split:
pushed data sets have `CONFIG/SPLIT-00000-of-00003.parquet` or `data/SPLIT-….parquet`, converted
ones `CONFIG/SPLIT/0000.parquet`.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

from core.errors import PrunescopeError
from core.inputs import uploads
from core.inputs.checkpoint_files import refused
from core.inputs.hub import (
    MAIN,
    Report,
    Repository,
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
        evaluated: The split that evaluation examples are drawn from.
        scored: The split that methods score on; None for the rows that the evaluation leaves.
        files: Returns the files of a split of a table, downloaded; of GLUE and of the written
            examples, nothing.
        read_preset: Reads a split of GLUE or of the written examples, whose columns are fixed; None
            for tables, whose columns may have any names.
        reference: A data set on the Hub with its commit, as a request names it; None for others.
        is_private: Whether others must not be able to find their texts.
    """

    source: Literal["hub", "folder", "written", "file"]
    name: str
    evaluated: str
    scored: str | None = None
    files: Callable[[str], Sequence[DataFile]] = lambda _: ()
    read_preset: Callable[[str], Table] | None = None
    reference: str | None = None
    is_private: bool = False

    @property
    def is_table(self) -> bool:
        """Whether their columns may have any names."""
        return self.read_preset is None

    def read(self, split: str) -> Table:
        """Read a split; of a table, only as many rows as the limits allow.

        Raises:
            PrunescopeError: It is missing or malformed.
        """
        if self.read_preset:
            return self.read_preset(split)
        return read_table(self.files(split), limits().rows)


def find_data(
    data: str,
    task: Task | None,
    split: str | None = None,
    report: Report | None = None,
) -> Data:
    """Find the data that a request names.

    Args:
        data: See `SweepRequest`.
        task: A preset; None where the data need none.
        split: The split of a data set on the Hub; see `SweepRequest`.
        report: Called with (stage, done, total) during a download.

    Raises:
        PrunescopeError: They are missing.
    """
    kind = kind_of_data(data)
    if kind == "dataset":
        return find_dataset(data, split or VALIDATION, report)
    if kind == "file" or kind == "own":
        file = uploads.find(data) if kind == "own" else DataFile(Path(data), Path(data).name)
        is_private = kind == "own" and is_hosted()
        if is_private:  # others must not see its name
            file = DataFile(file.path, f"own-file{file.path.suffix}")
        return Data("file", file.name, WHOLE, files=lambda _: (file,), is_private=is_private)
    assert task is not None  # a checked request
    if kind == "written":
        name, read = "written for Prunescope", partial(read_written, task)
        return Data(kind, name, EVALUATION, CALIBRATION, read_preset=read)
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
    return Data(kind, name, task.split, TRAINING, read_preset=read_glue)


# ---------------------------------------------------------------- data sets on the Hub


def find_dataset(data: str, split: str, report: Report | None = None) -> Data:
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
        with suppress(PrunescopeError):  # there is no such branch
            listing = list_files(Repository(id_, CONVERTED, "dataset"))
            configs = layout(listing.sizes)
    if not configs:
        branch = revision or MAIN
        fault = f"has no Parquet files at revision '{branch}', and a loading script is never run"
        raise refused(id_, fault, "leave the revision out, or choose another data set")
    if not config:
        config = next(iter(configs)) if len(configs) == 1 else DEFAULT
    splits = configs[choose(config, configs, f"configuration of {id_}")]
    choose(split, splits, f"split of {id_}")
    title = id_ if [*configs] == [DEFAULT] else f"{id_}/{config}"

    def fetched(split: str) -> list[DataFile]:
        """Download a split's files in name order until they have as many rows as are read."""
        names = splits[split]
        files: list[DataFile] = []
        rows = 0
        for number, name in enumerate(names, 1):
            path = fetch(listing, names[:number], report)[-1]
            files.append(DataFile(path, name))
            rows += row_count(path)
            if rows >= limits().rows:
                return files
        counts = map(int, re.findall(r"-of-(\d{5})", " ".join(names)))
        if max(counts, default=0) > len(names):
            raise PrunescopeError(
                f"'{title}': only a part of '{split}' is in the local cache: try again online"
            )
        return files

    training = TRAINING if TRAINING in splits and split != TRAINING else None
    reference = f"{DATASET}{title}@{listing.pinned.revision}"
    return Data("hub", title, split, training, fetched, reference=reference)


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
