"""Keep what strangers leave on a hosted server's disk below its caps: the oldest goes first. No torch."""

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

from huggingface_hub import CacheNotFound, constants, scan_cache_dir
from platformdirs import user_cache_path

from core.inputs import texts
from core.request.limits import is_hosted, limits
from core.results import store

SMALLER_MODELS = "smaller_models"  # a folder of the user's cache

logger = logging.getLogger(__name__)


def make_room() -> None:
    """Delete old results, texts and downloads beyond the caps; on one's own computer nothing.

    What cannot be deleted stays, and the log says so.
    """
    if not is_hosted():
        return
    bound = limits()
    own = [] if store.own_is_shipped() else store.result_files(store.user_folder())
    try:
        smaller = (user_cache_path("prunescope") / SMALLER_MODELS).glob("*.zip")
        for files in (own, texts.folder().glob("*.json"), smaller):
            stats = [(path.stat(), path) for path in files if path.is_file()]
            _trim([(stat.st_mtime_ns, stat.st_size, path) for stat, path in stats], bound.results_bytes)
        # Whole repositories, not their commits, which copies of a repository share.
        repos = scan_cache_dir(constants.HF_HUB_CACHE).repos
        _trim(((repo.last_accessed, repo.size_on_disk, repo.repo_path) for repo in repos), bound.hub_cache_bytes)
    except CacheNotFound:
        return
    except OSError:
        logger.exception("old files cannot be deleted")


def _trim(found: Iterable[tuple[float, int, Path]], most: float) -> None:
    """Delete files or folders, the oldest first, until all together have at most so many bytes.

    Args:
        found: When each was written or read, its bytes, and its place.
        most: The bytes.
    """
    size = 0
    for _, taken, path in sorted(found, reverse=True):
        size += taken
        if size > most:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
