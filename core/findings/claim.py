"""The published claim, "lower layers survive longer", held against one result, its random control and each layer alone.

A decline of CKA with depth proves little by itself: pruning is cumulative, so that some decline is expected of any
method. What a result says is therefore said together with what random pruning shows on the same examples, and with
what is left when one layer alone is pruned, as far as these are at hand.
"""

from collections.abc import Iterable, Mapping, Sequence

from core.findings.overview import layer_survivals, own_cka
from core.request.catalog import METHODS
from core.results.names import amount_name, circumstances, in_sentence, listed, method_name, pruned_layer, pruning_name
from core.results.schema import DepthGapRecord, Frame, SweepResult
from core.sweep.statistics import DEPTH_GAP_BOUND, Difference, depth_correlation, gap_difference, verdict

CLAIM = 'the published claim, "lower layers survive longer",'
SEEDS = 3  # of a random control, at least
SPARSITY_TOLERANCE = 0.01  # two prunings that differ by less remove equally much
ISOLATED_AMOUNT = 0.5  # where each layer alone is looked at, or as near as there are results
ORDERED = 0.5  # |tau-b| from which on depth is said to order the layers


def verdict_finding(
    result: SweepResult,
    reduction: str,
    controls: Iterable[SweepResult] = (),
    isolated: Iterable[SweepResult] = (),
) -> str:
    """Says whether the published claim holds here, whether chance does the same, and what each layer does alone.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        controls: Results among which those of the method's random control are picked, see `controls_of`.
        isolated: Results among which those of each layer alone are picked, see `isolated_of`.
    """
    gap = depth_gap_of(result, reduction)
    if gap is None or pruned_layer(result):
        return _no_verdict(result, reduction)
    sentences = (
        _claim(result, reduction, gap),
        _against_chance(result, reduction, gap, controls_of(result, controls)),
        isolated_finding(result, reduction, isolated_of(result, isolated)),
    )
    return " ".join(sentence for sentence in sentences if sentence)


def verdict_in_short(result: SweepResult, reduction: str, controls: Iterable[SweepResult] = ()) -> str:
    """Says the same in one line, without what layers do alone.

    Args:
        result: A whole sweep or the first frames of one.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        controls: As `verdict_finding` takes them.

    Returns:
        The end of a sentence about the claim: `holds (depth gap …); …`.
    """
    gap = depth_gap_of(result, reduction)
    if gap is None or pruned_layer(result):
        return "gets no verdict" + (" with all tokens, which include sentence length" if reduction == "tokens" else "")
    holds = {"holds": "holds", "does not hold": "does not hold", "cannot be told": "can be neither held nor rejected"}
    known = [theirs for other in controls_of(result, controls) if (theirs := depth_gap_of(other, reduction))]
    chance = _chance_in_short(result, [gap_difference(gap, theirs) for theirs in known])
    return f"{holds[verdict(gap)]} (depth gap {number(gap.value)}, {interval_text(gap)}); {chance}"


def _chance_in_short(result: SweepResult, differences: Sequence[Difference]) -> str:
    method = METHODS.get(result.pruning.method)
    if method and method.control is None:
        return "this is the random control itself"
    if not differences:
        return "no random control is at hand"
    if all(one.low > 0 for one in differences):
        return "random pruning favours lower layers less"
    if all(one.high < 0 for one in differences):
        return "random pruning favours lower layers even more"
    return "no difference from random pruning is established"


def depth_gap_of(result: SweepResult, reduction: str) -> DepthGapRecord | None:
    """Gives the depth gap with its interval, where the result holds one."""
    known = (result.statistics or {}).get(reduction)
    return known.depth_gap if known else None


def number(value: float) -> str:
    """Writes a depth gap or a difference of two."""
    return f"{value:z.3f}"


def interval_text(interval: DepthGapRecord | Difference) -> str:
    """Writes an estimate's 95 % interval."""
    return f"95 % interval {number(interval.low)} to {number(interval.high)}"


# ---------------------------------------------------------------- the claim


def _no_verdict(result: SweepResult, reduction: str) -> str:
    """Says why the claim is not judged."""
    layer = pruned_layer(result)
    if layer:
        return f"Layer {layer} alone is pruned here: this says nothing about {CLAIM} which is about pruning all layers."
    if reduction == "tokens":
        return (
            f"With all tokens, as published, {CLAIM} gets no verdict: these values include sentence length, "
            "and their minibatches are too few for an interval."
        )
    if not result.key:
        why = "the sweep is not finished"
    elif reduction in (result.statistics or {}):
        why = "CKA is undefined somewhere, or there is but one layer"
    else:
        why = "no interval is known"
    return f"Whether {CLAIM} holds here cannot be told: {why} ({circumstances(result, reduction)})."


def _claim(result: SweepResult, reduction: str, gap: DepthGapRecord) -> str:
    """Judges the claim by the interval of D."""
    judgement = verdict(gap)
    holds = {
        "holds": f"{CLAIM} holds here",
        "does not hold": f"{CLAIM} does not hold here",
        "cannot be told": f"it cannot be told whether {CLAIM} holds here",
    }[judgement]
    where = {
        "holds": f"above {DEPTH_GAP_BOUND}",
        "does not hold": f"below {DEPTH_GAP_BOUND}{_which_half(gap)}",
        "cannot be told": f"which reaches to both sides of {DEPTH_GAP_BOUND}",
    }[judgement]
    correlation = depth_correlation([one.value for one in layer_survivals(result, reduction)])
    tau = "" if correlation is None else f" Kendall's tau-b of survival with depth is {correlation:z.2f}."
    return (
        f"Under {in_sentence(pruning_name(result))}, {holds}: the depth gap, by which CKA averaged over amounts up to "
        f"{amount_name(result.amounts[-1])} is higher in the lower half of the layers than in the upper half, is "
        f"{number(gap.value)} ({interval_text(gap)}, {where}) ({circumstances(result, reduction)}).{tau}"
    )


def _which_half(gap: DepthGapRecord) -> str:
    """Tells a small gap from none and from the reverse."""
    if gap.high < 0:
        return ": it is the upper half that keeps more"
    return ": there, but too small" if gap.low > 0 else ""


# ---------------------------------------------------------------- chance


def controls_of(result: SweepResult, candidates: Iterable[SweepResult]) -> list[SweepResult]:
    """Picks the results of a method's random control that can be held against its result, one a seed.

    Args:
        result: The method's result.
        candidates: Any results.

    Returns:
        Those on the same checkpoint, examples, points, scope and amounts, by seed.
    """
    method = METHODS.get(result.pruning.method)
    fitting = {
        other.pruning.seed: other
        for other in candidates
        if method
        and other.pruning.method == method.control
        and _same_measurement(result, other)
        and other.pruning.scope == result.pruning.scope
        and other.amounts == result.amounts
    }
    return [fitting[seed] for seed in sorted(fitting)]


def same_examples(one: SweepResult, other: SweepResult) -> bool:
    """Tells whether two results come from the same examples in the same order, so that they can be paired."""
    return all(
        getattr(one.task, name) == getattr(other.task, name)
        for name in ("name", "fingerprint", "examples", "gold", "max_length")
    )


def remove_equally(one: Frame, other: Frame) -> bool:
    """Tells whether two frames have lost nearly the same share of the encoder's weights."""
    return abs(one.prunable_sparsity - other.prunable_sparsity) <= SPARSITY_TOLERANCE


def _same_measurement(one: SweepResult, other: SweepResult) -> bool:
    return (
        one.checkpoint.revision == other.checkpoint.revision
        and one.cka.points == other.cka.points
        and same_examples(one, other)
    )


def _against_chance(result: SweepResult, reduction: str, gap: DepthGapRecord, controls: Sequence[SweepResult]) -> str:
    """Says whether the depth gap differs from that of random pruning."""
    method = METHODS.get(result.pruning.method)
    if method and method.control is None:
        return "This is the random control itself: whatever it shows is no method's doing."
    known = [(other, theirs) for other in controls if (theirs := depth_gap_of(other, reduction))]
    if not known:
        return (
            "No random control on the same examples is at hand, and without one no curve means much: pruning is "
            "cumulative, so that some decline with depth is expected of any method."
        )
    differences = [gap_difference(gap, theirs) for _, theirs in known]
    gaps = _range([theirs.value for _, theirs in known])
    return (
        f"Its control, {in_sentence(method_name(known[0][0]))}, has a depth gap of {gaps}; "
        f"{_compared(differences)}.{_uneven(result, known[0][0])}"
    )


def _compared(differences: Sequence[Difference]) -> str:
    """Says what the differences to the control's seeds have in common."""
    above, below = (sum(one.low > 0 for one in differences), sum(one.high < 0 for one in differences))
    seeds = len(differences)
    each = f"against each of {seeds} seeds" if seeds > 1 else "against the one seed at hand"
    few = f" ({SEEDS} seeds are the least to rely on)" if seeds < SEEDS else ""
    span = f"D(method) - D(random) is {_range([one.value for one in differences])}"
    if seeds in (above, below):
        more = "more" if above else "less"
        return (
            f"{span}, and its 95 % interval excludes 0 {each}{few}: this method favours the lower half {more} than "
            "random pruning does"
        )
    if not above and not below:
        return f"{span}, and its 95 % interval includes 0 {each}{few}: no difference from random pruning is shown"
    counts = f"above 0 against {above}, below 0 against {below} and on both sides against {seeds - above - below}"
    return f"{span}, with an interval {counts} of {seeds} seeds{few}: no difference from random pruning is established"


def _range(values: Sequence[float]) -> str:
    low, high = number(min(values)), number(max(values))
    return low if low == high else f"{low} to {high}"


def _uneven(result: SweepResult, control: SweepResult) -> str:
    """Tells where the control does not remove as much as the method."""
    if all(remove_equally(a, b) for a, b in zip(result.frames, control.frames, strict=True)):
        return ""
    own, random = (one.frames[-1].prunable_sparsity for one in (result, control))
    return (
        f" The two do not remove equally much at the same amount: at {amount_name(result.amounts[-1])}, {own:.2f} of "
        f"the encoder's weights against {random:.2f}."
    )


# ---------------------------------------------------------------- each layer alone


def isolated_of(result: SweepResult, candidates: Iterable[SweepResult]) -> dict[int, SweepResult]:
    """Picks the results of the same method on one layer alone.

    Args:
        result: The result on all layers.
        candidates: Any results.

    Returns:
        Those on the same checkpoint, examples and points with the same seed, by layer counted from 1.
    """
    fitting = {
        layer: other
        for other in candidates
        if (layer := pruned_layer(other))
        and other.pruning.method == result.pruning.method
        and other.pruning.seed == result.pruning.seed
        and _same_measurement(result, other)
    }
    return {layer: fitting[layer] for layer in sorted(fitting)}


def isolated_finding(result: SweepResult, reduction: str, isolated: Mapping[int, SweepResult]) -> str:
    """Says whether layers that are pruned alone show the order of layers that are pruned together.

    Args:
        result: The result on all layers.
        reduction: A name from `core.request.catalog.REDUCTIONS`.
        isolated: Each layer pruned alone, see `isolated_of`; without any, nothing is said.
    """
    layers = result.checkpoint.num_layers
    common = set.intersection(*(set(one.amounts) - {0.0} for one in isolated.values())) if isolated else set()
    if not common:
        return ""
    if len(isolated) < layers:
        return f"How much a layer changes when it is pruned alone is known for {len(isolated)} of {layers} layers only."
    amount = min(common, key=lambda at: (abs(at - ISOLATED_AMOUNT), at))
    values = [_own_at(one, reduction, layer, amount) for layer, one in isolated.items()]
    part = "output" if any(point.endswith("output") for point in result.cka.points) else "attention block"
    shown = listed(["undefined" if value != value else f"{value:.3f}" for value in values])
    together = [one.value for one in layer_survivals(result, reduction)]
    return (
        f"When each layer is pruned alone, at amount {amount_name(amount)}, the layers keep, from the first to the "
        f"last, a CKA of {shown} with their own baseline ({part}): {_orders(values, together)}."
    )


def _own_at(result: SweepResult, reduction: str, layer: int, amount: float) -> float:
    """A layer's own CKA at its deepest point; NaN where it is undefined."""
    column = max(k for k, point in enumerate(result.cka.points) if point.startswith(f"layer.{layer - 1}."))
    return float(own_cka(result, reduction)[result.amounts.index(amount), column])


def _orders(alone: Sequence[float], together: Sequence[float]) -> str:
    """Compares two orders of layers by Kendall's tau-b with depth."""
    if any(value != value for value in alone):
        return "an order cannot be told"
    one, both = depth_correlation(alone), depth_correlation(together)
    words = {1: "deeper layers keep more", -1: "deeper layers keep less", 0: "depth does not order them"}
    said = f"{words[_direction(one)]} ({_tau_text(one)})"
    if not _direction(one) or not _direction(both):
        relation = "as" if _direction(one) == _direction(both) else "unlike"
    else:
        relation = "the same order as" if _direction(one) == _direction(both) else "the reverse of the order"
    return f"{said}, {relation} when all layers are pruned ({_tau_text(both)})"


def _direction(correlation: float | None) -> int:
    return 0 if correlation is None or abs(correlation) < ORDERED else 1 if correlation > 0 else -1


def _tau_text(correlation: float | None) -> str:
    return "all equal" if correlation is None else f"tau-b with depth {correlation:z.2f}"
