"""SweepResult -> names, sentences and tables that say what the numbers say, and no more."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.catalog import SURVIVAL_THRESHOLD
from core.results import SweepResult
from core.statistics import survival


@dataclass(frozen=True)
class PointName:
    """A point as it is shown: on an axis, and in full."""

    label: str
    title: str


@dataclass(frozen=True)
class LayerSurvival:
    """How far a point keeps its CKA with its own baseline.

    Attributes:
        label: On an axis.
        title: In full.
        value: The amount at which CKA first falls below 0.9; the largest amount if it never does.
        censored: It never does.
    """

    label: str
    title: str
    value: float
    censored: bool


def point_names(points: Sequence[str]) -> list[PointName]:
    """Names points for people: layers count from 1; beside outputs, attention blocks are 1a, 2a, ….

    Args:
        points: As the result stores them, `layer.0.attention` or `layer.0.output`.
    """
    parsed = [re.fullmatch(r"layer\.(\d+)\.(attention|output)", point) for point in points]
    both = len({match[2] for match in parsed if match}) > 1
    words = {"attention": "attention block", "output": "output"}
    return [
        PointName(
            f"{int(match[1]) + 1}{'a' if both and match[2] == 'attention' else ''}",
            f"Layer {int(match[1]) + 1}, {words[match[2]]}",
        )
        for match in parsed
        if match
    ]


def own_cka(result: SweepResult, reduction: str) -> npt.NDArray[np.float64]:
    """Gives every point's CKA with its own baseline over the amounts; undefined values are NaN.

    Returns:
        Array of shape (frames, points).
    """
    size = len(result.cka.points)
    rows = [[frame.cka[reduction][k][k] for k in range(size)] for frame in result.frames]
    return np.array(rows, dtype=np.float64).reshape(len(rows), size)


def layer_survivals(result: SweepResult, reduction: str) -> list[LayerSurvival]:
    """Computes how far each point survives, in depth order."""
    found = survival(np.array(result.amounts), own_cka(result, reduction), threshold=SURVIVAL_THRESHOLD)
    return [
        LayerSurvival(name.label, name.title, one.value, one.censored)
        for name, one in zip(point_names(result.cka.points), found, strict=True)
    ]


def majority_share(result: SweepResult) -> float:
    """The accuracy of always answering the most frequent gold label."""
    gold = result.task.gold
    return Counter(gold).most_common(1)[0][1] / len(gold)
