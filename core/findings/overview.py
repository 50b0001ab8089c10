"""SweepResult -> sentences and tables that say what the numbers of one result say, and no more."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from core.request.catalog import EMBEDDED, FEW_EXAMPLES, SURVIVAL_THRESHOLD
from core.results.names import amount_name, circumstances, in_sentence, listed, point_names, pruned_layer, pruning_name
from core.results.schema import Frame, SweepResult
from core.sweep.statistics import survival

OTHER_THRESHOLDS = (0.8, 0.95)  # what a table shows beside 0.9, which is a convention


# ---------------------------------------------------------------- survival


@dataclass(frozen=True)
class LayerSurvival:
    """How far a point keeps its CKA with its own baseline.

    Attributes:
        label: The point's name on an axis.
        title: Its name in full.
        value: The amount at which CKA first falls below a threshold; the largest amount if it never does.
        censored: It never does.
        interval: The 95 % interval of the value, where it is known; an upper bound at the largest amount means
            "or beyond".
    """

    label: str
    title: str
    value: float
    censored: bool
    interval: tuple[float, float] | None = None

    @property
    def rank(self) -> float:
        """What layers are compared by: the value as it is shown, or beyond all others."""
        return float("inf") if self.censored else round(self.value, 2)

    @property
    def text(self) -> str:
        """The value as it is shown."""
        return f"> {amount_name(self.value)}" if self.censored else f"{self.value:.2f}"


def own_cka(result: SweepResult, reduction: str) -> npt.NDArray[np.float64]:
    """Gives every point's CKA with its own baseline over the amounts; undefined values are NaN.

    Returns:
        Array of shape (frames, points).
    """
    size = len(result.cka.points)
    rows = [[frame.cka[reduction][k][k] for k in range(size)] for frame in result.frames]
    return np.array(rows, dtype=np.float64).reshape(len(rows), size)


def layer_survivals(result: SweepResult, reduction: str, threshold: float = SURVIVAL_THRESHOLD) -> list[LayerSurvival]:
    """Computes how far each point survives, in depth order.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        threshold: The CKA that must be kept; intervals are known for 0.9 alone.
    """
    known = (result.statistics or {}).get(reduction) if threshold == SURVIVAL_THRESHOLD else None
    intervals = [(one.low, one.high) for one in known.survival] if known else [None] * len(result.cka.points)
    values = survival(result.amounts, own_cka(result, reduction), threshold)
    return [
        LayerSurvival(name.label, name.title, one.value, one.censored, interval)
        for name, one, interval in zip(point_names(result.cka.points), values, intervals, strict=True)
    ]


def survival_table(result: SweepResult, reduction: str) -> list[dict[str, str]]:
    """Gives survival as a table, one row a point, in depth order; with intervals where they are known."""
    largest = result.amounts[-1]
    others = [layer_survivals(result, reduction, threshold) for threshold in OTHER_THRESHOLDS]
    return [
        {
            "Layer": one.title,
            f"Keeps CKA ≥ {SURVIVAL_THRESHOLD} up to amount": one.text,
            **({"95 % interval": _interval_text(one.interval, largest)} if one.interval else {}),
            **{f"CKA ≥ {at}": other.text for at, other in zip(OTHER_THRESHOLDS, more, strict=True)},
            f"CKA at amount {amount_name(largest)}": "undefined" if np.isnan(value) else f"{value:.3f}",
        }
        for one, *more, value in zip(
            layer_survivals(result, reduction), *others, own_cka(result, reduction)[-1], strict=True
        )
    ]


def _interval_text(interval: tuple[float, float], largest: float) -> str:
    low, high = (f"> {amount_name(largest)}" if bound >= largest else f"{bound:.2f}" for bound in interval)
    return low if low == high else f"{low} to {high}"


# ---------------------------------------------------------------- sentences


def finding(result: SweepResult, reduction: str) -> str:
    """Says in one sentence how far the first and the last layer survive and whether there is an order between.

    It describes this result and claims nothing beyond it: no intervals, no generalisation.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
    """
    context = f"({circumstances(result, reduction)})"
    if len(result.frames) < 2:
        return f"Only the baseline is measured so far {context}."
    layers = layer_survivals(result, reduction)
    said = _ends(layers) + _order(layers) + _undefined(result, reduction)
    return f"Under {in_sentence(pruning_name(result))}, {said} {context}."


def _ends(layers: Sequence[LayerSurvival]) -> str:
    """Compares the first layer with the last."""
    first, last = layers[0], layers[-1]
    keeps = f"CKA ≥ {SURVIVAL_THRESHOLD} with its own baseline"
    if len({layer.rank for layer in layers}) == 1:
        return f"every layer keeps {keeps} up to {_until(first)}"
    if first.rank == last.rank:
        return f"layer {first.label} and layer {last.label} each keep {keeps} up to {_until(first)}"
    but = "only" if last.rank < first.rank else "longer,"
    return f"layer {first.label} keeps {keeps} up to {_until(first)}, layer {last.label} {but} up to {_until(last)}"


def _until(layer: LayerSurvival) -> str:
    largest = "the largest amount, " if layer.censored else "amount "
    return f"{largest}{amount_name(layer.value) if layer.censored else layer.text}"


def _order(layers: Sequence[LayerSurvival]) -> str:
    """Says whether survival goes one way with depth; two layers' order is said already."""
    ranks = [layer.rank for layer in layers]
    if len(layers) < 3 or len(set(ranks)) == 1:
        return ""
    pairs = list(pairwise(ranks))
    if all(low > high for low, high in pairs):
        return ", and each layer falls earlier than the one before it"
    if all(low < high for low, high in pairs):
        return ", and each layer falls later than the one before it"
    if all(low >= high for low, high in pairs):
        return ", and no layer was seen to outlast the one before it"
    if all(low <= high for low, high in pairs):
        return ", and no layer was seen to fall earlier than the one before it"
    longest = [layer for layer in layers if layer.rank == max(ranks)]
    shortest = [layer for layer in layers if layer.rank == min(ranks)]
    return (
        f", but depth alone does not order the layers: {_listed(longest, 'last')} longest ({longest[0].text}), "
        f"{_listed(shortest, 'fall')} first ({shortest[0].text})"
    )


def _listed(layers: Sequence[LayerSurvival], verb: str) -> str:
    labels = [layer.label for layer in layers]
    if len(labels) == 1:
        return f"layer {labels[0]} {verb}s"
    return f"layers {listed(labels)} {verb}"


def _undefined(result: SweepResult, reduction: str) -> str:
    """Names the layers whose own CKA is undefined somewhere: there they count as fallen."""
    columns = zip(point_names(result.cka.points), own_cka(result, reduction).T, strict=True)
    labels = [name.label for name, values in columns if np.isnan(values).any()]
    return f"; where CKA is undefined (layer {', '.join(labels)}), it counts as fallen" if labels else ""


def length_finding(result: SweepResult) -> str:
    """Says how similar the bare sentence lengths are to what the flattened tokens of the baseline show."""
    known = [value for value in result.cka.length_control if value is not None]
    if not known:
        return "How much of it is sentence length alone is not known here."
    reach = f"a CKA of {min(known):.2f} to {max(known):.2f} with the unpruned layers"
    return f"Here the padding alone, without a single word, already has {reach}."


def caution(result: SweepResult) -> str:
    """Warns of too few examples for CKA, and of what a checkpoint's scores must not be read without; else empty."""
    count = len(result.task.examples)
    few = f"{count} examples are few: CKA is noisy below {FEW_EXAMPLES}, so take small differences for chance."
    notes = [known.note for known in EMBEDDED.values() if known.id == result.checkpoint.id]
    return " ".join(filter(None, [few if count < FEW_EXAMPLES else "", *notes]))


def is_cumulative(result: SweepResult) -> bool:
    """Tells whether layers before another one are pruned too."""
    return pruned_layer(result) is None


def majority_share(result: SweepResult) -> float:
    """The accuracy of always answering the most frequent gold label."""
    gold = result.task.gold
    return Counter(gold).most_common(1)[0][1] / len(gold)


def accuracy_finding(result: SweepResult) -> str:
    """Says in one sentence how long accuracy holds and when it comes down to the majority class.

    Args:
        result: A whole sweep or the first frames of one.
    """
    first, last = result.frames[0], result.frames[-1]
    baseline, final = first.metrics.get("accuracy"), last.metrics.get("accuracy")
    if baseline is None or final is None:
        return "Accuracy is not known here."
    interval = first.intervals.get("accuracy")
    if interval is None or len(result.frames) == 1:
        return f"Accuracy is {baseline:.2f} without pruning and {final:.2f} at amount {amount_name(last.amount)}."
    stays = f"Accuracy, {baseline:.2f} without pruning, {_holds(result.frames, interval)}"
    return f"{stays}; {_comes_down(result.frames, majority_share(result))}."


def _holds(frames: Sequence[Frame], interval: tuple[float, float]) -> str:
    """Until when accuracy stays inside the baseline's interval."""
    low, high = interval
    band = f"the baseline's 95 % interval ({low:.2f} to {high:.2f})"
    outside = [not low <= (frame.metrics["accuracy"] or 0.0) <= high for frame in frames]
    if not any(outside):
        return f"stays within {band} up to the largest amount, {amount_name(frames[-1].amount)}"
    k = outside.index(True)
    if k == 1:
        return f"leaves {band} at the first step, amount {amount_name(frames[1].amount)}"
    return f"stays within {band} up to amount {amount_name(frames[k - 1].amount)}"


def _comes_down(frames: Sequence[Frame], majority: float) -> str:
    """From when on accuracy's interval is never again wholly above the majority class."""
    lows = [(frame.intervals["accuracy"] or (0.0, 0.0))[0] for frame in frames]
    above = [k for k, low in enumerate(lows) if low > majority]
    level = f"the majority class ({majority:.2f})"
    if not above:
        return f"at every amount its interval reaches down to {level}"
    if above[-1] == len(frames) - 1:
        return f"even at the largest amount, {amount_name(frames[-1].amount)}, its interval stays above {level}"
    return f"from amount {amount_name(frames[above[-1] + 1].amount)} on its interval reaches down to {level}"
