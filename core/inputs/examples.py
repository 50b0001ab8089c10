"""The evaluation subset: a fixed, seeded, stratified sample of a task's examples in random order.

Examples come from four sources: written ones shipped with the project, a
visitor's own, a folder in the Hub's GLUE layout, or the Hub itself. A sample of a parquet file
is kept in the user's cache under the file's content, so that a second run
neither reads the parquet nor imports `datasets`. No torch.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from platformdirs import user_cache_path

from core.errors import PrunescopeError
from core.inputs import own_table
from core.inputs.checkpoint_files import sha256_of
from core.inputs.glue_files import read_parquet, split_files
from core.inputs.hub import Report, dataset_file
from core.inputs.own_table import OwnSentences
from core.inputs.sampling import stratified
from core.request.catalog import (
    CALIBRATION_EXAMPLES,
    DEFAULT_EXAMPLES,
    ENGINE_VERSION,
    MAX_LENGTH,
    MIN_EXAMPLES,
    SHIPPED,
    Task,
)
from core.request.sweep_request import OWN_SPLIT, is_own
from core.results.schema import TaskRecord, digest
from core.results.store import write_atomically

Texts = tuple[tuple[str, ...], ...]  # one or two texts an example

WRITTEN_FOLDER = SHIPPED / "subsets"
WRITTEN_SPLIT = "evaluation"
WRITTEN_CALIBRATION = "calibration"
CALIBRATION_SPLIT = "train"


@dataclass(frozen=True)
class EvalSubset:
    """Examples in evaluation order.

    Attributes:
        task: The task that they belong to.
        source: Where they come from.
        source_name: What a reader should call that place.
        split: The split that they were drawn from.
        rows: Row numbers in the split.
        texts: One or two texts an example, in the order of the task's columns.
        gold: Label indices.
        fingerprint: SHA-256 of task, texts and labels in this order.
    """

    task: Task
    source: Literal["hub", "folder", "written"]
    source_name: str
    split: str
    rows: tuple[int, ...]
    texts: Texts
    gold: tuple[int, ...]
    fingerprint: str

    def record(self) -> TaskRecord:
        """Describes the subset for a result file: row numbers and labels, no texts."""
        return TaskRecord(
            name=self.task.name,
            source=self.source,
            source_name=self.source_name,
            split=self.split,
            examples=self.rows,
            gold=self.gold,
            label_names=self.task.label_names,
            max_length=MAX_LENGTH,
            fingerprint=self.fingerprint,
        )


@dataclass(frozen=True)
class _Examples:
    """Some rows of a split: row numbers, texts, label indices."""

    rows: tuple[int, ...]
    texts: Texts
    gold: tuple[int, ...]


def load_subset(
    task: Task,
    data: str,
    num_examples: int | None,
    source_name: str | None = None,
    report: Report | None = None,
) -> EvalSubset:
    """Draws the evaluation subset of a task: the same rows in the same order every time.

    Args:
        task: The task.
        data: `written`, `hub`, `own:DIGEST`, or a folder in the Hub's GLUE layout.
        num_examples: How many; None is 256, or as many as there are; of a visitor's own two thirds at most.
        source_name: What to call the data; None names the data set, the folder or the written examples.
        report: Called with (stage, done, total) while something is downloaded.

    Raises:
        PrunescopeError: The data is absent, malformed, or smaller than asked for.
    """
    if data == "written":
        examples = _draw(*_read_written(task, WRITTEN_SPLIT), task, num_examples)
        return _subset(task, data, source_name, WRITTEN_SPLIT, examples)
    if is_own(data):
        own = own_table.load(data, task)
        usual = own_table.usual_examples(len(own.gold))
        return _own_subset(task, own, _draw(own.columns(task), own.file, task, num_examples, usual))
    examples = _draw_from_parquet(_files(task, data, task.split, report), task, num_examples)
    return _subset(task, data, source_name, task.split, examples)


def load_calibration(
    task: Task, data: str, subset: EvalSubset, source_name: str | None = None, report: Report | None = None
) -> EvalSubset:
    """Draws the examples that a method scores on, beside an evaluation subset and disjoint from it.

    Args:
        task: The task.
        data: As for `load_subset`; a folder or the Hub serves its training split, a visitor's own what is left.
        subset: The evaluation subset, none of whose texts is drawn.
        source_name: As for `load_subset`.
        report: Called with (stage, done, total) while something is downloaded.

    Returns:
        CALIBRATION_EXAMPLES, or as many as there are, in a fixed random order.

    Raises:
        PrunescopeError: The data is absent or malformed.
    """
    if data == "written":
        columns, place = _read_written(task, WRITTEN_CALIBRATION)
        examples = _draw(columns, place, task, None, CALIBRATION_EXAMPLES, subset.texts)
        return _subset(task, data, source_name, WRITTEN_CALIBRATION, examples)
    if is_own(data):
        own = own_table.load(data, task)
        own_table.check_rest(own, subset.texts)
        examples = _draw(own.columns(task), own.file, task, None, CALIBRATION_EXAMPLES, subset.texts)
        return _own_subset(task, own, examples)
    files = _files(task, data, CALIBRATION_SPLIT, report)
    examples = _draw_from_parquet(files, task, None, CALIBRATION_EXAMPLES, subset.texts)
    return _subset(task, data, source_name, CALIBRATION_SPLIT, examples)


def _files(task: Task, data: str, split: str, report: Report | None) -> list[Path]:
    """Finds a split on the Hub or in a folder."""
    if data == "hub":
        return [dataset_file(task.dataset_id, f"{task.name}/{split}-00000-of-00001.parquet", report)]
    return split_files(Path(data), task, split)


def _subset(task: Task, data: str, source_name: str | None, split: str, examples: _Examples) -> EvalSubset:
    source: Literal["hub", "folder", "written"] = (
        "written" if data == "written" else "hub" if data == "hub" else "folder"
    )
    usual = {"written": "written for Prunescope", "hub": task.dataset_id, "folder": Path(data).resolve().name}
    fingerprint = digest({"task": task.name, "texts": examples.texts, "gold": examples.gold})
    name = source_name or usual[source]
    return EvalSubset(task, source, name, split, examples.rows, examples.texts, examples.gold, fingerprint)


def _own_subset(task: Task, own: OwnSentences, examples: _Examples) -> EvalSubset:
    """Counts rows as the visitor's file does, where some of its rows may have been left out."""
    examples = replace(examples, rows=tuple(own.rows[position] for position in examples.rows))
    return _subset(task, OWN_SPLIT, f"own sentences ({own.file})", OWN_SPLIT, examples)


# ---------------------------------------------------------------- drawing


def _draw(
    columns: Mapping[str, Sequence[Any]],
    place: str,
    task: Task,
    num_examples: int | None,
    usual: int = DEFAULT_EXAMPLES,
    without: Texts = (),
) -> _Examples:
    """Draws a proportionally stratified sample in random order and checks what was drawn.

    Args:
        columns: The task's text columns and `label`, all rows of the split.
        place: What to call the split in messages.
        task: The task.
        num_examples: How many; None is the usual number, or as many as there are.
        usual: The usual number.
        without: Examples that must not be drawn.

    Raises:
        PrunescopeError: Too few rows, a label outside the task, or a text that is empty or no text.
    """
    labels = columns["label"]
    for row, label in enumerate(labels):
        if type(label) is not int or not 0 <= label < len(task.label_names):
            hint = "; -1 marks GLUE's hidden test labels, use the validation split" if label == -1 else ""
            raise PrunescopeError(
                f"{place}, row {row}: label {label!r} is outside 0 to {len(task.label_names) - 1} of task "
                f"{task.name} ({', '.join(task.label_names)}){hint or ': correct the file or choose another task'}"
            )
    known = set(without)
    candidates = zip(*(columns[name] for name in task.text_columns), strict=True)
    free = np.array([row for row, texts in enumerate(candidates) if texts not in known], dtype=np.int64)  # (rows,)
    size = _how_many(num_examples, len(free), place, usual)
    rows = tuple(free[list(stratified(np.array(labels, dtype=np.int64)[free], size))].tolist())
    texts = tuple(tuple(columns[name][row] for name in task.text_columns) for row in rows)
    for row, example in zip(rows, texts, strict=True):
        for name, text in zip(task.text_columns, example, strict=True):
            if not isinstance(text, str) or not text.strip():
                fault = "is empty" if text is None or isinstance(text, str) else "is no text"
                raise PrunescopeError(f"{place}, row {row}: column '{name}' {fault}: correct or remove that row")
    return _Examples(rows, texts, tuple(labels[row] for row in rows))


def _how_many(asked: int | None, available: int, place: str, usual: int) -> int:
    """Decides the number of examples, or refuses."""
    if available < MIN_EXAMPLES:
        raise PrunescopeError(f"{place} has {available} examples: CKA needs at least {MIN_EXAMPLES}, choose other data")
    if asked is None:
        return min(usual, available)
    if asked < MIN_EXAMPLES:
        raise PrunescopeError(f"{asked} examples: CKA needs at least {MIN_EXAMPLES}, ask for more")
    if asked > available:
        raise PrunescopeError(f"{asked} examples: {place} has only {available}, ask for at most that many")
    return asked


# ---------------------------------------------------------------- written examples


def _read_written(task: Task, part: str) -> tuple[dict[str, list[Any]], str]:
    """Reads one part of the examples that were written for this project.

    Returns:
        The task's columns over the lines of that part, and what to call them in messages.

    Raises:
        PrunescopeError: There are none for this task, or a line is malformed.
    """
    path = WRITTEN_FOLDER / f"{task.name}.jsonl"
    if not path.is_file():
        names = ", ".join(sorted(file.stem for file in WRITTEN_FOLDER.glob("*.jsonl"))) or "none"
        raise PrunescopeError(
            f"no written examples for task '{task.name}' (there are some for: {names}): choose hub or a folder as data"
        )
    columns: dict[str, list[Any]] = {name: [] for name in (*task.text_columns, "label")}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            values = json.loads(line)
            if values["part"] == part:
                for name, column in columns.items():
                    column.append(values[name])
        except (ValueError, KeyError, TypeError) as error:
            raise PrunescopeError(f"{path.name}, line {number}: {error!r}, expected one JSON object a line") from error
    return columns, path.name


def _draw_from_parquet(
    files: Sequence[Path],
    task: Task,
    num_examples: int | None,
    usual: int = DEFAULT_EXAMPLES,
    without: Texts = (),
) -> _Examples:
    """Draws from parquet files as `_draw` does, or remembers what was drawn from the same content before."""
    content = [sha256_of(file) for file in files]
    wanted = [num_examples, usual, without]
    key = digest([content, task.name, task.text_columns, len(task.label_names), wanted, ENGINE_VERSION])
    path = user_cache_path("prunescope") / "subsets" / f"{key}.json"
    known = _recall(path)
    if known:
        return known
    data = read_parquet(files, task)
    columns = {name: list(data[name]) for name in (*task.text_columns, "label")}
    examples = _draw(columns, f"{task.name}/{files[0].name}", task, num_examples, usual, without)
    _remember(path, examples)
    return examples


def _recall(path: Path) -> _Examples | None:
    """Reads a remembered sample; a missing or damaged file is none."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["digest"] != digest(stored["examples"]):
            return None
        rows, texts, gold = stored["examples"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return _Examples(tuple(rows), tuple(map(tuple, texts)), tuple(gold))


def _remember(path: Path, examples: _Examples) -> None:
    """Writes a sample for the next run; where that is not possible, the next run reads the parquet again."""
    content = [examples.rows, examples.texts, examples.gold]
    text = json.dumps({"digest": digest(content), "examples": content}, ensure_ascii=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    except OSError:
        return
