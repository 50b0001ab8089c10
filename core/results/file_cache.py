"""What was read from files, kept in the user's cache directory as long as a file has the same size and time of change.

It is one SQLite file, which several processes may use. Whatever is wrong with it, the files themselves are read again.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from platformdirs import user_cache_path

FILE = "read.sqlite"
WAIT_SECONDS = 2.0  # for another process that writes
_COLUMNS = "path TEXT PRIMARY KEY, size INTEGER, modified INTEGER, folder TEXT, content BLOB"
_SELECT = "SELECT content FROM files WHERE path = ? AND size = ? AND modified = ?"


class FileState(NamedTuple):
    """A file as it was seen; `modified` is in nanoseconds."""

    path: str
    size: int
    modified: int


def state_of(path: Path | os.DirEntry[str]) -> FileState:
    """Look at a file; a link that leads nowhere has the state of the link, one that is gone that of an empty file."""
    for follow in (True, False):
        with suppress(OSError):
            seen = path.stat(follow_symlinks=follow)
            return FileState(os.fspath(path), seen.st_size, seen.st_mtime_ns)
    return FileState(os.fspath(path), 0, 0)


def kept(files: Iterable[FileState], version: int) -> dict[FileState, bytes]:
    """Return what is kept of files that have not changed since.

    Args:
        files: Any files.
        version: Of what is kept; what another version has kept is thrown away.
    """
    found = {}
    with suppress(sqlite3.Error, OSError), _database(version) as database:
        for file in files:
            if row := database.execute(_SELECT, _row(file)).fetchone():
                found[file] = row[0]
    return found


def keep(contents: Mapping[FileState, bytes], version: int) -> None:
    """Keep what was read from files, all of it or nothing, and forget their neighbours that are gone.

    Args:
        contents: Of each file, what `kept` is to return.
        version: See `kept`.
    """
    with suppress(sqlite3.Error, OSError), _database(version) as database:
        database.executemany(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)",
            [(*_row(file), _folder(file), content) for file, content in contents.items()],
        )
        for folder in set(map(_folder, contents)):
            known = database.execute("SELECT path FROM files WHERE folder = ?", (folder,)).fetchall()
            present = {os.path.join(folder, name) for name in os.listdir(folder)}
            database.executemany("DELETE FROM files WHERE path = ?", [row for row in known if row[0] not in present])


def _row(file: FileState) -> tuple[str, int, int]:
    return os.path.abspath(file.path), file.size, file.modified


def _folder(file: FileState) -> str:
    return os.path.dirname(os.path.abspath(file.path))


@contextmanager
def _database(version: int) -> Iterator[sqlite3.Connection]:
    """Open the file for one transaction; one that is damaged is deleted.

    Raises:
        sqlite3.Error: It cannot be read or written now.
        OSError: Its folder cannot be made.
    """
    path = user_cache_path("prunescope") / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with closing(sqlite3.connect(path, WAIT_SECONDS)) as database, database:
            database.execute("PRAGMA synchronous = OFF")  # what a power cut destroys is read from the files again
            if database.execute("PRAGMA user_version").fetchone() != (version,):
                database.execute("DROP TABLE IF EXISTS files")
                database.execute(f"CREATE TABLE files ({_COLUMNS})")
                database.execute(f"PRAGMA user_version = {version:d}")
            yield database
    except sqlite3.OperationalError:  # it is locked, or cannot be written: nothing is wrong with it
        raise
    except sqlite3.DatabaseError:
        path.unlink(missing_ok=True)
        raise
