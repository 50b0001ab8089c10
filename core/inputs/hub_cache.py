"""Look after files in the Hub client's cache: is their content what their name says, is anything left over? No torch.

Its layout is documented: `snapshots/COMMIT/NAME` is a link to `blobs/DIGEST`; git's digest names a small file's blob, a
SHA-256 that of a large one, which is stored as LFS.
"""

import hashlib
import re
from contextlib import suppress
from pathlib import Path

from core.inputs.checkpoint_files import sha256_of
from core.results.store import remove_parts

_PARTS = "*.incomplete"


def is_intact(path: Path, digest: str | None = None) -> bool:
    """Whether a cached file has the content that its blob's name states, and its digest if that is given.

    Args:
        path: The file.
        digest: A SHA-256, or the SHA-1 that git computes of a blob, in hexadecimal.

    Returns:
        False where they differ or there is no file that can be read; a name that is no digest states nothing.
    """
    try:
        return path.is_file() and all(_has_digest(path, stated) for stated in {path.resolve().name, digest} if stated)
    except OSError:
        return False


def _has_digest(path: Path, digest: str) -> bool:
    if re.fullmatch("[0-9a-f]{64}", digest):
        return sha256_of(path) == digest
    if re.fullmatch("[0-9a-f]{40}", digest):
        head = f"blob {path.stat().st_size}\0".encode()
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.sha1(head, usedforsecurity=False)).hexdigest() == digest
    return True


def discard(path: Path) -> bool:
    """Delete a cached file with its content; return whether the cache let itself be written."""
    try:
        path.resolve().unlink(missing_ok=True)  # the content
        path.unlink(missing_ok=True)  # the snapshot's entry, a link to it
    except OSError:
        return False
    return True


def delete_parts(path: Path) -> None:
    """Delete the parts of files that broken downloads have left beside a cached file's content."""
    with suppress(OSError):
        blobs = path.resolve().parent
        remove_parts(blobs, _PARTS, lambda part: (blobs / part.name.partition(".")[0]).exists())
