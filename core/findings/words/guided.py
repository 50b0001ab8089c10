"""What guided shares are worth: sentences and tables of Methods, docs/results.md, and pages that show such a result."""

from collections.abc import Iterable, Mapping, Sequence

from core.findings.guided import AMOUNTS, GLOBAL, GOAL, GUIDED, METHODS, Group, Judged, judged, together
from core.findings.words import NONE, Said, numbered, points_span
from core.findings.words import numbers as num
from core.request import catalog
from core.results.fields import Bounds
from core.results.names import amount_name, capitalised, listed
from core.results.schema import SweepResult

Table = list[dict[str, str]]

GROUPS: Mapping[Group, str] = {
    "confirmatory": "no figure seen before",
    "seen": "figures seen before",
    "chosen on": "search and criterion chosen on them",
    "few examples": "few examples",
}
TITLES = {GLOBAL: "Global magnitude"} | {
    name: capitalised(catalog.METHODS[name].title.partition(", ")[2]) for name in METHODS if name != GLOBAL
}


def guided_said(table: Sequence[Judged]) -> Said:
    """Say whether guided pruning changes fewer predictions than global magnitude, by the checkpoints that confirm it.

    Args:
        table: At least one checkpoint.
    """
    known, *_ = together(table)
    ratio, amounts = known.ratios[GLOBAL], listed([amount_name(amount) for amount in AMOUNTS])
    less = num.percent(abs(1 - ratio))
    differs = (
        f"{less} {'fewer' if ratio < 1 else 'more'} predictions than" if less != "0 %" else "as many predictions as"
    )
    outcome = "met" if known.is_met else "missed"
    goal = f"at most {num.decimals(GOAL, 2)} times as many, no place with more, no shorter working range"
    return Said(
        f"{TITLES[GUIDED]}, pruning changes {differs} global magnitude; the goal is {outcome}",
        (
            f"On {numbered(len(known.names), 'checkpoint')} ({GROUPS[known.group]}) it changes "
            f"{num.decimals(ratio, 2)} times as many predictions as global magnitude with {amounts} of weights removed "
            f"(geometric mean of {num.decimals(known.least, 2)} to {num.decimals(known.most, 2)}). "
            f"The goal, {goal}, is {outcome}.",
            f"Paired 95 % intervals show fewer in {known.fewer} of {known.places} places and more in {known.more}; the "
            f"working range is shorter on {known.shorter} of {len(known.names)}.",
        ),
    )


def together_table(table: Sequence[Judged]) -> Table:
    """Tabulate what each group of checkpoints says together."""
    others = [name for name in METHODS if name != GUIDED]
    return [
        {
            "Checkpoints": f"{len(known.names)}: {GROUPS[known.group]}",
            **{f"Ratio to {TITLES[name].lower()}": num.decimals(known.ratios[name], 2) for name in others},
            "Smallest to largest": f"{num.decimals(known.least, 2)} to {num.decimals(known.most, 2)}",
            "Shown to change fewer": f"{known.fewer} of {known.places}",
            "Shown to change more": f"{known.more} of {known.places}",
            "Working range shorter": f"{known.shorter} of {len(known.names)}",
        }
        for known in together(table)
    ]


def places_table(table: Iterable[Judged]) -> Table:
    """Tabulate what each method changes on every checkpoint at every amount, and how guided pruning differs."""
    return [
        {
            "Checkpoint": known.checkpoint,
            "Removed": amount_name(at.amount),
            **{TITLES[name]: _points(at.changed[name].share, at.changed[name].interval) for name in METHODS},
            "Ratio to global": num.decimals(at.beside[GLOBAL].ratio, 2),
            "Difference in points": _points(at.beside[GLOBAL].difference, at.beside[GLOBAL].interval),
            "p": num.p_value(at.beside[GLOBAL].p_value),
        }
        for known in table
        for at in known.at
    ]


def shares_table(results: Iterable[SweepResult]) -> Table:
    """Tabulate the same of results on a page, without the checkpoint; empty unless all methods are among them."""
    rows = places_table(judged(results))
    return [{title: cell for title, cell in row.items() if title != "Checkpoint"} for row in rows]


def shares_sentence(result: SweepResult) -> str:
    """Say what the shares of a result were chosen on, and what each layer loses; empty where none were chosen."""
    by, known = result.pruning.calibration, result.pruning.allocation
    if by is None or known is None:
        return ""
    frame = min(result.frames, key=lambda frame: abs(frame.amount - AMOUNTS[-1]))
    lost = listed([num.decimals(100 * share, 0) for share in frame.layer_sparsity])
    return (
        f"Shares chosen on {by.num_examples} sentences without their labels ({by.source_name}), in "
        f"{num.decimals(known.passes, 0)} passes over them: with {amount_name(frame.amount)} removed, the layers lose "
        f"{lost} % of their weights."
    )


def ranges_table(table: Iterable[Judged]) -> Table:
    """Tabulate up to which amount each method leaves a model that works."""
    return [
        {
            "Checkpoint": known.checkpoint,
            "Examples": str(known.examples),
            "Group": GROUPS[known.group],
            **{TITLES[name]: NONE if (to := known.works_to[name]) is None else amount_name(to) for name in METHODS},
        }
        for known in table
    ]


def _points(share: float, interval: Bounds | None) -> str:
    """Write a share, or a difference of shares, with its interval, in percentage points."""
    return num.decimals(100 * share, 1) + (f" ({points_span(*interval, 1)})" if interval else "")
