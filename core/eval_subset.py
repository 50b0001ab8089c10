"""The evaluation subset: a fixed, seeded, stratified sample of a task's examples in random order.

Examples come from four sources: written ones shipped with the project, a
visitor's own, a folder in the Hub's GLUE layout, or the Hub itself. A sample of a parquet file
is kept in the user's cache under the file's content, so that a second run
neither reads the parquet nor imports `datasets`. No torch.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from platformdirs import user_cache_path

from core import own_data
from core.catalog import (
    CALIBRATION_EXAMPLES,
    DEFAULT_EXAMPLES,
    ENGINE_VERSION,
    MAX_LENGTH,
    MIN_EXAMPLES,
    OWN_SPLIT,
    SHIPPED,
    SUBSET_SEED,
    Task,
    is_own,
)
from core.checkpoint_files import sha256_of
from core.errors import PrunescopeError
from core.hub import Report, dataset_file
from core.own_data import OwnSentences
from core.results import TaskRecord, canonical_json, digest, write_atomically

if TYPE_CHECKING:
    from datasets import Dataset

Texts = tuple[tuple[str, ...], ...]  # one or two texts an example

WRITTEN_FOLDER = SHIPPED / "subsets"
WRITTEN_SPLIT = "evaluation"
WRITTEN_CALIBRATION = "calibration"
CALIBRATION_SPLIT = "train"
TRAINING_OVERLAP = (
    0.1  # GLUE itself repeats a few sentences: 18 of CoLA's 1,043 validation texts stand in its train split
)


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
        own = own_data.load(data, task)
        usual = own_data.usual_examples(len(own.gold))
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
        own = own_data.load(data, task)
        own_data.check_rest(own, subset.texts)
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
    rows = tuple(free[list(_stratified(np.array(labels, dtype=np.int64)[free], size))].tolist())
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


def _stratified(labels: np.ndarray, size: int) -> tuple[int, ...]:
    """Samples rows so that every label keeps its share (largest remainders), in random order.

    Args:
        labels: Label index of every row, int64, shape (rows,).
        size: Rows to draw, at most `len(labels)`.
    """
    random = np.random.RandomState(SUBSET_SEED)  # legacy on purpose: NumPy guarantees that its stream never changes
    kinds, counts = np.unique(labels, return_counts=True)
    shares = counts * size  # in units of 1 / rows, so that remainders are exact integers
    quotas = shares // len(labels)
    by_remainder = np.argsort(-(shares % len(labels)), kind="stable")
    quotas[by_remainder[: size - quotas.sum()]] += 1
    order = random.permutation(len(labels))  # (rows,)
    drawn = [order[labels[order] == kind][:quota] for kind, quota in zip(kinds, quotas, strict=True)]
    return tuple(random.permutation(np.concatenate(drawn)).tolist())


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


# ---------------------------------------------------------------- parquet files


def split_files(folder: Path, task: Task, split: str) -> list[Path]:
    """Finds the parquet files of one split in a folder in the Hub's GLUE layout.

    Args:
        folder: The folder that holds one folder a task.
        task: The task.
        split: The split's name, such as `train`.

    Raises:
        PrunescopeError: There are none.
    """
    files = sorted((folder / task.name).glob(f"{split}-*.parquet"))
    if not files:
        raise PrunescopeError(
            f"data folder '{folder.name}' has no {task.name}/{split}-00000-of-00001.parquet: "
            "give a folder in the Hub's GLUE layout, or choose hub"
        )
    return files


def read_split(folder: Path, task: Task, split: str) -> "Dataset":
    """Reads one split from a folder in the Hub's GLUE layout.

    Args:
        folder: The folder that holds one folder a task.
        task: The task whose columns are needed.
        split: The split's name, such as `train`.

    Returns:
        All rows, in memory.

    Raises:
        PrunescopeError: The files are absent, unreadable, or lack a column.
    """
    return _read_parquet(split_files(folder, task, split), task)


def _read_parquet(files: Sequence[Path], task: Task) -> "Dataset":
    import datasets  # costs a second: a warm run answers from the cache instead

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)  # it logs what it also raises
    place = f"{task.name}/{files[0].name}"
    try:
        with TemporaryDirectory() as folder:  # its Arrow copy of the file is of no use to anyone
            data = datasets.Dataset.from_parquet([str(file) for file in files], cache_dir=folder, keep_in_memory=True)
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise PrunescopeError(f"{place} is not readable as parquet: download it again") from error
    missing = [name for name in (*task.text_columns, "label") if name not in data.column_names]
    if missing:
        raise PrunescopeError(
            f"{place} has no column '{missing[0]}', only {', '.join(data.column_names)}: is it the data of {task.name}?"
        )
    return data


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
    data = _read_parquet(files, task)
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


# ---------------------------------------------------------------- training data


def example_digest(texts: tuple[str, ...]) -> int:
    """Names an example by its texts: the first 8 bytes of the SHA-256 of their canonical JSON, as a uint64."""
    return int.from_bytes(hashlib.sha256(canonical_json(texts)).digest()[:8], "big")


def example_digests(examples: Iterable[tuple[str, ...]]) -> np.ndarray:
    """Digests many examples, as `training_examples.npy` of a checkpoint stores them.

    Args:
        examples: The texts of each example.

    Returns:
        Ascending digests without repetitions, uint64.
    """
    return np.unique(np.fromiter(map(example_digest, examples), dtype=np.uint64))


def check_not_training_data(subset: EvalSubset, digests: np.ndarray | None, checkpoint_id: str) -> None:
    """Refuses to evaluate a checkpoint on what it was fine-tuned on.

    Args:
        subset: The evaluation examples.
        digests: Digests of the checkpoint's training examples, uint64; None where they are not known.
        checkpoint_id: The checkpoint, for the message.

    Raises:
        PrunescopeError: More of the examples than chance explains are in the training data.
    """
    if digests is None:
        return
    own = np.array([example_digest(texts) for texts in subset.texts], dtype=np.uint64)
    known = int(np.isin(own, digests).sum())
    if known > 1 + TRAINING_OVERLAP * len(own):
        raise PrunescopeError(
            f"{known} of {len(own)} evaluation examples are in the training data of {checkpoint_id} "
            f"(at most {TRAINING_OVERLAP:.0%} may be): choose the validation data or the written examples"
        )
