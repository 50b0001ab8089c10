"""The kinds of result files: sweeps, whose files do not say so, and studies of cuts."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Tag, TypeAdapter

from core.errors import PrunescopeError
from core.results.cut import CutStudy
from core.results.schema import SweepResult

SWEEP, CUT = KINDS = ("sweep", "cut")
Result = SweepResult | CutStudy


def kind_of(values: Any) -> str:
    """Return the kind of a result, or of the values of its file; one that is unknown here counts as a sweep."""
    is_cut = values.get("kind") == CUT if isinstance(values, Mapping) else isinstance(values, CutStudy)
    return CUT if is_cut else SWEEP


ANY: TypeAdapter[Result] = TypeAdapter(
    Annotated[Annotated[SweepResult, Tag(SWEEP)] | Annotated[CutStudy, Tag(CUT)], Discriminator(kind_of)]
)


def sweep_in(found: Result, name: str) -> SweepResult:
    """Refuse a study of cuts where a sweep is meant; `name` is what the message calls it.

    Raises:
        PrunescopeError: It is one.
    """
    if isinstance(found, CutStudy):
        raise PrunescopeError(f"{name} is a study of cuts, and a sweep is needed: open it on the page Cut")
    return found


def study_in(found: Result, name: str) -> CutStudy:
    """Refuse a sweep where a study of cuts is meant; `name` is what the message calls it.

    Raises:
        PrunescopeError: It is one.
    """
    if isinstance(found, SweepResult):
        raise PrunescopeError(f"{name} is a sweep, and a study of cuts is needed: make one with python -m core.cut")
    return found
