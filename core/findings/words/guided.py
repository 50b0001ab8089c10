"""What guided shares are worth: sentences and tables of Methods, docs/results.md, and pages that show such a result."""

from collections.abc import Sequence

from core.findings.guided import AMOUNTS, GLOBAL, GOAL, GUIDED, METHODS, Place, together
from core.findings.words import NONE, Said, Table, numbered, points_span
from core.findings.words import numbers as num
from core.request import catalog
from core.results.fields import Bounds
from core.results.names import amount_name, capitalised, listed
from core.results.schema import SweepResult

TITLES = {GLOBAL: "Global magnitude"} | {
    name: capitalised(catalog.METHODS[name].title.partition(", ")[2]) for name in METHODS if name != GLOBAL
}


def guided_said(table: Sequence[Place]) -> Said:
    """Say whether guided pruning changes fewer predictions than global magnitude, by the checkpoints that confirm it.

    Args:
        table: At least one checkpoint.
    """
    known, *_ = together(table)
    ratio, outcome = num.decimals(known.ratios[GLOBAL], 2), "met" if known.is_met else "missed"
    amounts, span = listed([amount_name(amount) for amount in AMOUNTS]), [num.decimals(end, 2) for end in known.span]
    equal, answers = (num.decimals(known.ratios[name], 2) for name in ("uniform", "divergence"))
    return Said(
        f"{TITLES[GUIDED]}, pruning changes {ratio} times as many predictions as global magnitude",
        (
            f"This is the geometric mean of {numbered(known.checkpoints, 'checkpoint')} ({known.group}) with {amounts} "
            f"removed, from {' to '.join(span)}; fewer are shown in {known.fewer} of {known.places} places (McNemar's "
            f"exact test), more in {known.more} (paired 95 % intervals).",
            f"The goal, at most {num.decimals(GOAL, 2)} with more in no place and no shorter working range (shorter on "
            f"{known.shorter} of {known.checkpoints}), is {outcome}; the ratio to equal shares is {equal}, to the "
            f"same search by the answers {answers}.",
        ),
    )


def guided_tables(table: Sequence[Place]) -> tuple[Table, Table, Table]:
    """Tabulate what groups of checkpoints say, then every place, then every working range."""
    groups = [
        {
            "Checkpoints": known.group,
            "Number": str(known.checkpoints),
            **{f"Ratio to {TITLES[name].lower()}": num.decimals(mean, 2) for name, mean in known.ratios.items()},
            "Smallest to largest": " to ".join(num.decimals(end, 2) for end in known.span),
            "Shown to change fewer": f"{known.fewer} of {known.places}",
            "Shown to change more": f"{known.more} of {known.places}",
        }
        for known in together(table)
    ]
    ranges = [
        {
            "Checkpoint": place.checkpoint,
            "Works up to, of": f"{place.examples} examples",
            **{TITLES[name]: NONE if (to := place.works_to[name]) is None else amount_name(to) for name in METHODS},
        }
        for place in table
        if place.amount == AMOUNTS[0]
    ]
    return groups, places_table(table), ranges


def places_table(table: Sequence[Place]) -> Table:
    """Tabulate what each method changes on every checkpoint at every amount, and how guided pruning differs."""
    return [
        {
            "Checkpoint": place.checkpoint,
            "Predictions changed, %": f"{amount_name(place.amount)} removed",
            **{TITLES[name]: _points(known.share, known.interval) for name, known in place.changed.items()},
            "Ratio to global": num.decimals(place.beside[GLOBAL].ratio, 2),
            "Difference in points": _points(place.beside[GLOBAL].difference, place.beside[GLOBAL].interval),
            "p": num.p_value(place.beside[GLOBAL].p_value),
        }
        for place in table
    ]


def _points(share: float, interval: Bounds | None) -> str:
    """Write a share, or a difference of shares, with its interval, in percentage points."""
    return num.decimals(100 * share, 1) + (f" ({points_span(*interval, 1)})" if interval else "")


def shares_sentence(result: SweepResult) -> str:
    """Say what the shares of a result were chosen on, and what each layer loses; empty where none were chosen."""
    by, known = result.pruning.calibration, result.pruning.allocation
    if by is None or known is None:
        return ""
    frame = min(result.frames, key=lambda frame: abs(frame.amount - AMOUNTS[-1]))
    lost = listed([num.decimals(100 * share, 0) for share in frame.layer_sparsity])
    return (
        f"Shares chosen on {by.num_examples} sentences without their labels ({by.source_name}), in "
        f"{num.decimals(known.passes, 0)} passes: with {amount_name(frame.amount)} removed, the layers lose {lost} %."
    )
