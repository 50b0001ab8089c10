"""The study of cuts: which layers can really go, chosen on calibration examples and judged on others.

Up to ALL_UP_TO layers every subset is measured. Of more, a beam search goes down by one layer at a time; it also looks
at what every other criterion would choose, and at subsets drawn at random. Nothing is retrained.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
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
from core.results import store
from core.results.cut import ALL_UP_TO, Cut, CutStudy, Layers
from core.results.key import key_of
from core.sweep import speed
from core.sweep.cut_choices import Judge, choices, fixed_choice, judged_cuts, rank
from core.sweep.estimate import SAMPLE_SIZE, STAGE, DownloadError, refuse_download
from core.sweep.runner import silent
from core.sweep.smaller import narrowed
from core.sweep.subsets import SubsetRunner, drawn_subsets, every_subset, sizes
from core.sweep.sweep import environment

BEAM = {MEASURED: 8, READ: 1}  # how many subsets of a size the search goes on from, by a criterion
MOST_LAYERS = 12  # of which all subsets may be asked for
STAGES = SEARCHING, JUDGING = "Running subsets of layers", "Judging what was chosen"
NARROWED = 2.5  # times as long a study takes that removes feed-forward units as well
UNSORTED = 2.0  # times as long a plain pass over sentences of all lengths takes


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
    subset, gold, metric = inputs.subset, inputs.calibration.record.gold, inputs.subset.task.main_metric
    choosing, judging = (SubsetRunner(checkpoint, examples) for examples in (inputs.calibration, subset))
    for runner, stage, passes in zip((choosing, judging), STAGES, layer_passes(depth, exhaustive), strict=True):
        runner.step = partial(_report, report, stage, passes * len(runner.batches))
    scores, _ = choosing.full
    cuts = search(choosing, metric, gold, exhaustive or depth <= ALL_UP_TO)
    picks = [choices(metric, gold, scores, cuts, left) for left in sizes(depth)]
    drawn = {kept for left in sizes(depth) for kept in drawn_subsets(depth, left)}
    ends = {cuts[0].layers, cuts[-1].layers}
    answered = judging.run(ends | drawn | {kept for picked in picks for kept in picked.values()})
    cuts = [
        cut.model_copy(update={"judged": answered[cut.layers][0]}) if cut.layers in answered else cut for cut in cuts
    ]
    judge = Judge(subset.record, subset.task.metrics, answered[cuts[0].layers][0])
    found, steps = judged_cuts(judge, cuts, picks, drawn)
    whole = CutStudy(
        checkpoint=checkpoint.record,
        task=subset.record,
        calibration=inputs.calibration.record,
        search="all" if len(cuts) == 1 << depth else "beam",
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
    widths = narrowed(whole, checkpoint, inputs, report)
    models = [*map(whole.measured_choice, sizes(depth)), *widths]
    size_and_speed = speed.measure(checkpoint, inputs, models, report)
    seconds = round(time.monotonic() - started, 3)
    return whole.model_copy(update={"widths": widths, "measured": size_and_speed, "seconds": seconds})


def _report(report: Report, stage: str, total: float, passes: int) -> None:
    report(stage, min(passes, round(total) - 1), round(total))


def check_cut(checkpoint: Checkpoint, inputs: CutInputs, exhaustive: bool = False) -> None:
    """Refuse a checkpoint and examples of which no study can be made.

    Raises:
        PrunescopeError: Why not.
    """
    name, depth, most = checkpoint.record.id, checkpoint.record.num_layers, limits().examples
    weights = [id(weight) for layer in encoder_layers(checkpoint.model) for weight in layer.parameters()]
    check_not_training_data(inputs.subset, checkpoint.training_digests, name)
    refusals = {
        f"'{name}' has {depth} encoder layer, and 2 are needed for 1 to go": depth < 2,
        f"the layers of '{name}' share their weights, so none can go": len(weights) > len({*weights}),
        f"all subsets of {depth} layers are {1 << depth:,}, leave out --exhaustive": exhaustive and depth > MOST_LAYERS,
    }
    for examples, use in ((inputs.subset, "judge"), (inputs.calibration, "choose")):
        rows, labels = len(examples.texts), len({*examples.record.gold})
        needed = f"{MIN_CALIBRATION} to {most:,} with 2 labels or more are needed"
        refusals[f"{rows} examples with {labels} labels to {use} by, and {needed}"] = (
            labels < 2 or not MIN_CALIBRATION <= rows <= most
        )
    for words, is_so in refusals.items():
        if is_so:
            raise PrunescopeError(f"{words}: choose another checkpoint, or other examples")


def search(runner: SubsetRunner, metric: str, gold: Sequence[int], exhaustive: bool) -> list[Cut]:
    """Measure cuts until each criterion can choose among them.

    Args:
        runner: Runs subsets on the calibration examples.
        metric: The task's main metric.
        gold: (calibration examples,) label indices.
        exhaustive: Whether every subset is measured.

    Returns:
        What was measured, the full model first, larger ones before smaller ones.
    """
    full, known, (scores, of_full) = tuple(range(runner.depth)), dict[Layers, Cut](), runner.full

    def measure(subsets: set[Layers]) -> None:
        for kept, (predictions, read) in runner.run(subsets - {*known}, of_full).items():
            known[kept] = Cut(layers=kept, calibration=predictions, read=read)

    measure({*every_subset(runner.depth)} if exhaustive else {full})
    beam = {full}
    for left in () if exhaustive else sizes(runner.depth):
        children = {tuple(layer for layer in kept if layer != gone) for kept in beam for gone in kept}
        fixed = (fixed_choice(name, scores, left) for name in CRITERIA if name not in BEAM)
        measure({*children, *drawn_subsets(runner.depth, left), *filter(None, fixed)})
        alike, beam = [cut for cut in known.values() if len(cut.layers) == left], set()
        for name, width in BEAM.items():
            alike.sort(key=partial(rank, name, metric, gold, known[full]))
            beam |= {cut.layers for cut in alike[:width]}
    return sorted(known.values(), key=lambda cut: (-len(cut.layers), cut.layers))


def layer_passes(depth: int, exhaustive: bool) -> tuple[float, float]:
    """Return about how many layers a study runs over the calibration and over the judged examples.

    Of a search it is what was counted of 12 layers, for any depth.
    """
    every = (1 << depth) - 1
    judged = every if depth <= ALL_UP_TO else 3.3 * depth**2
    return (every if exhaustive or depth <= ALL_UP_TO else 0.8 * depth**3) + depth, judged


def seconds_of(checkpoint: Checkpoint, inputs: CutInputs, exhaustive: bool, measured: bool, report: Report) -> float:
    """Estimate how long a study takes from the second pass over a few examples, which is warm.

    Args:
        checkpoint: The loaded model.
        inputs: The examples.
        exhaustive: See `study`.
        measured: See `study`.
        report: Called before each pass.
    """
    sample = SubsetRunner(checkpoint, inputs.subset.first(SAMPLE_SIZE))
    full, started = tuple(range(checkpoint.record.num_layers)), 0.0
    for _ in range(2):
        report(STAGE, 0, 1)
        started = time.perf_counter()
        sample.run([full])
    per_layer = (time.perf_counter() - started) / len(full) / sample.tokens
    chosen, judged = (SubsetRunner(checkpoint, examples).tokens for examples in (inputs.calibration, inputs.subset))
    choosing, judging = layer_passes(len(full), exhaustive)
    layers = choosing * chosen + judging * judged  # times tokens
    if measured:
        sentences = sum(batch * (passes + 1) for batch, passes in speed.PASSES.items()) * (4 * len(full) - 1)
        timed = 1.6 * len(full) * sentences * judged / len(inputs.subset.texts)  # a full and a cut model each
        layers = NARROWED * layers + UNSORTED * timed
    return per_layer * layers


def estimate_cut(request: SweepRequest, exhaustive: bool, report: Report) -> dict[str, Any]:
    """Estimate how long a study with sizes and speeds will take.

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
        return {"seconds": seconds_of(checkpoint, inputs, exhaustive, True, report)}


def store_cut(request: SweepRequest, exhaustive: bool, report: Report) -> dict[str, Any]:
    """Make a study, measured, and store it.

    Args:
        request: A checked request; only checkpoint and examples count.
        exhaustive: See `study`.
        report: See `study`.

    Returns:
        `key`, the study's.

    Raises:
        PrunescopeError: The parts are unavailable, or do not fit together, or the study cannot be stored.
    """
    inputs = prepare_cut(request, report)
    store.check_writable(None)
    report(f"Loading the checkpoint '{inputs.resolved.id}'", 0, 1)
    with borrow(inputs.resolved) as checkpoint:
        found = study(checkpoint, inputs, report, exhaustive=exhaustive, measured=True)
    store.save(found)
    return {"key": found.key}
