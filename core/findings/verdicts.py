"""Several verdicts at once: which results have one, Holm's correction for their number, their spread over seed twins.

Intervals over sentences say nothing about another fine-tune. In a spread the unit is the checkpoint: of its control
counts the mean over the control's seeds.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from core.findings.claim import Verdict
from core.findings.comparable import own_sweeps
from core.request.catalog import CONFIDENCE, FAMILIES, METHODS
from core.results.choices import family_of, seed_of
from core.results.names import pruned_layer
from core.results.schema import SweepResult
from core.sweep.control_contrast import DIFFERENT, Direction


@dataclass(frozen=True)
class Told:
    """A verdict among several.

    Attributes:
        verdict: Alone.
        direction: What is left of it after correction for their number: a difference must survive.
    """

    verdict: Verdict
    direction: Direction


def told(verdicts: Sequence[Verdict]) -> list[Told]:
    """Correct the verdicts of a table for their number, by Holm's method."""
    from core.sweep.paired_tests import holm  # here: statsmodels takes a second, which no first picture waits for

    tested = [k for k, known in enumerate(verdicts) if known.contrast and known.reason in (None, "wide interval")]
    p_values = tuple(known.contrast.p_value for k in tested if (known := verdicts[k]).contrast)
    survives = {k for k, adjusted in zip(tested, holm(p_values), strict=True) if adjusted < 1 - CONFIDENCE}
    return [
        Told(known, known.direction if k in survives or known.direction not in DIFFERENT else "cannot be told")
        for k, known in enumerate(verdicts)
    ]


def with_rows(results: Iterable[SweepResult]) -> list[SweepResult]:
    """Return the results that verdicts are given about: methods at attention points over all amounts, on all layers.

    Of several results of one pruning only the first is among them.
    """
    rows: list[SweepResult] = []
    for result in results:
        method = METHODS.get(result.pruning.method)
        if (
            method is not None
            and method.control is not None
            and result.against is None
            and pruned_layer(result) is None
            and result.pruning.stop is None
            and all(point.endswith(".attention") for point in result.points)
            and own_sweeps(result, rows) == [result]
        ):
            rows.append(result)
    return rows


# ---------------------------------------------------------------- over seeds


@dataclass(frozen=True)
class Spread:
    """The verdicts on at least two checkpoints that differ only in the seed, by the keys of their results."""

    family: str
    told: dict[str, Told]

    @property
    def name(self) -> str:
        """What the checkpoints are, and how many."""
        return f"{FAMILIES.get(self.family, self.family)}, {len(self.told)} seeds"


def spreads(judged: Iterable[tuple[str, str, Hashable, Told]]) -> list[Spread]:
    """Collect the verdicts of seed twins, in the order in which the first of each comes; one alone has no spread.

    Weights made twice with one seed, whose bits differ from processor to processor, count once: the first does.

    Args:
        judged: Of each verdict the key of its result, the checkpoint's id, and what else twins must share, such as the
            examples and the method.
    """
    groups: dict[tuple[str, Hashable], dict[str, tuple[str, Told]]] = {}  # by seed
    for key, checkpoint, place, known in judged:
        if family := family_of(checkpoint):
            groups.setdefault((family, place), {}).setdefault(seed_of(checkpoint), (key, known))
    return [Spread(family, dict(twins.values())) for (family, _), twins in groups.items() if len(twins) > 1]
