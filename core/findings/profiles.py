"""All methods of a task at one damage: depth profiles beside their controls, and what a CKA costs the user."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.findings.claim import Verdict, verdict
from core.findings.comparable import controls_of, own_sweeps
from core.findings.matching import frames_at, largest_on, values_on
from core.results.names import ReductionKey, method_name
from core.results.schema import SweepResult
from core.sweep.equal_damage import DAMAGES


@dataclass(frozen=True)
class Profiled:
    """One method of a task.

    Attributes:
        result: Its sweep over all amounts.
        name: Its name.
        sweeps: Its sweep and those in smaller steps.
        controls: Its matched controls, one sweep per seed.
        verdicts: Where it changes the model in depth beside its control, by damage.
    """

    result: SweepResult
    name: str
    sweeps: tuple[SweepResult, ...]
    controls: tuple[SweepResult, ...]
    verdicts: Mapping[float, Verdict]


def profiled(results: Sequence[tuple[SweepResult, Sequence[SweepResult]]], reduction: ReductionKey) -> list[Profiled]:
    """Collect what is known of methods at every damage.

    Args:
        results: Each method's sweep over all amounts, with the results that it is judged beside.
        reduction: What damage is measured by.
    """
    return [
        Profiled(
            result,
            method_name(result),
            tuple(own_sweeps(result, companions)),
            tuple(controls_of(result, companions)),
            {damage: verdict(result, companions, reduction, damage) for damage in DAMAGES},
        )
        for result, companions in results
    ]


@dataclass(frozen=True)
class Cost:
    """What a frame's similarity costs: mean own CKA, and the share of predictions that pruning has changed."""

    amount: float
    own: float
    changed: float


def costs_of(result: SweepResult, reduction: ReductionKey) -> list[Cost]:
    """Return what is known of a sweep's frames, in the order of their amounts."""
    damages = values_on("damage", result, reduction)
    return [
        Cost(frame.amount, float(1 - damage), frame.changed.share)
        for frame, damage in zip(result.frames, damages, strict=True)
        if frame.changed and damage == damage
    ]


def changed_at(sweeps: Sequence[SweepResult], reduction: ReductionKey, damage: float) -> float | None:
    """Interpolate the share of changed predictions at a damage, in the sweep with most amounts that reaches it."""
    reaching = [sweep for sweep in sweeps if largest_on("damage", sweep, reduction) >= damage]
    if not reaching:
        return None
    frame = frames_at("damage", max(reaching, key=lambda sweep: len(sweep.frames)), reduction, (0.0, damage))[1]
    return frame.changed.share if frame.changed else None
