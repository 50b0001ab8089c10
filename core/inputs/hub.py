"""Fetch from the Hugging Face Hub: one pinned snapshot of a checkpoint, parquet files of a data set. No torch.

`core/__init__.py` sets the client's environment variables, which the client reads when it is first imported.
"""

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import httpx2
from huggingface_hub import HfApi, constants, try_to_load_from_cache
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import ModelInfo, RepoSibling
from tqdm.std import tqdm  # type: ignore[import-untyped]

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import (
    CONFIG,
    check_config,
    check_model_type,
    read_config,
    sha256_of,
    wanted_patterns,
)
from core.request.limits import is_hosted, limits

Report = Callable[[str, int, int], None]
"""Takes progress: (stage, done, total). An exception that it raises, of no type in FAILURES, ends the download."""

Kind = Literal["checkpoint", "data set"]
TIMEOUT_SECONDS = 10.0  # for the Hub to answer a request for metadata
FAILURES = (OSError, httpx2.HTTPError, ValueError, RuntimeError)  # what the client raises; HfHubHTTPError is an OSError

constants.DOWNLOAD_CHUNK_SIZE = 1024**2  # downloads report and can be cancelled between chunks; 10 MiB are too coarse


def snapshot(repo_id: str, revision: str, report: Report | None = None) -> tuple[Path, str]:
    """Fetch the files that decide what a checkpoint computes, or find them in the local cache.

    If the Hub cannot be reached, or in offline mode, a cached snapshot serves: its commit pins the content.

    Args:
        repo_id: The repository on the Hub.
        revision: A branch, tag or commit.
        report: Called with ("downloading", bytes so far, total bytes).

    Returns:
        The snapshot's folder and the commit hash.

    Raises:
        PrunescopeError: The checkpoint does not exist, is gated, too large, of an unsupported type, damaged, or
            cannot be reached.
    """
    api = _api()
    with _explained(repo_id, revision):
        try:
            info = api.model_info(repo_id, revision=revision, files_metadata=True, timeout=TIMEOUT_SECONDS)
        except FAILURES as error:
            cached = _cached_snapshot(api, repo_id, revision) if _is_temporary(error) else None
            if cached is None:
                raise
            return cached, cached.name
        return _download(api, repo_id, revision, info, report), str(info.sha)


def config_folder(repo_id: str, revision: str) -> Path:
    """Fetch a checkpoint's config.json alone, or find it in the local cache; return the folder that it is in.

    Args:
        repo_id: The repository on the Hub.
        revision: A branch, tag or commit.

    Raises:
        PrunescopeError: The checkpoint does not exist, is gated, has no such file, or cannot be reached.
    """
    cached = try_to_load_from_cache(repo_id, CONFIG, revision=revision)
    if isinstance(cached, str):
        return Path(cached).parent
    with _explained(repo_id, revision):
        return Path(_api().hf_hub_download(repo_id, CONFIG, revision=revision)).parent


def dataset_file(dataset_id: str, name: str, report: Report | None = None) -> Path:
    """Fetch one file of a data set, or find it in the local cache.

    Args:
        dataset_id: The data set on the Hub.
        name: The file's path in the data set.
        report: Called with ("downloading", bytes so far, total bytes).

    Raises:
        PrunescopeError: The file does not exist, is damaged, or cannot be reached.
    """
    cached = try_to_load_from_cache(dataset_id, name, repo_type="dataset")
    if isinstance(cached, str):
        return Path(cached)
    api = _api()
    with _explained(f"{dataset_id}, {name}", "main", "data set"):
        info = api.dataset_info(dataset_id, files_metadata=True, timeout=TIMEOUT_SECONDS)
        sibling = next((sibling for sibling in info.siblings or () if sibling.rfilename == name), None)
        if sibling is None:
            raise PrunescopeError(f"data set '{dataset_id}' has no file {name}: choose other data")
        path = Path(api.hf_hub_download(dataset_id, name, repo_type="dataset", tqdm_class=_progress_class(report)))
    _check_content(dataset_id, path, sibling)
    return path


@dataclass(frozen=True)
class Listing:
    """The files of a data set at one commit.

    Attributes:
        id: The data set on the Hub.
        commit: The commit.
        revision: What it was asked for by: a branch, tag or commit.
        files: What the Hub says of each file, by name; with neither size nor digest where the local cache says it.
        configs: The `configs` of its card, unchecked; None if it has none.
    """

    id: str
    commit: str
    revision: str
    files: Mapping[str, RepoSibling]
    configs: Any = None


def dataset_listing(dataset_id: str, revision: str) -> Listing:
    """List the files of a data set; what the local cache has of it serves while the Hub cannot be reached.

    Args:
        dataset_id: The data set on the Hub.
        revision: A branch, tag or commit.

    Raises:
        PrunescopeError: The data set does not exist, or cannot be reached.
        RevisionNotFoundError: It has no such revision.
    """
    api = _api()
    with _explained(dataset_id, revision, "data set", passed=RevisionNotFoundError):
        try:
            info = api.dataset_info(dataset_id, revision=revision, files_metadata=True, timeout=TIMEOUT_SECONDS)
        except FAILURES as error:
            cached = _cached_listing(api, dataset_id, revision) if _is_temporary(error) else None
            if cached is None:
                raise
            return cached
    files = {sibling.rfilename: sibling for sibling in info.siblings or ()}
    return Listing(dataset_id, str(info.sha), revision, files, (info.card_data or {}).get("configs"))


def is_cached(dataset_id: str, revision: str) -> bool:
    """Whether the local cache has something of a data set at a revision."""
    return _cached_listing(_api(), dataset_id, revision) is not None


def cached_file(listing: Listing, name: str) -> Path | None:
    """Return the place of one file of a listed data set in the local cache; None if it is not there."""
    cached = try_to_load_from_cache(listing.id, name, revision=listing.commit, repo_type="dataset")
    return Path(cached) if isinstance(cached, str) else None


def listed_file(listing: Listing, name: str, report: Report | None = None) -> Path:
    """Fetch one file of a listed data set, or find it in the local cache.

    Args:
        listing: From `dataset_listing`.
        name: The file's path in the data set.
        report: Called with ("downloading", bytes so far, total bytes).

    Raises:
        PrunescopeError: The file is gated, damaged, or cannot be reached.
    """
    if cached := cached_file(listing, name):
        return cached
    place = {"repo_id": listing.id, "filename": name, "repo_type": "dataset"}
    api = _api()
    with _explained(listing.id, listing.revision, "data set"):
        path = Path(api.hf_hub_download(**place, revision=listing.commit, tqdm_class=_progress_class(report)))
        _check_content(listing.id, path, listing.files[name])
        # One more request makes the cache record the branch's commit: offline runs ask for the branch.
        api.hf_hub_download(**place, revision=listing.revision)
    return path


def _cached_listing(api: HfApi, dataset_id: str, revision: str) -> Listing | None:
    """List what the local cache has of a data set."""
    try:
        found = api.snapshot_download(dataset_id, repo_type="dataset", revision=revision, local_files_only=True)
    except OSError:
        return None
    folder = Path(found)
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return Listing(dataset_id, folder.name, revision, {name: RepoSibling(rfilename=name) for name in names})


def _api() -> HfApi:
    """Create a client; on a hosted server it acts for strangers, so it does not use the host's token."""
    return HfApi(token=False if is_hosted() else None)


# ---------------------------------------------------------------- a checkpoint


def _download(api: HfApi, repo_id: str, revision: str, info: ModelInfo, report: Report | None) -> Path:
    """Refuse an unsuitable checkpoint, or download the wanted files of one commit."""
    siblings = {sibling.rfilename: sibling for sibling in info.siblings or ()}
    if info.config and "model_type" in info.config:
        check_model_type(str(info.config["model_type"]), repo_id)
    patterns = wanted_patterns(siblings, repo_id)
    wanted = [sibling for name, sibling in siblings.items() if any(fnmatch(name, pattern) for pattern in patterns)]
    check_size(repo_id, sum(sibling.size or 0 for sibling in wanted), "checkpoint")
    check_config(read_config(Path(api.hf_hub_download(repo_id, CONFIG, revision=info.sha)), repo_id), repo_id)
    folder = Path(
        api.snapshot_download(
            repo_id, revision=info.sha, allow_patterns=list(patterns), tqdm_class=_progress_class(report)
        )
    )
    for sibling in wanted:
        _check_content(repo_id, folder / sibling.rfilename, sibling)
    # One more request makes the cache record the branch's commit: offline runs ask for the branch.
    api.hf_hub_download(repo_id, CONFIG, revision=revision)
    return folder


def check_size(repo_id: str, size: int, kind: Kind) -> None:
    """Refuse a download that is too large.

    Args:
        repo_id: What is downloaded.
        size: Its bytes.
        kind: What it is.

    Raises:
        PrunescopeError: It is larger than the limits allow.
    """
    bound = limits().download_bytes
    if size > bound:
        raise PrunescopeError(
            f"'{repo_id}' is a download of {size / 2**20:,.0f} MiB, more than the {bound / 2**20:,.0f} MiB allowed "
            f"here: choose a smaller {kind}"
        )


def _check_content(repo_id: str, path: Path, sibling: RepoSibling) -> None:
    """Compare a large file with the SHA-256 that the Hub states; the client compares lengths only."""
    if sibling.lfs is None or sha256_of(path) == sibling.lfs.sha256:
        return
    path.resolve().unlink()  # the content; the snapshot's entry is a link to it
    path.unlink(missing_ok=True)
    raise PrunescopeError(
        f"'{repo_id}': {path.name} arrived damaged (its SHA-256 differs from the Hub's) and was deleted: try again"
    )


def _cached_snapshot(api: HfApi, repo_id: str, revision: str) -> Path | None:
    """Find a complete snapshot in the local cache."""
    try:
        folder = Path(api.snapshot_download(repo_id, revision=revision, local_files_only=True, allow_patterns=[CONFIG]))
        wanted_patterns([path.name for path in folder.iterdir()], repo_id)
    except (OSError, PrunescopeError):
        return None
    return folder


def _progress_class(report: Report | None) -> type[tqdm]:
    """Create the progress bar class that the client needs; it shows nothing and passes bytes to `report`."""
    lock = Lock()  # several threads download files

    class Progress(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            # The client creates three bars: one for files, two that count the same bytes.
            self._counts = options.get("unit") == "B" and not str(options.get("desc")).startswith("Reconstructing")
            super().__init__(*args, **{**options, "disable": True})
            self.total = options.get("total") or 0

        def update(self, n: float | None = 1) -> bool | None:
            if self._counts and report:
                with lock:
                    self.n += n or 0
                    report("downloading", int(self.n), int(max(self.total or 0, self.n)))
            return None

    return Progress


# ---------------------------------------------------------------- failures in one line


@contextmanager
def _explained(
    what: str, revision: str, kind: Kind = "checkpoint", passed: type[Exception] | tuple[()] = ()
) -> Iterator[None]:
    """Turn every failure of the client, but those that are to pass, into one line: what failed, what to do."""
    try:
        yield
    except FAILURES as error:
        if isinstance(error, passed):
            raise
        raise PrunescopeError(f"'{what}' {_explanation(error, revision, kind)}") from error


def _is_temporary(error: Exception) -> bool:
    """Whether the same request may succeed later: no network, offline mode, a fault of the Hub."""
    if isinstance(error, HfHubHTTPError):
        return _status(error) == 429 or _status(error) >= 500
    return isinstance(error, httpx2.TransportError | OfflineModeIsEnabled)


def _status(error: HfHubHTTPError) -> int:
    return int(error.response.status_code)


def _explanation(error: BaseException, revision: str, kind: Kind) -> str:
    """Say what failed and what to do about it."""
    if isinstance(error, LocalEntryNotFoundError) and error.__cause__ is not None:
        return _explanation(error.__cause__, revision, kind)  # the client wraps most download failures in this one
    match error:
        case GatedRepoError():  # a subclass of RepositoryNotFoundError
            remedy = "" if is_hosted() else "accept its terms on the Hub and log in with `hf auth login`, or "
            return f"is gated: {remedy}choose an open {kind}"
        case RepositoryNotFoundError():
            return "is not on the Hub, or is private: check the spelling, which is owner/name"
        case RevisionNotFoundError():
            return f"has no revision '{revision}': leave it out, or give an existing branch, tag or commit"
        case OfflineModeIsEnabled():
            return (
                "is not in the local cache and offline mode is on: unset HF_HUB_OFFLINE to download it, "
                "or choose an embedded checkpoint with written examples"
            )
        case HfHubHTTPError():
            return _refusal(_status(error), kind)
        case httpx2.TimeoutException():
            return "cannot be fetched, the Hub did not answer in time: check the connection or try again later"
        case httpx2.HTTPError():
            return "cannot be fetched, the Hub cannot be reached and the local cache lacks it: check the connection"
        case OSError(errno=errno.ENOSPC):
            return "cannot be stored, the disk is full: free some space or set HF_HOME to a folder on a larger disk"
        case PermissionError():
            return "cannot be stored, the cache folder is not writable: set HF_HOME to a writable folder"
        case ValueError():
            return "cannot be fetched, the answer was not the Hub's but perhaps a log-in page's: check the connection"
    return f"cannot be downloaded ({type(error).__name__}): try again"


def _refusal(status: int, kind: Kind) -> str:
    """Explain one of the Hub's status codes, and what to do about it."""
    if status == 429:
        return "cannot be fetched, the Hub has had too many requests: wait a few minutes"
    if status >= 500:
        return f"cannot be fetched, the Hub has a fault (status {status}): try again later"
    return f"cannot be fetched, the Hub refuses it (status {status}): choose another {kind}"
