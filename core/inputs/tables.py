"""Read tables of text: CSV, TSV, JSON lines, Parquet. No torch, no datasets: the server process reads them too."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import sha256_of
from core.request.catalog import MAX_NAME_CHARS
from core.results.schema import FileRecord

SPREADSHEET_ROW = 2  # of the first row below the header
QUOTES = "put text that contains the separator in double quotes"
BOM = "\ufeff"
HEADER_CHARS = 2**18  # more than any first line
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
    numeric: frozenset[str] = frozenset()
    files: tuple[FileRecord, ...] = ()
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
    files = [file for file, _ in contents]
    name = files[0].name
    most = None if limit is None else limit + 1  # one more tells whether there are more
    try:
        match Path(name).suffix.lower():
            case ".parquet":
                found = _read_parquet(files, most)
            case ".jsonl":
                found = _read_lines(files[0], most)
            case _:
                found = _read_spreadsheet(files[0], most)
    except UnicodeDecodeError as error:
        raise PrunescopeError(f"{name} is not UTF-8 text: save it as UTF-8, in Excel as CSV UTF-8") from error
    except OSError as error:
        raise PrunescopeError(f"{name} cannot be read ({error.strerror or 'damaged'}): try another copy") from error
    if not found.rows:
        raise PrunescopeError(f"{name} has no rows: choose another file")
    if not found.cells:
        raise PrunescopeError(
            f"{name} has no column of plain values, only lists or objects: write texts and labels as text or numbers"
        )
    if max(map(len, found.cells)) > MAX_NAME_CHARS:
        raise PrunescopeError(f"{name} has a column whose name has over {MAX_NAME_CHARS:,} characters: shorten it")
    rows, records = found.rows[:limit], []
    first, end = rows[0], rows[-1] + 1
    for file, digest in contents:
        if first < end:
            until = end if len(files) == 1 else min(end, first + row_count(file.path))
            records.append(FileRecord(name=file.name, sha256=digest, rows=(first, until)))
            first = until
    return replace(
        found,
        cells={name: cells[:limit] for name, cells in found.cells.items()},
        rows=rows,
        files=tuple(records),
        is_cut=limit is not None and len(found.rows) > limit,
    )


_read_again = lru_cache(maxsize=2)(_read)  # a page with a table is drawn again and again


def _check_names(file: str, names: Sequence[str]) -> None:
    """Refuse a table of too many columns, and columns of the same name."""
    if len(names) > MAX_COLUMNS:
        raise PrunescopeError(
            f"{file} has {len(names):,} columns, at most {MAX_COLUMNS} are read: keep texts and label"
        )
    for name in names:
        if names.count(name) > 1:
            raise PrunescopeError(f"{file} has {names.count(name)} columns '{name[:40]}': rename all but one")


# ---------------------------------------------------------------- CSV and TSV


def _read_spreadsheet(file: DataFile, limit: int | None) -> Table:
    """Read a CSV or TSV file with a header; cells are stripped, blank rows left out."""
    import pandas as pd  # takes half a second, and only a file of one's own needs it

    with file.path.open(encoding="utf-8-sig", newline="") as text:
        header = text.readline(HEADER_CHARS)
        if len(header) == HEADER_CHARS:
            raise PrunescopeError(f"{file.name} has no header: its first line never ends, choose another file")
        is_tsv = file.name.lower().endswith((".tsv", ".tab"))
        separator = "\t" if is_tsv else max(",;\t", key=header.count)
        if header.count(separator) >= MAX_COLUMNS:
            _check_names(file.name, header.split(separator))
        text.seek(0)
        try:
            cells = pd.read_csv(
                text,
                sep=separator,
                header=None,  # read as data: pandas then refuses a row that is longer than the header
                dtype=str,
                keep_default_na=False,  # "NA" is a word; only an absent field is missing
                skip_blank_lines=False,  # they count in a spreadsheet's row numbers
                engine="python",  # counts rows, not lines, and refuses broken quotes
                nrows=None if limit is None else limit + 1,
            )
        except pd.errors.EmptyDataError:
            cells = pd.DataFrame()
        except UnicodeDecodeError:
            raise
        except (ValueError, csv.Error) as error:  # the second where only the first rows are read
            fault = str(error).replace(" line ", " row ")
            raise PrunescopeError(f"{file.name}: {fault}: {QUOTES}, or save it as CSV again") from error
    if cells.shape[1] < 2:
        raise PrunescopeError(
            f"{file.name} has {cells.shape[1]} columns: it needs a header and at least two columns, sentence and "
            "label, separated by commas or tabs"
        )
    names = [name.strip(f" {BOM}") or f"column {number}" for number, name in enumerate(cells.loc[0], 1)]
    _check_names(file.name, names)
    rows = cells[1:].apply(lambda column: column.str.strip())
    rows = rows[rows.fillna("").ne("").any(axis=1)]
    for number, row in zip(rows.index + 1, rows.itertuples(index=False), strict=True):
        fields = [cell for cell in row if isinstance(cell, str)]
        if len(fields) < len(names):
            raise PrunescopeError(
                f"{file.name}, row {number} has {len(fields)} fields, its header {len(names)}: {QUOTES}"
            )
        if separator == "\t" and any("\t" in cell and "\n" in cell for cell in fields):
            raise PrunescopeError(  # as text between quotes, several rows would be one example
                f"{file.name}, row {number}: a quotation mark opens a text there and ends it in a later row: double "
                "the quotation marks inside texts, or remove them"
            )
    columns = {name: tuple(rows[index]) for index, name in enumerate(names)}
    return Table(file.name, columns, tuple((rows.index - 1).tolist()), first_row=SPREADSHEET_ROW)


# ---------------------------------------------------------------- JSON lines


def _read_lines(file: DataFile, limit: int | None) -> Table:
    """Read a file with one JSON object a line; blank lines count as rows."""
    found: dict[int, dict[str, Any]] = {}
    names: dict[str, None] = {}  # in order
    with file.path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines):
            if line.strip():
                found[number] = _json_object(line, f"{file.name}, line {number + 1}")
                names.update(dict.fromkeys(found[number]))
            if len(found) == limit:
                break
    _check_names(file.name, [*names])
    return _of_values(file.name, {name: [values.get(name) for values in found.values()] for name in names}, [*found], 1)


def _json_object(line: str, place: str) -> dict[str, Any]:
    """Read the JSON object of a line."""
    try:
        values = json.loads(line)
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:  # written as an escape, such as the first of the two that make an emoji
        raise PrunescopeError(f"{place} holds half of a character, which no tokenizer reads: correct it") from error
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise PrunescopeError(f"{place} is not a JSON object: write one object per line")
    return values


def _of_values(name: str, columns: Mapping[str, list[Any]], rows: Sequence[int], first_row: int = 0) -> Table:
    """Write values as text; columns with lists or objects are left out."""
    plain = {name: values for name, values in columns.items() if not any(isinstance(v, list | dict) for v in values)}
    return Table(
        name,
        {name: tuple(map(as_text, values)) for name, values in plain.items()},
        tuple(rows),
        frozenset(name for name, values in plain.items() if not any(isinstance(value, str) for value in values)),
        first_row=first_row,
    )


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


def _read_parquet(files: Sequence[DataFile], limit: int | None) -> Table:
    """Read the first rows of Parquet files; labels that they name, as the Hub's data sets do, are read as names."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    name = files[0].name
    try:
        schemas = [pq.read_schema(file.path) for file in files]
        _check_names(name, schemas[0].names)
        for file, schema in zip(files, schemas, strict=True):
            if schema.names != schemas[0].names:
                raise PrunescopeError(
                    f"{file.name} has other columns than {name}: give files with the same columns, or choose another "
                    "data set"
                )
        plain = [field.name for field in schemas[0] if _is_plain(field.type)]
        columns: dict[str, list[Any]] = {column: [] for column in plain}
        for batch in _batches([file.path for file in files], plain, limit):
            for column, values in columns.items():
                values.extend(batch.column(column).to_pylist())
    except (pa.ArrowException, ValueError) as error:
        if isinstance(error, MemoryError):
            raise
        raise PrunescopeError(f"{name} is not readable as parquet: download it again") from error
    for column, labels in _class_labels(schemas[0].metadata or {}).items():
        if column in columns:  # a number without a name, such as -1, means nothing
            columns[column] = [
                (labels[value] if 0 <= value < len(labels) else "") if isinstance(value, int) else value
                for value in columns[column]
            ]
    return _of_values(name, columns, range(len(next(iter(columns.values()), []))))


def _batches(paths: Sequence[Path], columns: list[str], limit: int | None) -> Iterator[Any]:
    """Yield batches of the rows of Parquet files until there are enough: the first of a large file cost little."""
    import pyarrow.parquet as pq

    rows = 0
    for path in paths:
        with pq.ParquetFile(path) as parquet:
            for batch in parquet.iter_batches(min(limit or 65_536, 65_536), columns=columns):
                yield batch
                rows += batch.num_rows
                if limit is not None and rows >= limit:
                    return


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


def _is_plain(kind: Any) -> bool:
    """Whether values of a type are text, numbers or truth values."""
    import pyarrow.types as types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    texts = (types.is_string, types.is_large_string, types.is_string_view)
    return any(is_of(kind) for is_of in (*texts, types.is_integer, types.is_floating, types.is_boolean))


def _class_labels(metadata: Mapping[bytes, bytes]) -> dict[str, list[str]]:
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
