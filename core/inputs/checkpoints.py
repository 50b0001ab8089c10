"""Turn a Hub id, a folder or an embedded name into a folder whose content is pinned.

No torch: a command line can refuse bad input early. `core.encoder.loading` reads the model.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import yaml  # type: ignore[import-untyped]
from huggingface_hub import metadata_load
from pydantic import ValidationError

from core.inputs import checkpoint_files as files
from core.inputs.hub import (
    MAIN,
    Report,
    Repository,
    cached_file,
    fetch_one,
    snapshot,
)
from core.inputs.labels import label_names, label_order
from core.request.catalog import EMBEDDED, RECIPE, TASKS, WEIGHTS
from core.request.limits import Source, source_of
from core.request.sweep_request import AUTO
from core.results.schema import RecipeRecord

CARD = "README.md"  # a checkpoint's model card


class Resolved(NamedTuple):
    """A checkpoint whose content is pinned.

    Attributes:
        id: Its name in a result: the Hub's id, `recipe:NAME`, the folder's own name, or
            `embedded:NAME`; never a machine's path.
        source: Where it comes from.
        folder: Where its files are.
        revision: The Hub's commit hash, or the SHA-256 of the folder's content.
        model_type: The name of its architecture in config.json.
        label_names: The names of its classifier's rows in config.json.
        size: The number of its encoder layers in config.json, and their width.
        recipe: How to make its weights, if `python -m recipes` left that in the folder.
        row_order: The rows in the order of a task's labels; None keeps the stored order.
    """

    id: str
    source: Source
    folder: Path
    revision: str
    model_type: str
    label_names: tuple[str, ...]
    size: tuple[int, int]
    recipe: RecipeRecord | None
    row_order: tuple[int, ...] | None


def resolve(checkpoint: str, report: Report | None = None, task: str = AUTO) -> Resolved:
    """Find a checkpoint's files, download them where necessary, and pin their content.

    `core.encoder.loading` puts the classifier's rows into the order of the task's labels.

    Args:
        checkpoint: `embedded:NAME`, `recipe:NAME`, a folder, or a Hub id with an optional
            `@revision`.
        report: Called with (stage, done, total) during a download.
        task: A name from TASKS, or `auto`, whose labels are the checkpoint's own.

    Raises:
        PrunescopeError: The checkpoint does not exist, is unavailable, is not supported, or has
            other labels than the task.
    """
    source = source_of(checkpoint)
    name, folder = _name_and_folder(checkpoint)
    commit = ""
    if source == "hub":
        folder, commit = snapshot(_repository(checkpoint), report)
    config = files.read_config(folder / files.CONFIG, name)
    content = files.content_hash(folder, name)
    labels = label_names(config, name)
    recipe = _recipe_in(folder, name) if source == "folder" else None
    if recipe:
        name = f"{RECIPE}{recipe.name}"
    order = label_order(labels, TASKS[task], name) if task in TASKS else ()
    return Resolved(
        name,
        source,
        folder,
        revision=commit or content,
        model_type=config["model_type"],
        label_names=labels,
        size=files.encoder_size(config),
        recipe=recipe,
        row_order=None if order == tuple(range(len(order))) else order,
    )


def _recipe_in(folder: Path, name: str) -> RecipeRecord | None:
    """Read how to make the weights in a folder; None if it does not say."""
    path = folder / files.RECIPE_FILE
    if not path.is_file():
        return None
    try:
        return RecipeRecord.model_validate(files.read_json(path, name))
    except ValidationError as error:
        fault = f"has a {files.RECIPE_FILE} that is not a recipe"
        raise files.refused(name, fault, "remove that file") from error


def config_at_hand(checkpoint: str) -> dict[str, Any]:
    """Read the configuration of a checkpoint whose weights may not be here yet.

    Args:
        checkpoint: See `resolve`; of one on the Hub, config.json is downloaded.

    Raises:
        PrunescopeError: It cannot be found, or is not supported.
    """
    name, folder = _name_and_folder(checkpoint)
    if source_of(checkpoint) == "hub":
        folder = fetch_one(_repository(checkpoint), files.CONFIG).parent
    return files.read_config(folder / files.CONFIG, name)


def size_here(checkpoint: str) -> tuple[int, int] | None:
    """Read the number of a checkpoint's layers and their width; None if it is not here yet."""
    if source_of(checkpoint) == "hub":
        config = cached_file(_repository(checkpoint), files.CONFIG)
        suffixes = {file.suffix for file in config.parent.iterdir()} if config else set()
        if not suffixes & {".safetensors", ".bin"}:
            return None
    return files.encoder_size(config_at_hand(checkpoint))


def licence_of(folder: Path) -> str | None:
    """Return the licence that a checkpoint's model card names; None if there is none to read."""
    with suppress(yaml.YAMLError, ValueError, OSError):
        return (metadata_load(folder / CARD) or {}).get("license")
    return None


def _repository(checkpoint: str) -> Repository:
    """Return the repository of a checkpoint on the Hub."""
    name, _, revision = checkpoint.partition("@")
    return Repository(name, revision or MAIN)


def _name_and_folder(checkpoint: str) -> tuple[str, Path]:
    """Return a checkpoint's id, and its folder unless it is on the Hub."""
    if checkpoint in EMBEDDED:
        return checkpoint, EMBEDDED[checkpoint].folder or Path()
    if source_of(checkpoint) == "hub":
        return _repository(checkpoint).repo_id, Path()
    recipe = checkpoint.removeprefix(RECIPE)
    folder = Path(checkpoint).resolve() if recipe == checkpoint else WEIGHTS / recipe
    return folder.name, folder
