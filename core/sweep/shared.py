"""Forward passes that several sweeps have in common: of the unpruned model, of the emptied one, of another checkpoint.

Every method on one checkpoint, one eval subset and one set of points is held against the same unpruned model; those of
one scope are also held against the same emptied model. A grid of sweeps measures each of them once.
"""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from core.sweep.meter import Measured

AnyModel = TypeVar("AnyModel", bound=Measured)


class SharedPasses(dict[str, tuple[Hashable, Any]]):
    """Keeps the last model of each kind that was measured, with its place: sweeps that share it come in a row.

    It stays in memory until another takes its place.
    """

    def once(self, kind: str, place: Hashable, measure: Callable[[], AnyModel]) -> AnyModel:
        """Return the model of a kind that was measured at a place, or measure and keep it.

        Args:
            kind: Such as `unpruned`.
            place: What decides its numbers.
            measure: Measures it; the next model may overwrite its features.
        """
        if kind not in self or self[kind][0] != place:
            self[kind] = place, measure()
        found: AnyModel = self[kind][1]
        return found
