"""Keep the tables that visitors upload; a request names each by a secret, so that no path comes from visitors' input.

A name is `own:` and 64 hexadecimal digits. The first half names the visit; the second can be computed only by who knows
the visit's token. On a shared server a table is read for its own visit alone (`belongs`), which is asked where work
starts (`core.jobs.queue`).
"""

import hashlib
import hmac
import os
import re
import shutil
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePath
from threading import Lock

from platformdirs import user_cache_path

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import sha256_of
from core.inputs.tables import DataFile
from core.request.limits import is_hosted, limits
from core.request.sweep_request import OWN, TABLE_SUFFIXES, SweepRequest, is_upload
from core.results.store import write_atomically

MAX_NAME_CHARS = 80
_lock = Lock()  # of all that is written and deleted


def keep(name: str, content: bytes, visit: str = "", in_use: Collection[str] = ()) -> str:
    """Store an uploaded table for the worker, and return its name for a request's `data`.

    Args:
        name: The file's name, as the visitor's browser says it.
        content: Its bytes.
        visit: The visit's token.
        in_use: The names of tables that must not make room for it.

    Raises:
        PrunescopeError: It is too large or of an unknown type, or the cache cannot be written.
    """
    file, bound = _safe_name(name), limits().upload_bytes
    if len(content) > bound:
        raise PrunescopeError(f"{file} is larger than {bound // 2**20} MiB: remove columns or rows")
    digest = hashlib.sha256(content).hexdigest()
    secret = hmac.digest(visit.encode(), f"{digest} {file}".encode(), "sha256").hex()[:32]
    data = f"{_names_of(visit)}{secret}"
    path = _place(data) / digest / file
    try:
        with _lock:
            if path.is_file() and sha256_of(path) == digest:
                os.utime(_place(data))  # it is used again, so others are older
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(path, content)
                _make_room(visit, {data, *in_use})
    except OSError as error:
        raise PrunescopeError(f"{file} cannot be stored ({error.strerror}): free some space") from error
    return data


def belongs(data: str, visit: str) -> bool:
    """Whether a visit may have this table read: on a shared server, whether it has uploaded it."""
    return not is_hosted() or data.startswith(_names_of(visit))


def find(data: str) -> DataFile:
    """Find an uploaded table by the name that `keep` returned.

    Raises:
        PrunescopeError: It does not exist, or is damaged.
    """
    if is_upload(data):
        for path in _place(data).glob("*/*.*"):
            if path.suffix in TABLE_SUFFIXES and sha256_of(path) == path.parent.name:
                return DataFile(path, path.name)
    raise PrunescopeError("this file is not stored here any more: choose it again")


def find_nameless(data: str) -> DataFile:
    """Find an uploaded table; on a shared server nothing that others may see calls it by its own name.

    Raises:
        PrunescopeError: See `find`.
    """
    found = find(data)
    return replace(found, name=f"own-file{found.path.suffix}") if is_hosted() else found


def placed(request: SweepRequest) -> SweepRequest:
    """Return a request for an uploaded table as one for the file that it is kept in, which a command line reads.

    Raises:
        PrunescopeError: The table is not stored here any more.
    """
    data = request.data or ""
    return replace(request, data=str(find(data).path)) if is_upload(data) else request


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


def _names_of(visit: str) -> str:
    """Return how the names of a visit's tables begin."""
    return f"{OWN}{hashlib.sha256(visit.encode()).hexdigest()[:32]}"


def _folder() -> Path:
    return user_cache_path("prunescope") / "own"


def _place(data: str) -> Path:
    """Return the folder of a table: in that of its visit."""
    digits = data.removeprefix(OWN)
    return _folder() / digits[:32] / digits[32:]


def _make_room(visit: str, kept: Collection[str]) -> None:
    """Delete the oldest tables of a visit that has too many, and of all visits if these take too much."""
    bound, places = limits(), set(map(_place, kept))

    def kept_and_newest_first(folders: Iterable[Path]) -> list[Path]:
        return sorted(folders, key=lambda folder: (folder in places, folder.stat().st_mtime_ns), reverse=True)

    own = _folder() / _names_of(visit).removeprefix(OWN)
    for folder in kept_and_newest_first(own.iterdir())[bound.visit_uploads :]:
        if folder not in places:
            _delete(folder)
    size = 0
    for folder in kept_and_newest_first(_folder().glob("*/*")):
        size += sum(file.stat().st_size for file in folder.glob("*/*"))
        if size > bound.uploads_bytes and folder not in places:
            _delete(folder)


def _delete(folder: Path) -> None:
    if folder.is_dir():
        shutil.rmtree(folder, ignore_errors=True)
    else:
        folder.unlink(missing_ok=True)  # of an earlier version
    with suppress(OSError):  # others are left in it
        folder.parent.rmdir()
