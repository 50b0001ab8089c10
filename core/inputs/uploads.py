"""Keep a visitor's uploaded tables; a request names them `own:DIGEST`, so that no path comes from a visitor's input."""

import hashlib
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path, PurePath

from platformdirs import user_cache_path

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import sha256_of
from core.inputs.tables import DataFile
from core.request.limits import limits
from core.request.sweep_request import OWN, TABLE_SUFFIXES, SweepRequest, kind_of_data
from core.results.digest import digest
from core.results.store import write_atomically

MAX_KEPT = 100  # uploads; the oldest are deleted
MAX_NAME_CHARS = 80


def keep(name: str, content: bytes) -> str:
    """Store an uploaded table for the worker, and return its name for a request's `data`.

    Args:
        name: The file's name, as the visitor's browser says it.
        content: Its bytes.

    Raises:
        PrunescopeError: It is too large or of an unknown type, or the cache cannot be written.
    """
    file = _safe_name(name)
    bound = limits().upload_bytes
    if len(content) > bound:
        raise PrunescopeError(f"{file} is larger than {bound // 2**20} MiB: remove columns or rows")
    identity = _identity(file, content)
    path = _folder() / identity / file
    try:
        if path.is_file() and _identity_of(path) == identity:
            os.utime(path.parent)  # it is used again, so others are older
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content)
            _make_room()
    except OSError as error:
        raise PrunescopeError(f"{file} cannot be stored ({error.strerror}): free some space") from error
    return f"{OWN}{identity}"


def find(data: str) -> DataFile:
    """Find an uploaded table by the name that `keep` returned.

    Raises:
        PrunescopeError: It does not exist, or is damaged.
    """
    identity = data.removeprefix(OWN)
    if kind_of_data(data) == "own":
        for path in (_folder() / identity).glob("*.*"):
            if path.suffix in TABLE_SUFFIXES and _identity_of(path) == identity:
                return DataFile(path, path.name)
    raise PrunescopeError("this file is not stored here any more: choose it again")


def placed(request: SweepRequest) -> SweepRequest:
    """Return a request for an uploaded table as one for the file that it is kept in, which a command line reads.

    Raises:
        PrunescopeError: The table is not stored here any more.
    """
    is_upload = (request.data or "").startswith(OWN)
    return replace(request, data=str(find(request.data or "").path)) if is_upload else request


def _safe_name(name: str) -> str:
    """Return a name that is fit for a path: letters, digits, and the suffix of a table."""
    plain = re.sub(r"[^\w.-]+", "-", PurePath(name.replace("\\", "/")).name).strip(".-")
    suffix = PurePath(plain).suffix.lower()
    stem = plain[: len(plain) - len(suffix)][:MAX_NAME_CHARS] or "table"
    if suffix not in TABLE_SUFFIXES:
        raise PrunescopeError(
            f"'{plain[-MAX_NAME_CHARS:]}' is of an unknown type: give a file that ends in {', '.join(TABLE_SUFFIXES)}"
        )
    return stem + suffix


def _identity(file: str, content: bytes) -> str:
    return digest([file, hashlib.sha256(content).hexdigest()])


def _identity_of(path: Path) -> str:
    return digest([path.name, sha256_of(path)])


def _folder() -> Path:
    return user_cache_path("prunescope") / "own"


def _make_room() -> None:
    newest_first = sorted(_folder().iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for folder in newest_first[MAX_KEPT:]:
        if folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)
        else:
            folder.unlink(missing_ok=True)  # of an earlier version
