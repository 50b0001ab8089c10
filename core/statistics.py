"""What a sweep's CKA values say about layers: survival and the depth gap."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.catalog import SURVIVAL_THRESHOLD

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Survival:
    """How long a layer keeps its representation.

    Attributes:
        value: The amount at which its CKA with its own baseline first falls below the threshold,
            interpolated linearly; the largest amount where it never does.
        censored: It never fell below within the sweep.
    """

    value: float
    censored: bool


def survival(amounts: Sequence[float], own_cka: Array, threshold: float = SURVIVAL_THRESHOLD) -> list[Survival]:
    """Computes each layer's survival.

    Args:
        amounts: (frames,) ascending from 0.
        own_cka: (frames, layers), CKA of each layer with its own baseline; NaN where it is undefined,
            which counts as fallen, without interpolation.
        threshold: The CKA that must be kept.
    """
    return [_survival(np.asarray(amounts), column, threshold) for column in own_cka.T]


def _survival(amounts: Array, own_cka: Array, threshold: float) -> Survival:
    fallen = np.flatnonzero(~(own_cka >= threshold))
    if not len(fallen):
        return Survival(float(amounts[-1]), censored=True)
    k = int(fallen[0])
    if k == 0 or np.isnan(own_cka[k]):
        return Survival(float(amounts[k]), censored=False)
    share = (own_cka[k - 1] - threshold) / (own_cka[k - 1] - own_cka[k])
    return Survival(float(amounts[k - 1] + share * (amounts[k] - amounts[k - 1])), censored=False)


def depth_gap(amounts: Sequence[float], own_cka: Array) -> float:
    """Computes D: by how much the lower half of the layers keeps more similarity than the upper half.

    The mean area under CKA over amount, divided by the largest amount, of the lower half minus that of
    the upper half; the middle one of an odd number of layers belongs to neither.

    Args:
        amounts: (frames,) ascending from 0.
        own_cka: (frames, layers).

    Returns:
        A number in [-2, 2]; NaN where a value is undefined, or for a single layer or amount.
    """
    half = own_cka.shape[1] // 2
    if not half or len(amounts) < 2:
        return float("nan")
    areas: Array = np.asarray(np.trapezoid(own_cka, amounts, axis=0)) / amounts[-1]  # (layers,)
    return float(areas[:half].mean() - areas[-half:].mean())
