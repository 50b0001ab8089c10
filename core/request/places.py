"""What the names of checkpoints and data in a request mean: places on the Hub, on this computer, or in the project."""

import re
from os.path import isdir, isfile
from typing import Any, Literal

from core.errors import PrunescopeError
from core.request.catalog import EMBEDDED, RECIPE, WEIGHTS
from core.request.limits import is_hosted

Source = Literal["hub", "folder", "embedded"]
DataKind = Literal["written", "hub", "folder", "file", "own", "dataset"]
TABLES: tuple[DataKind, ...] = ("file", "own", "dataset")  # data whose columns may be called anything
TABLE_SUFFIXES = (".csv", ".tsv", ".parquet", ".jsonl")
OWN = "own:"  # before the secret name of an uploaded file (`core.inputs.uploads`)
DATASET = "hub:"  # before the id of a data set on the Hub
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?(@\w[\w./-]{0,99})?", re.ASCII)
_OWN_NAME = re.compile(rf"{OWN}[0-9a-f]{{64}}")
_DATASET = re.compile(
    r"hub:(?P<id>\w[\w.-]{0,95}/\w[\w.-]{0,95})(/(?P<config>\w[\w.+-]{0,95}))?(@(?P<revision>\w[\w./-]{0,99}))?",
    re.ASCII,
)


def is_made(recipe: str) -> bool:
    """Whether the weights of `recipe:NAME` have been made here and may be used."""
    return not is_hosted() and isdir(WEIGHTS / recipe.removeprefix(RECIPE))


def source_of(checkpoint: str) -> Source:
    """Decide where a checkpoint comes from: embedded, a folder (also of weights made here), or the Hub.

    Args:
        checkpoint: `embedded:NAME`, `recipe:NAME`, a folder, or `owner/name` with an optional `@revision`.

    Raises:
        PrunescopeError: It is none of these, or a folder on a hosted server.
    """
    if checkpoint in EMBEDDED:
        return "embedded"
    is_recipe = checkpoint.startswith(RECIPE)
    if is_made(checkpoint) if is_recipe else not is_hosted() and isdir(checkpoint):  # Path.is_dir raises on long names
        return "folder"
    if _HUB_ID.fullmatch(checkpoint) and ".." not in checkpoint and "--" not in checkpoint:
        return "hub"
    raise PrunescopeError(
        f"'{checkpoint[:120]}' is not a checkpoint here: give {', '.join(EMBEDDED)}, a Hub model id "
        "such as owner/name or owner/name@revision, or on your own computer a folder or recipe:NAME (docs/recipes.md)"
    )


def is_upload(data: str) -> bool:
    """Whether this is the name of an uploaded file."""
    return _OWN_NAME.fullmatch(data) is not None


def dataset_of(data: str) -> tuple[Any, ...]:
    """Read `hub:OWNER/NAME[/CONFIG][@REVISION]`.

    Returns:
        The id OWNER/NAME, the configuration and the revision; None where it is not said.

    Raises:
        PrunescopeError: It is written otherwise.
    """
    match = _DATASET.fullmatch(data)
    if not match or ".." in data or "--" in data:
        raise PrunescopeError(f"'{data[:120]}' is not a data set: write hub:OWNER/NAME[/CONFIG][@REVISION]")
    return match.group("id", "config", "revision")


def kind_of_data(data: str) -> DataKind:
    """Decide what a request's data are.

    Raises:
        PrunescopeError: They are nothing of the kind, or a path on a hosted server.
    """
    if data in ("written", "hub"):
        return "written" if data == "written" else "hub"
    if is_upload(data):
        return "own"
    if data.startswith(DATASET):
        dataset_of(data)
        return "dataset"
    if not is_hosted() and isdir(data):
        return "folder"
    if not is_hosted() and isfile(data) and data.lower().endswith(TABLE_SUFFIXES):
        return "file"
    raise PrunescopeError(
        f"data '{data[-120:]}' is not a folder or file here: give written, hub, hub:OWNER/NAME, or on your own "
        f"computer a file that ends in {', '.join(TABLE_SUFFIXES)} or a folder in the Hub's GLUE layout"
    )
