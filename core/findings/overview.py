"""Facts about one result as a whole, their sentences (`words/overview.jinja`) and a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.findings import against
from core.findings.data import rare_labels_caution
from core.findings.labels import label_caution
from core.findings.words import render
from core.request.catalog import FAMILY_NOTES, FEW_EXAMPLES, MEASURES, METRICS, SURVIVAL_THRESHOLD
from core.results.choices import family_of
from core.results.names import (
    PointLabel,
    ReductionKey,
    amount_name,
    circumstances,
    decimals,
    hundredths,
    in_sentence,
    percent,
    percent_range,
    point_labels,
    point_names,
    pruned_layer,
    pruning_name,
    removed_name,
    spanned,
)
from core.results.schema import Frame, Row, SweepResult
from core.sweep.statistics import survival
from core.sweep.working_range import majority_value

OTHER_THRESHOLDS = (0.8, 0.95)  # shown in a table beside 0.9, which is a convention


# ---------------------------------------------------------------- survival


@dataclass(frozen=True)
class LayerSurvival:
    """How far a point keeps its CKA with its own baseline.

    Attributes:
        label: The point's name on an axis.
        title: Its name in full.
        value: The amount at which CKA first falls below a threshold; the largest amount if it never does; NaN where
            CKA is undefined even without pruning.
        censored: Whether it never does.
        interval: The 95 % interval of the value, if known; an upper bound at the largest amount means "or beyond".
    """

    label: PointLabel
    title: str
    value: float
    censored: bool = False
    interval: tuple[float, float] | None = None

    @property
    def is_defined(self) -> bool:
        """Whether there is anything to compare layers by."""
        return not np.isnan(self.value)

    @property
    def rank(self) -> float:
        """The number to compare defined layers by: the value as shown, or infinity if it is censored."""
        return float("inf") if self.censored else hundredths(self.value)

    @property
    def text(self) -> str:
        """The value as shown."""
        if not self.is_defined:
            return "undefined"
        return f"> {amount_name(self.value)}" if self.censored else percent(self.value)

    @property
    def words(self) -> str:
        """How far the layer is intact, as it stands beside a band."""
        if not self.is_defined:
            return "undefined"
        return f"still intact at {amount_name(self.value)}" if self.censored else f"intact up to {percent(self.value)}"


def own_similarity(result: SweepResult, reduction: ReductionKey, measure: str = "cka") -> npt.NDArray[np.float64]:
    """Collect every point's similarity to its own baseline over the amounts; undefined values are NaN.

    Against another checkpoint all are: its layers are not the baseline of these.

    Returns:
        Array of shape (frames, points).
    """
    unknown = (None,) * len(result.points)
    rows = [(None if result.against else frame.own(reduction, measure)) or unknown for frame in result.frames]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(result.points))


def floor_of(result: SweepResult, reduction: ReductionKey, measure: str = "cka") -> Row | None:
    """Return each point's own CKA with everything removed; None where it is unknown, or for another measure."""
    return result.floor.cka.get(reduction) if result.floor and measure == "cka" else None


def own_measures(result: SweepResult, reduction: ReductionKey) -> list[str]:
    """Return the measures that tell how similar a point stays to its own baseline."""
    return [measure for measure in result.measures if result.frames[0].own(reduction, measure) is not None]


def layer_survivals(
    result: SweepResult, reduction: ReductionKey, threshold: float = SURVIVAL_THRESHOLD, measure: str = "cka"
) -> list[LayerSurvival]:
    """Compute how far each point keeps a similarity of at least `threshold`, in depth order.

    The result may be a whole sweep or the first frames of one. Only the measure's own threshold has intervals.
    """
    known = result.statistics_of(reduction, measure) if threshold == MEASURES[measure].threshold else None
    intervals = (
        [(layer.low, layer.high) if layer else None for layer in known.survival]
        if known
        else [None] * len(result.points)
    )
    own = own_similarity(result, reduction, measure)
    survivals = survival(result.amounts, own, threshold)
    return [
        LayerSurvival(name.label, name.title, np.nan)
        if undefined
        else LayerSurvival(name.label, name.title, layer.value, layer.censored, interval)
        for name, layer, undefined, interval in zip(
            point_names(result.points), survivals, np.isnan(own[0]), intervals, strict=True
        )
    ]


def with_and_without_survival(layers: Sequence[LayerSurvival]) -> tuple[list[LayerSurvival], list[PointLabel]]:
    """Part layers into those that can be compared, and the labels of those whose similarity is undefined throughout."""
    return [layer for layer in layers if layer.is_defined], [layer.label for layer in layers if not layer.is_defined]


@dataclass(frozen=True)
class Extremes:
    """The layers that fall first and those that last longest; if all are equal, every layer is both."""

    first: tuple[LayerSurvival, ...]
    last: tuple[LayerSurvival, ...]


def extremes(layers: Sequence[LayerSurvival]) -> Extremes:
    """Pick, of defined layers, those that fall first and those that last longest."""
    shortest, longest = min(layer.rank for layer in layers), max(layer.rank for layer in layers)
    return Extremes(
        tuple(layer for layer in layers if layer.rank == shortest),
        tuple(layer for layer in layers if layer.rank == longest),
    )


Order = Literal["equal", "two", "falls earlier", "falls later", "never outlasts", "never falls before", "mixed"]
"""How each layer's survival compares with that of the layer below it; `two` stands for two unequal layers."""


def order_of(layers: Sequence[LayerSurvival]) -> Order:
    """Describe how the survival of defined layers changes with depth."""
    ranks = [layer.rank for layer in layers]
    if len(set(ranks)) == 1:
        return "equal"
    if len(ranks) == 2:
        return "two"
    pairs = list(pairwise(ranks))
    if all(below > above for below, above in pairs):
        return "falls earlier"
    if all(below < above for below, above in pairs):
        return "falls later"
    if all(below >= above for below, above in pairs):
        return "never outlasts"
    return "never falls before" if all(below <= above for below, above in pairs) else "mixed"


def survival_table(result: SweepResult, reduction: ReductionKey) -> list[dict[str, str]]:
    """Tabulate survival, one row per point in depth order, with intervals where they are known."""
    largest, layers = result.amounts[-1], layer_survivals(result, reduction)
    has_intervals = any(layer.interval for layer in layers)
    others = [layer_survivals(result, reduction, threshold) for threshold in OTHER_THRESHOLDS]
    return [
        {
            "Layer": layer.title,
            f"Intact (similarity ≥ {SURVIVAL_THRESHOLD}) up to": layer.text,
            **({"95 % interval": interval_text(layer.interval, largest)} if has_intervals else {}),
            **{
                f"Similarity ≥ {threshold} up to": other.text
                for threshold, other in zip(OTHER_THRESHOLDS, more, strict=True)
            },
            f"Similarity at {amount_name(largest)} removed": "undefined" if np.isnan(value) else decimals(value, 2),
        }
        for layer, *more, value in zip(layers, *others, own_similarity(result, reduction)[-1], strict=True)
    ]


def interval_text(interval: tuple[float, float] | None, largest: float) -> str:
    """Write a survival's interval in whole percent; a bound at the largest amount means "or beyond"."""
    if interval is None:
        return "unknown"
    low, high = (f"beyond {amount_name(largest)}" if bound >= largest else percent(bound) for bound in interval)
    if low != high:
        return percent_range(low, high)
    return low if interval[0] >= largest else "under 1 % wide"


def finding(result: SweepResult, reduction: ReductionKey) -> str:
    """Say how far the first and the last layer survive, and whether the layers between them follow an order.

    The sentence describes this result alone, a whole sweep or the first frames of one. Against another checkpoint, it
    says which of its layers are most similar.
    """
    if result.against:
        return against.finding(result, reduction)
    if len(result.frames) < 2:
        return render("overview", "only_baseline", circumstances=circumstances(result, reduction))
    layers, left_out = with_and_without_survival(layer_survivals(result, reduction))
    if not layers:
        return render("overview", "nothing_defined", circumstances=circumstances(result, reduction))
    return render(
        "overview",
        "finding",
        pruning=in_sentence(pruning_name(result)),
        layers=layers,
        order=order_of(layers),
        extremes=extremes(layers),
        undefined=[label for label in _undefined(result, reduction) if label not in left_out],
        left_out=left_out,
        points=point_labels(result.points),
        threshold=SURVIVAL_THRESHOLD,
        circumstances=circumstances(result, reduction),
    )


def _undefined(result: SweepResult, reduction: ReductionKey) -> list[PointLabel]:
    """Return the points whose own CKA is undefined at some amount, where they count as fallen."""
    columns = zip(point_names(result.points), own_similarity(result, reduction).T, strict=True)
    return [name.label for name, values in columns if np.isnan(values).any()]


# ---------------------------------------------------------------- what to be careful about


def length_finding(result: SweepResult) -> str:
    """Say how similar sentence length alone is to the baseline's flattened tokens."""
    known = [value for value in result.similarity.length_control if value is not None]
    if not known:
        return render("overview", "length_control_unknown")
    return render("overview", "length_control", lowest=min(known), highest=max(known))


def caution(result: SweepResult) -> str:
    """Warn about few examples, rare or doubtful labels, and what the catalog says; else return an empty text."""
    count = len(result.task.examples)
    few = render("overview", "few_examples", count=count, enough=FEW_EXAMPLES) if count < FEW_EXAMPLES else ""
    known = FAMILY_NOTES.get(family_of(result.checkpoint.id), "")
    return " ".join(filter(None, [few, rare_labels_caution(result.task), label_caution(result), known]))


def is_cumulative(result: SweepResult) -> bool:
    """Whether a layer's output also reflects the pruning of the layers below it."""
    return pruned_layer(result) is None


# ---------------------------------------------------------------- the metric and the working range


def metric_of(*results: SweepResult, asked: str | None = None) -> str:
    """Choose the metric to show: the one asked for, else the task's main one; accuracy where a result lacks it."""
    wanted = {asked or result.task.main_metric for result in results}
    metric = wanted.pop() if len(wanted) == 1 else "accuracy"
    return metric if all(metric in result.frames[0].metrics for result in results) else "accuracy"


def majority_of(result: SweepResult, metric: str) -> float:
    """Compute what a metric gives for always predicting the most frequent gold label."""
    return majority_value(metric, np.array(result.task.gold))


def beyond_from(result: SweepResult) -> float | None:
    """Return the amount beyond which the model no longer works; None where it works up to the largest, or unknown."""
    known = result.working_range
    return known.to if known and known.to is not None and known.to < result.amounts[-1] else None


# ---------------------------------------------------------------- function beside form


def holding_finding(result: SweepResult, reduction: ReductionKey) -> str:
    """Say up to where the model works, and which layers have changed by then; the result may be unfinished."""
    metric, working = metric_of(result), result.working_range
    first, last = result.frames[0], result.frames[-1]

    def values(frame: Frame) -> dict[str, object]:
        known = [one.metrics.get(metric) for one in (first, frame)]
        unpruned, kept = ("undefined" if value is None else decimals(value, 2) for value in known)
        return {
            "metric": METRICS[metric].title,
            "unpruned": unpruned,
            "kept": kept,
            "removed": removed_name(frame.amount, result),
        }

    if len(result.frames) < 2:
        facts = values(first)
        return render("overview", "unpruned_alone", metric=facts["metric"], unpruned=facts["unpruned"])
    if working and working.reason == "no lead":
        return render("overview", "no_lead")
    if working is None or working.to is None:
        return render("overview", "at_both_ends", **values(last))
    if working.to == 0:
        return render("overview", "fails_at_once", **values(result.frames[1]))
    frame = next(frame for frame in result.frames if frame.amount == working.to)
    layers, until = layer_survivals(result, reduction), result.amounts.index(frame.amount) + 1
    own = {
        layer: values.min()  # so far: a layer that comes back has changed
        for layer, values in zip(layers, own_similarity(result, reduction)[:until].T, strict=True)
        if layer.is_defined and not np.isnan(values).any()  # which no layer is against another checkpoint
    }
    changed = {layer: value for layer, value in own.items() if value < SURVIVAL_THRESHOLD}
    return render(
        "overview",
        "holding",
        **values(frame),
        own=own,
        changed=changed,
        which=spanned([layer.label for layer in changed], [layer.label for layer in layers]),
        points=len(layers),
        threshold=SURVIVAL_THRESHOLD,
    )


def range_remark(result: SweepResult) -> str:
    """Say from where on a drop is more than chance, beside how far the model works; empty where that is unknown."""
    known = result.working_range
    return render("overview", "range_remark", known=known) if known and known.to is not None else ""


# ---------------------------------------------------------------- accuracy


@dataclass(frozen=True)
class AccuracyCourse:
    """How accuracy changes with the amount.

    Attributes:
        baseline: Accuracy without pruning.
        interval: Its 95 % interval.
        majority: Accuracy of always predicting the most frequent gold label.
        first_step: The smallest amount above 0.
        largest: The largest amount.
        inside_up_to: The last amount before accuracy first leaves the interval.
        majority_from: The amount from which accuracy's interval never again lies wholly above the majority class;
            0 if it never does at all, None if it still does at the largest amount.
    """

    baseline: float
    interval: tuple[float, float]
    majority: float
    first_step: float
    largest: float
    inside_up_to: float
    majority_from: float | None


def accuracy_course(result: SweepResult) -> AccuracyCourse | None:
    """Describe how accuracy changes; None if it or its interval is unknown, or if there is only one frame."""
    frames = result.frames
    baseline, interval = frames[0].metrics.get("accuracy"), frames[0].intervals.get("accuracy")
    if baseline is None or interval is None or len(frames) < 2:
        return None
    majority = majority_of(result, "accuracy")
    return AccuracyCourse(
        baseline,
        interval,
        majority,
        result.amounts[1],
        result.amounts[-1],
        _inside_up_to(frames, interval),
        _majority_from(frames, majority),
    )


def _inside_up_to(frames: Sequence[Frame], interval: tuple[float, float]) -> float:
    low, high = interval
    outside = [not low <= (frame.metrics["accuracy"] or 0.0) <= high for frame in frames[1:]]
    return frames[outside.index(True)].amount if any(outside) else frames[-1].amount


def _majority_from(frames: Sequence[Frame], majority: float) -> float | None:
    lows = [(frame.intervals["accuracy"] or (0.0, 0.0))[0] for frame in frames]
    above = [k for k, low in enumerate(lows) if low > majority]
    if not above:
        return 0.0
    return frames[above[-1] + 1].amount if above[-1] + 1 < len(frames) else None


def accuracy_finding(result: SweepResult) -> str:
    """Say how long accuracy holds and when it falls to the majority class; the result may be unfinished."""
    first, last = result.frames[0], result.frames[-1]
    baseline, final = first.metrics.get("accuracy"), last.metrics.get("accuracy")
    if baseline is None or final is None:
        return render("overview", "accuracy_unknown")
    if len(result.frames) < 2:
        return render("overview", "unpruned_alone", metric=METRICS["accuracy"].title, unpruned=decimals(baseline, 2))
    course = accuracy_course(result)
    if course is None:
        return render("overview", "accuracy_at_two", baseline=baseline, final=final, amount=last.amount)
    return render("overview", "accuracy", course=course)
