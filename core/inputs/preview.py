"""Read a table for a page: in a limited child process, and once for all pages that show it."""

from collections.abc import Sequence
from threading import Lock

from cachetools import LRUCache, cached
from pydantic import TypeAdapter

from core.inputs.tables import DataFile, Table, content_of
from core.wall.reading import read

TABLE = TypeAdapter(Table)


def _key(files: Sequence[DataFile], limit: int) -> tuple[object, ...]:
    return (*((file.name, content_of(file)) for file in files), limit)


@cached(LRUCache(4), _key, Lock())  # each has at most `core.wall.reading.MOST_CHARS`
def read_preview(files: Sequence[DataFile], limit: int) -> Table:
    """Read the first rows of a table as `core.inputs.tables.read_table` does; a page is drawn again and again.

    Args:
        files: At least one.
        limit: The most rows to read.

    Raises:
        PrunescopeError: A file is unreadable, or takes too much memory or time.
    """
    return TABLE.validate_json(read("table", [(file.path, file.name) for file in files], limit))
