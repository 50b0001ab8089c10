"""What a grid has to do: its sweeps with their keys, which of them are there already, and in which order; no torch."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import PrunescopeError
from core.inputs.forecast import work_of
from core.inputs.hub import Report
from core.inputs.prepare import prepare
from core.request.sweep_request import SweepRequest, checked
from core.results import store

Failure = tuple[SweepRequest, str]
"""A sweep that cannot be run or has failed, as the grid's file lists it, and why, in one line."""


@dataclass(frozen=True)
class GridSweep:
    """One sweep of a grid.

    Attributes:
        listed: As the grid's file lists it.
        request: The checked request, with the place of its data.
        key: The key of its result.
        place: The checkpoint and the examples: sweeps of one place share the loaded model.
        path: Where its result is, or will be.
        judged_on: The examples that its working range is to be judged on; 0 where any number will do.
        work: How much work it is (`core.inputs.forecast`).
    """

    listed: SweepRequest
    request: SweepRequest
    key: str
    place: tuple[str, ...]
    path: Path
    judged_on: int
    work: float

    @property
    def is_done(self) -> bool:
        """Whether its result is stored, its working range judged on as many examples as it is to be."""
        if not self.path.is_file() or not self.judged_on:
            return self.path.is_file()
        try:
            judged = store.load(self.path).working_range
        except PrunescopeError:  # damage is reported with the table
            return True
        return judged is None or judged.examples >= self.judged_on


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
    failures: list[Failure] = []
    for request in requests:
        try:
            sweep = _planned(request, places, output, report)
        except PrunescopeError as error:
            failures.append((request, str(error)))
        else:
            if sweep.judged_on or sweep.key not in found:  # the key says nothing of the working range
                found[sweep.key] = sweep
    # In the order of checkpoint and examples, then points, then scope.
    firsts = [list(dict.fromkeys(column)) for column in zip(*map(_groups, found.values()), strict=True)]

    def place(sweep: GridSweep) -> list[int]:
        return [first.index(part) for first, part in zip(firsts, _groups(sweep), strict=True)]

    return sorted(found.values(), key=place), failures


def _planned(listed: SweepRequest, places: Mapping[str, str], output: Path | None, report: Report | None) -> GridSweep:
    request = checked(replace(listed, data=places.get(listed.data or "", listed.data)))
    inputs = prepare(request, report)
    key = inputs.key_of(request)
    place = (inputs.resolved.revision, inputs.subset.task.name, inputs.subset.record.fingerprint)
    known = None if output else store.find(key)
    path = known or store.place_in(output or store.user_folder(), key)
    shipped = output is None and store.is_shipped(key) and not store.own_is_shipped()  # nothing replaces those
    judged_on = len(inputs.subset.texts) + len(inputs.rest.texts) if inputs.rest and not shipped else 0
    return GridSweep(listed, request, key, place, path, judged_on, work_of(inputs, request))


def _groups(sweep: GridSweep) -> tuple[Hashable, ...]:
    """Return what sweeps that share passes have in common."""
    return sweep.place, sweep.request.points, sweep.request.scope or "encoder"
