"""A data set on the Hub as labelled data: its Parquet files at one commit, only those that are needed. No torch.

Its own Parquet files serve, or those that the Hub has converted. A loading script is never run. Names tell which file
belongs to which configuration and split: data sets that were pushed have `CONFIG/SPLIT-00000-of-00003.parquet` or
`data/SPLIT-….parquet`, those that the Hub has converted `CONFIG/SPLIT/0000.parquet`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from huggingface_hub.errors import RevisionNotFoundError

from core.errors import PrunescopeError, first_few
from core.inputs.hub import MAIN, HubError, Listing, Report, cached_file, check_size, fetch, list_files
from core.inputs.tables import DataFile, row_count
from core.request.limits import limits
from core.request.places import DATASET, DatasetName

CONVERTED = "refs/convert/parquet"  # the branch with the Parquet files that the Hub makes of other formats
DEFAULT = "default"  # the configuration of a data set that has only one
MAX_LISTED = 12
_SHARD = re.compile(r"(.+?)-\d{5}-of-\d{5}(?:-[0-9a-f]+)?")

Splits = dict[str, tuple[str, ...]]  # file names in name order, by split


@dataclass(frozen=True)
class HubData:
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
        return f"{DATASET}{self.name}@{self.listing.commit}"

    def to_download(self) -> tuple[int, ...]:
        """Return the bytes of the evaluated split's files from the first on that has yet to be downloaded.

        The later ones are only needed while those before them have fewer rows than are read. Empty if none is needed,
        a 0 where the size is unknown.

        Raises:
            PrunescopeError: The first is larger than the limits allow.
        """
        files, rows = self.splits[self.split], 0
        for number, name in enumerate(files):
            path = cached_file(self.listing, name)
            if path is None:
                check_size(self.listing, [name])
                return tuple(self.listing.sizes[later] or 0 for later in files[number:])
            rows += row_count(path)
            if rows >= limits().rows:
                break
        return ()

    def files(self, split: str) -> tuple[DataFile, ...]:
        """Download a split's files in name order until they have as many rows as are read.

        Raises:
            PrunescopeError: They are too large, damaged, or cannot be reached.
        """
        found: list[DataFile] = []
        rows, names = 0, self.splits[split]
        for number, name in enumerate(names, 1):
            check_size(self.listing, names[:number])
            found.append(DataFile(fetch(self.listing, name, self.report), name))
            rows += row_count(found[-1].path)
            if rows >= limits().rows:
                return tuple(found)
        if any(len(names) < int(count) for count in re.findall(r"-of-(\d{5})", " ".join(names))):
            raise PrunescopeError(
                f"'{self.listing.id}': the local cache has only a part of split '{split}', and the Hub cannot be "
                "reached: try again when it can"
            )
        return tuple(found)


def find_dataset(asked: DatasetName, split: str, report: Report | None = None) -> HubData:
    """Find a data set on the Hub and pin its commit; nothing is downloaded yet.

    Args:
        asked: The data set.
        split: The split to evaluate.
        report: Called with (stage, done, total) during a download.

    Raises:
        PrunescopeError: It does not exist, has no Parquet files, or no such configuration or split.
    """
    listing = list_files(asked.id, asked.revision or MAIN, "dataset")
    configs = layout(listing.sizes)
    if not configs and not asked.revision:
        try:
            listing = list_files(asked.id, CONVERTED, "dataset")
        except HubError as error:
            if not isinstance(error.__cause__, RevisionNotFoundError):
                raise
        configs = layout(listing.sizes)
    if not configs:
        raise PrunescopeError(
            f"'{asked.id}' has no Parquet files at revision '{asked.revision or MAIN}', and a loading script is never "
            "run: leave the revision out to use what the Hub has converted, if anything, or choose another data set"
        )
    config = asked.config or (next(iter(configs)) if len(configs) == 1 else DEFAULT)
    if config not in configs:
        raise PrunescopeError(
            f"'{asked.id}' has no configuration '{config}', only {first_few(sorted(configs), MAX_LISTED)}: "
            f"name one, such as {DATASET}{asked.id}/{min(configs)}"
        )
    splits = configs[config]
    if split not in splits:
        raise PrunescopeError(
            f"'{asked.id}' has no split '{split[:40]}', only {first_few(sorted(splits), MAX_LISTED)}: "
            "name one with --split"
        )
    name = asked.id if [*configs] == [DEFAULT] else f"{asked.id}/{config}"
    return HubData(listing, name, splits, split, report)


def layout(names: Iterable[str]) -> dict[str, Splits]:
    """Return the splits of each configuration, as the names of a data set's Parquet files tell them."""
    found: dict[str, Splits] = {}
    for name in sorted(names):
        path = PurePosixPath(name)
        if path.suffix != ".parquet":
            continue
        shard, parent = _SHARD.fullmatch(path.stem), path.parent
        split = shard[1] if shard else path.stem
        if path.stem.isdigit() and parent.name:  # a shard in the folder of its split
            split, parent = parent.name.removeprefix("partial-"), parent.parent
        splits = found.setdefault(parent.name if parent.name not in ("", "data") else DEFAULT, {})
        splits[split] = (*splits.get(split, ()), name)
    return found
