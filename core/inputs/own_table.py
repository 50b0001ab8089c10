"""Read a visitor's own labelled sentences from a table, check them, and store them by their digest; no torch.

A request names them `own:DIGEST` (`core.request.sweep_request.is_own`): no path comes from a visitor's input.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from platformdirs import user_cache_path

from core.errors import PrunescopeError
from core.request.catalog import DEFAULT_EXAMPLES, MIN_EXAMPLES, Task
from core.request.sweep_request import OWN, is_own
from core.results.schema import digest
from core.results.store import write_atomically

if TYPE_CHECKING:
    from pandas import DataFrame

MAX_ROWS = 2_000
MAX_MEGABYTES = 4
MAX_LABELS = 20  # different values of the label column
MIN_CALIBRATION = 16  # examples to score on
MAX_KEPT = 100  # uploads; the oldest are deleted
FIRST_ROW = 2  # of the data in a spreadsheet: the header is row 1
QUOTES = "put text that contains the separator in double quotes"
LABEL_COLUMNS = ("label", "labels", "gold", "class", "target", "category", "sentiment")


@dataclass(frozen=True)
class Table:
    """A file's cells as text.

    Attributes:
        file: The file's name.
        columns: Names from the header, all different.
        numbers: Row numbers as in a spreadsheet.
        rows: Stripped cells, one per column.
    """

    file: str
    columns: tuple[str, ...]
    numbers: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str) -> tuple[str, ...]:
        """Return the cells of a column."""
        index = self.columns.index(name)
        return tuple(row[index] for row in self.rows)


@dataclass(frozen=True)
class OwnSentences:
    """Labelled examples of a task, checked.

    Attributes:
        task: The task's name.
        file: The file's name.
        rows: Row numbers in the file, counted from 0 without the header.
        texts: One or two texts per example, in the order of the task's columns.
        gold: Label indices.
    """

    task: str
    file: str
    rows: tuple[int, ...]
    texts: tuple[tuple[str, ...], ...]
    gold: tuple[int, ...]

    def columns(self, task: Task) -> dict[str, Sequence[Any]]:
        """Return the examples as the task's columns and `label`."""
        texts = zip(*self.texts, strict=True)
        return {**dict(zip(task.text_columns, texts, strict=True)), "label": self.gold}


def read_table(name: str, content: bytes) -> Table:
    """Read a CSV or TSV file with a header.

    Args:
        name: The file's name; `.tsv` decides the separator, else the header does.
        content: Its bytes.

    Raises:
        PrunescopeError: It is too large or not text, or its rows do not fit its header.
    """
    import pandas as pd  # takes half a second, and only an upload needs it

    file = "".join(letter for letter in PurePath(name).name if letter.isprintable())[-80:] or "the file"
    if len(content) > MAX_MEGABYTES * 2**20:
        raise PrunescopeError(f"{file} is larger than {MAX_MEGABYTES} MiB: remove columns or rows")
    try:
        text = content.decode("utf-8").lstrip("\ufeff")  # joined files have more than one byte order mark
        cells = pd.read_csv(
            io.StringIO(text, newline=""),
            sep=_separator(file, text),
            header=None,  # read as data: pandas then refuses a row that is longer than the header
            dtype=str,
            keep_default_na=False,  # "NA" is a word; only an absent field is missing
            skip_blank_lines=False,  # they count in a spreadsheet's row numbers
            engine="python",  # counts rows, not lines, and refuses broken quotes
        )
    except UnicodeDecodeError as error:
        raise PrunescopeError(f"{file} is not UTF-8 text (byte {error.start}): save it as CSV UTF-8") from error
    except pd.errors.EmptyDataError:
        cells = pd.DataFrame()
    except pd.errors.ParserError as error:
        fault = str(error).replace(" line ", " row ")
        raise PrunescopeError(f"{file}: {fault}: {QUOTES}, or save it as CSV again") from error
    return _checked_table(file, cells)


def _separator(file: str, text: str) -> str:
    if file.lower().endswith((".tsv", ".tab")):
        return "\t"
    header = text.partition("\n")[0]
    return max(",;\t", key=header.count)


def _checked_table(file: str, cells: "DataFrame") -> Table:
    """Split off the header, drop blank rows, and refuse rows that lack a field."""
    if cells.shape[1] < 2:
        raise PrunescopeError(
            f"{file} has {cells.shape[1]} columns: it needs a header and at least two columns, sentence and label, "
            "separated by commas or tabs"
        )
    cells = cells.apply(lambda column: column.str.strip())
    rows = cells[1:]
    rows = rows[rows.fillna("").ne("").any(axis=1)]
    if len(rows) > MAX_ROWS:
        raise PrunescopeError(f"{file} has {len(rows):,} rows: at most {MAX_ROWS:,}, remove some")
    numbers = tuple(index + 1 for index in rows.index.tolist())
    for number, fields in zip(numbers, rows.count(axis=1), strict=True):
        if fields < cells.shape[1]:
            raise PrunescopeError(f"{file}, row {number} has {fields} fields, its header {cells.shape[1]}: {QUOTES}")
    return Table(file, _names(file, cells.loc[0].tolist()), numbers, tuple(rows.itertuples(index=False, name=None)))


def _names(file: str, header: Sequence[str]) -> tuple[str, ...]:
    names = tuple(name or f"column {number}" for number, name in enumerate(header, 1))
    for name in names:
        if names.count(name) > 1:
            raise PrunescopeError(f"{file} has {names.count(name)} columns '{name[:40]}': rename all but one")
    return names


def likely_columns(table: Table, task: Task) -> tuple[tuple[str, ...], str]:
    """Guess the text columns, as many as the task has, and the label column."""
    kinds = {name: len(set(table.column(name))) for name in table.columns}
    named = [name for name in table.columns if name.lower() in LABEL_COLUMNS]
    label = named[0] if named else min(reversed(table.columns), key=lambda name: kinds[name])
    candidates = [name for name in table.columns if name != label]
    by_length = sorted(candidates, key=lambda name: -sum(map(len, table.column(name))))[: len(task.text_columns)]
    by_length.sort(key=table.columns.index)
    known = [name for name in task.text_columns if name in candidates]
    texts = known if len(known) == len(task.text_columns) else by_length
    return tuple((*texts, *table.columns)[: len(task.text_columns)]), label


def label_values(table: Table, column: str) -> tuple[str, ...]:
    """Return the different values of the label column, sorted.

    Raises:
        PrunescopeError: There are too many for labels.
    """
    values = tuple(sorted(set(table.column(column)) - {""}))
    if len(values) > MAX_LABELS:
        raise PrunescopeError(
            f"column '{column[:40]}' has {len(values):,} different values, more than {MAX_LABELS}: choose the column "
            "that holds the labels"
        )
    return values


def likely_label(value: str, task: Task) -> int | None:
    """Guess which label of the task a value stands for, by its index, its name or the beginning of its name."""
    if value.isascii() and value.isdigit():
        return int(value) if int(value) < len(task.label_names) else None
    word = value.lower().replace(" ", "_").replace("-", "_")
    fitting = [index for index, name in enumerate(task.label_names) if name == word] or [
        index for index, name in enumerate(task.label_names) if name.startswith(word)
    ]
    return fitting[0] if len(fitting) == 1 else None


def sentences_from(
    table: Table, task: Task, text_columns: Sequence[str], label_column: str, labels: Mapping[str, int | None]
) -> OwnSentences:
    """Take a task's examples from a table.

    Args:
        table: The file.
        task: The task.
        text_columns: The columns of the texts, in the order of the task's.
        label_column: The column of the labels.
        labels: The meaning of every value of that column: a label index, or None to leave its rows out.

    Raises:
        PrunescopeError: A column is chosen twice, a cell is empty, or too few rows have a label.
    """
    chosen = (*text_columns, label_column)
    for name in chosen:
        if chosen.count(name) > 1:
            raise PrunescopeError(f"column '{name[:40]}' is chosen twice: choose another column for each part")
    values = table.column(label_column)
    columns = [table.column(name) for name in text_columns]
    for name, cells in zip(chosen, (*columns, values), strict=True):
        if "" in cells:
            number = table.numbers[cells.index("")]
            raise PrunescopeError(
                f"{table.file}, row {number}: column '{name[:40]}' is empty: fill it or remove the row"
            )
    found = [labels.get(value) for value in values]
    kept = [(position, label) for position, label in enumerate(found) if label is not None]
    if len(kept) < MIN_EXAMPLES:
        raise PrunescopeError(
            f"{table.file} has {len(kept)} rows with a label of {task.title}, and at least {MIN_EXAMPLES} are needed: "
            "say what the values of the label column mean, or add rows"
        )
    return OwnSentences(
        task=task.name,
        file=table.file,
        rows=tuple(table.numbers[position] - FIRST_ROW for position, _ in kept),
        texts=tuple(tuple(column[position] for column in columns) for position, _ in kept),
        gold=tuple(label for _, label in kept),
    )


def default_examples(rows: int) -> int:
    """Return how many rows are evaluated by default: two thirds; the rest is for scoring.

    The number does not depend on the method: methods are compared on the same examples.
    """
    return max(MIN_EXAMPLES, min(DEFAULT_EXAMPLES, rows - rows // 3))


def check_rest(sentences: OwnSentences, evaluated: Sequence[tuple[str, ...]]) -> None:
    """Refuse to score on too few sentences.

    Args:
        sentences: All of them.
        evaluated: The texts that are evaluated; scores use the others.

    Raises:
        PrunescopeError: Too few others are left.
    """
    known = set(evaluated)
    rest = sum(texts not in known for texts in sentences.texts)
    if rest < MIN_CALIBRATION:
        raise PrunescopeError(
            f"{len(evaluated)} of {len(sentences.texts)} rows of {sentences.file} are evaluated, which leaves {rest} "
            f"other sentences to score on, and at least {MIN_CALIBRATION} are needed: add rows, evaluate fewer, or "
            "choose a method that does not score"
        )


def keep(sentences: OwnSentences) -> str:
    """Store checked sentences for the worker, and return their name for a request's `data`.

    Raises:
        PrunescopeError: The cache cannot be written.
    """
    content = json.loads(json.dumps(asdict(sentences)))
    name = digest(content)
    path = _folder() / f"{name}.json"
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, json.dumps(content, ensure_ascii=False))
            _make_room(path.parent)
        except OSError as error:
            raise PrunescopeError(f"your sentences cannot be stored ({error.strerror}): free some space") from error
    return f"{OWN}{name}"


def load(data: str, task: Task) -> OwnSentences:
    """Read stored sentences by the name that `keep` returned.

    Raises:
        PrunescopeError: They do not exist, are damaged, or labelled for another task.
    """
    try:
        if not is_own(data):
            raise ValueError(data)
        sentences = _read(_folder() / f"{data.removeprefix(OWN)}.json")
    except (OSError, ValueError) as error:
        raise PrunescopeError("these sentences are not stored here any more: choose the file again") from error
    if sentences.task != task.name:
        raise PrunescopeError(
            f"these sentences are labelled for task '{sentences.task}', not for '{task.name}': choose the file again"
        )
    return sentences


def kept() -> Iterator[OwnSentences]:
    """Yield all stored sentences."""
    for path in _folder().glob("*.json"):
        with suppress(OSError, ValueError):
            yield _read(path)


def _read(path: Path) -> OwnSentences:
    content = json.loads(path.read_text(encoding="utf-8"))
    if digest(content) != path.stem:
        raise ValueError(f"{path.name} is damaged")
    return OwnSentences(
        task=content["task"],
        file=content["file"],
        rows=tuple(content["rows"]),
        texts=tuple(map(tuple, content["texts"])),
        gold=tuple(content["gold"]),
    )


def _folder() -> Path:
    return user_cache_path("prunescope") / "own"


def _make_room(folder: Path) -> None:
    newest_first = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in newest_first[MAX_KEPT:]:
        path.unlink(missing_ok=True)
