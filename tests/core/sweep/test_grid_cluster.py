"""A grid on a local Dask cluster of two processes: the bits of a grid alone, also after a lost worker."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from tiny import make_pretrained

from core.errors import PrunescopeError
from core.grid import main
from core.request.grid_file import grid_requests
from core.results.schema import SweepResult
from core.results.store import load
from core.sweep.grid_cluster import _unpacked, connected, run_on_cluster
from core.sweep.grid_plan import Done, Failure, GridSweep, plan_grid
from tests.core.sweep.test_shared import numbers
from tests.core.sweep.test_sweep import run

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")  # of requirements-cluster.txt
pytestmark = pytest.mark.long  # together, so that one worker starts the cluster
IMPORTED = ["distributed", "core.sweep.sweep", "transformers.models.bert.modeling_bert"]  # once, for all workers


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The scheduler of two worker processes with one thread each."""
    forked = dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
    with pytest.MonkeyPatch.context() as patch, forked:
        patch.setitem(sys.modules, "__main__", ModuleType("__main__"))  # not a page that was tested, to be run again
        distributed.utils.get_mp_context().set_forkserver_preload(IMPORTED)
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
        ) as cluster:
            yield cluster.scheduler_address


def grid(folder: Path, scopes: list[str]) -> dict[str, Any]:
    return {
        "checkpoints": str(folder),
        "tasks": "sst2",
        "data": "glue",
        "methods": ["magnitude", "attribution"],
        "scopes": scopes,
        "controls": "amounts",
        "seeds": [0, 1],
        "amounts": [0.3, 0.6],
        "examples": 40,
    }


def planned(values: dict[str, Any], glue: Path, output: Path) -> list[GridSweep]:
    sweeps, failures = plan_grid(grid_requests(values, "grid.yaml"), {"glue": str(glue)}, output)
    assert failures == []
    return sweeps


def whole(folder: Path) -> dict[str, dict[str, object]]:
    return {path.stem: numbers(load(path)) for path in folder.glob("*.json")}


def kill_the_worker_with_the_checkpoint(client: Any) -> None:
    holders = next(workers for key, workers in client.who_has().items() if key.startswith("checkpoint-"))
    (process,) = client.run(os.getpid, workers=[holders[0]]).values()
    os.kill(process, signal.SIGKILL)


def test_a_cluster_gives_the_bits_of_one_process_and_outlives_a_worker(
    address: str, tiny_bert: Path, glue_folder: Path, tmp_path: Path
) -> None:
    private = shutil.copytree(tiny_bert, tmp_path / "tiny-bert")
    values = grid(private, ["encoder", "layer:7"])
    sweeps = planned(values, glue_folder, tmp_path / "there")
    ended: list[Done | Failure] = []
    with connected(address) as client:
        for event in run_on_cluster(client, sweeps, threads=torch.get_num_threads()):
            if not ended:  # the others have been sent, or are running
                kill_the_worker_with_the_checkpoint(client)
            ended.append(event)
    assert sorted(event.sweep.key for event in ended if isinstance(event, Done)) == sorted(
        sweep.key for sweep in sweeps if sweep.request.scope != "layer:7"
    )
    failures = [event for event in ended if isinstance(event, Failure)]
    assert len(failures) == 3, "magnitude and its two controls"
    assert all("this model has 2 layers" in failure.reason for failure in failures)
    file = tmp_path / "grid.yaml"
    file.write_text(str(values))  # YAML has Python's lists and texts
    main([str(file), "--data", f"glue={glue_folder}", "--output", str(tmp_path / "here")])
    assert whole(tmp_path / "there") == whole(tmp_path / "here")
    assert len(whole(tmp_path / "there")) == 6


def test_the_command_runs_what_is_missing_on_a_cluster(
    address: str, tiny_bert: Path, glue_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "grid.yaml"
    file.write_text(str({**grid(tiny_bert, ["encoder"]), "methods": "magnitude"}))
    arguments = [str(file), "--data", f"glue={glue_folder}", "--output", str(tmp_path / "out"), "--cluster", address]
    assert main(arguments) == 0
    assert "3 to run on 2 workers" in capsys.readouterr().err
    (missing, *others) = sorted((tmp_path / "out").iterdir())
    before = [path.read_bytes() for path in others]
    first: SweepResult = load(missing)
    missing.unlink()
    assert main(arguments) == 0
    assert "1 to run on 2 workers" in capsys.readouterr().err
    assert numbers(load(missing)) == numbers(first)
    assert [path.read_bytes() for path in others] == before


def test_both_checkpoints_reach_a_worker(address: str, tiny_bert: Path, glue_folder: Path, tmp_path: Path) -> None:
    other = make_pretrained(tmp_path / "pretrained")
    values = {**grid(tiny_bert, ["encoder"]), "methods": "magnitude", "controls": [], "against": str(other)}
    sweeps = planned(values, glue_folder, tmp_path / "there")
    with connected(address) as client:
        (ended,) = run_on_cluster(client, sweeps, threads=torch.get_num_threads())
    assert isinstance(ended, Done)
    here = run(tiny_bert, glue_folder, against=str(other), amounts=(0.0, 0.3, 0.6), num_examples=40)
    assert numbers(load(sweeps[0].path)) == numbers(here)


def test_two_threads_of_a_worker_may_write_the_same_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, real, written = {"config.json": b"{}"}, tempfile.mkdtemp, []

    def overtaken(*values: Any, **options: Any) -> str:
        """Let another thread write the whole folder once this one has found none."""
        monkeypatch.setattr("tempfile.mkdtemp", real)
        written.append(_unpacked("abc", files))
        return real(*values, **options)

    monkeypatch.setattr("distributed.get_worker", lambda: SimpleNamespace(local_directory=str(tmp_path)))
    monkeypatch.setattr("tempfile.mkdtemp", overtaken)
    written.append(_unpacked("abc", files))
    assert written == [tmp_path / "checkpoint-abc"] * 2
    assert [path.name for path in tmp_path.rglob("*")] == ["checkpoint-abc", "config.json"]


def test_a_cluster_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.sweep.grid_cluster.CONNECT_SECONDS", 0.2)
    with pytest.raises(PrunescopeError, match=r"no cluster at 'tcp://127\.0\.0\.1:1'"), connected("tcp://127.0.0.1:1"):
        pass


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("ITS_ENGINE", "__import__('core_of_elsewhere')", "does not find this repository: start each of them in"),
        ("ENGINE_VERSION", "0", r"the cluster computes with engine \d+, this command with 0: bring"),
    ],
)
def test_a_cluster_without_our_engine_is_refused_before_anything_runs(
    address: str, monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    monkeypatch.setattr(f"core.sweep.grid_cluster.{name}", value)
    with pytest.raises(PrunescopeError, match=reason), connected(address):
        pass
