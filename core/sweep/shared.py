"""Forward passes that several sweeps have in common: of the unpruned model, of the emptied one, of another checkpoint.

Every method on one checkpoint, one eval subset and one set of points is held against the same unpruned model; those of
one scope are also held against the same emptied model. A grid of sweeps measures each of them once.
"""

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any, TypeVar

from core.sweep.meter import Measured

AnyModel = TypeVar("AnyModel", bound=Measured)


class SharedPasses:
    """Keeps the last model of each kind that was measured: sweeps that share it come in a row.

    It stays in memory, with a copy of its features, until another takes its place.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Hashable, Any]] = {}

    def once(self, kind: str, place: Hashable, measure: Callable[[], AnyModel]) -> AnyModel:
        """Return the model of a kind that was measured at a place, or measure and keep it.

        Args:
            kind: Such as `unpruned`.
            place: What decides its numbers.
            measure: Measures it; the next model may overwrite its features.
        """
        known, model = self._kept.get(kind, (None, None))
        if model is None or known != place:
            model = measure()
            samples = {
                name: replace(sample, features=None if sample.features is None else sample.features.clone())
                for name, sample in model.samples.items()
            }
            model = replace(model, samples=samples)
            self._kept[kind] = place, model
        found: AnyModel = model
        return found
