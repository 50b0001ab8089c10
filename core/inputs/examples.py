"""Draw a task's evaluation and calibration examples from labelled data, stratified, shuffled.

All data are read alike: a split is a table, `Columns` say which of its columns hold texts and
label, and `meanings` what the values of the label column mean. GLUE's presets are tasks whose
columns and labels are known.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import TRAINING_EXAMPLES, refused
from core.inputs.checkpoints import Resolved
from core.inputs.columns import Columns, choose_columns
from core.inputs.data import Data, find_data
from core.inputs.hub import Report
from core.inputs.labels import meanings
from core.inputs.tables import Table
from core.inputs.texts import Texts, remember
from core.request.catalog import (
    CALIBRATION_EXAMPLES,
    DEFAULT_EXAMPLES,
    MAX_LENGTH,
    MIN_CALIBRATION,
    MIN_EXAMPLES,
    SUBSET_SEED,
    TASKS,
    Task,
)
from core.request.limits import limits
from core.request.sweep_request import (
    DataRequest,
    LabelMap,
    made_task,
    own_task,
)
from core.results.key import canonical_json, fingerprint_of
from core.results.schema import ColumnsRecord, FileRecord, TaskRecord

# A row of a split: its number, its texts, its label's index, if any.
Row = tuple[int, tuple[str, ...], int | None]
LABEL = "label"  # the label column of GLUE and of the written examples
# GLUE itself repeats a few sentences: 18 of CoLA's 1,043 validation texts are in its train split.
MAX_TRAINING_OVERLAP = 0.1


class EvalSubset(NamedTuple):
    """Examples in evaluation order.

    Attributes:
        task: Their task.
        texts: One or two texts per example, in the order of the task's columns.
        record: Their description in a result file: where they come from, row numbers and gold
            labels, no texts.
    """

    task: Task
    texts: Texts
    record: TaskRecord


class Examples(NamedTuple):
    """A task's labelled data, from which evaluation and calibration examples are drawn.

    Attributes:
        task: The task.
        data: The data.
        columns: The columns of the texts and the label.
        label_map: The labels that a request gives to values of the label column.
    """

    task: Task
    data: Data
    columns: Columns
    label_map: LabelMap = ()

    def subset(self, num_examples: int | None) -> EvalSubset:
        """Draw the eval subset: the same rows in the same order every time, whatever the method.

        Args:
            num_examples: The number of examples. None draws the default, or all if there are fewer,
                and at most half of a table that calibration examples are drawn from as well.

        Raises:
            PrunescopeError: The data are missing, malformed, or too small.
        """
        table, rows = self.labelled(self.data.evaluated)
        usual = DEFAULT_EXAMPLES if self.data.scored else usual_number(len(rows))
        drawn = draw(
            rows,
            table.name,
            num_examples or usual,
            num_examples or MIN_EXAMPLES,
        )
        subset = self.described(table, self.data.evaluated, drawn)
        if table.files and not self.data.is_private:
            remember(subset.record.fingerprint, subset.texts)
        return subset

    def calibration(self, subset: EvalSubset) -> EvalSubset:
        """Draw the examples that a method scores on, disjoint from an eval subset.

        Args:
            subset: The eval subset; none of its texts is drawn.

        Returns:
            CALIBRATION_EXAMPLES, or all if there are fewer, in a fixed random order.

        Raises:
            PrunescopeError: The data are missing or malformed, or too few are left.
        """
        if self.data.scored:
            split = self.data.scored
            fewest = MIN_EXAMPLES
        else:
            split = self.data.evaluated
            fewest = MIN_CALIBRATION
        table, rows = self.labelled(split)
        drawn = draw(rows, table.name, CALIBRATION_EXAMPLES, fewest, subset.texts)
        calibration = self.described(table, split, drawn)
        if len({*calibration.record.gold}) < 2 <= len({*subset.record.gold}):  # sorted by label
            raise PrunescopeError(
                f"all {len(drawn):,} calibration examples of {self.data.name} have one label: "
                "choose data in another order, or a method that scores on no examples"
            )
        return calibration

    def rest(self, subset: EvalSubset) -> EvalSubset | None:
        """Return the other labelled examples of an eval subset's split, within the limits.

        None if there are none, and for a table, whose other rows are needed for calibration.

        Raises:
            PrunescopeError: The data are missing or malformed.
        """
        if not self.data.scored:
            return None
        table, rows = self.labelled(self.data.evaluated)
        evaluated = set(subset.record.examples)
        drawn = draw(rows, table.name, limits().examples)
        others = [row for row in drawn if row[0] not in evaluated]
        return self.described(table, self.data.evaluated, others) if others else None

    def rows(self, split: str) -> tuple[Table, list[Row]]:
        """Read a split; leave out its rows without a text, or whose label means nothing.

        Without a label column, all rows are unlabelled.

        Raises:
            PrunescopeError: The data are missing or malformed.
        """
        table = self.data.read(split)
        name = self.columns.label
        texts = zip(*map(table.column, self.columns.text), strict=True)
        cells = table.cells.get(name, [""] * len(table.rows))
        rows = [row for row in zip(table.rows, texts, cells, strict=True) if all(row[1])]
        values = [value for _, _, value in rows]
        place = f"{table.name}, column '{name[:40]}'"
        labels = meanings(values, self.task, self.label_map, place, self.data.is_table)
        return table, [
            (number, texts, labels.get(value))
            for number, texts, value in rows
            if not value or labels[value] is not None
        ]

    def labelled(self, split: str) -> tuple[Table, list[Row]]:
        """Read the labelled rows of a split; see `rows`."""
        table, rows = self.rows(split)
        return table, [row for row in rows if row[2] is not None]

    def files_of(self, table: Table) -> tuple[FileRecord, ...] | None:
        """Return a table's files as a result records them; None for GLUE and written examples."""
        if not self.data.is_table:
            return None
        hidden = {"sha256": None} if self.data.is_private else {}
        return tuple(file.model_copy(update=hidden) for file in table.files)

    def described(self, table: Table, split: str, drawn: Sequence[Row]) -> EvalSubset:
        """Describe drawn rows of a split."""
        rows, texts, gold = zip(*drawn, strict=True)
        columns = ColumnsRecord(text=self.columns.text, label=self.columns.label)
        record = TaskRecord(
            name=self.task.name,
            source=self.data.source,
            source_name=self.data.name,
            split=split,
            examples=rows,
            gold=gold,
            label_names=self.task.label_names,
            main_metric=self.task.main_metric,
            max_length=MAX_LENGTH,
            fingerprint=fingerprint_of(self.task.name, texts, gold),
            data=self.data.reference,
            columns=columns if self.data.is_table else None,
            label_map=dict(self.label_map) or None,
            files=self.files_of(table),
            guessed=self.columns.guessed or None,
        )
        return EvalSubset(self.task, texts, record)


def open_examples(
    request: DataRequest,
    label_names: Sequence[str],
    report: Report | None = None,
) -> Examples:
    """Find the data of a checked request and its task.

    A task without a preset is made from the checkpoint's labels.

    Args:
        request: A checked request.
        label_names: The checkpoint's labels; a preset has its own.
        report: Called with (stage, done, total) during a download.

    Raises:
        PrunescopeError: The data are missing or malformed, or lack the columns of the task.
    """
    preset = TASKS.get(request.task)
    data = find_data(request.data or "hub", preset, request.split, report)
    data = data._replace(name=request.source_name or data.name)
    if preset and not data.is_table:
        return Examples(preset, data, Columns(preset.text_columns, LABEL))
    task = preset or own_task(request.checkpoint, label_names)
    columns = choose_columns(data.read(data.evaluated), task, request.text, request.label)
    if not preset:
        task = made_task(columns.text, label_names)
    return Examples(task, data, columns, request.label_map)


# ---------------------------------------------------------------- samples


def usual_number(rows: int, most: int = DEFAULT_EXAMPLES) -> int:
    """Return how many of a table's labelled rows are evaluated by default."""
    return max(MIN_EXAMPLES, min(most, rows // 2))


def draw(
    rows: Sequence[Row],
    place: str,
    most: int,
    fewest: int = MIN_EXAMPLES,
    excluded: Texts = (),
) -> list[Row]:
    """Draw a stratified sample in random order, the same sample every time.

    Args:
        rows: All rows of a split.
        place: The name of the data in messages.
        most: The number of rows to draw; if there are fewer, all are drawn.
        fewest: The number of rows that must be left to draw from.
        excluded: Examples that must not be drawn.

    Raises:
        PrunescopeError: There are too few rows.
    """
    taken = set(excluded)
    free = [row for row in rows if row[1] not in taken]
    if len(free) < fewest:
        besides = " besides those evaluated" if excluded else ""
        raise PrunescopeError(
            f"{place} has only {len(free)} examples{besides}, and {fewest} are needed: "
            "ask for fewer, or add rows or choose other data"
        )
    labels = [-1 if label is None else label for _, _, label in free]
    drawn = stratified(np.array(labels, dtype=np.int64), min(most, len(free)))
    return [free[index] for index in drawn]


def stratified(labels: np.ndarray, size: int) -> tuple[int, ...]:
    """Sample rows in random order; every label keeps its share (by largest remainders).

    Args:
        labels: Label index of every row, int64, shape (rows,).
        size: The number of rows to draw, at most `len(labels)`.
    """
    # Legacy on purpose: NumPy promises never to change its stream.
    random = np.random.RandomState(SUBSET_SEED)
    kinds, counts = np.unique(labels, return_counts=True)
    shares = counts * size  # in units of 1 / rows, so that remainders are exact integers
    quotas = shares // len(labels)
    by_remainder = np.argsort(-(shares % len(labels)), kind="stable")
    quotas[by_remainder[: size - quotas.sum()]] += 1
    order = random.permutation(len(labels))  # (rows,)
    drawn = [
        order[labels[order] == kind][:quota] for kind, quota in zip(kinds, quotas, strict=True)
    ]
    return tuple(random.permutation(np.concatenate(drawn)).tolist())


# ---------------------------------------------------------------- overlap with training data


def example_digests(examples: Iterable[tuple[str, ...]]) -> np.ndarray:
    """Return a digest of each example, uint64; see `training_examples.npy`.

    It is the first 8 bytes of the SHA-256 of the example's texts in canonical JSON.
    """
    digests = [hashlib.sha256(canonical_json(texts)).digest()[:8] for texts in examples]
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


def are_trained_on(examples: Iterable[tuple[str, ...]], resolved: Resolved) -> np.ndarray:
    """Whether each example is in a checkpoint's training data, bool; none is if these are unknown.

    Raises:
        PrunescopeError: The file of their digests is damaged.
    """
    digests = np.empty(0, dtype=np.uint64)
    path = resolved.folder / TRAINING_EXAMPLES
    if path.is_file():
        try:
            digests = np.load(path, mmap_mode="r")  # mapped: a header may claim any size
            if digests.dtype != np.uint64 or digests.ndim != 1:
                raise ValueError("it is not one row of uint64")
        except (ValueError, OSError, EOFError) as error:
            raise refused(resolved.id, f"has a damaged {TRAINING_EXAMPLES} ({error})") from error
    digests = np.sort(digests)
    own = example_digests(examples)
    # np.isin takes a hundred times as long.
    return np.searchsorted(digests, own, "right") > np.searchsorted(digests, own)


def check_not_training_data(subset: EvalSubset, resolved: Resolved) -> None:
    """Refuse to evaluate a checkpoint on its training data.

    Raises:
        PrunescopeError: More of the evaluation examples are in the training data than
            MAX_TRAINING_OVERLAP allows, or the file of these is damaged.
    """
    count = len(subset.texts)
    shared = are_trained_on(subset.texts, resolved).sum()
    if shared > 1 + MAX_TRAINING_OVERLAP * count:
        raise PrunescopeError(
            f"{shared} of {count} evaluation examples are in the training data of {resolved.id} "
            f"(at most {MAX_TRAINING_OVERLAP:.0%} may be): choose the validation data"
        )
