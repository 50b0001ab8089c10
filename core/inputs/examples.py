"""Load a task's eval subset and calibration examples; no torch.

They come from four sources: the examples written for this project, a visitor's own sentences, a folder in the Hub's
GLUE layout, and the Hub itself.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from core.inputs import own_table
from core.inputs.glue_files import sample_of, split_files
from core.inputs.hub import Report, dataset_file
from core.inputs.own_table import OwnSentences
from core.inputs.sampling import Sample, Texts, draw
from core.inputs.written_examples import CALIBRATION, EVALUATION, read_written
from core.request.catalog import CALIBRATION_EXAMPLES, MAX_LENGTH, Task
from core.request.limits import limits
from core.request.sweep_request import OWN_SPLIT, is_own
from core.results.schema import TaskRecord, digest

CALIBRATION_SPLIT = "train"


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
        )


def load_subset(
    task: Task,
    data: str,
    num_examples: int | None,
    source_name: str | None = None,
    report: Report | None = None,
) -> EvalSubset:
    """Draw a task's eval subset: the same rows in the same order every time.

    Args:
        task: The task.
        data: `written`, `hub`, `own:DIGEST`, or a folder in the Hub's GLUE layout.
        num_examples: How many; None for 256, or all if there are fewer, or two thirds of a visitor's own sentences.
        source_name: A name for the data; None for that of the data set, the folder or the written examples.
        report: Called with (stage, done, total) during a download.

    Raises:
        PrunescopeError: The data is missing, malformed, or smaller than asked for.
    """
    if data == "written":
        sample = draw(read_written(task, EVALUATION), f"{task.name}.jsonl", task, num_examples)
        return _subset(task, data, source_name, EVALUATION, sample)
    if is_own(data):
        own = own_table.load(data, task)
        default = own_table.default_examples(len(own.gold))
        return _own_subset(task, own, draw(own.columns(task), own.file, task, num_examples, default))
    sample = sample_of(_files(task, data, task.split, report), task, num_examples)
    return _subset(task, data, source_name, task.split, sample)


def load_rest(
    task: Task, data: str, subset: EvalSubset, source_name: str | None = None, report: Report | None = None
) -> EvalSubset | None:
    """Return the other labelled examples of an eval subset's split, as far as the limits allow; None if it has all.

    Args:
        task: The task.
        data: See `load_subset`. The rest of a visitor's own sentences serves for calibration and is left alone.
        subset: The eval subset.
        source_name: See `load_subset`.
        report: Called with (stage, done, total) during a download.

    Raises:
        PrunescopeError: The data is missing or malformed.
    """
    if is_own(data):
        return None
    if data == "written":
        sample = draw(read_written(task, EVALUATION), f"{task.name}.jsonl", task, None, limits().examples)
    else:
        sample = sample_of(_files(task, data, task.split, report), task, None, limits().examples)
    known = set(subset.rows)
    others = [k for k, row in enumerate(sample.rows) if row not in known]
    if not others:
        return None
    rest = Sample(
        tuple(sample.rows[k] for k in others),
        tuple(sample.texts[k] for k in others),
        tuple(sample.gold[k] for k in others),
    )
    return _subset(task, data, source_name, subset.split, rest)


def load_calibration(
    task: Task, data: str, subset: EvalSubset, source_name: str | None = None, report: Report | None = None
) -> EvalSubset:
    """Draw the examples that a method scores on, disjoint from an eval subset.

    Args:
        task: The task.
        data: See `load_subset`. A folder or the Hub gives its training split, a visitor's own sentences the rest.
        subset: The eval subset; none of its texts is drawn.
        source_name: See `load_subset`.
        report: Called with (stage, done, total) during a download.

    Returns:
        CALIBRATION_EXAMPLES, or all if there are fewer, in a fixed random order.

    Raises:
        PrunescopeError: The data is missing or malformed.
    """
    if data == "written":
        columns = read_written(task, CALIBRATION)
        sample = draw(columns, f"{task.name}.jsonl", task, None, CALIBRATION_EXAMPLES, subset.texts)
        return _subset(task, data, source_name, CALIBRATION, sample)
    if is_own(data):
        own = own_table.load(data, task)
        own_table.check_rest(own, subset.texts)
        sample = draw(own.columns(task), own.file, task, None, CALIBRATION_EXAMPLES, subset.texts)
        return _own_subset(task, own, sample)
    files = _files(task, data, CALIBRATION_SPLIT, report)
    sample = sample_of(files, task, None, CALIBRATION_EXAMPLES, subset.texts)
    return _subset(task, data, source_name, CALIBRATION_SPLIT, sample)


def _files(task: Task, data: str, split: str, report: Report | None) -> list[Path]:
    """Find a split on the Hub or in a folder."""
    if data == "hub":
        return [dataset_file(task.dataset_id, f"{task.name}/{split}-00000-of-00001.parquet", report)]
    return split_files(Path(data), task, split)


def _subset(task: Task, data: str, source_name: str | None, split: str, sample: Sample) -> EvalSubset:
    source: Literal["hub", "folder", "written"] = (
        "written" if data == "written" else "hub" if data == "hub" else "folder"
    )
    default_names = {"written": "written for Prunescope", "hub": task.dataset_id, "folder": Path(data).resolve().name}
    fingerprint = digest({"task": task.name, "texts": sample.texts, "gold": sample.gold})
    name = source_name or default_names[source]
    return EvalSubset(task, source, name, split, sample.rows, sample.texts, sample.gold, fingerprint)


def _own_subset(task: Task, own: OwnSentences, sample: Sample) -> EvalSubset:
    """Describe a sample by the row numbers of the visitor's file, some of whose rows may have been left out."""
    sample = replace(sample, rows=tuple(own.rows[position] for position in sample.rows))
    return _subset(task, OWN_SPLIT, f"own sentences ({own.file})", OWN_SPLIT, sample)
