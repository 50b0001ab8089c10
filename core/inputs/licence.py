"""Read which licence a checkpoint's model card names."""

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from huggingface_hub import metadata_load

CARD = "README.md"


def licence_of(folder: Path) -> str | None:
    """Return the licence that a checkpoint's model card names; None if the card names none or cannot be read."""
    path = folder / CARD
    try:
        metadata: dict[str, Any] = (metadata_load(path) if path.is_file() else None) or {}
    except (yaml.YAMLError, ValueError, OSError):
        return None
    return metadata.get("license")
