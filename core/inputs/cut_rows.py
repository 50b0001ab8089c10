"""Find the inputs of a study of cuts: the checkpoint, and three disjoint sets of rows. No torch.

Rows refit, decide when to stop, or judge. Rows without a label, and those of the checkpoint's training data, judge
nothing.
"""

from dataclasses import dataclass, replace

import numpy as np

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import refused
from core.inputs.checkpoints import Resolved, resolve, suited
from core.inputs.data import find_data
from core.inputs.examples import EvalSubset, Examples, Row, draw, example_digest, open_examples, training_digests
from core.inputs.hub import Report
from core.inputs.prepare import DTYPE
from core.inputs.texts import Texts
from core.request.catalog import ENGINE_VERSION
from core.request.cut_request import CutRequest, Division, depths_of, divide
from core.results.cut import TRAINING, RefitRecord
from core.results.key import fingerprint_of, study_key
from core.results.schema import WHOLE

NO_LABEL = -1


@dataclass(frozen=True)
class CutInputs:
    """The inputs of a study, with pinned content.

    Attributes:
        resolved: The checkpoint's files.
        depths: How many of the lowest layers stay at each depth, most first.
        subset: The rows that judge.
        refit: The texts that refit.
        stop: The texts that decide when to stop.
        labels: The label indices of both, in that order; None for rows without a label.
        record: Their description in a study's file.
    """

    resolved: Resolved
    depths: tuple[int, ...]
    subset: EvalSubset
    refit: Texts
    stop: Texts
    labels: tuple[int | None, ...]
    record: RefitRecord

    @property
    def division(self) -> Division:
        """The numbers of rows."""
        return Division(len(self.refit), len(self.stop), len(self.subset.texts))

    @property
    def key(self) -> str:
        """The key of the study."""
        made_by = {"dtype": DTYPE, "engine": ENGINE_VERSION}
        return study_key(self.resolved.revision, self.subset.record, self.record, self.depths, made_by)


def prepare_cut(request: CutRequest, report: Report | None = None) -> CutInputs:
    """Find the checkpoint and the rows of a checked request; download them if necessary.

    Args:
        request: The request.
        report: Called with (stage, done, total) during a download.

    Raises:
        PrunescopeError: The checkpoint or the rows are unavailable, too few, or have one label; or no layer can go.
    """
    resolved = suited(resolve(request.checkpoint, report), request.task)
    depths = depths_of(resolved.size[0], request.every)
    if not depths:
        raise refused(resolved.id, "has 1 encoder layer, and 2 are needed for 1 to go", "choose a deeper one")
    examples = open_examples(request, resolved.label_names, report)
    split = examples.data.evaluated
    table, rows = examples.rows(split)
    different = [*{row[1]: row for row in rows}.values()]  # by text
    judging, others = _apart(different, training_digests(resolved))
    source, further_split, is_apart = _source(examples, request.train)
    further_table, further = source.rows(further_split, labelled=False) if is_apart else (table, judging)
    division = divide(len(judging), len(others) + len(further) * is_apart, is_apart, request.num_examples)
    drawn = draw(judging, table.name, division.judged)
    if len({label for _, _, label in drawn}) == 1:
        raise PrunescopeError(f"all {len(drawn):,} rows to judge have one label: add rows with other labels")
    subset = examples.described(table, split, drawn)
    free = {texts: (row, texts, NO_LABEL if label is None else label) for row, texts, label in (*others, *further)}
    pool = draw([*free.values()], table.name, len(free), excluded=subset.texts)
    division = divide(len(drawn), len(pool), True)  # no text is there twice, or judges as well
    pool = pool[: division.refit + division.stop]
    texts, labels = [row[1] for row in pool], [None if row[2] == NO_LABEL else row[2] for row in pool]
    record = RefitRecord(
        source_name=source.data.name,
        split=further_split,
        refit=division.refit,
        stop=division.stop,
        labelled=sum(label is not None for label in labels),
        fingerprint=fingerprint_of(examples.task.name, texts, labels),
        files=source.files_of(further_table) if is_apart else None,
        training=TRAINING,
    )
    refit, stop = tuple(texts[: division.refit]), tuple(texts[division.refit :])
    return CutInputs(resolved, depths, subset, refit, stop, tuple(labels), record)


def _apart(rows: list[Row], digests: np.ndarray | None) -> tuple[list[tuple[int, tuple[str, ...], int]], list[Row]]:
    """Separate labelled rows that are no training data from the others."""
    judging, others = [], list[Row]()
    own = np.array([example_digest(texts) for _, texts, _ in rows], dtype=np.uint64)  # (rows,)
    seen = np.isin(own, digests) if digests is not None else np.zeros(len(rows), dtype=bool)
    for (number, texts, label), is_seen in zip(rows, seen, strict=True):
        if label is None or is_seen:
            others.append((number, texts, label))
        else:
            judging.append((number, texts, label))
    return judging, others


def _source(examples: Examples, train: str | None) -> tuple[Examples, str, bool]:
    """Find where rows come from that refit, their split, and whether they only refit.

    They come from a file, else from the data's own split for that, else from where the judged rows come from.
    """
    if train:
        return replace(examples, data=find_data(train, None)), WHOLE, True
    return examples, examples.data.scored or examples.data.evaluated, examples.data.scored is not None
