"""Draw a task's evaluation and calibration examples from labelled data; no torch.

One way for all data: a split is a table, `Columns` say which of its columns hold texts and label, and `meanings` what
the values of the label column mean. GLUE's presets are tasks whose columns and labels are known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.errors import PrunescopeError
from core.inputs.columns import Columns, choose_columns
from core.inputs.data import Data, DataSource, Part, find_data
from core.inputs.hub import Report
from core.inputs.labels import meanings
from core.inputs.sample_cache import recall, remember
from core.inputs.sampling import Sample, Texts, draw
from core.inputs.tables import Table, content_of
from core.request.catalog import (
    CALIBRATION_EXAMPLES,
    DEFAULT_EXAMPLES,
    ENGINE_VERSION,
    MAX_LENGTH,
    MIN_CALIBRATION,
    MIN_EXAMPLES,
    TASKS,
    Task,
)
from core.request.limits import is_hosted, limits
from core.request.sweep_request import TABLES, LabelMap, SweepRequest, kind_of_data
from core.request.tasks import made_task
from core.results.digest import digest, fingerprint_of
from core.results.schema import ColumnsRecord, FileRecord, TaskRecord

LABEL = "label"  # the label column of GLUE and of the written examples


@dataclass(frozen=True)
class EvalSubset:
    """Examples in evaluation order.

    Attributes:
        task: Their task.
        source: Where they come from.
        source_name: The source's name, for readers.
        split: The split that they were drawn from.
        rows: Row numbers in the split.
        texts: One or two texts per example, in the order of the task's columns.
        gold: Label indices.
        fingerprint: SHA-256 of task, texts and labels in this order.
        columns: The columns of a table that were read; None for GLUE and the written examples.
        label_map: What values of its label column were said to mean.
        files: The files that were read of it.
        data: Of a data set on the Hub: its name with its commit.
    """

    task: Task
    source: DataSource
    source_name: str
    split: str
    rows: tuple[int, ...]
    texts: Texts
    gold: tuple[int, ...]
    fingerprint: str
    columns: Columns | None = None
    label_map: LabelMap = ()
    files: tuple[FileRecord, ...] | None = None
    data: str | None = None

    def record(self) -> TaskRecord:
        """Describe the subset for a result file: row numbers and labels, no texts."""
        return TaskRecord(
            name=self.task.name,
            source=self.source,
            source_name=self.source_name,
            split=self.split,
            examples=self.rows,
            gold=self.gold,
            label_names=self.task.label_names,
            main_metric=self.task.main_metric,
            max_length=MAX_LENGTH,
            fingerprint=self.fingerprint,
            data=self.data,
            columns=self.columns and ColumnsRecord(text=self.columns.text, label=self.columns.label),
            label_map=dict(self.label_map) or None,
            files=self.files,
            guessed=(self.columns and self.columns.guessed) or None,
        )


@dataclass(frozen=True)
class Examples:
    """A task's labelled data, opened: what evaluation and calibration examples are drawn from.

    Attributes:
        task: The task.
        data: The data.
        source_name: What a result calls them.
        columns: The columns of the texts and the label.
        label_map: What values of the label column were said to mean.
        table: The rows that examples are drawn from; None for GLUE and the written ones, which may not have to be read.
        is_private: Whether the texts are not to be found again by others.
    """

    task: Task
    data: Data
    source_name: str
    columns: Columns
    label_map: LabelMap = ()
    table: Table | None = None
    is_private: bool = False

    def subset(self, num_examples: int | None) -> EvalSubset:
        """Draw the eval subset: the same rows in the same order every time, whatever the method.

        Args:
            num_examples: How many; None for 256, or all if there are fewer; of a table that calibration examples are
                drawn from as well, at most half.

        Raises:
            PrunescopeError: The data are missing, malformed, or smaller than asked for.
        """
        part = self.data.evaluated()
        return self._described(part, self._sample(part, num_examples, DEFAULT_EXAMPLES if self.data.scored else None))

    def calibration(self, subset: EvalSubset) -> EvalSubset:
        """Draw the examples that a method scores on, disjoint from an eval subset.

        Args:
            subset: The eval subset; none of its texts is drawn.

        Returns:
            CALIBRATION_EXAMPLES, or all if there are fewer, in a fixed random order.

        Raises:
            PrunescopeError: The data are missing or malformed, or too few are left.
        """
        part = (self.data.scored or self.data.evaluated)()
        if not self.data.scored:
            self._check_left(part, subset)
        sample = self._sample(part, None, CALIBRATION_EXAMPLES, subset.texts)
        if len(set(sample.gold)) == 1 < len(set(subset.gold)):  # as in a split that is sorted by its labels
            only = self.task.label_names[sample.gold[0]]
            others = f"in the first {limits().rows:,} rows" if self.data.reference else "in the rows to score on"
            raise PrunescopeError(
                f"all {len(sample.gold):,} calibration examples of {self.source_name} have the label '{only}': choose "
                f"a method that scores on no examples, or data with other labels {others}"
            )
        return self._described(part, sample)

    def rest(self, subset: EvalSubset) -> EvalSubset | None:
        """Return the other labelled examples of an eval subset's split, as far as the limits allow; None if it has all.

        What a table leaves over serves for calibration, and is left alone.

        Raises:
            PrunescopeError: The data are missing or malformed.
        """
        if not self.data.scored:
            return None
        part = self.data.evaluated()
        everything = self._sample(part, None, limits().examples)
        known = set(subset.rows)
        others = [k for k, row in enumerate(everything.rows) if row not in known]
        return self._described(part, everything.at(others)) if others else None

    def _sample(self, part: Part, num_examples: int | None, default: int | None, excluded: Texts = ()) -> Sample:
        """Draw from a part, or recall what was drawn before; no default number is half of the rows."""
        wanted = [num_examples, default, excluded]
        columns = [self.columns.text, self.columns.label, self.label_map]
        reading = [self.task.name, self.task.label_names, *columns, bool(self.data.reference)]
        content = [content_of(file) for file in part.files]
        key = digest([content, reading, wanted, limits().rows if self.table else None, ENGINE_VERSION])
        known = recall(key) if part.files and not self.is_private else None
        if known:
            return known
        table, rows = self._labelled(part)
        usual = half(len(rows.gold)) if default is None else default
        sample = draw(rows, table.name, num_examples, usual, excluded)
        positions = {row: position for position, row in enumerate(table.rows)}
        for row, texts in zip(sample.rows, sample.texts, strict=True):
            for name, text in zip(self.columns.text, texts, strict=True):
                if not text.strip():
                    raise _empty(table, positions[row], name)
        if part.files and not self.is_private:
            remember(key, sample)
        return sample

    def _labelled(self, part: Part) -> tuple[Table, Sample]:
        """Read a part: all its rows whose label means something."""
        table = part.read()
        cells = table.column(self.columns.label)
        texts = tuple(zip(*map(table.text_column, self.columns.text), strict=True))
        if self.data.reference:  # nobody here can fill its holes
            cells = tuple(
                value if all(map(str.strip, known)) else "" for value, known in zip(cells, texts, strict=True)
            )
        elif "" in cells:
            raise _empty(table, cells.index(""), self.columns.label)
        place = f"{table.name}, column '{self.columns.label[:40]}'"
        means = meanings(
            cells,
            self.task,
            self.label_map,
            place,
            mappable=self.table is not None,
            whole=not self.data.scored,
        )
        labelled = [(k, label) for k, value in enumerate(cells) if (label := means.get(value)) is not None]
        rows = Sample(
            tuple(table.rows[k] for k, _ in labelled),
            tuple(texts[k] for k, _ in labelled),
            tuple(label for _, label in labelled),
        )
        return table, rows

    def _check_left(self, part: Part, subset: EvalSubset) -> None:
        """Refuse to score on too few rows of a table."""
        table, rows = self._labelled(part)
        known = set(subset.texts)
        left = sum(texts not in known for texts in rows.texts)
        if left < MIN_CALIBRATION:
            raise PrunescopeError(
                f"{len(subset.rows)} of {len(rows.rows)} rows of {table.name} are evaluated, which leaves {left} other "
                f"examples to score on, and at least {MIN_CALIBRATION} are needed: add rows, evaluate fewer, or choose "
                "a method that does not score"
            )

    def _described(self, part: Part, sample: Sample) -> EvalSubset:
        subset = EvalSubset(
            self.task,
            self.data.source,
            self.source_name,
            part.name,
            *(sample.rows, sample.texts, sample.gold),
            fingerprint_of(self.task.name, sample.texts, sample.gold),
        )
        if self.table is None:
            return subset
        files = self.table.files
        if self.is_private:
            files = tuple(file.model_copy(update={"sha256": None}) for file in files)
        return replace(subset, columns=self.columns, label_map=self.label_map, files=files, data=self.data.reference)


def _empty(table: Table, position: int, column: str) -> PrunescopeError:
    return PrunescopeError(
        f"{table.place(position)}: column '{column[:40]}' is empty: fill it, or remove the row or choose other data"
    )


def half(rows: int) -> int:
    """Return how many rows of a table are evaluated by default: half, at most 256; the rest is to score on.

    The number does not depend on the method: methods are compared on the same examples.
    """
    return max(MIN_EXAMPLES, min(DEFAULT_EXAMPLES, rows // 2))


def open_examples(request: SweepRequest, label_names: Sequence[str], report: Report | None = None) -> Examples:
    """Find the data of a checked request and its task, which is made from the checkpoint's labels if it is no preset.

    Args:
        request: A checked request.
        label_names: The checkpoint's labels; a preset has its own.
        report: Called with (stage, done, total) during a download.

    Raises:
        PrunescopeError: The data are missing or malformed, or their columns are not those of the task.
    """
    name, preset = request.data or "hub", TASKS.get(request.task)
    if preset and kind_of_data(name) not in TABLES:
        return open_preset(preset, name, request.source_name, report)
    data = find_data(name, preset, request.split, report)
    table = data.evaluated().read()
    columns = choose_columns(table, preset or made_task((), label_names), request.text, request.label)
    return Examples(
        task=preset or made_task(columns.text, label_names),
        data=data,
        source_name=request.source_name or data.name,
        columns=columns,
        label_map=request.label_map,
        table=table,
        is_private=is_hosted() and kind_of_data(name) == "own",
    )


def open_preset(task: Task, data: str, source_name: str | None = None, report: Report | None = None) -> Examples:
    """Find the data of one of GLUE's tasks, whose columns and labels are known.

    Args:
        task: The task.
        data: `written`, `hub`, or a folder in the Hub's GLUE layout.
        source_name: A name for the data; None for that of the data set, the folder or the written examples.
        report: Called with (stage, done, total) during a download.

    Raises:
        PrunescopeError: The data are missing.
    """
    found = find_data(data, task, report=report)
    return Examples(task, found, source_name or found.name, Columns(task.text_columns, LABEL))
