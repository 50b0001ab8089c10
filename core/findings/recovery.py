"""What comes back when a pruned model is trained again, beside the unpruned model trained as long.

Differences of scores are paired, as those of cuts are: see `core.findings.cut`.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.findings.cut import estimated, values_of
from core.findings.layers import nearest_in, similarities
from core.request.catalog import REDUCTION
from core.results.recovery import Recovery
from core.results.statistics import EstimateRecord
from core.sweep.statistics import Array


class Returned(NamedTuple):
    """What a whole recovery shows.

    Attributes:
        scores: (4,) the main metric of the pruned model before and after training, and of the
            unpruned model.
        lost: What pruning changed, paired.
        gained: What training changed, paired.
        missing: The trained model's difference from the unpruned model, paired.
        own: (frames, points) each layer's similarity to its unpruned self; NaN if undefined.
        kept: (points,) the same of the unpruned model trained as long.
        nearest: (points,) the most similar unpruned layer of each after training; -1 if undefined.
    """

    scores: Array
    lost: EstimateRecord
    gained: EstimateRecord
    missing: EstimateRecord
    own: Array
    kept: Array
    nearest: npt.NDArray[np.int64]


def returned(recovery: Recovery) -> Returned | None:
    """Collect what a recovery shows; None without the whole training of both models."""
    if len(recovery.all_frames) < 2 * len(recovery.steps):
        return None
    frames = recovery.frames
    unpruned = recovery.unpruned
    values = values_of(recovery, [frames[0], frames[-1], unpruned[0], unpruned[-1]])
    before, after, full, _ = values  # each (1 + draws,)
    pairs = similarities(frames, REDUCTION)  # (frames, points, points)
    kept = similarities(unpruned[-1:], REDUCTION)[0]  # (points, points)
    return Returned(
        values[:, 0],
        estimated(before - full),
        estimated(after - before),
        estimated(after - full),
        np.diagonal(pairs, axis1=1, axis2=2),
        np.diagonal(kept),
        nearest_in(pairs[-1:])[0],
    )
