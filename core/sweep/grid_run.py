"""Run the sweeps of a grid: in this process, or on a Dask cluster, one task per sweep.

A task carries its examples. A checkpoint on the Hub is fetched by the worker; a folder must have
the same path on every worker, as on a shared disk. Results come back as the values of their files,
which this process checks and saves. A worker should have one Dask thread, since it holds one model;
PyTorch's threads are separate. The sweep of a lost worker starts again elsewhere, as often as the
scheduler allows (`distributed.scheduler.allowed-failures`).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.command_line import unforeseen, use_threads
from core.encoder.loading import borrow
from core.errors import PrunescopeError
from core.inputs.checkpoints import Resolved, resolve
from core.inputs.prepare import Inputs, prepare
from core.request.catalog import ENGINE_VERSION
from core.results import store
from core.results.key import sealed
from core.sweep.grid_plan import GridSweep
from core.sweep.sweep import Shared, sweep

if TYPE_CHECKING:
    from distributed import Client, Future

Outcome = tuple[GridSweep, str | None]  # a sweep that has ended, and the reason if it failed
Follow = Callable[[GridSweep, float], None]  # (sweep, amount just done)

CONNECT_SECONDS = 30
# An expression for the cluster's processes: where our modules are missing, none of our functions
# can be unpickled.
ITS_ENGINE = "__import__('core.request.catalog', fromlist=['ENGINE_VERSION']).ENGINE_VERSION"


def run_here(sweeps: Sequence[GridSweep], follow: Follow) -> Iterator[Outcome]:
    """Run sweeps in order, with shared passes; one that fails is reported, and the others go on.

    Args:
        sweeps: The sweeps, from `plan_grid`.
        follow: Called with a sweep after each of its amounts.
    """
    shared: Shared = {}
    for planned in sweeps:
        yield planned, _fault(_run_here, planned, shared, follow)


def _run_here(planned: GridSweep, shared: Shared, follow: Follow) -> None:
    inputs = prepare(planned.request)
    with borrow(inputs.resolved) as checkpoint:
        result = sweep(
            checkpoint,
            inputs,
            on_frame=lambda _, frame: follow(planned, frame.amount),
            shared=shared,
        )
    store.save(result, planned.path)


def _fault(step: Callable[..., object], *values: Any) -> str | None:
    """Take a step of one sweep, and return the reason in one line if it fails."""
    try:
        step(*values)
    except Exception as error:
        return str(error) if isinstance(error, PrunescopeError) else unforeseen(error)
    return None


# ---------------------------------------------------------------- on a cluster


@contextmanager
def connected(address: str) -> "Iterator[Client]":
    """Connect to a cluster's scheduler.

    Args:
        address: The scheduler's address, such as `tcp://HOST:8786`.

    Raises:
        PrunescopeError: Dask is not installed, the cluster cannot be reached, or it runs another
            engine version.
    """
    try:
        from distributed import Client
    except ImportError:
        raise PrunescopeError(
            "a cluster needs Dask: install it with pip install -r requirements-cluster.txt"
        ) from None
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:120]
        raise PrunescopeError(
            f"no cluster at '{address}' ({reason}): give its scheduler's address"
        ) from None
    with client:
        try:
            scheduler = client.run_on_scheduler(eval, ITS_ENGINE)
            engines = {scheduler, *client.run(eval, ITS_ENGINE).values()}
        except ModuleNotFoundError:
            engines = {"none"}
        if engines != {ENGINE_VERSION}:
            versions = ", ".join(sorted(engines))
            raise PrunescopeError(
                f"the cluster has engine {versions}, this command {ENGINE_VERSION}: start its "
                "scheduler and each of its workers in a copy of this version, with PYTHONPATH=. "
                "before the command"
            )
        yield client


def run_on_cluster(
    client: "Client", sweeps: Sequence[GridSweep], threads: int | None
) -> Iterator[Outcome]:
    """Run sweeps on all workers and save their results.

    A sweep that fails is reported, and the others go on.

    Args:
        client: The client, from `connected`.
        sweeps: The sweeps, from `plan_grid`.
        threads: PyTorch's threads on each worker; None leaves them to the worker.
    """
    from distributed import as_completed

    running = dict["Future", GridSweep]()

    def submit(planned: GridSweep) -> None:
        running[client.submit(_compute, prepare(planned.request), threads, pure=False)] = planned

    def save(future: "Future", path: Path) -> None:
        store.save(store.parse(future.result(), path.name), path)

    try:
        for planned in sweeps:
            fault = _fault(submit, planned)
            if fault:
                yield planned, fault
        for future in as_completed(list(running), loop=client.loop, raise_errors=False):
            planned = running.pop(future)
            yield planned, _fault(save, future, planned.path)
    finally:
        client.cancel(list(running))


_shared: Shared = {}  # by this worker's sweeps


def _compute(inputs: Inputs, threads: int | None) -> dict[str, Any]:
    """Run a sweep on a worker and return the values of its result's file.

    Args:
        inputs: The request, the examples, and the checkpoint as found by the client.
        threads: PyTorch's threads; None leaves them to the worker.
    """
    use_threads(threads)
    inputs = replace(inputs, resolved=_local(inputs.resolved))
    with borrow(inputs.resolved) as checkpoint:
        result = sweep(checkpoint, inputs, shared=_shared)
    return sealed(result).model_dump(mode="json")


def _local(resolved: Resolved) -> Resolved:
    """Find a checkpoint's files on this worker."""
    if resolved.source == "folder":
        return resolved
    name = f"{resolved.id}@{resolved.revision}" if resolved.source == "hub" else resolved.id
    return resolved._replace(folder=resolve(name).folder)
