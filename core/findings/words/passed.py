"""Sentences on layers and halves of layers that are pruned alone, and on harm over all shipped checkpoints."""

from collections.abc import Sequence
from math import isfinite

from core.findings.claim import Lead
from core.findings.passed import HELD_AGAINST, HalvesHarm, PassedOn
from core.findings.pooled import Estimate, estimate
from core.findings.words import Finding, points, points_span
from core.findings.words.numbers import decimals, percent, percent_range
from core.request.catalog import CONFIDENCE, DAMAGE
from core.results.names import amount_name
from core.sweep.control_contrast import MARGIN

SEE_ALONE = "See the story's scene on layers alone"  # a link
HALVES_ALONE = "Intact is not harmless: each half of the layers pruned alone"
ENDS = {True: "the classifier", False: "the last layer's [CLS]"}
CELLS = "combinations of task and number of layers"


def alone_finding(passed: PassedOn) -> Finding:
    """Say which half of the layers changes more, pruned one at a time, and what either half hands on.

    Args:
        passed: See `core.findings.passed.passed_on`; read at its smallest amount, beyond which several tasks turn back.
    """
    amount = min(passed.losses)
    together, alone = passed.upper_shares(amount)
    lead = next(
        (half for half, share in (("lower", 1 - alone), ("upper", alone)) if share >= 0.5 + MARGIN),
        None,
    )
    ends, parts = passed.halves.get(amount), list[str]()
    heading = "Pruned one at a time, neither half of the layers changes much more"
    if lead:
        hands_on = " and hand it on" if lead == "lower" and ends and ends[0] > ends[1] else ""
        heading = f"Pruned one at a time, the {lead} layers change most{hands_on}"
    upper_half, one = (
        "of the lost similarity is in the upper half",
        "with one layer pruned at a time",
    )
    own = f"At {amount_name(amount)} removed, {percent(alone)} {upper_half} {one}"
    if isfinite(together):
        own = f"At {amount_name(amount)} removed, {percent(together)} {upper_half}; {one}, {percent(alone)}"
    chance, notes = estimate("alone", "amount", amount, "random"), list[str]()
    if chance and chance.interval[1] >= 0.5 and lead == "lower":
        drawn = f"{percent(chance.value)} (95 % interval {percent_range(*chance.interval)})"
        at_random = f"Under random removal, the upper half has {drawn} of it, over {len(chance.by_cell)} {CELLS}"
        notes.append(f"{at_random}: no turn is shown.")
    if ends:
        to = " to {}, only the upper to {}.".format(*(decimals(1 - end, 3) for end in ends))
        parts.append(f"Pruning only the lower half lowers the last layer's similarity{to}")
    return Finding(heading, (f"{own}.", *parts), notes=tuple(notes))


def halves_finding(lead: Lead | None, harm: HalvesHarm) -> Finding:
    """Say whether the half of the layers that fades is the one that matters, here and on all shipped checkpoints.

    Args:
        lead: The half that changes more where all layers are pruned, see `core.findings.claim.Verdict`.
        harm: Of both halves pruned alone, see `core.findings.passed.harm_of`.
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
    return Finding(f"At {removed} removed, {heading}", (own, *apart_sentence()))


def apart_sentence() -> Sequence[str]:
    """Say how many more predictions either half changes alone on all shipped checkpoints; nothing if unknown."""
    equally_pruned, equally_changed = (
        estimate("harm", "amount", HELD_AGAINST),
        estimate("harm", "change", DAMAGE),
    )
    if not equally_pruned or not equally_changed:
        return ()
    more, interval = _more(equally_pruned)
    low, high = equally_changed.interval
    is_shown = not low <= 0 <= high
    after, span = (
        _more(equally_changed) if is_shown else ("no difference is shown", points_span(low, high))
    )
    return (
        f"Over {len(equally_pruned.by_cell)} {CELLS}, removing {percent(HELD_AGAINST)} of the lower half alone changes "
        f"{more} predictions than of the upper half (95 % interval {interval}), but where both have changed the layers "
        f"equally much, {after} ({span}).",
    )


def _more(mean: Estimate) -> tuple[str, str]:
    """Write a difference in points, `5 points more`, and its interval, as much more or fewer."""
    sign = -1 if mean.value < 0 else 1
    low, high = sorted(sign * end for end in mean.interval)
    return f"{points(abs(mean.value))} {'fewer' if sign < 0 else 'more'}", points_span(low, high)
