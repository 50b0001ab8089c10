"""The bounds of a request, here and on a hosted server, and the names of places that it may use.

A place of a checkpoint or of data is on the Hub, on this computer, or in the project.
"""

import os
import re
from math import inf
from os.path import isdir, isfile
from typing import Any, Literal, NamedTuple

from core.errors import PrunescopeError
from core.request.catalog import EMBEDDED, RECIPE, WEIGHTS

Source = Literal["hub", "folder", "embedded"]
DataKind = Literal["written", "hub", "folder", "file", "own", "dataset"]
TABLES: tuple[DataKind, ...] = ("file", "own", "dataset")  # data whose columns may have any names
TABLE_SUFFIXES = (".csv", ".tsv", ".parquet", ".jsonl")
OWN = "own:"  # precedes the secret name of an uploaded file (`core.inputs.uploads`)
DATASET = "hub:"  # precedes the id of a data set on the Hub
_HUB_ID = re.compile(
    r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?(@\w[\w./-]{0,99})?", re.ASCII
)
_OWN_NAME = re.compile(rf"{OWN}[0-9a-f]{{64}}")
_DATASET = re.compile(
    r"hub:(?P<id>\w[\w.-]{0,95}/\w[\w.-]{0,95})"
    r"(/(?P<config>\w[\w.+-]{0,95}))?(@(?P<revision>\w[\w./-]{0,99}))?",
    re.ASCII,
)


class Limits(NamedTuple):
    """Upper bounds, tighter on a hosted server, where many visitors share two cores.

    Attributes:
        examples: Evaluation examples.
        amounts: Pruning amounts, zero included.
        parameters: Parameters of the model.
        download_bytes: Bytes of one checkpoint, or of one split of a data set, on the Hub.
        upload_bytes: Bytes of an uploaded table or result.
        uploads_bytes: Bytes of the tables kept for all visits.
        rows: Rows read from a table.
        job_seconds: Seconds for each sweep of a job, or for a question.
        results_bytes: Bytes of all live results, samples of their data, and smaller models.
        export_bytes: Bytes of an exported smaller model.
        hub_cache_bytes: Bytes of all downloads from the Hub.
        worker_bytes: Memory of the worker without mapped files.
        drawing_seconds: Seconds for a picture or a film.
    """

    examples: int = 10_000
    amounts: int = 101
    parameters: int = 1_000_000_000
    download_bytes: int = 6 * 1024**3
    upload_bytes: int = 20 * 1024**2
    uploads_bytes: int = 2 * 1024**3
    rows: int = 10_000
    job_seconds: float = inf
    results_bytes: float = inf
    export_bytes: float = inf
    hub_cache_bytes: float = inf
    worker_bytes: int = 1024**4  # no limit in practice: the system ends what takes all memory
    drawing_seconds: float = 86_400.0  # a process's time limit has to be finite


LOCAL_LIMITS = Limits()
HOSTED_LIMITS = Limits(
    examples=512,
    amounts=21,
    parameters=150_000_000,
    download_bytes=700 * 1024**2,
    upload_bytes=5 * 1024**2,
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


def device_asked() -> str:
    """Return the requested device, on which `core.encoder.device` decides."""
    return os.environ.get("PRUNESCOPE_DEVICE") or "auto"


def limits() -> Limits:
    """Return the bounds in force."""
    return HOSTED_LIMITS if is_hosted() else LOCAL_LIMITS


# ---------------------------------------------------------------- places


def is_made(recipe: str) -> bool:
    """Whether the weights of `recipe:NAME` have been made here and may be used."""
    return not is_hosted() and isdir(WEIGHTS / recipe.removeprefix(RECIPE))


def source_of(checkpoint: str) -> Source:
    """Return a checkpoint's source: embedded, a folder (also of weights made here), or the Hub.

    Args:
        checkpoint: `embedded:NAME`, `recipe:NAME`, a folder, or `owner/name[@revision]`.

    Raises:
        PrunescopeError: It is none of these, or a folder on a hosted server.
    """
    if checkpoint in EMBEDDED:
        return "embedded"
    is_recipe = checkpoint.startswith(RECIPE)
    # Path.is_dir would raise on long names.
    if is_made(checkpoint) if is_recipe else not is_hosted() and isdir(checkpoint):
        return "folder"
    if _HUB_ID.fullmatch(checkpoint) and ".." not in checkpoint and "--" not in checkpoint:
        return "hub"
    is_path = "/" in checkpoint.replace("\\", "/") and not is_hosted() and not is_recipe
    name = f"'{checkpoint[:120]}'"
    fault = f"there is no folder {name}" if is_path else f"{name} is not a checkpoint here"
    raise PrunescopeError(
        f"{fault}: give {', '.join(EMBEDDED)}, a Hub model id such as owner/name or "
        "owner/name@revision, or on your own computer a folder or recipe:NAME (docs/recipes.md)"
    )


def is_upload(data: str) -> bool:
    """Whether this is the name of an uploaded file."""
    return _OWN_NAME.fullmatch(data) is not None


def dataset_of(data: str) -> tuple[Any, ...]:
    """Read `hub:OWNER/NAME[/CONFIG][@REVISION]`.

    Returns:
        The id OWNER/NAME, the configuration and the revision; the last two may be None.

    Raises:
        PrunescopeError: It has another form.
    """
    match = _DATASET.fullmatch(data)
    if not match or ".." in data or "--" in data:
        raise PrunescopeError(
            f"'{data[:120]}' is not a data set: write hub:OWNER/NAME[/CONFIG][@REVISION]"
        )
    return match.group("id", "config", "revision")


def kind_of_data(data: str) -> DataKind:
    """Return the kind of a request's data.

    Raises:
        PrunescopeError: They are of no kind, or a path on a hosted server.
    """
    if data == "written":
        return "written"
    if data == "hub":
        return "hub"
    if is_upload(data):
        return "own"
    if data.startswith(DATASET):
        dataset_of(data)
        return "dataset"
    if not is_hosted():
        if isdir(data):
            return "folder"
        if isfile(data) and data.lower().endswith(TABLE_SUFFIXES):
            return "file"
    raise PrunescopeError(
        f"data '{data[-120:]}' is not a folder or file here: give written, hub, hub:OWNER/NAME, or "
        f"on your own computer a file that ends in {', '.join(TABLE_SUFFIXES)} or a folder in the "
        "Hub's GLUE layout"
    )
