"""The study of cuts: which layers can really go, chosen on calibration examples and judged on others.

Up to ALL_UP_TO layers every subset is measured. Of more, a beam search goes down by one layer at a time; it also looks
at what every other criterion would choose, and at subsets drawn at random. Nothing is retrained.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import comb
from typing import Any

from core.encoder.architectures import encoder_layers
from core.encoder.loading import Checkpoint, borrow
from core.errors import PrunescopeError
from core.inputs.hub import Report
from core.inputs.prepare import CutInputs, prepare_cut
from core.inputs.training_overlap import check_not_training_data
from core.request.catalog import MIN_CALIBRATION
from core.request.criteria import CRITERIA, MEASURED, READ
from core.request.limits import is_hosted, limits
from core.request.sweep_request import SweepRequest
from core.results.cut import ALL_UP_TO, Cut, CutStudy, Layers, LayerScores
from core.results.key import key_of
from core.sweep.cut_choices import Judge, choices, fixed_choice, judged_cuts, rank
from core.sweep.estimate import STAGE, DownloadError, refuse_download, sample_of
from core.sweep.runner import silent
from core.sweep.smaller import complete, layers_to_complete
from core.sweep.subsets import DRAWN, SubsetRunner, drawn_subsets, every_subset, sizes
from core.sweep.sweep import environment

BEAM = {MEASURED: 8, READ: 1}  # how many subsets of a size the search goes on from, by a criterion
MOST_LAYERS = 12  # of which all subsets may be asked for
SEARCHING, JUDGING = "Running subsets of layers", "Judging what was chosen"  # stages
SHARED = 0.4  # of the layers of all subsets that a search could look at: many are the same, or begin alike

Measure = Callable[[set[Layers]], list[Cut]]


def study(
    checkpoint: Checkpoint,
    inputs: CutInputs,
    report: Report = silent,
    *,
    exhaustive: bool = False,
    measured: bool = False,
) -> CutStudy:
    """Study a checkpoint's cuts; return the study, unsaved.

    Args:
        checkpoint: The loaded model, which is never changed.
        inputs: Judged and calibration examples.
        report: Called with (stage, done, total) after each subset on each micro-batch; an exception that it raises ends
            the study, unchanged.
        exhaustive: Whether all subsets are measured of a model of more than ALL_UP_TO layers.
        measured: Whether feed-forward units are removed as well, and size and speed of what was chosen are measured.

    Raises:
        PrunescopeError: The parts do not fit together, or it would take too long here.
    """
    started, depth = time.monotonic(), checkpoint.record.num_layers
    check_cut(checkpoint, inputs, exhaustive)
    if is_hosted() and (seconds := seconds_of(checkpoint, inputs, exhaustive, measured, report)) > limits().job_seconds:
        raise PrunescopeError(
            f"this study would take about {seconds / 60:.0f} minutes here, at most {limits().job_seconds / 60:.0f} are "
            "allowed: choose fewer examples, or run Prunescope on your own computer"
        )
    subset, calibration, work = inputs.subset, inputs.calibration, Work(depth, exhaustive)

    def steps_of(stage: str, total: int) -> Callable[[int], None]:
        return lambda passes: report(stage, min(passes, total - 1), total)

    runner = SubsetRunner(checkpoint, calibration)
    runner.step = steps_of(SEARCHING, work.searching * len(runner.batches))
    metric, gold = subset.task.main_metric, calibration.record.gold
    scores, _ = runner.full
    cuts = search(runner, scores, metric, gold, work.all_searched)
    picks = [choices(metric, gold, scores, cuts, left) for left in sizes(depth)]
    drawn = {kept for left in sizes(depth) for kept in drawn_subsets(depth, left)}
    judged = {cuts[0].layers, *drawn, *(kept for picked in picks for kept in picked.values())}
    judging = SubsetRunner(checkpoint, subset)
    judging.step = steps_of(JUDGING, work.judging * len(judging.batches))
    answered = judging.predict(judged | ({()} if depth <= ALL_UP_TO else set()))
    cuts = [
        cut.model_copy(update={"judged": answered[cut.layers].predictions}) if cut.layers in answered else cut
        for cut in cuts
    ]
    judge = Judge(subset.record, subset.task.metrics, answered[cuts[0].layers].predictions)
    found, steps = judged_cuts(judge, cuts, picks, drawn)
    whole = CutStudy(
        checkpoint=checkpoint.record,
        task=subset.record,
        calibration=calibration.record,
        search="all" if work.all_searched else "beam",
        scores=scores,
        cuts=found,
        steps=steps,
        environment=environment(),
        seconds=round(time.monotonic() - started, 3),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    whole = whole.model_copy(update={"key": key_of(whole)})
    if not measured:
        return whole
    whole = complete(whole, checkpoint, inputs, report)
    return whole.model_copy(update={"seconds": round(time.monotonic() - started, 3)})


def check_cut(checkpoint: Checkpoint, inputs: CutInputs, exhaustive: bool = False) -> None:
    """Refuse a checkpoint and examples of which no study can be made.

    Raises:
        PrunescopeError: Why not.
    """
    name, depth = checkpoint.record.id, checkpoint.record.num_layers
    weights = [id(weight) for layer in encoder_layers(checkpoint.model) for weight in layer.parameters()]
    if depth < 2:
        raise PrunescopeError(
            f"'{name}' has {depth} encoder layer: choose a checkpoint of at least 2, so that 1 can go"
        )
    if len(weights) > len({*weights}):
        raise PrunescopeError(f"the layers of '{name}' share their weights, so none can go: choose another checkpoint")
    if exhaustive and depth > MOST_LAYERS:
        raise PrunescopeError(
            f"all subsets of {depth} layers are {2**depth:,}: leave out --exhaustive, or choose a checkpoint of "
            f"at most {MOST_LAYERS} layers"
        )
    check_not_training_data(inputs.subset, checkpoint.training_digests, name)
    for examples, use in ((inputs.subset, "judge"), (inputs.calibration, "choose")):
        rows, most = len(examples.texts), limits().examples
        if not MIN_CALIBRATION <= rows <= most:
            raise PrunescopeError(f"{rows} examples to {use} by: {MIN_CALIBRATION} to {most:,} are needed")
        if len({*examples.record.gold}) < 2:
            raise PrunescopeError(f"the {rows} examples to {use} by have one label, and two are needed: choose others")


# ---------------------------------------------------------------- the search


def search(runner: SubsetRunner, scores: LayerScores, metric: str, gold: Sequence[int], exhaustive: bool) -> list[Cut]:
    """Measure cuts until each criterion can choose among them.

    Args:
        runner: Runs subsets on the calibration examples.
        scores: One value a layer.
        metric: The task's main metric.
        gold: (calibration examples,) label indices.
        exhaustive: Whether every subset is measured.

    Returns:
        What was measured, the full model first, larger ones before smaller ones.
    """
    full, known = tuple(range(runner.depth)), dict[Layers, Cut]()

    def measure(subsets: set[Layers]) -> None:
        for kept, answered in runner.compare(subsets - {*known}).items():
            known[kept] = Cut(layers=kept, calibration=answered.predictions, read=answered.read)

    measure({*every_subset(runner.depth)} if exhaustive else {full})
    beam = {full}
    for left in () if exhaustive else sizes(runner.depth):
        children = {tuple(layer for layer in kept if layer != gone) for kept in beam for gone in kept}
        fixed = (fixed_choice(name, scores, left) for name in CRITERIA if name not in BEAM)
        measure({*children, *drawn_subsets(runner.depth, left), *filter(None, fixed)})
        alike = [cut for cut in known.values() if len(cut.layers) == left]
        ranked = {name: sorted(alike, key=lambda cut: rank(name, metric, gold, known[full], cut)) for name in BEAM}
        beam = {cut.layers for name, width in BEAM.items() for cut in ranked[name][:width]}
    return sorted(known.values(), key=lambda cut: (-len(cut.layers), cut.layers))


# ---------------------------------------------------------------- how long it takes


@dataclass(frozen=True)
class Work:
    """How many layers a study runs, about.

    Attributes:
        depth: The model's layers.
        exhaustive: Whether every subset is asked for.
    """

    depth: int
    exhaustive: bool

    @property
    def all_searched(self) -> bool:
        """Whether every subset runs on the calibration examples."""
        return self.exhaustive or self.depth <= ALL_UP_TO

    @property
    def searching(self) -> int:
        """On the calibration examples."""
        if self.all_searched:
            return (1 << self.depth) - 1 + self.depth
        width = sum(BEAM.values())
        looked_at = sum(left * min(comb(self.depth, left), width * (left + 1)) for left in sizes(self.depth))
        return round(SHARED * looked_at) + self.depth

    @property
    def judging(self) -> int:
        """On the judged examples."""
        if self.depth <= ALL_UP_TO:
            return (1 << self.depth) - 1
        return round(SHARED * sum(left * (DRAWN + len(CRITERIA)) for left in sizes(self.depth)))


def seconds_of(checkpoint: Checkpoint, inputs: CutInputs, exhaustive: bool, measured: bool, report: Report) -> float:
    """Estimate how long a study takes from the second pass over a few examples, which is warm.

    Args:
        checkpoint: The loaded model.
        inputs: The examples.
        exhaustive: See `study`.
        measured: See `study`.
        report: Called before each pass.
    """
    sample, full = SubsetRunner(checkpoint, sample_of(inputs.subset)), tuple(range(checkpoint.record.num_layers))
    work, started = Work(len(full), exhaustive), 0.0
    for _ in range(2):
        report(STAGE, 0, 1)
        started = time.perf_counter()
        sample.predict([full])
    per_layer = (time.perf_counter() - started) / len(full) / sample.tokens
    searching, judging = (SubsetRunner(checkpoint, examples).tokens for examples in (inputs.calibration, inputs.subset))
    further = layers_to_complete(work.depth, searching, judging, judging / len(inputs.subset.texts)) if measured else 0
    return per_layer * (work.searching * searching + work.judging * judging + further)


def is_measured_at_once(checkpoint: Checkpoint) -> bool:
    """Whether a study that a page asks for measures size and speed: of deep models that would take too long."""
    return checkpoint.record.num_layers <= ALL_UP_TO


def estimate_cut(request: SweepRequest, exhaustive: bool, report: Report) -> dict[str, Any]:
    """Estimate how long a study will take.

    Args:
        request: A checked request; only checkpoint and examples count.
        exhaustive: See `study`.
        report: Called between the steps; an exception that it raises ends the measurement, unchanged.

    Returns:
        `download`, if much must be downloaded first; else `seconds`.

    Raises:
        PrunescopeError: The parts are unavailable, or do not fit together.
    """
    try:
        inputs = prepare_cut(request, refuse_download)
    except DownloadError:
        return {"download": True}
    with borrow(inputs.resolved) as checkpoint:
        check_cut(checkpoint, inputs, exhaustive)
        return {"seconds": seconds_of(checkpoint, inputs, exhaustive, is_measured_at_once(checkpoint), report)}
