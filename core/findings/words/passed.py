"""Sentences on layers and halves of layers that are pruned alone, and on harm everywhere."""

from math import isfinite

from core.findings.claim import Lead
from core.findings.passed import HELD_AGAINST, HalvesHarm, PassedOn
from core.findings.pooled import estimate
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
    """Say which half of the layers changes more, pruned one at a time, and what either hands on.

    Args:
        passed: See `core.findings.passed.passed_on`; read at its smallest amount, beyond which
            several tasks turn back.
    """
    amount = min(passed.losses)
    together, alone = passed.upper_shares(amount)
    ends = passed.halves.get(amount)
    is_lower = 1 - alone >= 0.5 + MARGIN
    if is_lower or alone >= 0.5 + MARGIN:
        lead = "lower" if is_lower else "upper"
        hands_on = " and hand it on" if is_lower and ends and ends[0] > ends[1] else ""
        heading = f"Pruned one at a time, the {lead} layers change most{hands_on}"
    else:
        heading = "Pruned one at a time, neither half of the layers changes much more"

    removed = f"At {amount_name(amount)} removed"
    where = "of the lost similarity is in the upper half"
    if isfinite(together):
        own = (
            f"{removed}, {percent(together)} {where}; with one layer pruned at a time, "
            f"{percent(alone)}."
        )
    else:
        own = f"{removed}, {percent(alone)} {where} with one layer pruned at a time."
    sentences = [own]
    notes = []
    if ends:
        lower, upper = (decimals(1 - end, 3) for end in ends)
        sentences.append(
            "Pruning only the lower half lowers the last layer's similarity to "
            f"{lower}, only the upper to {upper}."
        )
    chance = estimate("alone", "amount", amount, "random")
    if chance and chance.interval[1] >= 0.5 and is_lower:
        notes.append(
            f"Under random removal, the upper half has {percent(chance.value)} (95 % interval "
            f"{percent_range(*chance.interval)}) of it, over {len(chance.by_cell)} {CELLS}: no "
            "turn is shown."
        )
    return Finding(heading, tuple(sentences), notes=tuple(notes))


def halves_words(lead: Lead | None, harm: HalvesHarm) -> str:
    """Say whether the half of the layers that fades is the one that matters, here and everywhere.

    Args:
        lead: The half that changes more where all layers are pruned, see
            `core.findings.claim.Verdict`.
        harm: Of both halves pruned alone, see `core.findings.passed.harm_of`.
    """
    matters = "lower" if harm.lower > harm.upper else "upper"
    if harm.p_value > 1 - CONFIDENCE:
        answer = "neither half of the layers is shown to matter more"
    elif lead and lead != matters:
        answer = (
            f"the {lead} half of the layers changes more, but pruning the {matters} half does more "
            "harm"
        )
    else:
        answer = f"the {matters} half of the layers matters more"
    removed = percent(harm.removed)
    own = (
        f"At {removed} removed, {answer}. Removing {removed} of the weights of the lower half of "
        f"the layers alone (about {percent(harm.removed / 2)} of all) changes "
        f"{percent(harm.lower)} of predictions; of the upper half alone, {percent(harm.upper)}."
    )
    equally_pruned = estimate("harm", "amount", HELD_AGAINST)
    equally_changed = estimate("harm", "change", DAMAGE)
    if not equally_pruned or not equally_changed:
        return own
    return (
        f"{own} Over {len(equally_pruned.by_cell)} {CELLS}, removing {percent(HELD_AGAINST)} of "
        f"the lower half alone changes {points(equally_pruned.value)} more predictions than of the "
        f"upper half (95 % interval {points_span(*equally_pruned.interval)}), but where both have "
        "changed the layers equally much, no difference is shown "
        f"({points_span(*equally_changed.interval)})."
    )
