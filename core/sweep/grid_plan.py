"""What a grid has to do: its sweeps with their keys, which of them are there already, and in which order; no torch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

from core.errors import PrunescopeError
from core.inputs.hub import Report
from core.inputs.prepare import prepare
from core.request.scope import emptied_scope
from core.request.sweep_request import SweepRequest, checked
from core.results import store
from core.results.extract import extracts
from core.results.file_cache import state_of


@dataclass(frozen=True)
class GridSweep:
    """One sweep of a grid.

    Attributes:
        listed: As the grid's file lists it.
        request: The checked request, with the place of its data.
        key: The key of its result.
        place: The checkpoint and the examples: sweeps of one place share the loaded model.
        against: The content of another checkpoint that it is compared with; None without one.
        path: Where its result is, or will be.
        judged_on: The examples that its working range is to be judged on; 0 where any number will do.
    """

    listed: SweepRequest
    request: SweepRequest
    key: str
    place: tuple[str, ...]
    against: str | None
    path: Path
    judged_on: int

    @property
    def is_done(self) -> bool:
        """Whether its result is stored, its working range judged on as many examples as it is to be."""
        return self.path.is_file() and (not self.judged_on or _judged_on(self.path) >= self.judged_on)


@dataclass(frozen=True)
class Step:
    """A sweep goes on; `share` of it is done."""

    sweep: GridSweep
    stage: str
    share: float


@dataclass(frozen=True)
class Done:
    """The result of a sweep is stored."""

    sweep: GridSweep


@dataclass(frozen=True)
class Failure:
    """A sweep that cannot be run or has failed, and why, in one line."""

    listed: SweepRequest
    reason: str


def plan_grid(
    listed: Iterable[SweepRequest], places: Mapping[str, str], output: Path | None, report: Report | None = None
) -> tuple[list[GridSweep], list[Failure]]:
    """Find the inputs and the key of each sweep.

    Args:
        listed: From a grid's file.
        places: What names of data in the file stand for.
        output: The folder of results; None for the user's, beside the shipped ones.
        report: Called with (stage, done, total) during a download.

    Returns:
        The sweeps that can be run, each key once, those that share passes in a row; and those that cannot.

    Raises:
        PrunescopeError: A name of data does not occur in the file.
    """
    requests = list(listed)
    if strange := set(places) - {request.data for request in requests}:
        raise PrunescopeError(f"data '{min(strange)}' does not occur in the grid: name data as its file does")
    found: dict[str, GridSweep] = {}
    failures = []
    for request in requests:
        try:
            sweep = _planned(request, places, output, report)
        except PrunescopeError as error:
            failures.append(Failure(request, str(error)))
        else:
            if sweep.judged_on or sweep.key not in found:  # the key says nothing of the working range
                found[sweep.key] = sweep
    return in_order(list(found.values())), failures


def _planned(listed: SweepRequest, places: Mapping[str, str], output: Path | None, report: Report | None) -> GridSweep:
    request = checked(replace(listed, data=places.get(listed.data or "", listed.data)))
    inputs = prepare(request, report)
    place = (inputs.resolved.revision, inputs.subset.task.name, inputs.subset.fingerprint)
    known = None if output else store.find(inputs.key)
    path = known or store.place_in(output or store.user_folder(), inputs.key)
    shipped = output is None and store.is_shipped(inputs.key) and not store.own_is_shipped()  # nothing replaces those
    judged_on = len(inputs.subset.rows) + len(inputs.rest.rows) if inputs.rest and not shipped else 0
    return GridSweep(listed, request, inputs.key, place, inputs.revision_against, path, judged_on)


def _judged_on(path: Path) -> float:
    """Return how many examples a stored working range was judged on; infinity where there is none to be judged."""
    ((_, found),) = extracts([state_of(path)])
    if isinstance(found, PrunescopeError) or found.working_range is None:  # damage is reported with the table
        return inf
    return found.working_range.examples


def in_order(sweeps: Sequence[GridSweep]) -> list[GridSweep]:
    """Put sweeps that share passes in a row.

    They go by checkpoint and examples, then points, then another checkpoint, then what is removed of all.
    """
    firsts: dict[tuple[object, ...], int] = {}
    for sweep in sweeps:
        for group in _groups(sweep):
            firsts.setdefault(group, len(firsts))
    return sorted(sweeps, key=lambda sweep: [firsts[group] for group in _groups(sweep)])


def _groups(sweep: GridSweep) -> tuple[tuple[object, ...], ...]:
    """Return the nested groups that a sweep belongs to."""
    parts = (sweep.request.points, sweep.against, emptied_scope(sweep.request.scope))
    return tuple((*sweep.place, *parts[:depth]) for depth in range(len(parts) + 1))
