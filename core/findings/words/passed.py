"""Sentences on layers and halves of layers that are pruned alone, and on harm over all shipped checkpoints."""

from collections.abc import Sequence

from core.findings.claim import Lead
from core.findings.passed import CellMean, HalvesHarm, Harm, PassedOn
from core.findings.words import Finding, points, points_span, share_with_interval
from core.findings.words.numbers import decimals, percent
from core.request.catalog import CONFIDENCE
from core.results.names import PointLabel, amount_name, layer_number

HALVES_ALONE = "Intact is not harmless: each half of the layers pruned alone"
ENDS = {True: "what the classifier reads", False: "the first token of the last layer's output"}
CELLS = "combinations of task and number of layers"


def passed_finding(chosen: PointLabel, passed: PassedOn, table: Sequence[Harm]) -> Finding:
    """Say what a layer passes on at the amount in the middle, then what harm follows on all shipped checkpoints.

    Args:
        chosen: The label of the layer's point.
        passed: See `core.findings.passed.passed_on`.
        table: See `core.findings.passed.shipped`.
    """
    layer, amount = layer_number(chosen), list(passed.method)[len(passed.method) // 2]
    _, own, end, harm = passed.method[amount][layer - 1].tolist()
    random = f"; random removal: {percent(passed.by_chance[amount][layer - 1, -1, 0])}" if passed.seeds else ""
    alone = (
        f"With {amount_name(amount)} of its weights removed, and no others, its own output loses {decimals(own[0], 2)} "
        f"of its similarity, {ENDS[passed.is_read]} {decimals(end[0], 2)}, and "
        f"{share_with_interval(harm[0], harm[1:])} of predictions change{random}."
    )
    heading, beyond = f"What layer {layer} passes on", [harm for harm in table if "beyond" in harm.estimates]
    if not beyond:
        return Finding(heading, (alone,))
    numbers = (
        " against ".join(decimals(harm.estimates[name].value, 2) for name in ("end", "own")) + f" under {harm.name}"
        for harm in beyond
    )
    closer = (
        "On average, predictions changed by one layer follow the loss at the end "
        f"({ENDS[all(harm.is_read for harm in table)]}) more closely than its own: rank correlations "
        f"{' and '.join(numbers)}, over {beyond[0].estimates['beyond'].cells} {CELLS}."
    )
    return Finding(heading, (alone, closer))


def halves_finding(lead: Lead | None, harm: HalvesHarm, table: Sequence[Harm]) -> Finding:
    """Say whether the half of the layers that fades is the one that matters, here and on all shipped checkpoints.

    Args:
        lead: The half that changes more where all layers are pruned, see `core.findings.claim.Verdict`.
        harm: Of both halves pruned alone, see `core.findings.passed.harm_of`.
        table: See `core.findings.passed.shipped`.
    """
    matters, removed = "lower" if harm.lower > harm.upper else "upper", percent(harm.removed)
    heading = f"the {matters} half of the layers matters more"
    if harm.p_value > 1 - CONFIDENCE:
        heading = "neither half of the layers is shown to matter more"
    elif lead and lead != matters:
        heading = f"the {lead} half of the layers changes more, but pruning the {matters} half does more harm"
    is_less = harm.whole < max(harm.lower, harm.upper)
    whole = f"; of all layers only {percent(harm.whole)}, as what one half changes, the other turns back in part"
    own = (
        f"Removing {removed} of the weights of the lower half of the layers alone (about {percent(harm.removed / 2)} "
        f"of all) changes {percent(harm.lower)} of predictions; of the upper half alone, {percent(harm.upper)}"
        f"{whole if is_less else ''}."
    )
    return Finding(f"At {removed} removed, {heading}", (own, *apart_sentence(table)))


def apart_sentence(table: Sequence[Harm]) -> Sequence[str]:
    """Say how many predictions more either half changes alone on average; nothing where that is unknown."""
    means = [(harm.name, harm.estimates["apart"]) for harm in table if "apart" in harm.estimates]
    if not means:
        return ()
    (name, first), *others = means
    more, interval = _more(first)
    own = f"{name} of the lower half alone changes {more} predictions than of the upper half (95 % interval {interval})"
    rest = "".join(f", {other} {' ('.join(_more(mean))})" for other, mean in others)
    return (f"Over the {first.cells} {CELLS} measured so, {own}{rest}.",)


def _more(mean: CellMean) -> tuple[str, str]:
    """Write a difference in points, `5 points more`, and its interval, as much more or fewer."""
    sign = -1 if mean.value < 0 else 1
    low, high = sorted(sign * end for end in mean.interval)
    return f"{points(abs(mean.value))} {'fewer' if sign < 0 else 'more'}", points_span(low, high)
