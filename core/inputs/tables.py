"""Read tables of text: CSV, TSV, JSON lines, Parquet. No torch, no datasets: the server's reader needs them too."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import sha256_of
from core.request.catalog import MAX_NAME_CHARS
from core.results.schema import FileRecord

HEADER_CHARS = 2**18  # more than any first line
MAX_COLUMNS = 500
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
    most = None if limit is None else limit + 1  # one more tells whether there are more
    try:
        if suffix == ".parquet":
            columns = _parquet_columns(files, most)
            rows = list(range(max(map(len, columns.values()), default=0)))
        else:
            found = list(islice((_json_rows if suffix == ".jsonl" else _spreadsheet_rows)(files[0]), most))
            names = dict.fromkeys(chain.from_iterable(values for _, values in found))
            columns = {column: [values.get(column) for _, values in found] for column in names}
            rows = [number for number, _ in found]
    except (OSError, ValueError, TypeError, RuntimeError, csv.Error) as error:
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else " ".join(str(error).split())[:160]
        raise PrunescopeError(f"{name} is not readable as {suffix[1:]} ({reason}): save it again, as UTF-8") from error
    plain = {column: values[:limit] for column, values in columns.items() if not {list, dict} & set(map(type, values))}
    if not rows or not plain:
        raise PrunescopeError(f"{name} has no rows, or no column of plain values: write texts and labels, a row each")
    _check_names(name, list(plain))
    return Table(
        name,
        {column: tuple(map(as_text, values)) for column, values in plain.items()},
        tuple(rows[:limit]),
        frozenset(column for column, values in plain.items() if str not in map(type, values)),
        _records(contents, rows[0], rows[:limit][-1] + 1),
        len(rows) > len(rows[:limit]),
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
    """Refuse a table of too many columns, and columns of the same name or with an endless one."""
    name, count = Counter(names).most_common(1)[0]
    if len(names) > MAX_COLUMNS or count > 1 or max(map(len, names)) > MAX_NAME_CHARS:
        fault = f"{file} has {len(names):,} columns, {count} of them '{name[:40]}'"
        raise PrunescopeError(f"{fault}: keep {MAX_COLUMNS}, different names of at most {MAX_NAME_CHARS:,} characters")


def as_text(value: Any) -> str:
    """Write a cell as text: 3.0 as 3, and nothing, which NaN and spaces alone are as well, as nothing."""
    if value is None or value != value or not str(value).strip():
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _spreadsheet_rows(file: DataFile) -> Iterator[Row]:
    """Yield the rows of a CSV or TSV file with a header; cells are stripped, blank rows left out."""
    with file.path.open(encoding="utf-8-sig", newline="") as text:
        header = text.readline(HEADER_CHARS)
        text.seek(0)
        is_tsv = file.name.lower().endswith((".tsv", ".tab"))
        separator = "\t" if is_tsv else max(",;\t", key=header.count)
        reader = csv.reader(text, delimiter=separator, strict=True)
        first = next(reader) if 0 < len(header) < HEADER_CHARS else []
        names = [name.strip(" \ufeff") or f"column {number}" for number, name in enumerate(first, 1)]
        if len(names) < 2:
            raise ValueError("it needs a header and at least two columns, separated by commas or tabs")
        _check_names(file.name, names)
        for number, fields in enumerate(reader):
            # Of a text between quotes that never end, several rows would be one example.
            is_run_on = separator == "\t" and any("\t" in field and "\n" in field for field in fields)
            if any(map(str.strip, fields)) and (len(fields) != len(names) or is_run_on):
                fault = f"{file.name}, row {number + 2} has {len(fields)} fields, its header {len(names)}"
                raise PrunescopeError(f"{fault}: put texts in double quotes, and double the quotation marks in them")
            if any(map(str.strip, fields)):
                yield number, dict(zip(names, map(str.strip, fields), strict=True))


def _json_rows(file: DataFile) -> Iterator[Row]:
    """Yield the objects of a file with one JSON object a line; blank lines count as rows."""
    with file.path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines):
            if line.strip():
                try:
                    values = json.loads(line)
                    json.dumps(values, ensure_ascii=False).encode()  # not where an escape is half of a character
                except (ValueError, RecursionError):
                    values = None
                if not isinstance(values, dict):
                    raise PrunescopeError(f"{file.name}, line {number + 1} is no JSON object: write one a line")
                yield number, values


def _parquet_columns(files: Iterable[DataFile], limit: int | None) -> dict[str, list[Any]]:
    """Read the first rows of Parquet files; labels that they name, as the Hub's data sets do, are read as names."""
    import pyarrow.parquet as pq
    from pyarrow import types

    kinds = (types.is_primitive, types.is_string, types.is_large_string, types.is_string_view, types.is_dictionary)
    columns: dict[str, list[Any]] = {}
    rows = 0
    for file in files:
        with pq.ParquetFile(file.path) as parquet:
            schema = parquet.schema_arrow
            _check_names(file.name, schema.names)
            plain = [field.name for field in schema if any(is_plain(field.type) for is_plain in kinds)]
            columns = columns or {name: [] for name in plain}
            if plain != list(columns):
                raise ValueError(f"{file.name} has other columns than the first file")
            names = label_names_of(schema.metadata or {})
            for batch in parquet.iter_batches(min(limit or 65_536, 65_536), columns=plain):  # the first cost little
                if limit is not None and rows >= limit:
                    break
                rows += batch.num_rows
                for name, values in columns.items():
                    known, found = names.get(name), batch.column(name).to_pylist()
                    # A number without a name, such as -1, means nothing.
                    values += [known.get(v, "") if isinstance(v, int) else v for v in found] if known else found
    return columns


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
