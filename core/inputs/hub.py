"""Fetch from the Hugging Face Hub: one pinned snapshot of a checkpoint, parquet files of a data set. No torch.

`hub_client` bounds each request, `hub_listing` checks what the Hub says of a repository, `hub_cache` what is here.
"""

from collections.abc import Callable
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, try_to_load_from_cache
from huggingface_hub.errors import RevisionNotFoundError
from huggingface_hub.hf_api import RepoSibling
from tqdm.std import tqdm  # type: ignore[import-untyped]

from core.errors import PrunescopeError
from core.inputs.checkpoint_bounds import MAX_CONFIG_BYTES
from core.inputs.checkpoint_files import CONFIG, check_config, check_model_type, read_config, wanted_patterns
from core.inputs.hub_cache import delete_parts, discard, is_intact
from core.inputs.hub_client import file_of
from core.inputs.hub_errors import FAILURES, Kind, explained, is_temporary
from core.inputs.hub_listing import Listing, digest_of, listing_of
from core.request.limits import is_hosted, limits

Report = Callable[[str, int, int], None]
"""Takes progress: (stage, done, total). An exception that it raises, of no type in FAILURES, ends the download."""

MAIN = "main"  # the branch that is read where none is named
MAX_FILES = 256  # of a checkpoint


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
    with explained(repo_id, revision):
        try:
            listing = listing_of(repo_id, revision, api.model_info(repo_id, revision=revision, files_metadata=True))
        except FAILURES as error:
            cached = _cached_snapshot(repo_id, revision) if is_temporary(error) else None
            if cached is None:
                raise
            return cached, cached.name
        return _download(api, listing, report), listing.commit


def config_folder(repo_id: str, revision: str) -> Path:
    """Fetch a checkpoint's config.json alone, or find it in the local cache; return the folder that it is in.

    Args:
        repo_id: The repository on the Hub.
        revision: A branch, tag or commit.

    Raises:
        PrunescopeError: The checkpoint does not exist, is gated, has no such file, or cannot be reached.
    """
    place = _place(repo_id, CONFIG, revision)
    with explained(repo_id, revision):
        if cached := _cached(place):
            return cached.parent
        return _fetch(_api(), place, RepoSibling(CONFIG, size=MAX_CONFIG_BYTES)).parent


def dataset_file(dataset_id: str, name: str, report: Report | None = None) -> Path:
    """Fetch one file of a data set, or find it in the local cache.

    Args:
        dataset_id: The data set on the Hub.
        name: The file's path in the data set.
        report: Called with ("downloading", bytes so far, total bytes).

    Raises:
        PrunescopeError: The file does not exist, is damaged, or cannot be reached.
    """
    place = _place(dataset_id, name, MAIN, "data set")
    if cached := _cached(place):
        return cached
    api = _api()
    with explained(f"{dataset_id}, {name}", MAIN, "data set"):
        listing = listing_of(dataset_id, MAIN, api.dataset_info(dataset_id, files_metadata=True))
        if name not in listing.files:
            raise PrunescopeError(f"data set '{dataset_id}' has no file {name}: choose other data")
        return _fetch(api, place, listing.files[name], _progress_class(report))


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
    with explained(dataset_id, revision, "data set", passed=RevisionNotFoundError):
        try:
            return listing_of(
                dataset_id, revision, api.dataset_info(dataset_id, revision=revision, files_metadata=True)
            )
        except FAILURES as error:
            cached = _cached_listing(api, dataset_id, revision) if is_temporary(error) else None
            if cached is None:
                raise
            return cached


def is_cached(dataset_id: str, revision: str) -> bool:
    """Whether the local cache has something of a data set at a revision."""
    return _cached_listing(_api(), dataset_id, revision) is not None


def cached_file(listing: Listing, name: str) -> Path | None:
    """Return the place of one file of a listed data set in the local cache; None if it is not there, or damaged."""
    return _cached(_place(listing.id, name, listing.commit, "data set"))


def listed_file(listing: Listing, name: str, report: Report | None = None) -> Path:
    """Fetch one file of a listed data set, or find it in the local cache.

    Args:
        listing: From `dataset_listing`.
        name: The file's path in the data set.
        report: Called with ("downloading", bytes so far, total bytes).

    Raises:
        PrunescopeError: The file is gated, damaged, or cannot be reached.
    """
    api = _api()
    with explained(listing.id, listing.revision, "data set"):
        place = _place(listing.id, name, listing.commit, "data set")
        path = _fetch(api, place, listing.files[name], _progress_class(report))
        _record_branch(api, place, listing)
    return path


def _api() -> HfApi:
    """Create a client; on a hosted server it acts for strangers, so it does not use the host's token."""
    return HfApi(token=False if is_hosted() else None)


# ---------------------------------------------------------------- one file

Place = dict[str, Any]  # of a file, as the client takes it


def _place(repo_id: str, name: str, revision: str, kind: Kind = "checkpoint") -> Place:
    repo_type = "dataset" if kind == "data set" else "model"
    return {"repo_id": repo_id, "filename": name, "revision": revision, "repo_type": repo_type}


def _fetch(api: HfApi, place: Place, stated: RepoSibling, progress: type[tqdm] | None = None) -> Path:
    """Fetch one file, or find it in the local cache; either way its content is what the Hub states.

    Raises:
        PrunescopeError: It arrived damaged, or is damaged in the local cache and the Hub cannot be reached.
        One of FAILURES: The client fails.
    """
    cached = try_to_load_from_cache(**place)
    is_damaged = isinstance(cached, str) and not is_intact(Path(cached), digest_of(stated))
    if is_damaged and not discard(Path(cached)):
        raise _damaged_here(place, "set HF_HOME to a folder that is writable")
    try:
        with file_of(limits().download_bytes if stated.size is None else stated.size):
            path = Path(api.hf_hub_download(**place, tqdm_class=progress or _progress_class(None)))
    except FAILURES as error:
        if is_damaged and is_temporary(error):
            raise _damaged_here(place) from error
        raise
    delete_parts(path)
    if not is_intact(path, digest_of(stated)):  # the client compares lengths only
        discard(path)
        raise PrunescopeError(
            f"'{place['repo_id']}': {path.name} arrived damaged (its digest differs from the Hub's) and was deleted: "
            "try again"
        )
    return path


def _cached(place: Place) -> Path | None:
    """Find an intact file in the local cache."""
    cached = try_to_load_from_cache(**place)
    return Path(cached) if isinstance(cached, str) and is_intact(Path(cached)) else None


def _damaged_here(place: Place, remedy: str = "try again when the Hub can be reached") -> PrunescopeError:
    return PrunescopeError(
        f"'{place['repo_id']}': {place['filename']} is damaged in the local cache (its content differs from its "
        f"digest): {remedy}"
    )


def _record_branch(api: HfApi, place: Place, listing: Listing) -> None:
    """Let the client record a branch's commit, for offline runs ask for the branch; no result depends on it."""
    asked = {**place, "revision": listing.revision}
    if try_to_load_from_cache(**asked) != try_to_load_from_cache(**place):
        with suppress(*FAILURES):
            api.hf_hub_download(**asked)


def _progress_class(report: Report | None, before: int = 0, total: int = 0) -> type[tqdm]:
    """Create the progress bar class that the client needs; it shows nothing and passes a file's bytes to `report`.

    Args:
        report: Called with ("downloading", bytes so far, total bytes).
        before: The bytes of the files before this one.
        total: The bytes of all files; 0 if there is only this one.
    """

    class Progress(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            # With the Hub's other protocol the client creates two bars that count the same bytes.
            self._counts = options.get("unit") == "B" and not str(options.get("desc")).startswith("Reconstructing")
            super().__init__(*args, **{**options, "disable": True})
            self.total = options.get("total") or 0

        def update(self, n: float | None = 1) -> bool | None:
            if self._counts and report:
                self.n += n or 0
                done = before + int(self.n)
                report("downloading", done, max(total or int(self.total or 0), done))
            return None

    return Progress


# ---------------------------------------------------------------- a checkpoint


def _download(api: HfApi, listing: Listing, report: Report | None) -> Path:
    """Refuse an unsuitable checkpoint, or download the wanted files of one commit."""
    repo_id = listing.id
    if listing.model_type:
        check_model_type(listing.model_type, repo_id)
    patterns = wanted_patterns(listing.files, repo_id)
    wanted = [file for name, file in listing.files.items() if _is_wanted(name, patterns)]
    if len(wanted) > MAX_FILES:
        raise PrunescopeError(
            f"'{repo_id}' has {len(wanted):,} files of weights, more than the {MAX_FILES} allowed: choose another "
            "checkpoint"
        )
    check_size(repo_id, sum(file.size or 0 for file in wanted), "checkpoint")
    config = _fetch(api, _place(repo_id, CONFIG, listing.commit), listing.files[CONFIG])
    check_config(read_config(config, repo_id), repo_id)
    _fetch_all(api, listing, sorted(wanted, key=lambda file: (file.rfilename == patterns[1], file.rfilename)), report)
    _record_branch(api, _place(repo_id, CONFIG, listing.commit), listing)
    return config.parent


def _is_wanted(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def _fetch_all(api: HfApi, listing: Listing, files: list[RepoSibling], report: Report | None) -> None:
    """Fetch files, the weights or their index last: a snapshot that has them is complete."""
    places = {file.rfilename: _place(listing.id, file.rfilename, listing.commit) for file in files}
    missing = {file.rfilename for file in files if not _cached(places[file.rfilename])}
    total = sum(file.size or 0 for file in files if file.rfilename in missing)
    done = 0
    for file in files:
        _fetch(api, places[file.rfilename], file, _progress_class(report, done, total))
        done += (file.size or 0) * (file.rfilename in missing)


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


def _cached_snapshot(repo_id: str, revision: str) -> Path | None:
    """Find a complete snapshot in the local cache.

    Raises:
        PrunescopeError: A file in it is damaged.
    """
    config = try_to_load_from_cache(repo_id, CONFIG, revision=revision)
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    try:
        found = list(folder.iterdir())
        patterns = wanted_patterns([path.name for path in found], repo_id)
    except (OSError, PrunescopeError):
        return None
    for path in found:
        if _is_wanted(path.name, patterns) and not is_intact(path):
            discard(path)
            raise _damaged_here(_place(repo_id, path.name, revision))
    return folder


# ---------------------------------------------------------------- a data set


def _cached_listing(api: HfApi, dataset_id: str, revision: str) -> Listing | None:
    """List what the local cache has of a data set."""
    try:
        found = api.snapshot_download(dataset_id, repo_type="dataset", revision=revision, local_files_only=True)
    except OSError:
        return None
    folder = Path(found)
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return Listing(dataset_id, folder.name, revision, {name: RepoSibling(rfilename=name) for name in names})
