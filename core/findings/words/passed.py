"""What is said of layers and halves of layers that are pruned alone, and of harm over all shipped checkpoints."""

from collections.abc import Sequence

from core.findings.claim import Lead
from core.findings.harm import APART, BEYOND, END, OWN, Harm
from core.findings.passed import HalvesHarm, PassedOn
from core.findings.words import Said, numbered, points, points_span
from core.findings.words.numbers import decimals, percent, percent_range
from core.request.catalog import CONFIDENCE, METHODS
from core.results.names import PointLabel, amount_name, in_sentence, layer_number, listed

PASSED = "what this layer passes on"
NOT_HARMLESS = "Intact is not harmless"
ENDS = {True: "what the classifier reads", False: "the first token of the last layer's output"}
CELLS = "tasks and depths"


def passed_label(table: Sequence[Harm]) -> str:
    """Name the part about layers pruned alone, and warn of what "intact" suggests where every checkpoint refutes it."""
    known = [cell[BEYOND] for harm in table for cell in harm.cells.values() if BEYOND in cell]
    return f"{NOT_HARMLESS}: {PASSED}" if known and min(known) > 0 else PASSED.capitalize()


def passed_said(chosen: PointLabel, passed: PassedOn, table: Sequence[Harm]) -> tuple[str, ...]:
    """Say what a layer passes on at the amount in the middle, then what harm follows on all shipped checkpoints.

    Args:
        chosen: The label of the layer's point.
        passed: See `core.findings.passed.passed_on`.
        table: See `core.findings.harm.shipped`.
    """
    amount = list(passed.method)[len(passed.method) // 2]
    layer = layer_number(chosen)
    row, drawn = passed.method[amount][layer - 1], passed.by_chance.get(amount)
    low, high = map(percent, row.changed_interval or (row.changed, row.changed))
    random = f"; random removal: {percent(drawn[layer - 1].changed)}" if drawn else ""
    own = (
        f"With {amount_name(amount)} of layer {layer}'s weights removed, and no others, its own output loses "
        f"{decimals(row.own, 2)} of its similarity, {ENDS[passed.is_read]} {decimals(row.end, 2)}, and "
        f"{percent(row.changed)} of predictions change (95 % interval {percent_range(low, high)}{random})."
    )
    return own, *follows_sentence(table)


def follows_sentence(table: Sequence[Harm]) -> tuple[str, ...]:
    """Say on how many checkpoints harm follows the end more closely than a layer's own loss, and at random as well."""
    known: list[str] = []
    for harm in (harm for harm in table if BEYOND in harm.estimates):
        how = "random removal" if harm.controls else f"{in_sentence(METHODS[harm.method].title)} pruning"
        differences = [cell[BEYOND] for cell in harm.cells.values() if BEYOND in cell]
        count = f"in {sum(value > 0 for value in differences)} of {len(differences)}"
        numbers = [decimals(harm.estimates[name].value, 2) for name in (END, OWN)]
        known.append(f"under {how} {count} {'' if known else f'{CELLS} '}(rank correlations {' and '.join(numbers)})")
    end = ENDS[all(harm.is_read for harm in table)]
    follows = f"Changed predictions follow the loss at the end ({end}) more closely than the pruned layer's own"
    return (f"{follows}: {listed(known)}.",) if known else ()


def halves_said(
    lead: Lead | None, harm: HalvesHarm, seeds: Sequence[HalvesHarm], table: Sequence[Harm], method: str
) -> Said:
    """Say whether the half of the layers that fades is the one that matters, and whether random removal agrees.

    Args:
        lead: The half that changes more where all layers are pruned, see `core.findings.claim.Verdict`.
        harm: Of both halves pruned alone, see `core.findings.passed.harm_of`.
        seeds: The same of random removal.
        table: See `core.findings.harm.shipped`.
        method: A name from METHODS.
    """
    is_shown = harm.p_value <= 1 - CONFIDENCE
    matters = ("lower" if harm.lower > harm.upper else "upper") if is_shown else None
    if matters is None:
        heading = "Neither half of the layers is shown to matter more"
    elif lead is None or lead == matters:
        heading = f"The {matters} half of the layers matters more"
    else:
        heading = "What fades is not what matters"
    own = (
        f"With {percent(harm.removed)} of the encoder's weights removed from the lower half of the layers alone, "
        f"{percent(harm.lower)} of predictions change; from the upper half alone, {percent(harm.upper)}."
    )
    same = sum((seed.lower > seed.upper) == (harm.lower > harm.upper) for seed in seeds)
    drawn = f"random removal has the same order in {same} of {numbered(len(seeds), 'draw')}" if seeds else ""
    means = [harm for harm in table if method in (harm.method, harm.controls) and APART in harm.estimates][:2]
    more = ", under random removal ".join(_points(known) for known in means)
    pooled = (
        f"on average over {means[0].estimates[APART].cells} {CELLS}, the lower half changes {more}" if means else ""
    )
    said = "; ".join(filter(None, (drawn, pooled)))
    return Said(heading, (own, f"{said[0].upper()}{said[1:]}.") if said else (own,))


def _points(harm: Harm) -> str:
    """Write by how many points more, or fewer, the lower half changes."""
    found = harm.estimates[APART]
    low, high = found.interval if found.value > 0 else (-end for end in reversed(found.interval))
    more = "more" if found.value > 0 else "fewer"
    return f"{points(abs(found.value))} {more} (95 % interval {points_span(low, high)})"
