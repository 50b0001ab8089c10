"""A grid on a Dask cluster of two processes gives the same bits, even if a worker dies."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from core import grid
from core.errors import PrunescopeError
from core.request.grid_file import grid_requests
from core.results.store import load
from core.sweep.grid_plan import plan_grid
from core.sweep.grid_run import connected, run_on_cluster
from tests.commands import call
from tests.core.sweep.test_sweep import numbers

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")  # of requirements-cluster.txt
IMPORTED = [
    "distributed",
    "core.sweep.grid_run",
    "transformers.models.bert.modeling_bert",
]  # once, for all workers


def stored(folder: Path) -> dict[str, dict[str, object]]:
    return {path.stem: numbers(load(path)) for path in folder.glob("*.json")}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Yield the address of a scheduler of two worker processes with one thread each."""
    forked = dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
    with pytest.MonkeyPatch.context() as patch, forked:
        patch.setitem(
            sys.modules, "__main__", ModuleType("__main__")
        )  # else workers may run a page that was tested
        distributed.utils.get_mp_context().set_forkserver_preload(IMPORTED)
        with distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            silence_logs=50,
        ) as cluster:
            yield cluster.scheduler_address


def test_a_cluster_gives_the_same_bits_and_survives_the_loss_of_a_worker(
    address: str,
    tiny_bert: Path,
    glue_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sweeps = {
        "checkpoints": str(tiny_bert),
        "tasks": "sst2",
        "data": "glue",
        "amounts": [0.3],
        "examples": 40,
    }
    sweeps |= {
        "methods": ["magnitude", "attribution", "wanda"],
        "scopes": ["encoder", "layer:5"],
    }
    planned, failures = plan_grid(
        grid_requests(sweeps, "grid.yaml"),
        {"glue": str(glue_folder)},
        tmp_path / "there",
    )
    assert failures == []
    with connected(address) as client:
        for ended, (sweep, fault) in enumerate(
            run_on_cluster(client, planned, threads=torch.get_num_threads())
        ):
            if not ended:  # the others wait or are running
                (process, *_) = client.run(os.getpid).values()
                os.kill(process, signal.SIGKILL)
            is_too_deep = sweep.request.scope == "layer:5"
            assert ("some of layers 1 to 2" in fault) if is_too_deep else (fault is None)
    assert ended == len(planned) - 1
    file = tmp_path / "grid.yaml"
    file.write_text(str(sweeps))  # valid YAML
    line = f"{file} --data glue={glue_folder} --output"
    call(grid, f"{line} {tmp_path}/here")
    assert stored(tmp_path / "there") == stored(tmp_path / "here")
    next((tmp_path / "there").iterdir()).unlink()
    call(grid, f"{line} {tmp_path}/there --cluster {address}")
    assert " to run on 2 workers" in capsys.readouterr().err
    assert stored(tmp_path / "there").keys() <= stored(tmp_path / "here").keys()


def test_an_unreachable_cluster_or_another_engine_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value, scheduler, message in (
        (
            "CONNECT_SECONDS",
            0.2,
            "tcp://127.0.0.1:1",
            r"no cluster at 'tcp://127\.0\.0\.1:1'",
        ),
        (
            "ITS_ENGINE",
            "__import__('core_of_elsewhere')",
            address,
            "has engine none, this command",
        ),
        (
            "ENGINE_VERSION",
            "0",
            address,
            r"has engine \d+, this command 0: start",
        ),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(f"core.sweep.grid_run.{name}", value)
            with (
                pytest.raises(PrunescopeError, match=message),
                connected(scheduler),
            ):
                pass
