"""Run the sweeps of a grid one after another."""

from collections.abc import Callable, Iterator, Sequence

from core.command_line import unforeseen
from core.encoder.loading import borrow
from core.errors import PrunescopeError
from core.inputs.prepare import prepare
from core.results import store
from core.sweep.grid_plan import GridSweep
from core.sweep.sweep import Shared, sweep

Follow = Callable[[GridSweep, float], None]  # (sweep, amount just done)


def run_grid(sweeps: Sequence[GridSweep], follow: Follow) -> Iterator[tuple[GridSweep, str | None]]:
    """Run sweeps in order, with shared passes; one that fails is reported, and the others go on.

    Args:
        sweeps: The sweeps, from `plan_grid`.
        follow: Called with a sweep after each of its amounts.

    Yields:
        Each sweep that has ended, and the reason in one line if it failed.
    """
    shared: Shared = {}
    for planned in sweeps:
        fault = None
        try:
            _run(planned, shared, follow)
        except PrunescopeError as error:
            fault = str(error)
        except Exception as error:
            fault = unforeseen(error)
        yield planned, fault


def _run(planned: GridSweep, shared: Shared, follow: Follow) -> None:
    inputs = prepare(planned.request)
    with borrow(inputs.resolved) as checkpoint:
        result = sweep(
            checkpoint,
            inputs,
            on_frame=lambda _, frame: follow(planned, frame.amount),
            shared=shared,
        )
    store.save(result, planned.path)
