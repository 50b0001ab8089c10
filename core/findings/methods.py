"""Hold CKA against a second measure of similarity: whether both see the same layers change.

CKA can be moved by a few far examples; mutual nearest neighbours (`core.similarity.knn`) see neighbourhoods alone. Both
are read where their model has changed equally much by CKA, at the places that results are compared at. Neighbours have
no delete-one replicates, so that nothing here has an interval. `words/methods.jinja` words it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.findings.survival import own_similarity
from core.findings.words import render
from core.request.catalog import REDUCTION
from core.results.names import PointName, checkpoint_name, decimals, method_name, percent, point_labels, point_names
from core.results.schema import ProfileAtDamage, SweepResult
from core.sweep.equal_damage import gap, upper_share
from core.sweep.statistics import rank_correlation

Array = npt.NDArray[np.float64]

SECOND = "knn"


@dataclass(frozen=True)
class Reading:
    """Both measures at one damage.

    Attributes:
        damage: By CKA.
        amount: Where it is reached.
        cka: (points,) own CKA.
        neighbours: (points,) own share of neighbours.
    """

    damage: float
    amount: float
    cka: Array
    neighbours: Array

    @property
    def shares(self) -> tuple[float, float]:
        """The share of the change that lies in the upper half of the layers, by CKA and by neighbours."""
        return _share(self.cka), _share(self.neighbours)

    @property
    def neighbours_damage(self) -> float:
        """The same as the damage, by neighbours."""
        return float(1 - self.neighbours.mean())

    @property
    def same_half(self) -> bool:
        """Whether both find more change in the same half of the layers."""
        first, second = self.shares
        return (first - 0.5) * (second - 0.5) > 0


@dataclass(frozen=True)
class Agreement:
    """How far two measures agree on a result.

    Attributes:
        result: The result.
        readings: One per damage that it reaches, ascending; at least one.
        correlation: Kendall's tau-b of both measures over all layers and amounts above 0; None where one is constant.
    """

    result: SweepResult
    readings: tuple[Reading, ...]
    correlation: float | None


def agreement(result: SweepResult) -> Agreement | None:
    """Compare both measures on a result; None where one of them is missing, or no damage is reached."""
    known = result.statistics_of(REDUCTION)
    neighbours = own_similarity(result, REDUCTION, SECOND)  # (frames, points)
    if known is None or SECOND not in result.measures or np.isnan(neighbours).any():
        return None
    readings = tuple(
        Reading(float(damage), profile.amount, np.array(profile.value), _at(result.amounts, neighbours, profile.amount))
        for damage, profile in known.profile_at_damage.items()
        if isinstance(profile, ProfileAtDamage)
    )
    if not readings:
        return None
    correlation = rank_correlation(
        own_similarity(result, REDUCTION)[1:].ravel().tolist(), neighbours[1:].ravel().tolist()
    )
    return Agreement(result, tuple(sorted(readings, key=lambda reading: reading.damage)), correlation)


def _at(amounts: Sequence[float], own: Array, amount: float) -> Array:
    """Interpolate between the frames on either side of an amount: (frames, points) -> (points,)."""
    return np.array([np.interp(amount, amounts, curve) for curve in own.T])


def _share(profile: Array) -> float:
    return upper_share(float(gap(profile)), float(1 - profile.mean()))


# ---------------------------------------------------------------- in words


def agreement_finding(found: Agreement) -> str:
    """Say whether the second measure confirms what CKA shows."""
    readings = found.readings
    return render(
        "methods",
        "agreement",
        checkpoint=checkpoint_name(found.result),
        pruning=method_name(found.result),
        readings=readings,
        same=[reading for reading in readings if reading.same_half],
        most=[tuple(_most_changed(found.result, reading.cka, reading.neighbours)) for reading in readings],
        correlation=found.correlation,
    )


def _most_changed(result: SweepResult, *profiles: Array) -> list[PointName]:
    names = point_names(result.points)
    return [names[int(profile.argmin())] for profile in profiles]


def agreement_table(found: Agreement) -> list[dict[str, str]]:
    """Tabulate own CKA / shared neighbours, one row per layer and one column per damage."""
    labels = point_labels(found.result.points)
    rows = [
        {"Layer": label, **{_title(reading): _pair(reading, k) for reading in found.readings}}
        for k, label in enumerate(labels)
    ]
    shares = {_title(reading): " / ".join(map(percent, reading.shares)) for reading in found.readings}
    return [*rows, {"Layer": "In the upper half", **shares}]


def _title(reading: Reading) -> str:
    return f"at {decimals(reading.damage, 2)}"


def _pair(reading: Reading, point: int) -> str:
    return " / ".join(decimals(float(profile[point]), 2) for profile in (reading.cka, reading.neighbours))
