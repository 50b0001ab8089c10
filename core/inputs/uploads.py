"""Keep the tables that visitors upload; a request names each by a secret, never by a path.

A name is `own:` and 64 hexadecimal digits. The first half identifies the visit, its first 8 digits
the visit's address; only the holder of the visit's token can compute the second half. On a shared
server a table is read for its own visit alone (`belongs`, which is checked where work starts:
`core.jobs.queue`).

Sentences in memory, as a notebook has them, are kept as such a table too. On a hosted server
everything that strangers leave on the disk stays below its caps: the oldest of whoever holds most
goes first.
"""

import hashlib
import hmac
import json
import logging
import os
import re
import shutil
from collections.abc import Iterable
from math import inf
from pathlib import Path, PurePath
from threading import Lock
from typing import Any

from huggingface_hub import CacheNotFound, constants, scan_cache_dir
from platformdirs import user_cache_path

from core.errors import PrunescopeError
from core.inputs import texts
from core.inputs.checkpoint_files import sha256_of
from core.inputs.tables import DataFile
from core.request.limits import (
    OWN,
    TABLE_SUFFIXES,
    is_hosted,
    is_upload,
    limits,
)
from core.results import store
from core.wall.turns import NOBODY, Stored, Visitor, surplus

MAX_NAME_CHARS = 80
VISIT_DIGITS = 32  # the first half of a name
HOLDER_DIGITS = 8  # the beginning of that
SMALLER_MODELS = "smaller_models"  # a folder of the user's cache
SENTENCES = "sentences.jsonl"  # what results call a table of sentences in memory
LABEL, TEXT, PAIR = "label", ("text",), ("text1", "text2")  # its columns
QUOTED_CHARS = 40  # of a value, in a message

logger = logging.getLogger(__name__)
_lock = Lock()  # of all that is written and deleted


def keep(name: str, content: bytes, visitor: Visitor = NOBODY) -> str:
    """Store an uploaded table for the worker, and return its name for a request's `data`.

    Args:
        name: The file's name, as the visitor's browser states it.
        content: Its bytes.
        visitor: The visitor who uploads it.

    Raises:
        PrunescopeError: It is too large or of an unknown type, or the cache cannot be written.
    """
    base = PurePath(name.replace("\\", "/")).name
    safe = PurePath(re.sub(r"[^\w.-]+", "-", base).strip(".-"))  # fit for a path
    suffix = safe.suffix.lower()
    file = f"{safe.stem[:MAX_NAME_CHARS]}{suffix}"
    most = limits().upload_bytes
    if suffix not in TABLE_SUFFIXES or len(content) > most:
        raise PrunescopeError(
            f"'{safe.name[-MAX_NAME_CHARS:]}' has {len(content) / 2**20:,.1f} MiB: give a file "
            f"of at most {most // 2**20} MiB that ends in {', '.join(TABLE_SUFFIXES)}"
        )
    digest = hashlib.sha256(content).hexdigest()
    data = name_of(file, digest, visitor)
    folder = _folder(data)
    path = folder / digest / file
    try:
        with _lock:
            if path.is_file() and sha256_of(path) == digest:
                os.utime(folder)  # used again, it is no longer among the oldest
            else:
                store.write_atomically(path, content)
                _make_room_beside(folder)
    except OSError as error:
        raise PrunescopeError(
            f"{file} cannot be stored ({error.strerror}): free some space"
        ) from error
    return data


def name_of(file: str, digest: str, visitor: Visitor = NOBODY) -> str:
    """Return the name of a visitor's table, by its file's name and the SHA-256 of its content."""
    secret = hmac.digest(visitor.token.encode(), f"{digest} {file}".encode(), "sha256")
    return f"{_prefix_of(visitor)}{secret.hex()[:VISIT_DIGITS]}"


def belongs(data: str | None, visitor: Visitor) -> bool:
    """Whether a visit may have data read: on a shared server, no table of another visit."""
    if not is_hosted() or data is None or not is_upload(data):
        return True
    return data.startswith(_prefix_of(visitor))


def find(data: str) -> DataFile:
    """Find an uploaded table by the name that `keep` returned.

    Raises:
        PrunescopeError: It does not exist, or is damaged.
    """
    if is_upload(data):
        for path in _folder(data).glob("*/*.*"):
            if path.suffix in TABLE_SUFFIXES and sha256_of(path) == path.parent.name:
                return DataFile(path, path.name)
    raise PrunescopeError("this file is not stored here any more: choose it again")


def _prefix_of(visitor: Visitor) -> str:
    """Return how the names of a visit's tables begin."""
    holder = hashlib.sha256(visitor.holder.encode()).hexdigest()
    visit = hashlib.sha256(visitor.token.encode()).hexdigest()
    return f"{OWN}{holder[:HOLDER_DIGITS]}{visit[: VISIT_DIGITS - HOLDER_DIGITS]}"


def _folder(data: str) -> Path:
    """Return the folder of a table."""
    return _all_tables() / data.removeprefix(OWN)


def _all_tables() -> Path:
    return user_cache_path("prunescope") / "own"


def _make_room_beside(new: Path) -> None:
    """Delete the oldest tables of whoever holds most, but not the new one, until all fit."""
    tables = []
    for folder in _all_tables().iterdir():
        age = inf if folder == new else folder.stat().st_mtime_ns
        size = sum(file.stat().st_size for file in folder.glob("*/*"))
        tables.append(Stored(folder.name[:HOLDER_DIGITS], age, size, folder))
    _trim(tables, limits().uploads_bytes, new)


# ---------------------------------------------------------------- sentences in memory


def keep_sentences(sentences: Iterable[Any], labels: Iterable[Any]) -> tuple[str, tuple[str, ...]]:
    """Store labelled sentences as a table; their positions are the numbers of its rows.

    Args:
        sentences: Texts, or pairs of texts.
        labels: The name or the number of each sentence's label. Both are read in order; a pandas
            index is ignored.

    Returns:
        The table's name for a request's `data`, and its text columns.

    Raises:
        PrunescopeError: They are neither texts nor pairs of texts, or there is not one label for
            each.
    """
    try:
        rows = [(row,) if isinstance(row, str) else tuple(row) for row in sentences]
        marks = [label_mark(label, f"labels[{place}]") for place, label in enumerate(labels)]
    except TypeError as error:
        raise PrunescopeError(
            f"sentences or labels: {error}: give lists of texts or pairs, and of labels"
        ) from error
    most = limits().rows
    if not 0 < len(rows) == len(marks) <= most:
        raise PrunescopeError(
            f"{len(rows):,} sentences and {len(marks):,} labels: "
            f"give a list of at most {most:,} texts or pairs, and their labels"
        )
    columns = PAIR if len(rows[0]) == 2 else TEXT
    lines = []
    for place, (row, mark) in enumerate(zip(rows, marks, strict=True)):
        is_text = [isinstance(text, str) and bool(text.strip()) for text in row]
        if is_text != [True] * len(columns):
            quoted = repr(row[0] if len(row) == 1 else row)[:QUOTED_CHARS]
            raise PrunescopeError(
                f"sentences[{place}] is {quoted}: give a text each, or a pair of texts each"
            )
        cells = dict(zip((*columns, LABEL), (*row, mark), strict=True))
        lines.append(json.dumps(cells, ensure_ascii=False))
    # Half a character is refused when the table is read.
    content = "\n".join(lines).encode(errors="backslashreplace")
    return keep(SENTENCES, content), columns


def label_mark(label: Any, place: str) -> str | int | float:
    """Return the name or the number of a label as a plain value.

    Args:
        label: The label as it was given.
        place: Its place in messages.

    Raises:
        PrunescopeError: It is neither a name nor a number.
    """
    mark = label.item() if getattr(label, "ndim", None) == 0 else label  # of numpy or torch
    is_nan = mark != mark
    if not isinstance(mark, str | int | float) or mark == "" or is_nan:
        raise PrunescopeError(
            f"{place} is {repr(mark)[:QUOTED_CHARS]}: give the name or the number of a label"
        )
    return mark


# ---------------------------------------------------------------- all that strangers leave


def make_room() -> None:
    """Delete old results, texts and downloads beyond the caps of a hosted server.

    What cannot be deleted stays, and the log says so.
    """
    if not is_hosted():
        return
    results = [] if store.own_is_shipped() else store.result_files(store.user_folder())
    models = (user_cache_path("prunescope") / SMALLER_MODELS).glob("*.zip")
    paths = (*results, *models, *texts.folder().glob("*.json"))
    files = [
        Stored("", file.modified, file.size, Path(file.path)) for file in map(store.state_of, paths)
    ]
    try:
        _trim(files, limits().results_bytes)
        # Whole repositories: copies of one share files, so commits cannot be deleted alone.
        downloads = [
            Stored(
                "",
                repository.last_accessed,
                repository.size_on_disk,
                repository.repo_path,
            )
            for repository in scan_cache_dir(constants.HF_HUB_CACHE).repos
        ]
        _trim(downloads, limits().hub_cache_bytes)
    except CacheNotFound:
        return
    except OSError:
        logger.exception("old files cannot be deleted")


def _trim(stored: Iterable[Stored[Path]], most: float, spared: Path | None = None) -> None:
    """Delete files or folders, the oldest first, until they take at most so many bytes."""
    for path in {*surplus(stored, most)} - {spared}:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
