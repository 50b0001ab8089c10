"""Read tables of text: CSV, TSV, JSON lines, Parquet. No torch, no datasets: the server process reads them too."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import sha256_of
from core.request.catalog import MAX_NAME_CHARS
from core.request.limits import limits
from core.results.schema import FileRecord

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pandas import DataFrame

SPREADSHEET_ROW = 2  # of the first row below the header
QUOTES = "put text that contains the separator in double quotes"
BOM = b"\xef\xbb\xbf"
HEADER_BYTES = 2**18  # more than any first line
MAX_COLUMNS = 500  # pandas takes minutes for a header of many thousands


@dataclass(frozen=True)
class DataFile:
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
        first_row: What messages call row 0.
    """

    name: str
    cells: Mapping[str, tuple[str, ...]]
    rows: tuple[int, ...]
    numeric: frozenset[str]
    files: tuple[FileRecord, ...]
    is_cut: bool = False
    first_row: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.cells)

    def column(self, name: str) -> tuple[str, ...]:
        """Return the cells of a column.

        Raises:
            PrunescopeError: There is none of that name.
        """
        if name not in self.cells:
            raise PrunescopeError(
                f"{self.name} has no column '{name[:40]}', only {', '.join(self.columns)}: name one of these"
            )
        return self.cells[name]

    def text_column(self, name: str) -> tuple[str, ...]:
        """Return the cells of a column that holds text.

        Raises:
            PrunescopeError: There is none of that name, or it holds numbers.
        """
        if name in self.numeric:
            raise PrunescopeError(f"{self.name}: column '{name[:40]}' is not text: choose another column for the text")
        return self.column(name)

    def place(self, position: int) -> str:
        """Name a row for a message."""
        return f"{self.name}, row {self.rows[position] + self.first_row}"


def read_table(files: Sequence[DataFile], limit: int | None = None) -> Table:
    """Read a table from one file, or from Parquet files that follow each other.

    Args:
        files: At least one.
        limit: The most rows to read; None reads all.

    Raises:
        PrunescopeError: A file is unreadable, or its rows do not fit its header.
    """
    contents = tuple((file, content_of(file)) for file in files)
    return _read(contents) if limit is None else _read_again(contents, limit)


def content_of(file: DataFile) -> str:
    """Return the SHA-256 of a file's content.

    Raises:
        PrunescopeError: It cannot be read.
    """
    try:
        return sha256_of(file.path)
    except OSError as error:
        raise PrunescopeError(f"{file.name} cannot be read ({error.strerror}): try another copy") from error


def _read(contents: tuple[tuple[DataFile, str], ...], limit: int | None = None) -> Table:
    tables: list[Table] = []
    left = limit
    for file, digest in contents:
        if left == 0:
            return _joined(tables, is_cut=True)
        start = sum(len(table.rows) for table in tables)
        tables.append(_read_one(file, digest, start, left))
        left = None if left is None else left - len(tables[-1].rows)
    return _joined(tables, is_cut=tables[-1].is_cut)


_read_again = lru_cache(maxsize=2)(_read)  # a page with a table is drawn again and again


def _joined(tables: Sequence[Table], is_cut: bool) -> Table:
    first = tables[0]
    for table in tables:
        if table.columns != first.columns:
            raise PrunescopeError(
                f"{table.name} has other columns than {first.name}: give files with the same columns, "
                "or choose another data set"
            )
    return Table(
        name=first.name,
        cells={name: tuple(chain.from_iterable(table.cells[name] for table in tables)) for name in first.columns},
        rows=tuple(chain.from_iterable(table.rows for table in tables)),
        numeric=first.numeric,
        files=tuple(chain.from_iterable(table.files for table in tables)),
        is_cut=is_cut,
        first_row=first.first_row,
    )


def _read_one(file: DataFile, digest: str, start: int, limit: int | None) -> Table:
    suffix = Path(file.name).suffix.lower()
    reader: Callable[[DataFile, int | None], _Cells] = {".parquet": _read_parquet, ".jsonl": _read_lines}.get(
        suffix, _read_spreadsheet
    )
    try:
        found = reader(file, None if limit is None else limit + 1)  # one more tells whether there are more
    except OSError as error:
        raise PrunescopeError(
            f"{file.name} cannot be read ({error.strerror or 'damaged'}): try another copy"
        ) from error
    if not found.rows:
        raise PrunescopeError(f"{file.name} has no rows: choose another file")
    if not found.cells:
        raise PrunescopeError(
            f"{file.name} has no column of plain values, only lists or objects: write texts and labels as text or "
            "numbers"
        )
    if max(map(len, found.cells)) > MAX_NAME_CHARS:
        raise PrunescopeError(f"{file.name} has a column whose name has over {MAX_NAME_CHARS:,} characters: shorten it")
    rows = tuple(start + row for row in found.rows[:limit])
    return Table(
        name=file.name,
        cells={name: cells[:limit] for name, cells in found.cells.items()},
        rows=rows,
        numeric=found.numeric,
        files=(FileRecord(name=file.name, sha256=digest, rows=(rows[0], rows[-1] + 1)),),
        is_cut=limit is not None and len(found.rows) > limit,
        first_row=found.first_row,
    )


@dataclass(frozen=True)
class _Cells:
    """What a reader finds in one file; see `Table`."""

    cells: Mapping[str, tuple[str, ...]]
    rows: tuple[int, ...]
    numeric: frozenset[str] = frozenset()
    first_row: int = 0


# ---------------------------------------------------------------- CSV and TSV


def _read_spreadsheet(file: DataFile, limit: int | None) -> _Cells:
    """Read a CSV or TSV file with a header; cells are stripped."""
    import pandas as pd  # takes half a second, and only a file of one's own needs it

    try:
        with io.BufferedReader(io.FileIO(file.path), HEADER_BYTES) as binary:
            while binary.peek(3).startswith(BOM):  # joined files have more than one byte order mark
                binary.read(3)
            header, end, _ = binary.peek().partition(b"\n")
            separator = _separator(file.name, header.decode(errors="replace"))
            if not end and binary.tell() + len(header) >= HEADER_BYTES:
                raise PrunescopeError(f"{file.name} has no header: its first line never ends, choose another file")
            _check_width(file.name, header.count(separator.encode()) + 1)
            cells = pd.read_csv(
                io.TextIOWrapper(binary, encoding="utf-8", newline=""),
                sep=separator,
                header=None,  # read as data: pandas then refuses a row that is longer than the header
                dtype=str,
                keep_default_na=False,  # "NA" is a word; only an absent field is missing
                skip_blank_lines=False,  # they count in a spreadsheet's row numbers
                engine="python",  # counts rows, not lines, and refuses broken quotes
                nrows=None if limit is None else limit + 1,
            )
    except UnicodeDecodeError as error:
        raise PrunescopeError(f"{file.name} is not UTF-8 text: save it as CSV UTF-8") from error
    except pd.errors.EmptyDataError:
        cells = pd.DataFrame()
    except (pd.errors.ParserError, csv.Error) as error:  # the second where only the first rows are read
        fault = str(error).replace(" line ", " row ")
        raise PrunescopeError(f"{file.name}: {fault}: {QUOTES}, or save it as CSV again") from error
    if separator == "\t":
        _check_not_joined(file.name, cells)
    return _checked_cells(file.name, cells)


def _check_not_joined(file: str, cells: "DataFrame") -> None:
    """Refuse rows that a stray quotation mark has joined: as text between quotes they would be one example."""
    for number, row in enumerate(cells.itertuples(index=False, name=None), 1):
        if any(isinstance(cell, str) and "\t" in cell and "\n" in cell for cell in row):
            raise PrunescopeError(
                f"{file}, row {number}: a quotation mark opens a text there and ends it in a later row: double the "
                "quotation marks inside texts, or remove them"
            )


def _check_width(file: str, columns: int) -> None:
    """Refuse a table of too many columns before it is read."""
    if columns > MAX_COLUMNS:
        raise PrunescopeError(f"{file} has {columns:,} columns, at most {MAX_COLUMNS} are read: keep texts and label")


def _separator(file: str, header: str) -> str:
    if file.lower().endswith((".tsv", ".tab")):
        return "\t"
    return max(",;\t", key=header.count)


def _checked_cells(file: str, cells: "DataFrame") -> _Cells:
    """Split off the header, drop blank rows, and refuse rows that lack a field."""
    if cells.shape[1] < 2:
        raise PrunescopeError(
            f"{file} has {cells.shape[1]} columns: it needs a header and at least two columns, sentence and label, "
            "separated by commas or tabs"
        )
    cells = cells.apply(lambda column: column.str.strip())
    rows = cells[1:]
    rows = rows[rows.fillna("").ne("").any(axis=1)]
    numbers = tuple(index - 1 for index in rows.index.tolist())
    for number, fields in zip(numbers, rows.count(axis=1), strict=True):
        if fields < cells.shape[1]:
            raise PrunescopeError(
                f"{file}, row {number + SPREADSHEET_ROW} has {fields} fields, its header {cells.shape[1]}: {QUOTES}"
            )
    names = _names(file, cells.loc[0].tolist())
    columns = {name: tuple(rows[index].tolist()) for name, index in zip(names, rows.columns, strict=True)}
    return _Cells(columns, numbers, first_row=SPREADSHEET_ROW)


def _names(file: str, header: Sequence[str]) -> tuple[str, ...]:
    names = tuple(name or f"column {number}" for number, name in enumerate(header, 1))
    for name in names:
        if names.count(name) > 1:
            raise PrunescopeError(f"{file} has {names.count(name)} columns '{name[:40]}': rename all but one")
    return names


# ---------------------------------------------------------------- JSON lines


def _read_lines(file: DataFile, limit: int | None) -> _Cells:
    """Read a file with one JSON object a line; blank lines count as rows."""
    found: list[tuple[int, dict[str, Any]]] = []
    names: dict[str, None] = {}  # in order
    with file.path.open(encoding="utf-8-sig") as lines:
        try:
            for number, line in enumerate(lines):
                if line.strip():
                    found.append((number, _json_object(line, f"{file.name}, line {number + 1}")))
                    names.update(dict.fromkeys(found[-1][1]))
                    _check_width(file.name, len(names))
                if limit is not None and len(found) == limit:
                    break
        except UnicodeDecodeError as error:
            raise PrunescopeError(f"{file.name} is not UTF-8 text: save it as UTF-8") from error
    columns = {name: [values.get(name) for _, values in found] for name in names}
    usable = {name: values for name, values in columns.items() if not any(isinstance(v, list | dict) for v in values)}
    return _Cells(
        {name: tuple(map(as_text, values)) for name, values in usable.items()},
        tuple(number for number, _ in found),
        frozenset(name for name, values in usable.items() if not any(isinstance(value, str) for value in values)),
        first_row=1,
    )


def _json_object(line: str, place: str) -> dict[str, Any]:
    """Read the JSON object of a line."""
    try:
        values = json.loads(line)
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:  # written as an escape, such as the first of the two that make an emoji
        raise PrunescopeError(f"{place} holds half of a character, which no tokenizer reads: correct it") from error
    except (ValueError, RecursionError) as error:
        raise PrunescopeError(f"{place} is not JSON: write one object per line") from error
    if not isinstance(values, dict):
        raise PrunescopeError(f"{place} is not a JSON object: write one object per line")
    return values


def as_text(value: Any) -> str:
    """Write a cell as text: 3.0 as 3, and nothing, which NaN is as well, as nothing."""
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


# ---------------------------------------------------------------- Parquet


def _read_parquet(file: DataFile, limit: int | None) -> _Cells:
    """Read the first rows of a Parquet file; labels that it names, as the Hub's data sets do, are read as names."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(file.path)
        _check_width(file.name, len(schema))
        _names(file.name, schema.names)
        names = [field.name for field in schema if _is_scalar(field.type)]
        texts = [name for name in names if _is_text(schema.field(name).type)]
        with pq.ParquetFile(file.path, read_dictionary=texts) as parquet:  # a text that is repeated is there once
            if limit is not None:  # GLUE's own files, which are read whole, are no stranger's
                _check_pages(file.name, parquet.metadata, limit)
            columns = _first_rows(file.name, parquet, names, limit)
            labels = _class_labels(schema.metadata or {})
    except (pa.ArrowException, ValueError) as error:
        raise PrunescopeError(f"{file.name} is not readable as parquet: download it again") from error
    numeric = frozenset(name for name in names if not _is_text(schema.field(name).type))
    cells = {name: tuple(_named(columns[name], labels.get(name))) for name in names}
    return _Cells(cells, tuple(range(len(next(iter(cells.values()), ())))), frozenset(numeric - labels.keys()))


def row_count(path: Path) -> int:
    """Return how many rows a Parquet file has, from its footer.

    Raises:
        PrunescopeError: It is unreadable.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise PrunescopeError(f"{path.name} is not readable as parquet: download it again") from error


def _is_scalar(kind: Any) -> bool:
    import pyarrow.types as types

    return bool(_is_text(kind) or types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind))


def _is_text(kind: Any) -> bool:
    import pyarrow.types as types

    if types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _check_pages(name: str, metadata: "pq.FileMetaData", limit: int) -> None:
    """Refuse a file whose first rows would fill the memory: a few bytes can stand for gigabytes.

    Raises:
        PrunescopeError: A column of one row group has too many bytes, decompressed.
    """
    rows, most = 0, limits().table_bytes
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        largest = max((group.column(k).total_uncompressed_size for k in range(group.num_columns)), default=0)
        if largest > most:
            raise PrunescopeError(
                f"{name} has a column of {largest / 2**20:,.0f} MiB in one row group, at most {most / 2**20:,.0f} MiB "
                "are allowed: write it in smaller row groups, such as of 1,000 rows"
            )
        rows += group.num_rows
        if rows >= limit:
            break


def _check_bytes(name: str, found: int) -> None:
    most = limits().table_bytes
    if found > most:
        raise PrunescopeError(
            f"{name} has {found / 2**20:,.0f} MiB of cells in the rows that are read, at most {most / 2**20:,.0f} MiB "
            "are allowed: give shorter texts or fewer rows"
        )


def _bytes_of(cells: "pa.Array") -> int:
    """Return how many bytes cells take once a text that is repeated is there as often."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not isinstance(cells, pa.DictionaryArray):
        return int(cells.nbytes)
    return pc.sum(pc.binary_length(cells.dictionary).take(cells.indices)).as_py() or 0


def _first_rows(file: str, parquet: "pq.ParquetFile", names: Sequence[str], limit: int | None) -> dict[str, list[Any]]:
    """Read batch by batch, so that the first rows of a large file cost little.

    Raises:
        PrunescopeError: They have too many bytes.
    """
    columns: dict[str, list[Any]] = {name: [] for name in names}
    size = min(limit or 65_536, 65_536)
    read = found = 0
    for batch in parquet.iter_batches(batch_size=size, columns=list(names)):
        if limit is not None:
            found += sum(map(_bytes_of, batch.columns))
            _check_bytes(file, found)
        for name in names:
            columns[name].extend(batch.column(name).to_pylist())
        read += batch.num_rows
        if limit is not None and read >= limit:
            break
    return {name: values[:limit] for name, values in columns.items()}


def _class_labels(metadata: Mapping[bytes, bytes]) -> dict[str, Sequence[str]]:
    """Return the label names that the `datasets` library keeps in a file's metadata, by column, where it names any."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        named = {name: feature["names"] for name, feature in features.items() if feature.get("_type") == "ClassLabel"}
    except (KeyError, ValueError, AttributeError, TypeError, RecursionError):
        return {}
    return {
        column: names
        for column, names in named.items()
        if isinstance(names, list) and all(isinstance(name, str) for name in names)
    }


def _named(values: Sequence[Any], names: Sequence[str] | None) -> Iterator[str]:
    """Yield cells as text: a number that has a name as that name, and without one, such as -1, as nothing."""
    for value in values:
        if names is None or not isinstance(value, int):
            yield as_text(value)
        else:
            yield str(names[value]) if 0 <= value < len(names) else ""
