"""SweepResult -> sentences about its layers, one by one: which falls first, and when the chosen one does."""

from collections.abc import Sequence

from core.findings.overview import OTHER_THRESHOLDS, LayerSurvival, layer_survivals
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results.names import amount_name, listed
from core.results.schema import SweepResult
from core.sweep.statistics import depth_correlation

THRESHOLDS = (SURVIVAL_THRESHOLD, *OTHER_THRESHOLDS)


def order_finding(result: SweepResult, reduction: str, threshold: float = SURVIVAL_THRESHOLD) -> str:
    """Says which layer falls first and which lasts longest, and how well depth orders them.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        threshold: The CKA that a layer must keep to survive.
    """
    layers = layer_survivals(result, reduction, threshold)
    ranks = [layer.rank for layer in layers]
    if len(set(ranks)) == 1:
        return f"At CKA ≥ {threshold}, every layer survives up to {_until(layers[0])}."
    first, longest = ([layer for layer in layers if layer.rank == extreme] for extreme in (min(ranks), max(ranks)))
    correlation = depth_correlation([layer.value for layer in layers])
    tau = (
        ""
        if correlation is None
        else (
            f" Kendall's tau-b of survival with depth is {correlation:z.2f}: it describes these layers, which are no "
            "sample of others."
        )
    )
    return (
        f"At CKA ≥ {threshold}, {_named(first, 'fall')} first, at {_until(first[0])}, and {_named(longest, 'last')} "
        f"longest, up to {_until(longest[0])}.{tau}"
    )


def layer_finding(result: SweepResult, reduction: str, chosen: str, threshold: float = SURVIVAL_THRESHOLD) -> str:
    """Says how long the chosen point survives, how surely, and how many fall before it.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        chosen: The point's label.
        threshold: The CKA that a layer must keep to survive.
    """
    layers = layer_survivals(result, reduction, threshold)
    one = next(layer for layer in layers if layer.label == chosen)
    interval = f" ({_interval(one.interval, result.amounts[-1])})" if one.interval else ""
    keeps = f"{one.title}, keeps CKA ≥ {threshold} with its own baseline up to {_until(one)}{interval}"
    return f"{keeps}; {_earlier(one, layers)} before it."


def _earlier(one: LayerSurvival, layers: Sequence[LayerSurvival]) -> str:
    """Counts the layers that fall before one."""
    earlier, others = sum(layer.rank < one.rank for layer in layers), len(layers) - 1
    if not earlier:
        return "none falls"
    return "all others fall" if earlier == others else f"{earlier} of {others} others fall"


def _until(layer: LayerSurvival) -> str:
    return f"the largest amount, {amount_name(layer.value)}" if layer.censored else f"amount {layer.text}"


def _named(layers: Sequence[LayerSurvival], verb: str) -> str:
    labels = [layer.label for layer in layers]
    return f"layer {labels[0]} {verb}s" if len(labels) == 1 else f"layers {listed(labels)} {verb}"


def _interval(interval: tuple[float, float], largest: float) -> str:
    low, high = interval
    if low >= largest:
        return "no single example changes that"
    upper = "the largest amount or beyond" if high >= largest else f"{high:.2f}"
    return f"95 % interval {low:.2f} to {upper}"
