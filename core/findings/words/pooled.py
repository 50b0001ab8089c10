"""What all checkpoints together say: the claim that All results, README.md and docs/results.md open with."""

from collections.abc import Sequence

from core.findings.pooled import ALL, WHOLE, Pooled
from core.findings.words import NONE, Said, Table, points, points_span
from core.findings.words.numbers import decimals, percent
from core.request.catalog import DAMAGE
from core.results.names import in_sentence
from core.sweep.control_contrast import DIFFERENT, MARGIN

LEAST = decimals(100 * MARGIN, 0)  # points that count
WHERE = "the upper half of the layers"
MEANING = (
    "Points are percentage points of the change in the layers that lies in their upper half, the method's minus random "
    f"removal's, where the overall change is {decimals(DAMAGE, 2)}. Intervals are 95 %, seed twins are averaged, and "
    f"differences within ±{LEAST} points are too small to count. Six layers are MiniLM, twelve MPNet: depth cannot be "
    "told from the pretrained model."
)


def claim_said(known: Pooled, table: Sequence[Pooled] = ()) -> Said:
    """Say where a method changes all checkpoints and whether random removal does the same, then by how much it differs.

    Args:
        known: The method.
        table: All methods: those that differ are named as well.
    """
    different = [other for other in table if other is not known and other.estimates[ALL].state in DIFFERENT]
    return Said(claim_heading(known), tuple(map(difference_sentence, (known, *different))))


def claim_heading(known: Pooled) -> str:
    """Say where a method changes all checkpoints, and whether random removal does the same."""
    state, count = known.estimates[ALL].state, len(known.keys)
    upper, drawn = (sum(getattr(cell, name) for cell in known.cells) for name in ("upper", "control_upper"))
    where = f"The upper layers change most, on all {count} checkpoints"
    if upper < count:
        where = f"The upper layers are shown to change most on {upper} of {count} checkpoints"
    if state in DIFFERENT:
        return f"{where}, {'more' if state == 'steeper' else 'less'} so than under random removal"
    if state == "inconclusive":
        return f"{where}; whether random removal does the same is inconclusive"
    if drawn < upper:
        return f"{where}, under random removal on {drawn}; on average, both do about the same"
    return f"{where}. Random removal does the same"


def difference_sentence(known: Pooled) -> str:
    """Say by how much a method differs from random removal over all cells."""
    found, title = known.estimates[ALL], known.title
    between = f"(difference {points(found.value, '+')}, 95 % interval {points_span(*found.interval)})"
    if found.state == "equivalent":
        return f"{title} puts about as much of the change into {WHERE} as random removal {between}."
    if found.state == "inconclusive":
        said = f"{in_sentence(title)} puts as much of the change into {WHERE} as random removal"
        return f"Whether {said} is inconclusive {between}."
    least, most = sorted(map(abs, found.interval))
    more = f"{points(abs(found.value))} {'more' if found.state == 'steeper' else 'less'}"
    doubt = "" if least >= MARGIN else f", which may be less than the {LEAST} that we treat as real"
    span, whole = points_span(least, most), known.estimates.get(WHOLE)
    if whole is None or whole.state != found.state:  # some of the cells lack seeds
        interval = f" (difference {points_span(*whole.interval)})" if whole else ""
        doubt += f"; the tasks with all seeds of random removal leave it inconclusive{interval}"
    return f"{title} puts {more} of the change into {WHERE} than random removal (95 % interval {span}){doubt}."


def pooled_table(table: Sequence[Pooled]) -> Table:
    """Tabulate what all checkpoints together say of each method, in percentage points."""
    return [
        {
            "Method": known.title,
            "Over": name,
            "Tasks and depths": str(found.cells),
            "Difference in points": f"{decimals(100 * found.value, 1)} ({points_span(*found.interval, 1)})",
            "By the draws alone": points_span(*found.within, 1) if found.within else NONE,
            "SD between them (τ)": decimals(100 * found.deviation, 1),
            "I²": percent(found.inconsistency),
            "Expected in another": points_span(*found.predicted, 1) if found.predicted else NONE,
        }
        for known in table
        for name, found in known.estimates.items()
        if name != WHOLE or found.cells < known.estimates[ALL].cells
    ]
