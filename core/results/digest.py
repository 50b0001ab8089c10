"""The one form in which values are written to be told apart by their digest."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any


def canonical_json(value: Any) -> bytes:
    """Serialise plain JSON values in the one canonical form: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def fingerprint_of(task: str, texts: Sequence[Sequence[str]], gold: Sequence[int]) -> str:
    """Return the digest of examples: what they are asked, their texts, and their gold labels.

    Args:
        task: The task's name.
        texts: One or two texts of each example.
        gold: Their label indices.
    """
    return digest({"task": task, "texts": texts, "gold": gold})
