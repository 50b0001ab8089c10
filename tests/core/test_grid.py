"""A grid of sweeps from its file to its results: what is run, kept, reported and written."""

import errno
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import DEFAULT, Mock

import pytest
import yaml

from core import grid as command
from core.inputs.prepare import prepare
from core.request.grid_file import grid_requests
from core.request.sweep_request import checked
from core.results.library import read_manifest
from core.results.store import load
from core.sweep import grid_run
from core.sweep.sweep import sweep
from tests.builders import compress
from tests.commands import call
from tests.core.sweep.test_sweep import numbers
from tests.refusals import refusal
from tests.tiny import loaded


@dataclass
class Grid:
    """A grid of a tiny checkpoint, and the command's run of it."""

    folder: Path
    glue: Path
    values: dict[str, Any]
    capture: pytest.CaptureFixture[str]
    sweeps: Mock

    @property
    def output(self) -> Path:
        return self.folder / "results"

    def run(self, further: str = "") -> tuple[int, str, list[str]]:
        """Run the command; return its exit code, its output, and its other lines."""
        self.sweeps.reset_mock()
        path = self.folder / "grid.yaml"
        path.write_text(yaml.safe_dump(self.values))
        line = f"{path} --data glue={self.glue} --output {self.output} {further}"
        code = call(command, line)
        written = self.capture.readouterr()
        return code, written.out, written.err.splitlines()

    def alone(self) -> dict[str, dict[str, object]]:
        """Run each of its sweeps alone with its own model; return their numbers."""
        results = []
        for listed in grid_requests(self.values, "grid.yaml"):
            inputs = prepare(checked(replace(listed, data=str(self.glue))))
            results.append(sweep(loaded(inputs.resolved), inputs))
        return {result.key: numbers(result) for result in results}


@pytest.fixture
def grid(
    tiny_bert: Path,
    glue_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Grid:
    values = {
        "checkpoints": str(tiny_bert),
        "methods": ["magnitude", "random"],
        "tasks": "sst2",
        "data": "glue",
        "amounts": [0, 0.3, 0.6],
        "examples": 40,
    }
    sweeps = Mock(wraps=grid_run.sweep)
    monkeypatch.setattr(grid_run, "sweep", sweeps)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Grid(tmp_path, glue_folder, values, capsys, sweeps)


def failures(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("failed: ")]


def test_a_grid_gives_the_numbers_of_its_sweeps_alone(grid: Grid) -> None:
    grid.values |= {
        "methods": ["wanda", "attribution"],
        "scopes": ["encoder", "all-linear"],
    }
    grid.values |= {"controls": "amounts", "range_examples": "all"}

    code, printed, lines = grid.run()

    assert code == 0
    assert grid.sweeps.call_count == (2 + 1) * 2, "methods and scopes, each with one control"
    stored = {path.stem: numbers(load(path)) for path in grid.output.glob("*.json")}
    assert stored == grid.alone()
    assert "6 sweeps, 0 there already" in "".join(lines)
    assert any(line.endswith("6 to run: roughly 1 s") for line in lines)
    assert printed.count("Wanda pruning of all linear layers") == 1
    assert printed.count(" pruning") == 2 + 1, "no control has a row"


def test_a_plan_runs_nothing(grid: Grid) -> None:
    grid.values["methods"] = "magnitude"

    code, printed, lines = grid.run("--plan")

    assert (code, printed) == (0, "")
    assert lines[-2] == "1 sweep, 0 there already"
    assert lines[-1].startswith("1 to run: roughly ")
    assert not grid.sweeps.called
    assert list(grid.output.iterdir()) == []


def test_what_is_there_is_kept(grid: Grid) -> None:
    grid.run()
    missing, other = grid.output.iterdir()
    missing.unlink()
    kept = compress(other)
    content = kept.read_bytes()

    assert grid.run()[0] == 0

    assert grid.sweeps.call_count == 1
    assert {*grid.output.iterdir()} == {missing, kept}
    assert kept.read_bytes() == content


def test_a_damaged_result_is_reported_with_the_table_of_the_others(
    grid: Grid,
) -> None:
    grid.run()
    damaged, _ = grid.output.iterdir()
    damaged.write_text("{")

    code, printed, lines = grid.run()

    assert code == 1
    assert not grid.sweeps.called
    (failed,) = failures(lines)
    assert f"{damaged.name} is not readable as JSON" in failed
    assert printed.count("40 examples of SST-2") == 1


def test_failures_are_reported(
    grid: Grid, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid.values |= {
        "checkpoints": ["owner/none", str(tiny_bert)],
        "scopes": ["layer:7", "encoder"],
    }
    grid.sweeps.side_effect = [DEFAULT, DEFAULT, KeyError("surprise"), DEFAULT]
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # of the trace

    code, _, lines = grid.run()

    assert code == 1
    assert len([*grid.output.iterdir()]) == 1
    failed = "\n".join(failures(lines))
    for words in (
        "'owner/none'",
        "offline",
        "--layers 8",
        "unexpected KeyError",
    ):
        assert words in failed


def test_a_full_disk_is_named(grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(os, "fsync", Mock(side_effect=full))

    code, _, lines = grid.run()

    assert code == 1
    words = "(No space left on device): choose another folder"
    assert [words in line for line in failures(lines)] == [True, True]


def test_an_interrupted_grid_goes_on(grid: Grid) -> None:
    grid.sweeps.side_effect = [DEFAULT, KeyboardInterrupt]
    code, _, lines = grid.run()
    assert code == 130
    assert "the same command goes on from there" in lines[-1]
    (finished,) = grid.output.iterdir()
    content = finished.read_bytes()

    grid.sweeps.side_effect = None
    assert grid.run()[0] == 0

    assert grid.sweeps.call_count == 1
    assert finished.read_bytes() == content


def test_bad_arguments_are_refused_in_one_line(grid: Grid) -> None:
    assert "'glu' does not occur" in refusal(grid.run, "--data glu=x")
    with pytest.raises(SystemExit):
        grid.run("--data glue")
    line = grid.capture.readouterr().err
    assert "is not NAME=PATH" in line
    assert line.count("\n") == 1


def test_a_damaged_manifest_is_noticed_before_anything_runs(grid: Grid, tmp_path: Path) -> None:
    manifest = tmp_path / "damaged.json"
    manifest.write_text("{")
    assert "damaged.json is damaged" in refusal(grid.run, f"--manifest {manifest}")
    assert not grid.sweeps.called


def test_the_manifest_is_merged(grid: Grid, tmp_path: Path) -> None:
    manifest = tmp_path / "new" / "manifest.json"
    grid.run(f"--manifest {manifest}")
    first = read_manifest(manifest)
    assert {entry.method for entry in first} == {"magnitude", "random"}
    assert str(grid.glue) not in manifest.read_text()

    grid.values["methods"] = ["wanda", "random"]
    grid.run(f"--manifest {manifest}")

    second = read_manifest(manifest)
    assert second[:2] == first, "other entries stay, and a repeated one keeps its place"
    assert [entry.method for entry in second[2:]] == ["wanda"]
