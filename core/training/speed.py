"""Measure size and speed of smaller models beside the full one.

All models pass over the same sentences in turn, so that what else the machine does slows all of
them. The median of the ratios of their times counts, with a percentile bootstrap's interval over
the passes.
"""

import platform
import re
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import nn

from core.encoder.batches import tokenise
from core.encoder.loading import save
from core.inputs.checkpoints import Resolved
from core.inputs.texts import Texts
from core.request.catalog import MAX_LENGTH
from core.results.cut import Size
from core.results.statistics import EstimateRecord
from core.sweep.statistics import bootstrapped
from core.training.refit import Report

PASSES = {1: 20, 32: 10}  # rows of a forward pass: passes of each model
DRAWS = 9_999


def sizes(
    models: Sequence[nn.Module],
    resolved: Resolved,
    tokenizer: Any,
    texts: Texts,
    report: Report,
) -> list[Size]:
    """Measure models, the full one first, whose speeds stay empty; times are the processor's.

    Args:
        models: The full model and smaller ones, which are moved to the processor.
        resolved: The files of the checkpoint.
        tokenizer: The checkpoint's tokenizer.
        texts: Rows in random order.
        report: Called with the share that is done, after each round of passes.
    """
    ratios = dict[int, np.ndarray]()  # each (passes, models)
    models = [model.to("cpu") for model in models]
    for batch in PASSES:
        before = len(ratios)
        ratios[batch] = _ratios(
            models,
            tokenizer,
            texts,
            batch,
            lambda share: report((before + share) / len(PASSES)),  # noqa: B023
        )
    measured = list[Size]()
    for k, model in enumerate(models):
        speeds = {batch: median_of(times[:, k]) for batch, times in ratios.items()}
        parameters = sum(parameter.numel() for parameter in model.parameters())
        size = Size(
            bytes=_saved_bytes(model, resolved),
            parameters=parameters,
            speeds=speeds if k else {},
        )
        measured.append(size)
    return measured


def _ratios(
    models: Sequence[nn.Module],
    tokenizer: Any,
    texts: Texts,
    batch: int,
    report: Report,
) -> np.ndarray:
    """Return the full model's time divided by each model's own, (passes, models).

    Texts serve again if there are few.

    The models take turns in who is first. A pass before the first one prepares more than it will
    need again.
    """
    seconds = np.empty((PASSES[batch], len(models)))
    options = {
        "padding": True,
        "truncation": True,
        "max_length": MAX_LENGTH,
        "return_tensors": "pt",
    }
    with torch.inference_mode():
        for turn in range(-1, PASSES[batch]):
            rows = [texts[(batch * max(turn, 0) + k) % len(texts)] for k in range(batch)]
            inputs = tokenise(tokenizer, *map(list, zip(*rows, strict=True)), **options)
            for k in np.roll(range(len(models)), turn):
                start = time.perf_counter()
                models[k](**inputs)
                seconds[turn, k] = time.perf_counter() - start
            report((turn + 1) / PASSES[batch])
    return seconds[:, :1] / seconds


def median_of(ratios: np.ndarray) -> EstimateRecord:
    """Estimate a median, with a percentile bootstrap's interval, by seed 0."""
    low, high = bootstrapped((ratios,), np.median, DRAWS).confidence_interval
    return EstimateRecord(value=float(np.median(ratios)), low=float(low), high=float(high))


def _saved_bytes(model: nn.Module, resolved: Resolved) -> int:
    with TemporaryDirectory(prefix="prunescope-", ignore_cleanup_errors=True) as folder:
        return save(model, resolved, Path(folder))


def processor() -> str:
    """Return the name of this machine's processor, if the system tells it."""
    file = Path("/proc/cpuinfo")
    name = re.search(
        r"^model name\s*:\s*(.+)$",
        file.read_text() if file.is_file() else "",
        re.MULTILINE,
    )
    return name[1] if name else platform.processor() or platform.machine()
