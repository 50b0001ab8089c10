"""Fetch files of checkpoints and data sets from the Hugging Face Hub, at one commit. No torch.

The Hub's client resumes, retries and caches. This module adds limits on size and time, checks the
content, and turns each fault into one line. `core/__init__.py` sets the client's environment
variables. The layout of the client's cache is documented: `snapshots/COMMIT/NAME` links to
`blobs/DIGEST`, named by git's digest for a small file and by SHA-256 for a large one, which is
stored as LFS.

Files are fetched one at a time, as `snapshot_download` does internally. That function would list
the repository twice more for each call, download in threads that keep a process alive after its
request was given up, and file what a proxy says is another commit's under the commit that was asked
for. `datasets.load_dataset` would check no digest, wait over a minute for a stalled server, and
write a second copy of all rows before it returns the first.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, Literal, NamedTuple, TypeVar

from huggingface_hub import (
    HfApi,
    close_session,
    constants,
    errors,
    try_to_load_from_cache,
)
from huggingface_hub.utils.sha import git_hash
from tqdm.std import tqdm  # type: ignore[import-untyped]

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import (
    CONFIG,
    read_config,
    refused,
    sha256_of,
    wanted_files,
)
from core.request.limits import is_hosted, limits
from core.results.store import remove_parts

Report = Callable[[str, int, int], None]
"""Takes progress: (stage, done, total). An exception that it raises ends the download."""
T = TypeVar("T")

MAIN = "main"  # the branch that is read where none is named
SILENCE_SECONDS = 10.0  # without a byte
# For one call with the client's retries, in addition to the time that its bytes may take.
PATIENCE_SECONDS = 30.0
LEAST_SPEED = 20_000  # bytes a second
EXPLANATIONS = {
    errors.GatedRepoError: "is gated: choose an open one, or on your own computer accept its terms "
    "and `hf auth login`",
    errors.RepositoryNotFoundError: "is not on the Hub, or is private: check the spelling, which "
    "is owner/name",
    errors.RevisionNotFoundError: "has no such revision: leave it out, or give an existing branch, "
    "tag or commit",
    errors.OfflineModeIsEnabled: "is not in the local cache and offline mode is on: unset "
    "HF_HUB_OFFLINE to fetch it, or choose a bundled checkpoint with written examples",
}
# Downloads report and can be cancelled between chunks; 10 MiB are too coarse.
constants.DOWNLOAD_CHUNK_SIZE = 2**18


class HubError(PrunescopeError):
    """The Hub cannot be reached now; the same request may succeed later."""


class Repository(NamedTuple):
    """A repository on the Hub, in the client's words.

    Attributes:
        repo_id: Its name, owner/name.
        revision: A branch, tag or commit.
        repo_type: Whether it holds a model or a data set.
    """

    repo_id: str
    revision: str = MAIN
    repo_type: Literal["model", "dataset"] = "model"


class Listing(NamedTuple):
    """The files of a repository at one commit.

    Attributes:
        requested: The repository at the requested revision.
        pinned: The repository at the commit.
        sizes: The bytes of each file, by name; None if unknown.
        fault: Why only the local cache was read; None if the Hub answered.
    """

    requested: Repository
    pinned: Repository
    sizes: Mapping[str, int | None]
    fault: HubError | None = None


def snapshot(repository: Repository, report: Report | None = None) -> tuple[Path, str]:
    """Fetch the files that decide what a checkpoint computes, or find them in the local cache.

    A cached snapshot serves in offline mode and while the Hub cannot be reached: its commit pins
    the content.

    Args:
        repository: The checkpoint.
        report: Called with (stage, bytes so far, total bytes) of each file.

    Returns:
        The snapshot's folder and the commit hash.

    Raises:
        PrunescopeError: The checkpoint does not exist, is gated, too large, of an unsupported type,
            damaged, or cannot be reached.
    """
    listing = list_files(repository)
    try:
        names = wanted_files(listing.sizes, repository.repo_id)
    except PrunescopeError as error:
        raise (listing.fault or error) from error  # the cache may hold only a part of it
    (config,) = fetch(listing, [CONFIG], report)
    read_config(config, repository.repo_id)  # refused before the weights are downloaded
    fetch(listing, names, report)
    return config.parent, listing.pinned.revision


def fetch_one(repository: Repository, name: str, report: Report | None = None) -> Path:
    """Fetch one file, or find it in the local cache.

    Args:
        repository: The repository that holds it.
        name: The file's path in it.
        report: Called with (stage, bytes so far, total bytes).

    Raises:
        PrunescopeError: The file does not exist, is gated, damaged, or cannot be reached.
    """
    path = cached_file(repository, name)
    if path:
        return path
    listing = list_files(repository)
    if name not in listing.sizes:
        raise listing.fault or refused(repository.repo_id, f"has no file {name}")
    return fetch(listing, [name], report)[0]


def list_files(repository: Repository) -> Listing:
    """List the files of a repository, or those in the local cache while the Hub cannot be reached.

    Raises:
        PrunescopeError: It does not exist, or cannot be reached.
    """

    def ask() -> Listing:
        info = _api().repo_info(
            **repository._asdict(), files_metadata=True, timeout=SILENCE_SECONDS
        )
        if not re.fullmatch("[0-9a-f]{40}", info.sha or ""):
            raise ValueError("no commit")
        sizes = {
            file.rfilename: None if file.size is None else int(file.size)
            for file in info.siblings or ()
        }
        return Listing(repository, repository._replace(revision=str(info.sha)), sizes)

    try:
        return _ask(ask, repository)
    except HubError as error:
        with suppress(OSError, ValueError):  # a damaged reference is not text
            folder = Path(_api().snapshot_download(**repository._asdict(), local_files_only=True))
            files = [path for path in folder.rglob("*") if path.is_file()]
            sizes = {path.relative_to(folder).as_posix(): None for path in files}
            pinned = repository._replace(revision=folder.name)
            return Listing(repository, pinned, sizes, error)
        raise


def fetch(listing: Listing, names: Sequence[str], report: Report | None) -> list[Path]:
    """Fetch files, or find them in the local cache, and check their digests.

    Args:
        listing: The files of their repository.
        names: The files' paths in the repository.
        report: Called with (stage, bytes so far, total bytes) of each file.

    Raises:
        PrunescopeError: They have more bytes than a download may have, are gated or damaged, or
            cannot be reached.
    """
    most = limits().download_bytes
    size = sum(listing.sizes[name] or 0 for name in names)
    if size > most:
        raise refused(
            listing.requested.repo_id,
            f"is a download of {size / 2**20:,.0f} MiB, more than the {most / 2**20:,.0f} MiB "
            "allowed here",
            "choose a smaller one",
        )
    return [cached_file(listing.pinned, name) or _download(listing, name, report) for name in names]


def _download(listing: Listing, name: str, report: Report | None) -> Path:
    """Fetch one file and check its digest; see `fetch`."""
    repository = listing.requested
    size = listing.sizes[name]
    most = limits().download_bytes if size is None else size
    # Asked for a branch rather than its commit, the client notes the commit for offline runs.
    download = partial(
        _api().hf_hub_download,
        filename=name,
        **repository._asdict(),
        tqdm_class=_progress_class(repository, name, report, most),
    )
    _ask(download, repository, most)
    path = cached_file(listing.pinned, name)  # the client compares lengths only
    if not path:
        fault = f"has a damaged {Path(name).name}, or has changed meanwhile"
        raise refused(repository.repo_id, fault, "try again")
    with suppress(OSError):  # left by processes that were killed
        remove_parts(path.resolve().parent, "*.incomplete")
    return path


def is_intact(path: Path) -> bool:
    """Whether a cached file has the content that its blob's name states.

    Args:
        path: The file, or a link to it. Its blob's name is a SHA-256, or the SHA-1 that git
            computes, in hexadecimal; a name that is not a digest states nothing.

    Returns:
        False also where there is no readable file.
    """
    try:
        stated = path.resolve().name
        if re.fullmatch("[0-9a-f]{64}", stated):
            return sha256_of(path) == stated
        if re.fullmatch("[0-9a-f]{40}", stated):
            return bool(git_hash(path.read_bytes()) == stated)
        return path.is_file()
    except OSError:
        return False


# ---------------------------------------------------------------- the client


def _api() -> HfApi:
    """Create a client; on a hosted server, which serves strangers, it sends no token."""
    return HfApi(token=False if is_hosted() else None)


def _ask(function: Callable[[], T], repository: Repository, size: int = 0) -> T:
    """Call the client in a thread, with a deadline: a socket's time-out restarts at every byte.

    Raises:
        PrunescopeError: The call failed or took too long; its cause is the client's exception.
    """
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(function())
        except BaseException as error:
            answer.set_exception(error)

    Thread(target=run, name="request to the Hub", daemon=True).start()
    try:
        return answer.result(PATIENCE_SECONDS + size / LEAST_SPEED)
    except PrunescopeError:
        raise
    except Exception as error:  # of many kinds, some from answers that the client does not expect
        if not answer.done():
            close_session()  # and its sockets, which ends the thread at the next byte
        raise _fault_of(error, repository.repo_id) from error


def _fault_of(error: BaseException, repo_id: str) -> PrunescopeError:
    """Return the error that explains an exception of the client and names a remedy."""
    while isinstance(error, errors.LocalEntryNotFoundError) and error.__cause__ is not None:
        error = error.__cause__  # which the client has wrapped
    for kind, explanation in EXPLANATIONS.items():
        if isinstance(error, kind):
            is_passing = kind is errors.OfflineModeIsEnabled
            return (HubError if is_passing else PrunescopeError)(f"'{repo_id}' {explanation}")
    if isinstance(error, OSError) and error.errno:
        remedy = "free some space, or set HF_HOME to a folder that is writable"
        return refused(repo_id, f"cannot be stored ({error.strerror})", remedy)
    return HubError(
        f"'{repo_id}' cannot be fetched from the Hub: check the connection, or try again later"
    )


def cached_file(repository: Repository, name: str) -> Path | None:
    """Find a file in the local cache; delete a damaged one, so that it is fetched again."""
    try:
        place = try_to_load_from_cache(filename=name, **repository._asdict())
    except ValueError as error:
        raise refused(repository.repo_id, "lists a file outside its folder") from error
    if isinstance(place, str):
        path = Path(place)
        if is_intact(path):
            return path
        with suppress(OSError):
            path.resolve().unlink(missing_ok=True)  # its content
            path.unlink(missing_ok=True)  # the snapshot's link to it
    return None


def _progress_class(
    repository: Repository, name: str, report: Report | None, most: int
) -> type[tqdm]:
    """Create a silent progress bar class for the client that passes a file's bytes to `report`."""

    class Progress(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**options, "disable": True})

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            if self.n > most:
                raise refused(
                    repository.repo_id,
                    f"has a {name} that is larger than the Hub states",
                )
            if report:
                report(
                    f"downloading {Path(name).name}",
                    int(self.n),
                    int(self.total or self.n),
                )

    return Progress
