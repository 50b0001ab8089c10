"""What guided shares are worth over all shipped checkpoints: what `docs/results.md` and Methods say of them.

Fixed before the results were computed: the goal, and which checkpoints confirm it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.findings.guided import AMOUNTS, GLOBAL, GUIDED, METHODS, Place, alike, places_of
from core.findings.words import NONE, Said, Table, numbered
from core.findings.words.guided import TITLES, places_table
from core.findings.words.numbers import decimals
from core.request.catalog import CONFIDENCE, TASKS
from core.results.fields import Bounds
from core.results.names import amount_name, listed
from core.results.schema import SweepResult
from core.sweep.working_range import works_to

GOAL = 0.75  # of the predictions that global magnitude changes
CONFIRMING = "no figure seen before"
# What was known of a checkpoint before the search was fixed; all others confirm the goal, or do not.
KNOWN = {
    **{"embedded:qnli": "figures seen before", "embedded:qqp": "figures seen before"},
    **{"embedded:sst2": "search chosen on them", "embedded:cola": "search chosen on them"},
    "embedded:messages": "few examples",
}
GROUPS = list(dict.fromkeys((CONFIRMING, *KNOWN.values())))


@dataclass(frozen=True)
class Checkpoint:
    """All methods on one checkpoint.

    Attributes:
        group: What was known of it.
        examples: How many.
        places: The methods beside each other, an amount each.
        works_to: By method the end of the working range, among the amounts that all have; None where it has none.
    """

    group: str
    examples: int
    places: Sequence[Place]
    works_to: Mapping[str, float | None]


@dataclass(frozen=True)
class Together:
    """What the checkpoints of a group say together.

    Attributes:
        group: The group.
        checkpoints: How many.
        ratios: By each other method, the geometric mean of guided pruning's ratio to it over checkpoints and amounts.
        span: The smallest and the largest ratio to global magnitude.
        places: Checkpoints × amounts.
        fewer: In how many McNemar's test shows that guided pruning changes fewer predictions than global magnitude.
        more: In how many the interval shows that it changes more.
        shorter: On how many checkpoints its working range is shorter than global magnitude's.
    """

    group: str
    checkpoints: int
    ratios: Mapping[str, float]
    span: Bounds
    places: int
    fewer: int
    more: int
    shorter: int

    @property
    def is_met(self) -> bool:
        """Whether the goal is met: the mean of logarithms, no place with more, no working range shorter."""
        return self.ratios[GLOBAL] <= GOAL and not self.more and not self.shorter


def judged(results: Iterable[SweepResult]) -> list[Checkpoint]:
    """Judge every checkpoint that all methods have pruned, those that confirm the goal first."""
    found = []
    for methods in sorted(alike(results), key=lambda methods: _order(methods[GUIDED])):
        first, gold = methods[GUIDED], np.array(methods[GUIDED].task.gold)
        common, works = sorted(set.intersection(*(set(each.amounts) for each in methods.values()))), {}
        for name in METHODS:
            answers = np.array([frame.predictions for frame in methods[name].frames if frame.amount in common])
            works[name] = works_to(first.task.main_metric, common, gold, answers)[0]
        group = GROUPS[_order(first)[0]]
        found.append(Checkpoint(group, len(gold), places_of(methods), works))
    return found


def _order(result: SweepResult) -> tuple[int, int, str]:
    checkpoint = result.checkpoint.id
    return GROUPS.index(KNOWN.get(checkpoint, CONFIRMING)), [*TASKS].index(result.task.name), checkpoint


def together(table: Sequence[Checkpoint]) -> Iterator[Together]:
    """Say what the checkpoints of each group say together."""
    for group in dict.fromkeys(known.group for known in table):
        known = [checkpoint for checkpoint in table if checkpoint.group == group]
        places = [place for checkpoint in known for place in checkpoint.places]
        ratios = {name: [place.beside[name].ratio for place in places] for name in METHODS if name != GUIDED}
        pairs, ends = [place.beside[GLOBAL] for place in places], [checkpoint.works_to for checkpoint in known]
        yield Together(
            group=group,
            checkpoints=len(known),
            ratios={name: float(np.exp(np.log(values).mean())) for name, values in ratios.items()},
            span=(min(ratios[GLOBAL]), max(ratios[GLOBAL])),
            places=len(places),
            fewer=sum(pair.difference < 0 and pair.p_value < 1 - CONFIDENCE for pair in pairs),
            more=sum(pair.interval[0] > 0 for pair in pairs),
            shorter=sum((works[GUIDED] or 0) < (works[GLOBAL] or 0) for works in ends),
        )


# ---------------------------------------------------------------- words


def shares_said(table: Sequence[Checkpoint]) -> Said:
    """Say whether guided pruning changes fewer predictions than global magnitude, by the checkpoints that confirm it.

    Args:
        table: At least one checkpoint.
    """
    known, *_ = together(table)
    ratio, outcome = decimals(known.ratios[GLOBAL], 2), "met" if known.is_met else "missed"
    amounts, span = listed([amount_name(amount) for amount in AMOUNTS]), [decimals(end, 2) for end in known.span]
    equal, answers = (decimals(known.ratios[name], 2) for name in ("uniform", "divergence"))
    return Said(
        f"{TITLES[GUIDED]}, pruning changes {ratio} times as many predictions as global magnitude",
        (
            f"This is the geometric mean of {numbered(known.checkpoints, 'checkpoint')} ({known.group}) with {amounts} "
            f"removed, from {' to '.join(span)}; fewer are shown in {known.fewer} of {known.places} places (McNemar's "
            f"exact test), more in {known.more} (paired 95 % intervals).",
            f"The goal, at most {decimals(GOAL, 2)} with more in no place and no shorter working range (shorter on "
            f"{known.shorter} of {known.checkpoints}), is {outcome}; the ratio to equal shares is {equal}, to the "
            f"same search by the answers {answers}.",
        ),
    )


def shares_tables(table: Sequence[Checkpoint]) -> tuple[Table, Table, Table]:
    """Tabulate what groups of checkpoints say, then every place, then every working range."""
    groups = [
        {
            "Checkpoints": known.group,
            "Number": str(known.checkpoints),
            **{f"Ratio to {TITLES[name].lower()}": decimals(mean, 2) for name, mean in known.ratios.items()},
            "Smallest to largest": " to ".join(decimals(end, 2) for end in known.span),
            "Shown to change fewer": f"{known.fewer} of {known.places}",
            "Shown to change more": f"{known.more} of {known.places}",
        }
        for known in together(table)
    ]
    ranges = [
        {
            "Checkpoint": known.places[0].checkpoint,
            "Works up to, of": f"{known.examples} examples",
            **{TITLES[name]: NONE if (to := known.works_to[name]) is None else amount_name(to) for name in METHODS},
        }
        for known in table
    ]
    return groups, places_table([place for known in table for place in known.places]), ranges
