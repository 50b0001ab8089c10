"""Find the inputs of a study of cuts: the checkpoint, and three disjoint sets of rows. No torch.

Rows refit, decide when to stop, or judge. Rows without a label, and those of the checkpoint's
training data, judge nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import refused
from core.inputs.checkpoints import Resolved, resolve
from core.inputs.data import find_data
from core.inputs.examples import (
    EvalSubset,
    Examples,
    Row,
    are_trained_on,
    draw,
    open_examples,
)
from core.inputs.hub import Report
from core.inputs.texts import Texts
from core.request.catalog import DTYPE, ENGINE_VERSION
from core.request.cut_request import (
    CutRequest,
    Division,
    check_train,
    depths_of,
    divide,
)
from core.results.cut import CUT, TRAINING
from core.results.key import fingerprint_of, training_key
from core.results.schema import WHOLE, RefitRecord


class CutInputs(NamedTuple):
    """The inputs of a study, with pinned content.

    Attributes:
        resolved: The checkpoint's files.
        depths: How many of the lowest layers stay at each depth, most first.
        subset: The rows that judge.
        trained: The texts that refit, then those that decide when to stop.
        labels: Their label indices; None for rows without a label.
        record: Their description in a study's file.
    """

    resolved: Resolved
    depths: tuple[int, ...]
    subset: EvalSubset
    trained: Texts
    labels: tuple[int | None, ...]
    record: RefitRecord

    @property
    def division(self) -> Division:
        """The numbers of rows."""
        return Division(self.record.refit, self.record.stop, len(self.subset.texts))

    @property
    def texts(self) -> Texts:
        """All rows: those that refit, decide when to stop, and judge."""
        return (*self.trained, *self.subset.texts)

    @property
    def numbers(self) -> list[np.ndarray]:
        """The numbers of the rows of each set among all, int64."""
        return np.split(np.arange(sum(self.division)), np.cumsum(self.division[:2]))

    @property
    def key(self) -> str:
        """The key of the study."""
        made_by = {"dtype": DTYPE, "engine": ENGINE_VERSION}
        revision = self.resolved.revision
        judged = self.subset.record
        return training_key(CUT, revision, judged, self.record, made_by, layers=self.depths)


def prepare_cut(request: CutRequest, report: Report | None = None) -> CutInputs:
    """Find the checkpoint and the rows of a checked request; download them if necessary.

    Args:
        request: The request.
        report: Called with (stage, done, total) during a download.

    Raises:
        PrunescopeError: The checkpoint or the rows are unavailable, too few, or have one label; or
            no layer can go.
    """
    resolved = resolve(request.checkpoint, report, request.task)
    depths = depths_of(resolved.size[0], request.every)
    if not depths:
        fault = "has 1 encoder layer, and 2 are needed for 1 to go"
        raise refused(resolved.id, fault, "choose a deeper one")
    examples = open_examples(request, resolved.label_names, report)
    evaluated = examples.data.evaluated
    table, rows = examples.rows(evaluated)
    judging, pool = _judging(rows, resolved)
    source, split = further_rows(examples, request.train)
    if split:
        further_table, further = source.rows(split)
        files = source.files_of(further_table)
        division = divide(len(judging), len(pool) + len(further), True, request.num_examples)
    else:
        further, files = judging, None
        division = divide(len(judging), len(pool), False, request.num_examples)
    subset = examples.described(table, evaluated, draw(judging, table.name, division.judged))
    pool = [*{row[1]: row for row in (*pool, *further)}.values()]  # each text once
    pool = draw(pool, table.name, len(pool), excluded=subset.texts)
    division = divide(len(subset.texts), len(pool), True)
    _, texts, labels = zip(*pool[: division.refit + division.stop], strict=True)
    check_labels(subset.record.gold, "judge")
    check_labels(labels, "refit")
    record = RefitRecord(
        source_name=source.data.name,
        split=split or evaluated,
        refit=division.refit,
        stop=division.stop,
        labelled=len(labels) - labels.count(None),
        fingerprint=fingerprint_of(examples.task.name, texts, labels),
        files=files,
        training=TRAINING,
    )
    return CutInputs(resolved, depths, subset, texts, labels, record)


def further_rows(examples: Examples, train: str | None) -> tuple[Examples, str | None]:
    """Find the rows that may be trained on.

    Args:
        examples: The data of the judged rows.
        train: A file of further rows; None takes those of the data.

    Returns:
        The rows' data, and their split; None if they have no split of their own.

    Raises:
        PrunescopeError: There is no such file.
    """
    check_train(train)
    if not train:
        return examples, examples.data.scored
    return examples._replace(data=find_data(train, None)), WHOLE


def check_labels(labels: Sequence[int | None], use: str) -> None:
    """Refuse rows that all have one label.

    Raises:
        PrunescopeError: They have.
    """
    if len({*labels}) == 1 and None not in labels:
        raise PrunescopeError(
            f"all {len(labels):,} rows to {use} have one label: add rows with other labels"
        )


def _judging(rows: Sequence[Row], resolved: Resolved) -> tuple[list[Row], list[Row]]:
    """Separate the rows that can judge, labelled and no training data, from the others.

    Repeated texts are dropped.
    """
    distinct = {row[1]: row for row in rows}
    judging: list[Row] = []
    others: list[Row] = []
    are_trained = are_trained_on(distinct, resolved)
    for row, is_trained in zip(distinct.values(), are_trained, strict=True):
        is_free = row[2] is not None and not is_trained
        (judging if is_free else others).append(row)
    return judging, others
