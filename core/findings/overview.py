"""Sentences on one result as a whole (`words/overview.jinja`)."""

import numpy as np

from core.findings import against
from core.findings.accuracy import metric_of
from core.findings.data import rare_labels_caution
from core.findings.labels import label_caution
from core.findings.survival import (
    extremes,
    layer_survivals,
    lost_labels,
    order_of,
    own_similarity,
    with_and_without_survival,
)
from core.findings.words import render
from core.request.catalog import FAMILY_NOTES, FEW_EXAMPLES, METRICS, SURVIVAL_THRESHOLD
from core.results.choices import family_of
from core.results.names import (
    ReductionKey,
    circumstances,
    decimals,
    in_sentence,
    point_labels,
    pruned_layer,
    pruning_name,
    removed_name,
    spanned,
)
from core.results.schema import Frame, SweepResult


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
        undefined=lost_labels(result, reduction),
        left_out=left_out,
        points=point_labels(result.points),
        threshold=SURVIVAL_THRESHOLD,
        circumstances=circumstances(result, reduction),
    )


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


# ---------------------------------------------------------------- function beside form


def holding_finding(result: SweepResult, reduction: ReductionKey) -> str:
    """Say up to where the model works, and which layers have changed by then; the result may be unfinished."""
    metric, working = metric_of(result), result.working_range
    first, last = result.frames[0], result.frames[-1]

    def values(frame: Frame) -> dict[str, object]:
        known = [measured.metrics.get(metric) for measured in (first, frame)]
        unpruned, kept = ("undefined" if value is None else decimals(value, 2) for value in known)
        return {
            "metric": METRICS[metric].title,
            "unpruned": unpruned,
            "kept": kept,
            "removed": removed_name(frame.amount, result),
        }

    if len(result.frames) < 2:
        facts = values(first)
        return render("accuracy", "unpruned_alone", metric=facts["metric"], unpruned=facts["unpruned"])
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
