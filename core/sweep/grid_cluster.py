"""Run the sweeps of a grid on the workers of a Dask cluster, one task a sweep; no disk is shared.

A task carries its examples. A checkpoint on the Hub is fetched by the worker; the files of any other are sent once a
worker. Results come back as their files' values, which this process checks and saves. A worker has one thread of Dask's
and one model; PyTorch's threads are its own. The sweep of a lost worker starts again elsewhere, as often as the
scheduler allows (`distributed.scheduler.allowed-failures`).
"""

import os
import tempfile
import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.command_line import unforeseen
from core.errors import PrunescopeError
from core.inputs.checkpoint_files import TRAINING_EXAMPLES, checked_files
from core.inputs.checkpoints import Resolved, resolve
from core.inputs.prepare import Inputs, prepare
from core.request.catalog import ENGINE_VERSION
from core.request.sweep_request import SweepRequest
from core.results import store
from core.results.key import sealed
from core.results.schema import SweepResult
from core.sweep.grid_plan import Done, Failure, GridSweep

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_SECONDS = 30
# What a process of the cluster is asked: a function of ours would fail to arrive where our modules are not found.
ITS_ENGINE = "__import__('core.request.catalog', fromlist=['ENGINE_VERSION']).ENGINE_VERSION"
AHEAD = 2  # tasks for each worker: while one runs, its next one waits there

Files = Mapping[str, bytes]


@contextmanager
def connected(address: str) -> "Generator[Client, None, None]":
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
        _check_engines(client)
        yield client


def _check_engines(client: "Client") -> None:
    """Refuse a cluster one of whose processes has no engine, or another one.

    Raises:
        PrunescopeError: There is such a process.
    """
    try:
        engines = {client.run_on_scheduler(eval, ITS_ENGINE), *client.run(eval, ITS_ENGINE).values()}
    except ModuleNotFoundError:
        raise PrunescopeError(
            "the cluster's scheduler or one of its workers does not find this repository: start each of them in a copy "
            "of it, with PYTHONPATH=. before the command"
        ) from None
    if others := engines - {ENGINE_VERSION}:
        raise PrunescopeError(
            f"the cluster computes with engine {', '.join(sorted(others))}, this command with {ENGINE_VERSION}: bring "
            "the repository to the same version everywhere"
        )


def run_on_cluster(
    client: "Client", sweeps: Sequence[GridSweep], threads: int | None
) -> Generator[Done | Failure, None, None]:
    """Run sweeps on all workers and save their results; a sweep that fails is reported, and the others go on.

    Args:
        client: From `connected`.
        sweeps: From `plan_grid`.
        threads: PyTorch's threads on each worker; None leaves them to the worker.
    """
    from distributed import as_completed

    tasks = _Tasks(client, threads)
    waiting, pending = iter(sweeps), dict["Future", GridSweep]()
    finished = as_completed(loop=client.loop, raise_errors=False)
    try:
        while True:
            while len(pending) < AHEAD * max(len(client.scheduler_info(n_workers=-1)["workers"]), 1):
                if (planned := next(waiting, None)) is None:
                    break
                try:
                    future = tasks.submit(planned)
                except PrunescopeError as error:
                    yield Failure(planned.listed, str(error))
                except Exception as error:  # the others may well be sound
                    yield Failure(planned.listed, unforeseen(error))
                else:
                    pending[future] = planned
                    finished.add(future)
            if not pending:
                return
            future = next(finished)
            yield _outcome(future, pending.pop(future))
    finally:
        client.cancel(list(pending))


def _outcome(future: "Future", planned: GridSweep) -> Done | Failure:
    from distributed import KilledWorker

    try:
        store.save(store.parse(future.result(), planned.path.name), planned.path)
    except PrunescopeError as error:
        return Failure(planned.listed, str(error))
    except KilledWorker:
        return Failure(planned.listed, "every worker that ran it was lost: give the workers more memory")
    except Exception as error:  # the others may well be sound
        return Failure(planned.listed, unforeseen(error))
    finally:
        future.release()
    return Done(planned)


@dataclass
class _Tasks:
    """Submits sweeps; a checkpoint's files go to the cluster once, as long as one sweep after another needs them."""

    client: "Client"
    threads: int | None
    _sent: "dict[str, Future]" = field(default_factory=dict)  # of the last sweep's checkpoints, by content

    def submit(self, planned: GridSweep) -> "Future":
        inputs = prepare(planned.request)
        local = [known for known in (inputs.resolved, inputs.against) if known and known.source != "hub"]
        self._sent = {known.revision: self._files(known) for known in local}
        return self.client.submit(_compute, inputs, planned.request, self._sent, self.threads, pure=False)

    def _files(self, resolved: Resolved) -> "Future":
        if resolved.revision in self._sent:
            return self._sent[resolved.revision]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph")  # scattered data would be lost with its worker
            return self.client.submit(_received, _packed(resolved), key=f"checkpoint-{resolved.revision}")


def _packed(resolved: Resolved) -> Files:
    """Read a checkpoint's files, and no others that lie in its folder."""
    folder = resolved.folder
    paths = {*checked_files(folder, resolved.id), folder / TRAINING_EXAMPLES}
    return {path.name: path.read_bytes() for path in paths if path.is_file()}


# ---------------------------------------------------------------- on a worker


def _received(files: Files) -> Files:
    """Hold a checkpoint's files; the scheduler sends them again if this worker is lost."""
    return files


def _compute(inputs: Inputs, request: SweepRequest, files: Mapping[str, Files], threads: int | None) -> dict[str, Any]:
    """Run a sweep on a worker; return the values of its result's file.

    Args:
        inputs: The examples, and the checkpoints as the client has found them.
        request: The checked request.
        files: The files of checkpoints that are not on the Hub, by content.
        threads: PyTorch's threads; None leaves the worker's choice.
    """
    import torch

    from core.encoder.loading import borrow
    from core.sweep.sweep import sweep

    if threads is not None:
        torch.set_num_threads(threads)
    against = inputs.against and _placed(inputs.against, files)
    with borrow(_placed(inputs.resolved, files)) as checkpoint:
        *_, result = sweep(checkpoint, replace(inputs, against=against), request, shared=_shared())
    assert isinstance(result, SweepResult)
    values: dict[str, Any] = sealed(result).model_dump(mode="json")
    return values


def _placed(resolved: Resolved, files: Mapping[str, Files]) -> Resolved:
    """Find a checkpoint's files on this worker."""
    known = files.get(resolved.revision)
    folder = _unpacked(resolved.revision, known) if known else resolve(f"{resolved.id}@{resolved.revision}").folder
    return replace(resolved, folder=folder)


def _unpacked(revision: str, files: Files) -> Path:
    """Write a checkpoint's files into the worker's own folder, which ends with the worker."""
    from distributed import get_worker

    parent = Path(get_worker().local_directory)
    folder = parent / f"checkpoint-{revision}"
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=parent) as unfinished:
            for name, content in files.items():
                Path(unfinished, name).write_bytes(content)
            with suppress(OSError):  # another thread of this worker was faster
                os.rename(unfinished, folder)
    return folder


def _shared() -> Any:
    """Return the passes that this worker's sweeps share."""
    from distributed import get_worker

    from core.sweep.shared import SharedPasses

    worker = get_worker()
    if not hasattr(worker, "prunescope_passes"):
        worker.prunescope_passes = SharedPasses()
    return worker.prunescope_passes
