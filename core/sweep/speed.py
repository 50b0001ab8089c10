"""Measure how large smaller models are on disk, and how fast they are beside the full one.

Both are saved, and read back by plain transformers in float32. Each passes over the same tokenised sentences in turn,
so that what else the machine does slows both. Of the ratios of their times the median counts, with a percentile
bootstrap's interval over the passes.
"""

import platform
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification

from core.encoder.batches import tokenised
from core.encoder.loading import Checkpoint, save
from core.inputs.checkpoint_files import SAFE
from core.inputs.checkpoints import Resolved
from core.inputs.hub import Report
from core.inputs.prepare import CutInputs
from core.pruning.cut import model_of
from core.request.catalog import MAX_LENGTH
from core.results.cut import Cut, Size
from core.results.statistics import Estimate
from core.sweep.statistics import bootstrapped

DRAWS = 9_999
PASSES = {1: 20, 32: 10}  # sentences of a forward pass: passes of each model
MEASURING = "Measuring size and speed"  # a stage


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
    for done, cut in enumerate(offered):
        report(MEASURING, done, len(offered))
        small, size = _saved(model_of(checkpoint.model, cut), resolved)
        speeds = {batch: _times_as_fast(full, small, some) for batch, some in batches.items()}
        sizes[cut.layers, cut.share] = Size(**size, speeds=speeds)
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
