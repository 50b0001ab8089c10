"""Keep the tables that visitors upload; a request names each by a secret, so that no path comes from visitors' input.

A name is `own:` and 64 hexadecimal digits. The first half names the visit, 8 digits its address; the second half can
be computed only by who knows the visit's token. On a shared server a table is read for its own visit alone (`belongs`),
which is asked where work starts (`core.jobs.queue`).

All that strangers leave on a hosted server's disk is kept below its caps: the oldest of whoever holds most goes first.
No torch.
"""

import hashlib
import hmac
import logging
import os
import re
import shutil
from collections.abc import Collection, Iterable
from contextlib import suppress
from math import inf
from pathlib import Path, PurePath
from threading import Lock

from huggingface_hub import CacheNotFound, constants, scan_cache_dir
from platformdirs import user_cache_path

from core.errors import PrunescopeError
from core.inputs import texts
from core.inputs.checkpoint_files import sha256_of
from core.inputs.tables import DataFile
from core.request.limits import OWN, TABLE_SUFFIXES, is_hosted, is_upload, limits
from core.results import store
from core.wall.turns import NOBODY, Stored, Visitor, surplus

MAX_NAME_CHARS = 80
VISIT_DIGITS, HOLDER_DIGITS = 32, 8  # of a name: its first half, and how that begins
SMALLER_MODELS = "smaller_models"  # a folder of the user's cache

logger = logging.getLogger(__name__)
_lock = Lock()  # of all that is written and deleted


def keep(name: str, content: bytes, visitor: Visitor = NOBODY, in_use: Collection[str] = ()) -> str:
    """Store an uploaded table for the worker, and return its name for a request's `data`.

    Args:
        name: The file's name, as the visitor's browser says it.
        content: Its bytes.
        visitor: Who uploads it.
        in_use: The names of tables that must not make room for it.

    Raises:
        PrunescopeError: It is too large or of an unknown type, or the cache cannot be written.
    """
    plain = re.sub(r"[^\w.-]+", "-", PurePath(name.replace("\\", "/")).name).strip(".-")  # fit for a path
    suffix, bound = PurePath(plain).suffix.lower(), limits().upload_bytes
    file = f"{plain[: len(plain) - len(suffix)][:MAX_NAME_CHARS] or 'table'}{suffix}"
    if suffix not in TABLE_SUFFIXES or len(content) > bound:
        fault = f"'{plain[-MAX_NAME_CHARS:]}' has {len(content) / 2**20:,.1f} MiB"
        wanted = f"a file of at most {bound // 2**20} MiB that ends in {', '.join(TABLE_SUFFIXES)}"
        raise PrunescopeError(f"{fault}: give {wanted}")
    digest = hashlib.sha256(content).hexdigest()
    secret = hmac.digest(visitor.token.encode(), f"{digest} {file}".encode(), "sha256").hex()[:32]
    data = f"{_names_of(visitor)}{secret}"
    path = _place(data) / digest / file
    try:
        with _lock:
            if path.is_file() and sha256_of(path) == digest:
                os.utime(_place(data))  # it is used again, so others are older
            else:
                store.write_atomically(path, content)
                _make_room_beside({_place(name) for name in (data, *in_use)})
    except OSError as error:
        raise PrunescopeError(f"{file} cannot be stored ({error.strerror}): free some space") from error
    return data


def belongs(data: str, visitor: Visitor) -> bool:
    """Whether a visit may have this table read: on a shared server, whether it has uploaded it."""
    return not is_hosted() or data.startswith(_names_of(visitor))


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


def _names_of(visitor: Visitor) -> str:
    """Return how the names of a visit's tables begin."""
    holder, visit = (hashlib.sha256(name.encode()).hexdigest() for name in (visitor.holder, visitor.token))
    return f"{OWN}{holder[:HOLDER_DIGITS]}{visit[: VISIT_DIGITS - HOLDER_DIGITS]}"


def _place(data: str) -> Path:
    """Return the folder of a table: in that of its visit."""
    digits = data.removeprefix(OWN)
    return user_cache_path("prunescope") / "own" / digits[:VISIT_DIGITS] / digits[VISIT_DIGITS:]


def _make_room_beside(kept: Collection[Path]) -> None:
    """Delete the oldest tables of visits that have too many, and what is too much of all visits."""
    tables = []
    for folder in (user_cache_path("prunescope") / "own").glob("*/*"):
        size = sum(file.stat().st_size for file in folder.glob("*/*"))
        age = inf if folder in kept else folder.stat().st_mtime_ns
        tables.append(Stored(folder.parent.name[:HOLDER_DIGITS], age, size, folder))
    gone = surplus(tables, limits().uploads_bytes)
    for visit in {table.place.parent for table in tables}:
        counted = [table._replace(size=1) for table in tables if table.place.parent == visit]
        gone += surplus(counted, limits().visit_uploads)
    for folder in {*gone}.difference(kept):
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # others are left in it
            folder.parent.rmdir()


# ---------------------------------------------------------------- all that strangers leave


def make_room() -> None:
    """Delete old results, texts and downloads beyond the caps; on one's own computer nothing.

    What cannot be deleted stays, and the log says so.
    """
    if not is_hosted():
        return
    bound = limits()
    own = [] if store.own_is_shipped() else store.result_files(store.user_folder())
    try:
        smaller = (user_cache_path("prunescope") / SMALLER_MODELS).glob("*.zip")
        for files in (own, texts.folder().glob("*.json"), smaller):
            stats = [(path.stat(), path) for path in files if path.is_file()]
            _trim([(stat.st_mtime_ns, stat.st_size, path) for stat, path in stats], bound.results_bytes)
        # Whole repositories, not their commits, which copies of a repository share.
        repos = scan_cache_dir(constants.HF_HUB_CACHE).repos
        _trim(((repo.last_accessed, repo.size_on_disk, repo.repo_path) for repo in repos), bound.hub_cache_bytes)
    except CacheNotFound:
        return
    except OSError:
        logger.exception("old files cannot be deleted")


def _trim(found: Iterable[tuple[float, int, Path]], most: float) -> None:
    """Delete files or folders, the oldest first, until all together have at most so many bytes.

    Args:
        found: When each was written or read, its bytes, and its place.
        most: The bytes.
    """
    for path in surplus((Stored("", *file) for file in found), most):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
