"""Forward passes that several sweeps have in common: of the unpruned model, of the emptied one, of another checkpoint.

Every method on one checkpoint, one eval subset and one set of points is held against the same unpruned model; those of
one scope are also held against the same emptied model. A grid of sweeps measures each of them once.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import TypeVar

from core.inputs.checkpoints import Resolved
from core.inputs.examples import EvalSubset
from core.inputs.prepare import Inputs
from core.request.scope import emptied_scope
from core.sweep.meter import Measured, OtherModel, Pruned
from core.sweep.runner import Runner

AnyModel = TypeVar("AnyModel", bound=Measured)


@dataclass
class SharedPasses:
    """Keeps the last model of each kind that was measured: sweeps that share it come in a row.

    It stays in memory, with a copy of its features, until another takes its place.
    """

    _unpruned: tuple[Hashable, str | None, Pruned] | None = None  # what was measured, the rest's fingerprint
    _emptied: tuple[Hashable, Measured] | None = None
    _other: tuple[Hashable, OtherModel] | None = None

    def unpruned(self, runner: Runner, inputs: Inputs) -> Pruned | None:
        """Look up the unpruned model at a runner's points; None if it has to be measured."""
        if self._unpruned is None:
            return None
        measured, rest, known = self._unpruned
        if measured != _place(runner) or (inputs.rest and rest != _fingerprint(inputs.rest)):
            return None
        return known if inputs.rest else replace(known, rest_predictions=())

    def keep_unpruned(self, runner: Runner, inputs: Inputs, known: Pruned) -> None:
        """Keep the unpruned model for the sweeps that follow."""
        self._unpruned = _place(runner), _fingerprint(inputs.rest), _lasting(known)

    def emptied(self, runner: Runner, scope: str | None) -> Measured | None:
        """Look up the model emptied of a scope; None if it has to be measured."""
        if self._emptied is None or self._emptied[0] != (_place(runner), emptied_scope(scope)):
            return None
        return self._emptied[1]

    def keep_emptied(self, runner: Runner, scope: str | None, known: Measured) -> None:
        """Keep the emptied model for the sweeps that follow."""
        self._emptied = (_place(runner), emptied_scope(scope)), _lasting(known)

    def other_model(self, resolved: Resolved, subset: EvalSubset, points: str) -> OtherModel | None:
        """Look up another checkpoint at its points; None if it has to be measured."""
        place = resolved.id, resolved.revision, subset.fingerprint, points
        return self._other[1] if self._other and self._other[0] == place else None

    def keep_other_model(self, resolved: Resolved, subset: EvalSubset, points: str, known: OtherModel) -> None:
        """Keep another checkpoint's output for the sweeps that follow; its features are in buffers of its own."""
        self._other = (resolved.id, resolved.revision, subset.fingerprint, points), known


def _place(runner: Runner) -> Hashable:
    """Return what decides a model's numbers apart from its pruning; the task decides the order of its labels."""
    record, subset = runner.checkpoint.record, runner.subset
    return record.id, record.revision, subset.task, subset.fingerprint, runner.points


def _fingerprint(examples: EvalSubset | None) -> str | None:
    return examples.fingerprint if examples else None


def _lasting(model: AnyModel) -> AnyModel:
    """Copy the features, which the next model would overwrite."""
    samples = {
        name: replace(sample, features=sample.features if sample.features is None else sample.features.clone())
        for name, sample in model.samples.items()
    }
    return replace(model, samples=samples)
