"""The way to the Hugging Face Hub: one pinned snapshot of a checkpoint, one parquet file of a data set. No torch."""

from collections.abc import Callable
from pathlib import Path

from core.errors import PrunescopeError

Report = Callable[[str, int, int], None]  # (stage, done, total)


def dataset_file(dataset_id: str, name: str, report: Report | None = None) -> Path:
    """Fetches one file of a data set, or finds it in the local cache.

    Args:
        dataset_id: The data set on the Hub.
        name: The file's path in it.
        report: Called with (stage, done, total).

    Raises:
        PrunescopeError: It is not to be had.
    """
    raise PrunescopeError(f"{dataset_id}: the Hub is not wired up yet, give a folder or choose written")


def snapshot(repo_id: str, revision: str, report: Report | None = None) -> tuple[Path, str]:
    """Fetches a checkpoint, or finds it in the local cache.

    Args:
        repo_id: The repository on the Hub.
        revision: A branch, tag or commit.
        report: Called with (stage, done, total).

    Returns:
        The folder and the commit hash.

    Raises:
        PrunescopeError: It is not to be had, or not supported.
    """
    raise PrunescopeError(f"{repo_id}: the Hub is not wired up yet, give a folder")
