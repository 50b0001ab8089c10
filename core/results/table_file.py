"""A table computed once from all shipped results, when the documents are written, and shipped beside the manifest."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from core.results import store
from core.results.store import FileState, state_of, write_atomically

Row = TypeVar("Row")


@dataclass(frozen=True)
class TableFile(Generic[Row]):
    """Such a table.

    Attributes:
        name: Of its file.
        rows: The type of all its rows.
    """

    name: str
    rows: TypeAdapter[tuple[Row, ...]]

    def write(self, table: Sequence[Row]) -> None:
        """Write the table that is shipped."""
        write_atomically(self._path, self.rows.dump_json(tuple(table), indent=1).decode() + "\n")

    def read(self) -> tuple[Row, ...]:
        """Return the table that is shipped; nothing where there is none."""
        return _read(self.rows, state_of(self._path)) if self._path.is_file() else ()

    @property
    def _path(self) -> Path:
        return store.SHIPPED_RESULTS.parent / self.name


@lru_cache(maxsize=8)
def _read(rows: TypeAdapter[Any], file: FileState) -> Any:
    return rows.validate_json(Path(file.path).read_bytes())
