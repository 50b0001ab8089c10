"""Fetch from the Hugging Face Hub, at one commit: the files of a checkpoint, files of a data set. No torch.

The layout of the client's cache is documented: `snapshots/COMMIT/NAME` is a link to `blobs/DIGEST`; git's digest names
a small file's blob, a SHA-256 that of a large one, which is stored as LFS.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from huggingface_hub import HfApi, try_to_load_from_cache
from huggingface_hub.hf_api import DatasetInfo, ModelInfo
from tqdm.std import tqdm  # type: ignore[import-untyped]

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import CONFIG, check_model_type, read_config, sha256_of, wanted_files
from core.inputs.hub_client import SILENCE_SECONDS, HubError, Kind, ask
from core.request.limits import is_hosted, limits
from core.results.store import remove_parts

Report = Callable[[str, int, int], None]
"""Takes progress: (stage, done, total). An exception of its own that it raises ends the download."""

MAIN = "main"  # the branch that is read where none is named


class Stated(NamedTuple):
    """What the Hub says of a file; the digest of a small one is its blob's name."""

    size: int | None = None
    sha256: str = ""


@dataclass(frozen=True)
class Listing:
    """The files of a repository at one commit.

    Attributes:
        id: The repository on the Hub.
        kind: What it is.
        revision: What it was asked for by: a branch, tag or commit.
        commit: The commit.
        files: What the Hub says of each file, by name; nothing where the local cache alone was asked.
        model_type: Of a checkpoint, if the Hub says it.
        configs: Of a data set: the `configs` of its card, unchecked; None if it has none.
        fault: Why the local cache alone was asked; None if the Hub was.
    """

    id: str
    kind: Kind
    revision: str
    commit: str
    files: Mapping[str, Stated]
    model_type: str | None = None
    configs: Any = None
    fault: HubError | None = None


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
    listing = list_files(repo_id, revision)
    if listing.model_type:
        check_model_type(listing.model_type, repo_id)
    try:
        names = wanted_files(listing.files, repo_id)
    except PrunescopeError as error:
        raise listing.fault or error from error  # only a part of it may be in the cache
    check_size(listing, names)
    config = fetch(listing, CONFIG)
    read_config(config, repo_id)  # refused before the weights are downloaded
    missing = {name: listing.files[name].size or 0 for name in names if not cached_file(listing, name)}
    done = 0
    for name in names:
        fetch(listing, name, report, done, sum(missing.values()))
        done += missing.get(name, 0)
    return config.parent, listing.commit


def fetch_one(
    repo_id: str,
    name: str,
    revision: str = MAIN,
    kind: Kind = "checkpoint",
    report: Report | None = None,
    most: int | None = None,
) -> Path:
    """Fetch one file, or find it in the local cache.

    Args:
        repo_id: The repository on the Hub.
        name: The file's path in it.
        revision: A branch, tag or commit.
        kind: What the repository is.
        report: Called with ("downloading", bytes so far, total bytes).
        most: The bytes that it may have; None for as many as any download.

    Raises:
        PrunescopeError: The file does not exist, is gated, damaged, or cannot be reached.
    """
    path = _cached(_place(repo_id, name, revision, kind))
    if path is not None:
        return path
    listing = list_files(repo_id, revision, kind)
    if name not in listing.files:
        raise listing.fault or PrunescopeError(f"{kind} '{repo_id}' has no file {name}: choose another {kind}")
    check_size(listing, [name], most)
    return fetch(listing, name, report)


def list_files(repo_id: str, revision: str, kind: Kind = "checkpoint") -> Listing:
    """List the files of a repository; what the local cache has of it serves while the Hub cannot be reached.

    Args:
        repo_id: The repository on the Hub.
        revision: A branch, tag or commit.
        kind: What it is.

    Raises:
        PrunescopeError: It does not exist, cannot be reached, or lists a file outside its own folder.
    """
    api = _api()
    describe: Callable[..., ModelInfo | DatasetInfo] = api.model_info if kind == "checkpoint" else api.dataset_info

    def listing() -> Listing:
        info = describe(repo_id, revision=revision, files_metadata=True, timeout=SILENCE_SECONDS)
        return _checked(repo_id, revision, kind, info)

    try:
        return ask(listing, repo_id, revision, kind)
    except HubError as error:
        cached = cached_listing(repo_id, revision, kind, error) if error.is_temporary else None
        if cached is None:
            raise
        return cached


def cached_listing(repo_id: str, revision: str, kind: Kind, fault: HubError | None = None) -> Listing | None:
    """List what the local cache has of a repository; None if it has nothing."""
    try:
        found = _api().snapshot_download(repo_id, repo_type=_TYPES[kind], revision=revision, local_files_only=True)
    except OSError:
        return None
    folder = Path(found)
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    files = dict.fromkeys(names, Stated())
    return Listing(repo_id, kind, revision, folder.name, files, fault=fault)


def cached_file(listing: Listing, name: str) -> Path | None:
    """Return the place of one file in the local cache; None if it is not there, or damaged."""
    return _cached(_place(listing.id, name, listing.commit, listing.kind), listing.files[name].sha256)


def check_size(listing: Listing, names: Iterable[str], most: int | None = None) -> None:
    """Refuse a download that is too large.

    Raises:
        PrunescopeError: The files are larger than the limits allow.
    """
    size, bound = sum(listing.files[name].size or 0 for name in names), most or limits().download_bytes
    if size > bound:
        raise PrunescopeError(
            f"'{listing.id}' is a download of {size / 2**20:,.0f} MiB, more than the {bound / 2**20:,.0f} MiB allowed "
            f"here: choose a smaller {listing.kind}"
        )


def fetch(listing: Listing, name: str, report: Report | None = None, before: int = 0, total: int = 0) -> Path:
    """Fetch one file, or find it in the local cache; either way its content is what the Hub states.

    Args:
        listing: From `list_files`.
        name: The file's path in the repository.
        report: Called with ("downloading", bytes so far, total bytes).
        before: The bytes of the files before this one.
        total: The bytes of all files; 0 if there is only this one.

    Raises:
        PrunescopeError: It is gated, too large, damaged, or cannot be reached.
    """
    place, stated = _place(listing.id, name, listing.commit, listing.kind), listing.files[name]
    asked = listing.id, listing.revision, listing.kind
    path = cached_file(listing, name)
    if path is None:
        known = try_to_load_from_cache(**place)
        if isinstance(known, str):
            _discard(Path(known))  # it is damaged
        download = partial(_api().hf_hub_download, etag_timeout=SILENCE_SECONDS)
        progress = _progress_class(report, before, total)
        most = limits().download_bytes if stated.size is None else stated.size
        path = Path(ask(lambda: download(**place, tqdm_class=progress), *asked, most))
        if not is_intact(path, stated.sha256):  # the client compares lengths only
            _discard(path)
            raise PrunescopeError(
                f"'{listing.id}': {path.name} is damaged (its content differs from its digest): try again, or set "
                "HF_HOME to a folder that is writable"
            )
    blobs, branch = path.resolve().parent, {**place, "revision": listing.revision}
    with suppress(OSError):  # what broken downloads have left
        remove_parts(blobs, "*.incomplete", lambda part: (blobs / part.name.partition(".")[0]).exists())
    if not listing.fault and try_to_load_from_cache(**branch) != try_to_load_from_cache(**place):
        with suppress(HubError):  # let the client record a branch's commit, for offline runs ask for the branch
            ask(lambda: _api().hf_hub_download(**branch), *asked)
    return path


def is_intact(path: Path, digest: str = "") -> bool:
    """Whether a cached file has the content that its blob's name states, and its digest if that is given.

    Args:
        path: The file.
        digest: A SHA-256, or the SHA-1 that git computes of a blob, in hexadecimal.

    Returns:
        False where they differ or there is no file that can be read; a name that is no digest states nothing.
    """
    try:
        for stated in {path.resolve().name, digest}:
            if re.fullmatch("[0-9a-f]{64}", stated) and sha256_of(path) != stated:
                return False
            if re.fullmatch("[0-9a-f]{40}", stated):
                content = path.read_bytes()
                head = b"blob %d\0" % len(content)
                if hashlib.sha1(head + content, usedforsecurity=False).hexdigest() != stated:
                    return False
        return path.is_file()
    except OSError:
        return False


# ---------------------------------------------------------------- the client

_TYPES: Mapping[Kind, str] = {"checkpoint": "model", "data set": "dataset"}


def _api() -> HfApi:
    """Create a client; on a hosted server it acts for strangers, so it does not use the host's token."""
    return HfApi(token=False if is_hosted() else None)


def _place(repo_id: str, name: str, revision: str, kind: Kind) -> dict[str, Any]:
    """Return the place of a file, as the client takes it."""
    return {"repo_id": repo_id, "filename": name, "revision": revision, "repo_type": _TYPES[kind]}


def _cached(place: dict[str, Any], digest: str = "") -> Path | None:
    """Find an intact file in the local cache."""
    cached = try_to_load_from_cache(**place)
    return Path(cached) if isinstance(cached, str) and is_intact(Path(cached), digest) else None


def _discard(path: Path) -> None:
    """Delete a cached file: its content, and the snapshot's entry, a link to it."""
    with suppress(OSError):
        path.resolve().unlink(missing_ok=True)
        path.unlink(missing_ok=True)


def _checked(repo_id: str, revision: str, kind: Kind, info: ModelInfo | DatasetInfo) -> Listing:
    """Check what the Hub says of a repository.

    Raises:
        PrunescopeError: It lists a file outside its own folder.
        HubError: It names no commit.
    """
    if not isinstance(info.sha, str) or not re.fullmatch("[0-9a-f]{40}", info.sha):
        raise HubError("cannot be fetched, the Hub names no commit of it: try again later, or choose another")
    files: dict[str, Stated] = {}
    for sibling in info.siblings or ():
        name, size, lfs = sibling.rfilename, sibling.size, sibling.lfs
        files[name] = Stated(None if size is None else int(size), str(lfs.sha256) if lfs else "")
        is_plain = name and min(name) >= " " and "\\" not in name and name[1:2] != ":"
        if not is_plain or {"", ".", ".."} & set(name.split("/")):
            raise PrunescopeError(
                f"'{repo_id}' lists a file outside its folder ({name[:60]!a}): choose another repository"
            )
    config, card = getattr(info, "config", None), info.card_data or {}
    model_type = config.get("model_type") if isinstance(config, Mapping) else None
    return Listing(
        *(repo_id, kind, revision, info.sha, files),
        model_type=str(model_type) if model_type else None,
        configs=card.get("configs"),
    )


def _progress_class(report: Report | None, before: int, total: int) -> type[tqdm]:
    """Create the progress bar class that the client needs; it shows nothing and passes a file's bytes to `report`."""

    class Progress(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**options, "disable": True})

        def update(self, n: float | None = 1) -> bool | None:
            self.n += n or 0
            if report:
                done = before + int(self.n)
                report("downloading", done, max(total or int(self.total or 0), done))
            return None

    return Progress
