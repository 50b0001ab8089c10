"""Plan a grid: its sweeps with their keys, which of them are done, and their order. No torch."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from core.errors import PrunescopeError
from core.inputs.forecast import work_of
from core.inputs.hub import Report
from core.inputs.prepare import prepare
from core.request.sweep_request import SweepRequest, checked
from core.results import store

Failure = tuple[SweepRequest, str]
"""A sweep that cannot be run or has failed, as the file lists it, and the reason in one line."""


class GridSweep(NamedTuple):
    """One sweep of a grid.

    Attributes:
        listed: The request as the grid's file lists it.
        request: The checked request, with the path of its data.
        inputs: Its checkpoint and examples; sweeps with the same ones share the loaded model.
        path: Path of its result.
        judged_on: Number of examples to judge its working range on; 0 if any number will do.
        work: Amount of work (`core.inputs.forecast`).
    """

    listed: SweepRequest
    request: SweepRequest
    inputs: tuple[str, ...]
    path: Path
    judged_on: int
    work: float

    @property
    def is_done(self) -> bool:
        """Whether its result is stored, with the working range judged on enough examples."""
        if not self.path.is_file() or not self.judged_on:
            return self.path.is_file()
        try:
            working_range = store.load(self.path).working_range
        except PrunescopeError:  # a damaged file is reported with the table
            return True
        return working_range is None or working_range.examples >= self.judged_on


def plan_grid(
    listed: Iterable[SweepRequest],
    places: Mapping[str, str],
    output: Path | None,
    report: Report | None = None,
) -> tuple[list[GridSweep], list[Failure]]:
    """Find the inputs and the key of each sweep.

    Args:
        listed: The requests of a grid's file.
        places: Paths of data, by their names in the file.
        output: Folder of the results; None for the user's, beside the shipped ones.
        report: Called with (stage, done, total) during a download.

    Returns:
        The sweeps that can be run, each key once, those that share passes in a row; and those that
        cannot be run.

    Raises:
        PrunescopeError: A name of data does not occur in the file.
    """
    requests = list(listed)
    for name in places:
        if all(request.data != name for request in requests):
            raise PrunescopeError(
                f"data '{name}' does not occur in the grid: name data as its file does"
            )
    sweeps: dict[Path, GridSweep] = {}
    failures: list[Failure] = []
    for request in requests:
        try:
            sweep = _planned(request, places, output, report)
        except PrunescopeError as error:
            failures.append((request, str(error)))
            continue
        # The path does not depend on the examples for the working range.
        if sweep.judged_on or sweep.path not in sweeps:
            sweeps[sweep.path] = sweep
    # Sort by checkpoint and examples, then points, then scope, each in the order of the file.
    columns = zip(*map(_shared_parts, sweeps.values()), strict=True)
    orders = [list(dict.fromkeys(column)) for column in columns]

    def position(sweep: GridSweep) -> list[int]:
        return [order.index(part) for order, part in zip(orders, _shared_parts(sweep), strict=True)]

    return sorted(sweeps.values(), key=position), failures


def _planned(
    listed: SweepRequest,
    places: Mapping[str, str],
    output: Path | None,
    report: Report | None,
) -> GridSweep:
    request = checked(replace(listed, data=places.get(listed.data or "", listed.data)))
    inputs = prepare(request, report)
    key = inputs.key_of(request)
    subset = inputs.subset
    rest = inputs.rest
    stored = None if output else store.find(key)
    is_replaced = output or not store.is_shipped(key) or store.own_is_shipped()
    return GridSweep(
        listed=listed,
        request=request,
        inputs=(
            inputs.resolved.revision,
            subset.task.name,
            subset.record.fingerprint,
        ),
        path=stored or store.place_in(output or store.user_folder(), key),
        judged_on=len(subset.texts) + len(rest.texts) if rest and is_replaced else 0,
        work=work_of(request, inputs.resolved.size, inputs),
    )


def _shared_parts(sweep: GridSweep) -> tuple[Hashable, ...]:
    """Return what sweeps that share passes have in common."""
    return sweep.inputs, sweep.request.points, sweep.request.scope or "encoder"
