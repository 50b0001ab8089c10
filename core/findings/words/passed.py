"""Sentences on layers and halves of layers that are pruned alone, and on harm over all shipped checkpoints."""

from collections.abc import Sequence
from math import isfinite

from core.findings.claim import Lead
from core.findings.meaning import estimate
from core.findings.passed import CellMean, HalvesHarm, Harm, PassedOn
from core.findings.words import Finding, points, points_span
from core.findings.words.numbers import decimals, percent, percent_range
from core.request.catalog import CONFIDENCE
from core.results.names import amount_name, capitalised
from core.sweep.control_contrast import MARGIN

HALVES_ALONE = "Intact is not harmless: each half of the layers pruned alone"
ENDS = {True: "what the classifier reads", False: "the first token of the last layer's output"}
CELLS = "combinations of task and number of layers"


def alone_finding(passed: PassedOn) -> Finding:
    """Say which half of the layers changes more, pruned one at a time, and what either half hands on.

    Args:
        passed: See `core.findings.passed.passed_on`; read at its smallest amount, beyond which several tasks turn back.
    """
    amount = min(passed.losses)
    together, alone = passed.upper_shares(amount)
    lead = next((half for half, share in (("lower", 1 - alone), ("upper", alone)) if share >= 0.5 + MARGIN), None)
    ends, parts = passed.halves.get(amount), list[str]()
    heading = "Pruned alone, neither half of the layers changes much more"
    if lead:
        hands_on = ", and hand it on" if lead == "lower" and ends and ends[0] > ends[1] else ""
        heading = f"Pruned alone, the {lead} layers change most{hands_on}"
    whole = f"; of all layers, {percent(together)}" if isfinite(together) else ""
    half = f"{percent(alone)} of the losses lie in the upper half"
    own = f"With {amount_name(amount)} of one layer removed, {half}{whole}."
    if ends:
        lower, upper = (decimals(end, 3) for end in ends)
        parts.append(f"pruning the lower half alone costs the last layer {lower}, the upper half {upper}")
    chance = estimate("alone", "amount", amount, "random")
    if chance and chance.interval[1] >= 0.5 and lead == "lower":
        share = f"{percent(chance.value)}, {percent_range(*chance.interval)}"
        parts.append(f"at random, the order is not shown to turn ({share})")
    return Finding(heading, (own, *([f"{capitalised('; '.join(parts))}."] if parts else [])))


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
    own = (
        f"Removing {removed} of the weights of the lower half of the layers alone (about {percent(harm.removed / 2)} "
        f"of all) changes {percent(harm.lower)} of predictions; of the upper half alone, {percent(harm.upper)}."
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
