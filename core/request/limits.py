"""Upper bounds of one request, on this computer and on a hosted server."""

import os
from dataclasses import dataclass, field
from math import inf

from core.request.catalog import MAX_LAYERS


def _memory_bytes() -> int:
    """Return how much memory this computer has, or 64 GiB where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 64 * 1024**3


@dataclass(frozen=True)
class Limits:
    """Upper bounds of one request. They are tighter on a hosted server, where many visitors share two cores.

    Attributes:
        examples: Evaluation examples.
        amounts: Pruning amounts, zero included.
        parameters: Parameters of the model.
        points: Points of a result that is opened: all pairs of them are drawn.
        download_bytes: Bytes of one checkpoint, or of one split of a data set, on the Hub.
        upload_bytes: Bytes of an uploaded table or result: reading it holds up every visitor.
        visit_uploads: Tables that a visit may keep at a time.
        uploads_bytes: Bytes of the tables that all visits keep.
        rows: Rows of a table that are read.
        job_seconds: How long each sweep of a job, or a question, may take.
        results_bytes: Bytes of all results of live runs, of all samples of their data, and of all smaller models.
        export_bytes: Bytes of a smaller model that is taken away.
        hub_cache_bytes: Bytes of all downloads from the Hub.
        worker_bytes: Memory of the worker, files that it maps aside.
        drawing_seconds: How long a picture or a film may take.
    """

    examples: int = 10_000
    amounts: int = 101
    parameters: int = 1_000_000_000
    points: int = 2 * MAX_LAYERS
    download_bytes: int = 6 * 1024**3
    upload_bytes: int = 20 * 1024**2
    visit_uploads: int = 100
    uploads_bytes: int = 2 * 1024**3
    rows: int = 10_000
    job_seconds: float = inf
    results_bytes: float = inf
    export_bytes: float = inf
    hub_cache_bytes: float = inf
    worker_bytes: int = field(default_factory=_memory_bytes)
    drawing_seconds: float = 86_400.0  # no infinite wait: a process cannot be given one


LOCAL_LIMITS = Limits()
HOSTED_LIMITS = Limits(
    examples=512,
    amounts=21,
    parameters=150_000_000,
    points=64,
    download_bytes=700 * 1024**2,
    upload_bytes=5 * 1024**2,
    visit_uploads=4,
    uploads_bytes=256 * 1024**2,
    rows=2_000,
    job_seconds=600,
    results_bytes=500 * 1024**2,
    export_bytes=200 * 1024**2,
    hub_cache_bytes=8 * 1024**3,
    worker_bytes=6 * 1024**3,
    drawing_seconds=120,
)


def is_hosted() -> bool:
    """Whether this process serves strangers (a Hugging Face Space, or PRUNESCOPE_HOSTED=1)."""
    return os.environ.get("PRUNESCOPE_HOSTED") == "1" or bool(os.environ.get("SPACE_ID"))


def limits() -> Limits:
    """Return the bounds in force."""
    return HOSTED_LIMITS if is_hosted() else LOCAL_LIMITS
