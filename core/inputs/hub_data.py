"""A data set on the Hub as labelled data: its Parquet files at one commit, only those that are needed. No torch.

Its own Parquet files serve, or those that the Hub has converted. A loading script is never run. A data set's card may
list its configurations and the files of their splits. Where it does not, names tell: data sets that were pushed have
`CONFIG/SPLIT-00000-of-00003.parquet` or `data/SPLIT-….parquet`, those that the Hub has converted
`CONFIG/SPLIT/0000.parquet`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import Any

from huggingface_hub.errors import RevisionNotFoundError

from core.errors import PrunescopeError, first_few
from core.inputs.hub import MAIN, Listing, Report, cached_file, check_size, fetch, list_files
from core.inputs.hub_client import HubError
from core.inputs.tables import DataFile, row_count
from core.request.limits import limits
from core.request.sweep_request import DATASET, DatasetName

CONVERTED = "refs/convert/parquet"  # the branch with the Parquet files that the Hub makes of other formats
DEFAULT = "default"  # the configuration of a data set that has only one
MAX_LISTED = 12
_SHARD = re.compile(r"(.+?)-\d{5}-of-\d{5}(?:-[0-9a-f]+)?")

Splits = Mapping[str, tuple[str, ...]]  # file names in name order, by split


@dataclass(frozen=True)
class HubData:
    """One configuration of a data set on the Hub.

    Attributes:
        listing: Its files at one commit.
        config: The configuration; None if there is only one.
        splits: The files of each of its splits.
        split: The split that is evaluated.
        report: Called with (stage, done, total) during a download.
    """

    listing: Listing
    config: str | None
    splits: Splits
    split: str
    report: Report | None = None

    @property
    def name(self) -> str:
        """The data set's id, with the configuration."""
        return "/".join(filter(None, (self.listing.id, self.config)))

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
                return tuple(self.listing.files[later].size or 0 for later in files[number:])
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
            path = fetch(self.listing, name, self._report_of(name))
            found.append(DataFile(path, name))
            rows += row_count(path)
            if rows >= limits().rows:
                return tuple(found)
        if any(len(names) < int(count) for count in re.findall(r"-of-(\d{5})", " ".join(names))):
            raise PrunescopeError(
                f"'{self.listing.id}': the local cache has only a part of split '{split}', and the Hub cannot be "
                "reached: try again when it can"
            )
        return tuple(found)

    def _report_of(self, name: str) -> Report | None:
        """Report the download of a file with its size, which is known before it begins."""
        report, size = self.report, self.listing.files[name].size
        if report is None:
            return None
        stage = f"downloading {PurePosixPath(name).name}{f', {size / 2**20:,.1f} MiB' if size else ''}"
        return lambda _, done, total: report(stage, done, total)


def find_dataset(asked: DatasetName, split: str, report: Report | None = None) -> HubData:
    """Find a data set on the Hub and pin its commit; nothing is downloaded yet.

    Args:
        asked: The data set.
        split: The split to evaluate.
        report: Called with (stage, done, total) during a download.

    Raises:
        PrunescopeError: It does not exist, has no Parquet files, or no such configuration or split.
    """
    listing = _listing(asked)
    configs = layout(list(listing.files), listing.configs)
    config = asked.config or usual_config(list(configs), listing.configs)
    if config not in configs:
        fault = "several configurations" if config is None else f"no configuration '{config}', only"
        raise PrunescopeError(
            f"'{asked.id}' has {fault} {first_few(list(configs), MAX_LISTED)}: "
            f"name one, such as {DATASET}{asked.id}/{next(iter(configs))}"
        )
    if split not in configs[config]:
        raise PrunescopeError(
            f"'{asked.id}' has no split '{split[:40]}', only {first_few(list(configs[config]), MAX_LISTED)}: "
            "name one with --split"
        )
    return HubData(listing, None if [*configs] == [DEFAULT] else config, configs[config], split, report)


def _listing(asked: DatasetName) -> Listing:
    """List a data set's files, or those that the Hub has converted where none of its own are Parquet."""
    revision = asked.revision or MAIN
    listings = [list_files(asked.id, revision, "data set")]
    if not asked.revision and not _has_parquet(listings[0]):
        try:
            listings.append(list_files(asked.id, CONVERTED, "data set"))
        except HubError as error:
            if not isinstance(error.__cause__, RevisionNotFoundError):
                raise
    if not _has_parquet(listings[-1]):
        raise PrunescopeError(
            f"'{asked.id}' has no Parquet files at revision '{revision}', and a loading script is never run: leave the "
            "revision out to use what the Hub has converted, if anything, or choose another data set"
        )
    return listings[-1]


def _has_parquet(listing: Listing) -> bool:
    return any(name.endswith(".parquet") for name in listing.files)


# ---------------------------------------------------------------- which files make which split


def layout(names: Sequence[str], configs: Any = None) -> dict[str, Splits]:
    """Return the splits of each configuration.

    Args:
        names: All files of the data set.
        configs: The `configs` of its card, if any.
    """
    files = sorted(name for name in names if name.endswith(".parquet"))
    found: dict[str, dict[str, dict[str, None]]] = {}  # names in order
    for config, split, name in list(_of_card(files, configs)) or list(map(_of_name, files)):
        found.setdefault(config, {}).setdefault(split, {})[name] = None
    return {
        config: {split: tuple(sorted(names)) for split, names in splits.items()} for config, splits in found.items()
    }


def usual_config(known: Sequence[str], configs: Any = None) -> str | None:
    """Return the configuration that is meant where none is named; None if that is unclear."""
    marked = [str(entry.get("config_name")) for entry in _listed(configs, Mapping) if entry.get("default")]
    return next((name for name in (*marked, DEFAULT, *(known if len(known) == 1 else ())) if name in known), None)


def _of_card(files: Sequence[str], configs: Any) -> Iterator[tuple[str, str, str]]:
    """Yield (configuration, split, file) as a card says it; a card without splits means the training split."""
    for entry in _listed(configs, Mapping):
        said = entry.get("data_files")
        if not _listed(said, Mapping):
            said = [{"path": said}]
        for part in _listed(said, Mapping):
            paths = part.get("path")
            for path in _listed(paths if isinstance(paths, list) else [paths], str):
                for name in files:
                    if fnmatch(name, path.removeprefix("./")):
                        yield str(entry.get("config_name", DEFAULT)), str(part.get("split", "train")), name


def _listed(found: Any, kind: type) -> list[Any]:
    """Return the elements of a kind of what should be a list; none of anything else."""
    return [each for each in found if isinstance(each, kind)] if isinstance(found, list) else []


def _of_name(name: str) -> tuple[str, str, str]:
    """Return (configuration, split, file) as a file's name says it."""
    path = PurePosixPath(name)
    shard = _SHARD.fullmatch(path.stem)
    if path.stem.isdigit() and path.parent.name:  # a shard in the folder of its split
        split, parent = path.parent.name.removeprefix("partial-"), path.parent.parent
    else:
        split, parent = (shard[1] if shard else path.stem), path.parent
    return (parent.name if parent.name not in ("", "data") else DEFAULT), split, name
