"""Read tables of text: CSV, TSV, JSON lines, Parquet.

No torch and no datasets, because the server's reader needs tables too. pyarrow is imported in the
functions that use it: pages and `--help` do without.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count, groupby, islice
from operator import itemgetter
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from cachetools import LRUCache, cached
from pydantic import TypeAdapter

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import sha256_of
from core.request.catalog import MAX_NAME_CHARS
from core.results.schema import FileRecord

HEADER_CHARS = 2**18  # more than any first line
MAX_COLUMNS = 500
BATCH_ROWS = 50  # of a Parquet file, which may hold one long text a thousand times in a few bytes
QUOTING = "put texts in double quotes, double the quotation marks in them, and save it as UTF-8"


class DataFile(NamedTuple):
    """A file of a table.

    Attributes:
        path: Where it is.
        name: What messages and results call it; never a machine's path.
    """

    path: Path
    name: str


Row = tuple[DataFile, int, Mapping[str, Any]]  # its file, its number, and its values by column


@dataclass(frozen=True)
class Table:
    """The cells of a table as text; an empty string where a cell holds nothing.

    Attributes:
        name: What messages call it.
        cells: Columns by name; only those that hold text, numbers or truth values.
        rows: Row numbers, counted from 0 without a header.
        files: The files, and which rows are theirs.
        is_cut: Whether there are more rows than were read.
    """

    name: str
    cells: Mapping[str, tuple[str, ...]]
    rows: tuple[int, ...]
    files: tuple[FileRecord, ...] = ()
    is_cut: bool = False

    def column(self, name: str) -> tuple[str, ...]:
        """Return the cells of a column.

        Raises:
            PrunescopeError: There is no column of that name.
        """
        if name not in self.cells:
            raise PrunescopeError(
                f"{self.name} has no column '{name[:40]}': name one of {', '.join(self.cells)}"
            )
        return self.cells[name]


TABLE = TypeAdapter(Table)


def content_key(files: Sequence[DataFile], limit: int | None = None) -> tuple[object, ...]:
    """Return what identifies the content of a table for a cache; see `read_table`."""
    return *((file.name, _digest(file)) for file in files), limit


@cached(LRUCache(2), content_key, Lock())  # a page with a table is drawn again and again
def read_table(files: Sequence[DataFile], limit: int | None = None) -> Table:
    """Read a table from one file, or from Parquet files that follow each other.

    Args:
        files: At least one.
        limit: The most rows to read; None reads all.

    Raises:
        PrunescopeError: A file is unreadable, or its rows do not fit its header.
    """
    name = files[0].name
    suffix = Path(name).suffix.lower()
    rows_of = {".parquet": _parquet_rows, ".jsonl": _json_rows}.get(suffix, _spreadsheet_rows)
    most = None if limit is None else limit + 1  # one row more shows whether there are more
    try:
        rows = list(islice(rows_of(files), most))
    except (OSError, ValueError, TypeError, RuntimeError, csv.Error) as error:
        reason = " ".join(str(error).split())[:160]
        if isinstance(error, UnicodeDecodeError):
            reason = "it is not UTF-8 text"
        remedy = QUOTING if rows_of is _spreadsheet_rows else "save it again, as UTF-8"
        raise PrunescopeError(
            f"{name} is not readable as {suffix[1:]} ({reason}): {remedy}"
        ) from error
    first = rows[:limit]
    cells = {}
    for column in dict.fromkeys(chain.from_iterable(row for _, _, row in first)):
        values = [row.get(column) for _, _, row in first]
        if not {list, dict} & {*map(type, values)}:
            cells[column] = tuple(map(as_text, values))
    if not cells:
        raise PrunescopeError(
            f"{name} has no rows, or no column of plain values: write texts and labels, a row each"
        )
    _check_names(name, list(cells))
    records = []
    for file, numbered in groupby(first, key=itemgetter(0)):
        numbers = [number for _, number, _ in numbered]
        span = (numbers[0], numbers[-1] + 1)
        records.append(FileRecord(name=file.name, sha256=_digest(file), rows=span))
    numbers = [number for _, number, _ in first]
    return Table(name, cells, tuple(numbers), tuple(records), is_cut=len(rows) > len(first))


def _digest(file: DataFile) -> str:
    try:
        return sha256_of(file.path)
    except OSError as error:
        raise PrunescopeError(
            f"{file.name} cannot be read ({error.strerror}): try another copy"
        ) from error


def _check_names(file: str, names: Sequence[str]) -> None:
    """Refuse too many columns, duplicate names, and names that are too long."""
    name, times = Counter(names).most_common(1)[0]
    if len(names) > MAX_COLUMNS or times > 1 or max(map(len, names)) > MAX_NAME_CHARS:
        raise PrunescopeError(
            f"{file} has {len(names):,} columns, {times} of them '{name[:40]}': "
            f"keep {MAX_COLUMNS}, different names of at most {MAX_NAME_CHARS:,} characters"
        )


def as_text(value: Any) -> str:
    """Return a cell as text: 3.0 as 3; None, NaN and blanks as an empty string."""
    if value is None or value != value or not str(value).strip():
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _spreadsheet_rows(files: Sequence[DataFile]) -> Iterator[Row]:
    """Yield the rows of a CSV or TSV file with a header; strip its cells, leave blank rows out.

    Of the engines of `pandas.read_csv`, one fills short rows and tolerates misplaced quotation
    marks, and the other reads by this module, too.
    """
    name = files[0].name
    with files[0].path.open(encoding="utf-8-sig", newline="") as stream:
        header = stream.readline(HEADER_CHARS)
        stream.seek(0)
        is_tsv = name.lower().endswith(".tsv")
        separator = "\t" if is_tsv else max(",;\t", key=header.count)
        if separator not in header or len(header) >= HEADER_CHARS:
            raise ValueError(
                "it needs a header and at least two columns, separated by commas or tabs"
            )
        lines = csv.reader(stream, delimiter=separator, strict=True)
        names = [
            column.strip() or f"column {number}" for number, column in enumerate(next(lines), 1)
        ]
        _check_names(name, names)
        for number, texts in enumerate(lines):
            if not any(map(str.strip, texts)):
                continue
            if len(texts) != len(names):
                raise ValueError(
                    f"Expected {len(names)} fields in row {number + 2}, saw {len(texts)}"
                )
            if separator == "\t" and any("\t" in text and "\n" in text for text in texts):
                raise ValueError(f"the quotation marks in row {number + 2} do not end there")
            yield files[0], number, dict(zip(names, map(str.strip, texts), strict=True))


def _json_rows(files: Sequence[DataFile]) -> Iterator[Row]:
    """Yield the objects of a file with one JSON object a line; blank lines count as rows.

    `pandas.read_json` does not say which line is wrong or where blank ones were, and rounds long
    integers.
    """
    with files[0].path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines):
            if not line.strip():
                continue
            try:
                values = json.loads(line)
                # Fails where an escape is half of a character.
                json.dumps(values, ensure_ascii=False).encode()
            except (ValueError, RecursionError):
                values = None
            if not isinstance(values, dict):
                raise PrunescopeError(
                    f"{files[0].name}, line {number + 1} is no JSON object: write one a line"
                )
            yield files[0], number, values


def _parquet_rows(files: Sequence[DataFile]) -> Iterator[Row]:
    """Yield the rows of Parquet files; replace label numbers by their names in the file, if any.

    `pandas.read_parquet` reads all rows; a small file may hold more of them than fit into memory.
    """
    import pyarrow.parquet as pq
    from pyarrow import types

    kinds = (
        types.is_primitive,
        types.is_string,
        types.is_large_string,
        types.is_string_view,
        types.is_dictionary,
    )
    columns: list[str] = []
    numbers = count()
    for file in files:
        with pq.ParquetFile(file.path) as parquet:
            schema = parquet.schema_arrow
            _check_names(file.name, schema.names)
            plain = [field.name for field in schema if any(kind(field.type) for kind in kinds)]
            columns = columns or plain
            if plain != columns:
                raise ValueError(f"{file.name} has other columns than the first file")
            label_names = label_names_of(schema.metadata or {})
            for batch in parquet.iter_batches(BATCH_ROWS, columns=plain):
                for values in batch.to_pylist():
                    for column, names in label_names.items():
                        if isinstance(values.get(column), int):
                            values[column] = names.get(values[column], "")  # -1 is no label
                    yield file, next(numbers), values


def row_count(path: Path) -> int:
    """Return the number of rows that a Parquet file's footer states.

    Raises:
        PrunescopeError: It is unreadable.
    """
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, ValueError, RuntimeError) as error:
        raise PrunescopeError(
            f"{path.name} is not readable as parquet: download it again"
        ) from error


def label_names_of(
    metadata: Mapping[bytes, bytes],
) -> dict[str, dict[int, str]]:
    """Return the label names that the `datasets` library keeps in a file, by column and number."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return {
            column: dict(enumerate(map(str, feature["names"])))
            for column, feature in features.items()
            if feature.get("_type") == "ClassLabel"
        }
    except (KeyError, ValueError, AttributeError, TypeError, RecursionError):
        return {}
