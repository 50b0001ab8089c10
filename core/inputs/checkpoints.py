"""repo_id@revision, a folder or an embedded name -> a folder whose content is pinned.

No torch, so that a command line or a queue can refuse early; `core.encoder.loading` reads the model.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import CONFIG, check_model_type, content_hash
from core.inputs.hub import Report, snapshot
from core.request.catalog import EMBEDDED
from core.request.sweep_request import source_of


@dataclass(frozen=True)
class Resolved:
    """A checkpoint whose content is pinned.

    Attributes:
        id: What a result calls it: the Hub's id, the folder's own name, or `embedded:NAME`; never a machine's path.
        source: Where it comes from.
        folder: Where its files lie.
        revision: The Hub's commit hash, or the SHA-256 of the folder's content.
    """

    id: str
    source: Literal["hub", "folder", "embedded"]
    folder: Path
    revision: str


def resolve(checkpoint: str, report: Report | None = None) -> Resolved:
    """Finds a checkpoint's files, downloading them where necessary, and pins their content.

    Args:
        checkpoint: `embedded:NAME`, a folder, or a Hub id with an optional `@revision`.
        report: Called with (stage, done, total) while something is downloaded.

    Raises:
        PrunescopeError: It does not exist, is not to be had, or is not supported.
    """
    source = source_of(checkpoint)
    if source == "hub":
        name, _, wanted = checkpoint.partition("@")
        folder, revision = snapshot(name, wanted or "main", report)
    else:
        name, folder = _local_folder(checkpoint)
        revision = content_hash(folder, name)
    _check_config(folder, name)
    return Resolved(name, source, folder, revision)


def _local_folder(checkpoint: str) -> tuple[str, Path]:
    """Gives the id and the folder of an embedded checkpoint or a local folder."""
    if not checkpoint.startswith("embedded:"):
        folder = Path(checkpoint).resolve()
        return folder.name, folder
    embedded = EMBEDDED[checkpoint.removeprefix("embedded:")].folder
    if embedded is None or not embedded.is_dir():
        raise PrunescopeError(f"'{checkpoint}' is not in this copy of the project: install it again, or give a folder")
    return checkpoint, embedded


def _check_config(folder: Path, name: str) -> None:
    """Refuses an unsupported model type before anything heavy is imported."""
    try:
        model_type = str(json.loads((folder / CONFIG).read_text(encoding="utf-8"))["model_type"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PrunescopeError(f"'{name}': {CONFIG} is missing or names no model_type, choose another one") from error
    check_model_type(model_type, name)
