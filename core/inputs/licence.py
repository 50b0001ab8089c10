"""Read which licence a checkpoint's model card names."""

from pathlib import Path

import yaml  # type: ignore[import-untyped]
from huggingface_hub import metadata_load

CARD = "README.md"


def licence_of(folder: Path) -> str | None:
    """Return the licence that a checkpoint's model card names; None if the card names none or cannot be read."""
    try:
        return (metadata_load(folder / CARD) or {}).get("license")
    except (yaml.YAMLError, ValueError, OSError):
        return None
