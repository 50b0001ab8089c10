"""Run the sweeps of a grid: in this process, or on the workers of a Dask cluster, one task a sweep.

A task carries its examples. A checkpoint on the Hub is fetched by the worker; a folder must lie at the same place on
every worker, as on a shared disk. Results come back as their files' values, which this process checks and saves. A
worker has one thread of Dask's and one model; PyTorch's threads are its own. The sweep of a lost worker starts again
elsewhere, as often as the scheduler allows (`distributed.scheduler.allowed-failures`).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
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
from core.sweep.sweep import SharedPasses, sweep

if TYPE_CHECKING:
    from distributed import Client, Future

Outcome = tuple[GridSweep, str | None]  # a sweep that has ended, and why it failed, in one line
Follow = Callable[[GridSweep, float], None]  # (sweep, amount that is done)

CONNECT_SECONDS = 30
AHEAD = 2  # tasks for each worker: while one runs, its next one waits there
# What a process of the cluster is asked: a function of ours would fail to arrive where our modules are not found.
ITS_ENGINE = "__import__('core.request.catalog', fromlist=['ENGINE_VERSION']).ENGINE_VERSION"


def run_here(sweeps: Sequence[GridSweep], follow: Follow) -> Iterator[Outcome]:
    """Run sweeps in their order, sharing what they have in common; one that fails is reported, and the others go on.

    Args:
        sweeps: From `plan_grid`.
        follow: Called with a sweep and an amount of it that is done.
    """
    shared: SharedPasses = {}
    for planned in sweeps:
        yield planned, _fault(_run_here, planned, shared, follow)


def _run_here(planned: GridSweep, shared: SharedPasses, follow: Follow) -> None:
    inputs = prepare(planned.request)
    with borrow(inputs.resolved) as checkpoint:
        result = sweep(
            checkpoint, inputs, inputs.request, on_frame=lambda _, frame: follow(planned, frame.amount), shared=shared
        )
    store.save(result, planned.path)


def _fault(step: Callable[..., object], *values: Any) -> str | None:
    """Take a step of one sweep; say why it failed, if it did: the other sweeps may well be sound."""
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
        address: Such as `tcp://HOST:8786`.

    Raises:
        PrunescopeError: Dask is not installed, the cluster cannot be reached, or it lacks this repository.
    """
    try:
        from distributed import Client
    except ImportError:
        raise PrunescopeError("a cluster needs Dask: install it with pip install -r requirements-cluster.txt") from None
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:120]
        raise PrunescopeError(f"no cluster at '{address}' ({reason}): give its scheduler's address") from None
    with client:
        try:
            engines = {client.run_on_scheduler(eval, ITS_ENGINE), *client.run(eval, ITS_ENGINE).values()}
        except ModuleNotFoundError:
            engines = {"none"}
        if engines != {ENGINE_VERSION}:
            raise PrunescopeError(
                f"the cluster has engine {', '.join(sorted(engines))}, this command {ENGINE_VERSION}: start its "
                "scheduler and each of its workers in a copy of this version, with PYTHONPATH=. before the command"
            )
        yield client


def run_on_cluster(
    client: "Client", sweeps: Sequence[GridSweep], threads: int | None, follow: Follow | None = None
) -> Iterator[Outcome]:
    """Run sweeps on all workers and save their results; a sweep that fails is reported, and the others go on.

    Args:
        client: From `connected`.
        sweeps: From `plan_grid`.
        threads: PyTorch's threads on each worker; None leaves them to the worker.
        follow: Never called: a worker says nothing of a sweep's amounts.
    """
    from distributed import as_completed

    running = dict["Future", GridSweep]()
    finished = as_completed(loop=client.loop, raise_errors=False)

    def submit(planned: GridSweep) -> None:
        future = client.submit(_compute, prepare(planned.request), threads, pure=False)
        running[future] = planned
        finished.add(future)

    def outcome() -> Outcome:
        future = next(finished)
        planned = running.pop(future)
        return planned, _fault(lambda: store.save(store.parse(future.result(), planned.path.name), planned.path))

    try:
        for planned in sweeps:
            while len(running) >= AHEAD * max(len(client.nthreads()), 1):
                yield outcome()
            if fault := _fault(submit, planned):
                yield planned, fault
        while running:
            yield outcome()
    finally:
        client.cancel(list(running))


_shared: SharedPasses = {}  # the passes that this worker's sweeps share


def _compute(inputs: Inputs, threads: int | None) -> dict[str, Any]:
    """Run a sweep on a worker; return the values of its result's file.

    Args:
        inputs: The request as it is carried out, the examples, and the checkpoint as the client has found it.
        threads: PyTorch's threads; None leaves the worker's choice.
    """
    use_threads(threads)
    here = replace(inputs, resolved=_placed(inputs.resolved))
    with borrow(here.resolved) as checkpoint:
        return sealed(sweep(checkpoint, here, here.request, shared=_shared)).model_dump(mode="json")


def _placed(resolved: Resolved) -> Resolved:
    """Find a checkpoint's files on this worker."""
    if resolved.source == "folder":
        return resolved
    name = f"{resolved.id}@{resolved.revision}" if resolved.source == "hub" else resolved.id
    return replace(resolved, folder=resolve(name).folder)
