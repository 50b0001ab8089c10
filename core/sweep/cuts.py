"""The study of cuts: which layers can really go, chosen on calibration examples and judged on others.

Nothing is retrained. How subsets are found is said in `core.sweep.search`. Feed-forward units are scored
(`core.pruning.attribution`) on each chosen model itself: with some layers gone, other units matter. Scores of the full
model kept up to six points less accuracy (SST-2).

To measure size and speed, the full model and a smaller one are saved, and read back by plain transformers in float32.
Both pass over the same tokenised sentences in turn, so that what else the machine does slows both. Of the ratios of
their times the median counts, with a percentile bootstrap's interval over the passes.
"""

import platform
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification

from core.encoder.batches import micro_batches, tokenised
from core.encoder.loading import Checkpoint, borrow, save
from core.errors import PrunescopeError
from core.inputs.checkpoint_files import SAFE
from core.inputs.checkpoints import Resolved
from core.inputs.examples import EvalSubset, check_not_training_data
from core.inputs.hub import Report
from core.inputs.prepare import CutInputs, prepare_cut
from core.pruning import Baseline, Calibration, attribution
from core.pruning.cut import cut, model_of, most_attributed
from core.request.catalog import MAX_LENGTH, MIN_CALIBRATION
from core.request.criteria import MEASURED
from core.request.sweep_request import SweepRequest
from core.results import store
from core.results.cut import SHARES, Cut, CutStudy, Size, Worth, packed
from core.results.key import key_of
from core.results.statistics import Estimate
from core.sweep.meter import silent
from core.sweep.metrics import changed_share, evaluate
from core.sweep.search import SEARCHING, SubsetRunner, layer_passes, search
from core.sweep.statistics import bootstrapped
from core.sweep.sweep import environment

MOST_LAYERS = 12  # of which all subsets may be asked for
JUDGING, NARROWING = "Judging what was chosen", "Removing feed-forward units"  # stages
MEASURING = "Measuring size and speed"
PASSES = {1: 20, 32: 10}  # sentences of a forward pass: passes of each model
DRAWS = 9_999


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
        PrunescopeError: No study can be made of them.
    """
    started, depth = time.monotonic(), checkpoint.record.num_layers
    check_cut(checkpoint, inputs, exhaustive)
    subset, (searched, judged_passes) = inputs.subset, layer_passes(depth, exhaustive)
    choosing = SubsetRunner(checkpoint, inputs.calibration, report, SEARCHING, searched)
    judging = SubsetRunner(checkpoint, subset, report, JUDGING, judged_passes)
    cuts, steps = search(choosing, subset.task.main_metric, inputs.calibration.record.gold, exhaustive)
    full, offered = cuts[0].layers, {cuts[0].layers, *(step.picks[MEASURED] for step in steps)}
    answered = judging.run({full, cuts[-1].layers}.union(*((*step.picks.values(), *step.drawn) for step in steps)))
    judged = {kept: labels for kept, (labels, _) in answered.items()}
    worth = {kept: worth_of(subset, judged[full], judged[kept]) for kept in offered}
    cuts = [cut.model_copy(update={"judged": judged.get(cut.layers), "worth": worth.get(cut.layers)}) for cut in cuts]
    whole = CutStudy(
        checkpoint=checkpoint.record,
        task=subset.record,
        calibration=inputs.calibration.record,
        search="all" if len(cuts) == 1 << depth else "beam",
        scores=choosing.full[0],
        cuts=tuple(cuts),
        steps=tuple(steps),
        environment={**environment(), "processor": processor()},
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    if measured:
        cuts = [*cuts, *narrowed(whole, checkpoint, inputs, report)]
        whole = whole.model_copy(update={"cuts": measure(checkpoint, inputs, cuts, report)})
    return whole.model_copy(update={"key": key_of(whole), "seconds": round(time.monotonic() - started, 3)})


def worth_of(examples: EvalSubset, full: Sequence[int], judged: Sequence[int]) -> Worth:
    """Say what a smaller model is worth.

    Args:
        examples: The judged examples.
        full: (examples,) what the full model predicts.
        judged: (examples,) what it predicts itself.
    """
    metrics, intervals = evaluate(examples.task.metrics, examples.record.gold, judged)
    share, (low, high) = changed_share(full, judged)
    return Worth(metrics=metrics, intervals=intervals, changed=Estimate(value=share, low=low, high=high))


def narrowed(study: CutStudy, checkpoint: Checkpoint, inputs: CutInputs, report: Report) -> list[Cut]:
    """Remove SHARES of the units of the full model and of the measured choice of each size.

    Args:
        study: A whole study.
        checkpoint: Its model, which is never changed.
        inputs: What the study was made from.
        report: Called with (stage, done, total); an exception that it raises ends the work, unchanged.
    """
    depth, found, examples = checkpoint.record.num_layers, list[Cut](), (inputs.calibration, inputs.subset)
    calibration = Calibration(
        micro_batches(checkpoint.tokenizer, inputs.calibration.texts),
        torch.tensor(inputs.calibration.record.gold),
        lambda *_: report(NARROWING, len(found), depth * len(SHARES)),
    )
    for left in range(depth, 0, -1):
        layers, whole = study.choice(left).layers, tuple(range(left))
        small = cut(checkpoint.model, layers)
        plan = attribution.plan(Baseline(small, SHARES, calibration=calibration))
        scores = [intermediate for _, intermediate in plan.scores]
        for share in SHARES:
            report(NARROWING, len(found), depth * len(SHARES))
            kept = most_attributed(scores, share)
            narrow = replace(checkpoint, model=cut(small, whole, kept))
            scored, judged = (SubsetRunner(narrow, some).run([whole])[whole][0] for some in examples)
            bits = tuple(packed(units.numpy(), len(scores[0])) for units in kept)
            worth = worth_of(inputs.subset, study.full.judged or (), judged)
            found.append(Cut(layers=layers, share=share, kept=bits, calibration=scored, judged=judged, worth=worth))
    return found


def check_cut(checkpoint: Checkpoint, inputs: CutInputs, exhaustive: bool = False) -> None:
    """Refuse a checkpoint and examples of which no study can be made.

    Raises:
        PrunescopeError: Why not.
    """
    name, depth = checkpoint.record.id, checkpoint.record.num_layers
    check_not_training_data(inputs.subset, checkpoint.training_digests, name)
    refusals = {
        f"'{name}' has {depth} encoder layer, and 2 are needed for 1 to go": depth < 2,
        f"all subsets of {depth} layers are {1 << depth:,}, leave out --exhaustive": exhaustive and depth > MOST_LAYERS,
    }
    for use, record in (("judge", inputs.subset.record), ("choose", inputs.calibration.record)):
        rows, labels = len(record.gold), len({*record.gold})
        needed = f"{rows} examples with {labels} labels to {use} by, and {MIN_CALIBRATION} with 2 are needed"
        refusals[needed] = labels < 2 or rows < MIN_CALIBRATION
    if faults := [words for words, is_so in refusals.items() if is_so]:
        raise PrunescopeError(f"{faults[0]}: choose another checkpoint, or other examples")


def store_cut(request: SweepRequest, report: Report) -> dict[str, Any]:
    """Make a study with sizes and speeds, and store it.

    Args:
        request: A checked request; only checkpoint and examples count.
        report: See `study`.

    Returns:
        `key`, the study's.

    Raises:
        PrunescopeError: The parts are unavailable, no study can be made of them, or it cannot be stored.
    """
    inputs = prepare_cut(request, report)
    store.check_writable(None)
    report(f"Loading the checkpoint '{inputs.resolved.id}'", 0, 1)
    with borrow(inputs.resolved) as checkpoint:
        found = study(checkpoint, inputs, report, measured=True)
    store.save(found)
    return {"key": found.key}


# ---------------------------------------------------------------- size and speed


def measure(checkpoint: Checkpoint, inputs: CutInputs, cuts: Sequence[Cut], report: Report) -> tuple[Cut, ...]:
    """Save each model that a study offers, and time its forward passes and the full one's in turn.

    Args:
        checkpoint: The full model.
        inputs: Where it came from, and the sentences, in random order.
        cuts: Those of the study, the full model first.
        report: Called with (stage, done, total) before each cut; an exception that it raises ends the measuring.

    Returns:
        The cuts, those that are offered with their sizes.
    """
    texts, resolved = inputs.subset.texts, inputs.resolved
    batches = {batch: _batches(checkpoint.tokenizer, texts, batch, passes) for batch, passes in PASSES.items()}
    full, size = _saved(checkpoint.model, resolved)
    _, *offered = [cut for cut in cuts if cut.worth]
    sizes = {(cuts[0].layers, 0.0): Size(**size, speeds={})}
    for done, offer in enumerate(offered):
        report(MEASURING, done, len(offered))
        small, size = _saved(model_of(checkpoint.model, offer), resolved)
        speeds = {batch: _times_as_fast(full, small, some) for batch, some in batches.items()}
        sizes[offer.layers, offer.share] = Size(**size, speeds=speeds)
    return tuple(cut.model_copy(update={"size": sizes.get((cut.layers, cut.share))}) for cut in cuts)


def _saved(model: nn.Module, resolved: Resolved) -> tuple[Any, dict[str, int]]:
    """Save a model; return what plain transformers reads there, in float32, and how large it is."""
    with TemporaryDirectory(prefix="prunescope-", ignore_cleanup_errors=True) as folder:
        size = save(model, resolved, Path(folder))
        read: Any = AutoModelForSequenceClassification.from_pretrained(folder, **SAFE, dtype=torch.float32)
    return read.eval(), {"bytes": size, "parameters": sum(parameter.numel() for parameter in read.parameters())}


def _batches(tokenizer: Any, texts: Sequence[tuple[str, ...]], size: int, passes: int) -> list[Any]:
    """Tokenise a batch for each pass, padded to its longest; texts serve again where there are few."""
    chosen = [[texts[(size * start + k) % len(texts)] for k in range(size)] for start in range(passes)]
    options = {"padding": True, "truncation": True, "max_length": MAX_LENGTH, "return_tensors": "pt"}
    return [tokenised(tokenizer, *map(list, zip(*some, strict=True)), **options) for some in chosen]


def _times_as_fast(full: nn.Module, small: nn.Module, batches: Iterable[Mapping[str, Tensor]]) -> Estimate:
    """Return the median ratio of the full model's time to the small one's; they alternate in who is first."""
    ratios = []
    with torch.inference_mode():
        for turn, batch in enumerate(batches):
            seconds = {}
            if not turn:  # the first pass prepares more than it will need again
                full(**batch), small(**batch)
            for model in (full, small) if turn % 2 else (small, full):
                start = time.perf_counter()
                model(**batch)
                seconds[model] = time.perf_counter() - start
            ratios.append(seconds[full] / seconds[small])
    return median_of(ratios)


def median_of(ratios: Sequence[float]) -> Estimate:
    """Estimate a median, with a percentile bootstrap's interval, by seed 0."""
    low, high = bootstrapped((ratios,), np.median, DRAWS).confidence_interval
    return Estimate(value=float(np.median(ratios)), low=float(low), high=float(high))


def processor() -> str:
    """Name this machine's processor, as far as the system does."""
    known = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*:\s*(.+)$", known.read_text() if known.is_file() else "", re.MULTILINE)
    return found[1] if found else platform.processor() or platform.machine()
