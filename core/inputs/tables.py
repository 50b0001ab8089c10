"""Read tables of text: CSV, TSV, JSON lines, Parquet. No torch, no datasets: the server's reader needs them too.

pandas and pyarrow are imported where they read: the pages and `--help` do without.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, count, islice
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import sha256_of
from core.request.catalog import MAX_NAME_CHARS
from core.results.schema import FileRecord

HEADER_CHARS = 2**18  # more than any first line
MAX_COLUMNS = 500
ROWS_AT_ONCE = 1_000  # few enough to be read before a limit on rows is checked
QUOTING = "put texts in double quotes, double the quotation marks in them, and save it as UTF-8"
Row = tuple[int, Mapping[str, Any]]  # its number, and its values by column


class DataFile(NamedTuple):
    """A file of a table.

    Attributes:
        path: Where it is.
        name: What messages and results call it; never a machine's path.
    """

    path: Path
    name: str


@dataclass(frozen=True)
class Table:
    """The cells of a table as text, empty where there is nothing.

    Attributes:
        name: What messages call it.
        cells: Columns by name; only those that hold text, numbers or truth values.
        rows: Row numbers, counted from 0 without a header.
        numeric: The columns that hold numbers, where the file says so.
        files: The files, and which rows are theirs.
        is_cut: Whether there are more rows than were read.
    """

    name: str
    cells: Mapping[str, tuple[str, ...]]
    rows: tuple[int, ...]
    numeric: frozenset[str] = frozenset()
    files: tuple[FileRecord, ...] = ()
    is_cut: bool = False

    def column(self, name: str, is_text: bool = False) -> tuple[str, ...]:
        """Return the cells of a column.

        Raises:
            PrunescopeError: There is none of that name, or it holds no text where it should.
        """
        if name not in self.cells:
            raise PrunescopeError(f"{self.name} has no column '{name[:40]}': name one of {', '.join(self.cells)}")
        if is_text and name in self.numeric:
            raise PrunescopeError(f"{self.name}: column '{name[:40]}' is not text: choose another column for the text")
        return self.cells[name]

    def empty(self, position: int, column: str) -> PrunescopeError:
        """Return the error that refuses an empty cell."""
        place = f"{self.name}, row {self.rows[position] + 1} without the header"
        return PrunescopeError(f"{place}: column '{column[:40]}' is empty: fill it, or remove the row")


TABLE = TypeAdapter(Table)


def read_table(files: Sequence[DataFile], limit: int | None = None) -> Table:
    """Read a table from one file, or from Parquet files that follow each other.

    Args:
        files: At least one.
        limit: The most rows to read; None reads all.

    Raises:
        PrunescopeError: A file is unreadable, or its rows do not fit its header.
    """
    return _read(tuple((file, content_of(file)) for file in files), limit)


def content_of(file: DataFile) -> str:
    """Return the SHA-256 of a file's content.

    Raises:
        PrunescopeError: It cannot be read.
    """
    try:
        return sha256_of(file.path)
    except OSError as error:
        raise PrunescopeError(f"{file.name} cannot be read ({error.strerror}): try another copy") from error


@lru_cache(maxsize=2)  # a page with a table is drawn again and again
def _read(contents: tuple[tuple[DataFile, str], ...], limit: int | None) -> Table:
    files = [file for file, _ in contents]
    name, suffix = files[0].name, Path(files[0].name).suffix.lower()
    rows_of = {".parquet": _parquet_rows, ".jsonl": _json_rows}.get(suffix, _spreadsheet_rows)
    try:
        # One row more tells whether there are more.
        rows = list(islice(rows_of(files), None if limit is None else limit + 1))
    except (OSError, ValueError, TypeError, RuntimeError, csv.Error) as error:  # pandas lets the last one through
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else " ".join(str(error).split())[:160]
        reason = reason.replace("in line", "in row")  # pandas counts rows
        remedy = QUOTING if rows_of is _spreadsheet_rows else "save it again, as UTF-8"
        raise PrunescopeError(f"{name} is not readable as {suffix[1:]} ({reason}): {remedy}") from error
    first = rows[:limit]
    columns = dict.fromkeys(chain.from_iterable(values for _, values in first))
    cells = {column: [values.get(column) for _, values in first] for column in columns}
    plain = {column: values for column, values in cells.items() if not {list, dict} & set(map(type, values))}
    if not plain:
        raise PrunescopeError(f"{name} has no rows, or no column of plain values: write texts and labels, a row each")
    _check_names(name, list(plain))
    numbers = tuple(number for number, _ in first)
    return Table(
        name,
        {column: tuple(map(as_text, values)) for column, values in plain.items()},
        numbers,
        frozenset(column for column, values in plain.items() if str not in map(type, values)),
        _records(contents, numbers[0], numbers[-1] + 1),
        len(rows) > len(first),
    )


def _records(contents: Sequence[tuple[DataFile, str]], first: int, end: int) -> tuple[FileRecord, ...]:
    """Record the files and which of the rows from `first` to `end` are theirs."""
    records = []
    for file, digest in contents:
        if first < end:
            until = end if len(contents) == 1 else min(end, first + row_count(file.path))
            records.append(FileRecord(name=file.name, sha256=digest, rows=(first, until)))
            first = until
    return tuple(records)


def _check_names(file: str, names: Sequence[str]) -> None:
    """Refuse too many columns, duplicate names, and names that are too long."""
    name, times = Counter(names).most_common(1)[0]
    if len(names) > MAX_COLUMNS or times > 1 or max(map(len, names)) > MAX_NAME_CHARS:
        fault = f"{file} has {len(names):,} columns, {times} of them '{name[:40]}'"
        raise PrunescopeError(f"{fault}: keep {MAX_COLUMNS}, different names of at most {MAX_NAME_CHARS:,} characters")


def as_text(value: Any) -> str:
    """Write a cell as text: 3.0 as 3; None, NaN and mere spaces as nothing."""
    if value is None or value != value or not str(value).strip():
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _spreadsheet_rows(files: Sequence[DataFile]) -> Iterator[Row]:
    """Yield the rows of a CSV or TSV file with a header; cells are stripped, blank rows left out."""
    import pandas as pd

    with files[0].path.open(encoding="utf-8-sig", newline="") as stream:
        header = stream.readline(HEADER_CHARS)
        stream.seek(0)
        separator = "\t" if files[0].name.lower().endswith(".tsv") else max(",;\t", key=header.count)
        # The C engine fills short rows and tolerates misplaced quotation marks. As objects, cells stay
        # text as with dtype=str, but are not copied to Arrow and back.
        options = {"engine": "python", "header": None, "dtype": object, "keep_default_na": False}
        chunks = pd.read_csv(stream, sep=separator, skip_blank_lines=False, chunksize=ROWS_AT_ONCE, **options)
        rows = chain.from_iterable(chunk.itertuples(name=None) for chunk in chunks)
        _, *first = next(rows) if header.strip() and len(header) < HEADER_CHARS else (0,)
        names = [name.strip(" \ufeff") or f"column {number}" for number, name in enumerate(first, 1)]
        if len(names) < 2:
            raise ValueError("it needs a header and at least two columns, separated by commas or tabs")
        _check_names(files[0].name, names)
        for number, *fields in rows:
            texts = [field for field in fields if isinstance(field, str)]  # missing ones are NaN
            if any(map(str.strip, texts)):
                if len(texts) < len(names):
                    raise ValueError(f"Expected {len(names)} fields in row {number + 1}, saw {len(texts)}")
                if separator == "\t" and any("\t" in text and "\n" in text for text in texts):
                    raise ValueError(f"the quotation marks in row {number + 1} do not end there")
                yield number - 1, dict(zip(names, map(str.strip, texts), strict=True))


def _json_rows(files: Sequence[DataFile]) -> Iterator[Row]:
    """Yield the objects of a file with one JSON object a line; blank lines count as rows.

    `pandas.read_json` says neither which line is wrong nor where blank ones were, and rounds long integers.
    """
    with files[0].path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines):
            if line.strip():
                try:
                    values = json.loads(line)
                    json.dumps(values, ensure_ascii=False).encode()  # not where an escape is half of a character
                except (ValueError, RecursionError):
                    values = None
                if not isinstance(values, dict):
                    raise PrunescopeError(f"{files[0].name}, line {number + 1} is no JSON object: write one a line")
                yield number, values


def _parquet_rows(files: Sequence[DataFile]) -> Iterator[Row]:
    """Yield the rows of Parquet files; label numbers that a file names, as the Hub's do, become names.

    `pandas.read_parquet` reads all rows; a small file may hold more of them than fit into memory.
    """
    import pyarrow.parquet as pq
    from pyarrow import types

    kinds = (types.is_primitive, types.is_string, types.is_large_string, types.is_string_view, types.is_dictionary)
    columns: list[str] | None = None
    numbers = count()
    for file in files:
        with pq.ParquetFile(file.path) as parquet:
            schema = parquet.schema_arrow
            _check_names(file.name, schema.names)
            plain = [field.name for field in schema if any(is_plain(field.type) for is_plain in kinds)]
            columns = plain if columns is None else columns
            if plain != columns:
                raise ValueError(f"{file.name} has other columns than the first file")
            label_names = label_names_of(schema.metadata or {})
            for batch in parquet.iter_batches(ROWS_AT_ONCE, columns=plain):
                for values in batch.to_pylist():
                    for column, names in label_names.items():
                        if isinstance(values.get(column), int):
                            values[column] = names.get(values[column], "")  # -1 is no label
                    yield next(numbers), values


def row_count(path: Path) -> int:
    """Return how many rows a Parquet file has, from its footer.

    Raises:
        PrunescopeError: It is unreadable.
    """
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, ValueError, RuntimeError) as error:
        raise PrunescopeError(f"{path.name} is not readable as parquet: download it again") from error


def label_names_of(metadata: Mapping[bytes, bytes]) -> dict[str, dict[int, str]]:
    """Return the label names that the `datasets` library keeps in a file's metadata, by column and number."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        labels = {name: feature["names"] for name, feature in features.items() if feature.get("_type") == "ClassLabel"}
    except (KeyError, ValueError, AttributeError, TypeError, RecursionError):
        return {}
    lists = {column: names for column, names in labels.items() if isinstance(names, list)}
    return {column: dict(enumerate(names)) for column, names in lists.items() if {str} == set(map(type, names))}
