"""Keep what strangers leave on a hosted server's disk below its caps: the oldest goes first. No torch."""

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

from core.inputs import sample_cache
from core.request.limits import is_hosted, limits
from core.results import store

logger = logging.getLogger(__name__)


def make_room() -> None:
    """Delete old results, samples and downloads beyond the caps; on one's own computer nothing.

    What cannot be deleted stays, and the log says so.
    """
    if not is_hosted():
        return
    bound = limits()
    try:
        if not store.own_is_shipped():
            _trim(store.result_files(store.user_folder()), bound.results_bytes)
        _trim(sample_cache.folder().glob("*.json"), bound.results_bytes)
        _trim_hub_cache(bound.hub_cache_bytes)
    except OSError:
        logger.exception("old files cannot be deleted")


def _trim(files: Iterable[Path], most: float) -> None:
    """Delete files, the oldest first, until all together have at most so many bytes."""
    found = [(path, path.stat()) for path in files if path.is_file()]
    size = sum(stat.st_size for _, stat in found)
    for path, stat in sorted(found, key=lambda each: each[1].st_mtime_ns):
        if size <= most:
            return
        path.unlink(missing_ok=True)
        size -= stat.st_size


def _trim_hub_cache(most: float) -> None:
    """Delete repositories from the Hub's cache, those that were read longest ago first."""
    from huggingface_hub import CacheNotFound, constants, scan_cache_dir

    try:
        cache = scan_cache_dir(constants.HF_HUB_CACHE)
    except CacheNotFound:
        return
    size = cache.size_on_disk
    for repository in sorted(cache.repos, key=lambda repository: repository.last_accessed):
        if size > most:
            size -= repository.size_on_disk
            shutil.rmtree(repository.repo_path)  # not by its commits, which a copy of a repository shares
