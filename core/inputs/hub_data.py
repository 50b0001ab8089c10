"""A data set on the Hub as labelled data: its Parquet files at one commit, only those that are needed. No torch.

Its own Parquet files serve, or those that the Hub has converted. A loading script is never run.
"""

from dataclasses import dataclass, field
from pathlib import PurePosixPath

from huggingface_hub.errors import RevisionNotFoundError

from core.errors import PrunescopeError, first_few
from core.inputs.hub import MAIN, Report, cached_file, check_size, dataset_listing, listed_file
from core.inputs.hub_layout import DEFAULT, Splits, is_partial, layout, usual_config
from core.inputs.hub_listing import Listing
from core.inputs.parts import TRAINING, DataSource, Part
from core.inputs.tables import DataFile, read_table, row_count
from core.request.limits import limits
from core.request.sweep_request import DATASET, DatasetName

CONVERTED = "refs/convert/parquet"  # the branch with the Parquet files that the Hub makes of other formats
MAX_LISTED = 12


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
    source: DataSource = "hub"
    _fetched: dict[str, Part] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        """The data set's id, with the configuration."""
        return "/".join(filter(None, (self.listing.id, self.config)))

    @property
    def reference(self) -> str:
        """The data set with its commit, as a request names it."""
        return f"{DATASET}{self.name}@{self.listing.commit}"

    @property
    def is_shared(self) -> bool:
        """Whether there is no other split to score on."""
        return self.split == TRAINING or TRAINING not in self.splits

    def evaluated(self) -> Part:
        """Return the split that is evaluated, as far as the limits allow."""
        return self._part(self.split)

    def scored(self) -> Part:
        """Return the training split, or what is evaluated."""
        return self._part(self.split if self.is_shared else TRAINING)

    def to_download(self) -> tuple[int, ...]:
        """Return the bytes of the evaluated split's files from the first on that has yet to be downloaded.

        The later ones are only needed while those before them have fewer rows than are read. Empty if none is needed,
        a 0 where the size is unknown.

        Raises:
            PrunescopeError: The first is larger than the limits allow.
        """
        files, rows = self.splits[self.split], 0
        for number, name in enumerate(files):
            if rows >= limits().rows:
                return ()
            path = cached_file(self.listing, name)
            if path is None:
                sizes = tuple(self.listing.files[later].size or 0 for later in files[number:])
                check_size(self.listing.id, sizes[0], "data set")
                return sizes
            rows += row_count(path)
        return ()

    def _part(self, split: str) -> Part:
        if split not in self._fetched:
            files = self._fetch(split)
            self._fetched[split] = Part(split, files, lambda: read_table(files, limits().rows))
        return self._fetched[split]

    def _fetch(self, split: str) -> tuple[DataFile, ...]:
        """Download a split's files in name order until they have as many rows as are read."""
        files: list[DataFile] = []
        rows = size = 0
        for name in self.splits[split]:
            size += self.listing.files[name].size or 0
            check_size(self.listing.id, size, "data set")
            path = listed_file(self.listing, name, self._report_of(name))
            files.append(DataFile(path, name))
            rows += row_count(path)
            if rows >= limits().rows:
                return tuple(files)
        if is_partial(self.splits[split]):
            raise PrunescopeError(
                f"'{self.listing.id}': the local cache has only a part of split '{split}', and the Hub cannot be "
                "reached: try again when it can"
            )
        return tuple(files)

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
    usual = usual_config(list(configs), listing.configs)
    config = asked.config or usual
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
    named = None if len(configs) == 1 and config == DEFAULT else config
    return HubData(listing, named, configs[config], split, report)


def _listing(asked: DatasetName) -> Listing:
    """List a data set's files, or those that the Hub has converted where none of its own are Parquet."""
    revision = asked.revision or MAIN
    try:
        own = dataset_listing(asked.id, revision)
    except RevisionNotFoundError as error:
        raise PrunescopeError(
            f"'{asked.id}' has no revision '{revision}': leave it out, or give an existing branch, tag or commit"
        ) from error
    if _has_parquet(own):
        return own
    if asked.revision:
        raise PrunescopeError(
            f"'{asked.id}' has no Parquet files at revision '{revision}': leave the revision out to use the files "
            "that the Hub has converted, or choose another data set"
        )
    try:
        converted = dataset_listing(asked.id, CONVERTED)
    except RevisionNotFoundError:
        converted = None
    if converted and _has_parquet(converted):
        return converted
    has_script = f"{asked.id.partition('/')[2]}.py" in own.files
    reason = "only a loading script, which is never run" if has_script else "no Parquet files"
    raise PrunescopeError(f"'{asked.id}' has {reason}, and the Hub has not converted it: choose another data set")


def _has_parquet(listing: Listing) -> bool:
    return any(name.endswith(".parquet") for name in listing.files)
