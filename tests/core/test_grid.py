"""A grid of sweeps from its file to its results: what is run, kept, reported and written."""

import errno
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import DEFAULT, Mock

import pytest
import yaml

from core.errors import PrunescopeError
from core.grid import main
from core.inputs.prepare import prepare
from core.request.grid_file import grid_requests
from core.request.sweep_request import checked
from core.results.library import read_manifest
from core.results.store import load
from core.sweep import grid_run
from core.sweep.sweep import sweep
from tests.builders import compress
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

    def run(self, *further: str) -> tuple[int, str, list[str]]:
        """Run the command; return its exit code, its output, and its lines of progress and failures."""
        self.sweeps.reset_mock()
        path = self.folder / "grid.yaml"
        path.write_text(yaml.safe_dump(self.values))
        code = main(
            [str(path), "--data", f"glue={self.glue}", "--output", str(self.output), *further]
        )
        written = self.capture.readouterr()
        return code, written.out, written.err.splitlines()

    def alone(self) -> dict[str, dict[str, object]]:
        """Run each of its sweeps alone with its own model; return their numbers."""
        requests = [
            checked(replace(each, data=str(self.glue)))
            for each in grid_requests(self.values, "grid.yaml")
        ]
        inputs = map(prepare, requests)
        results = [sweep(loaded(each.resolved), each, each.request) for each in inputs]
        return {result.key: numbers(result) for result in results}


def stored(folder: Path) -> dict[str, dict[str, object]]:
    return {path.stem: numbers(load(path)) for path in folder.glob("*.json")}


@pytest.fixture
def grid(
    tiny_bert: Path,
    glue_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Grid:
    values = {"checkpoints": str(tiny_bert), "methods": ["magnitude", "random"]}
    values |= {"tasks": "sst2", "data": "glue", "amounts": [0, 0.3, 0.6], "examples": 40}
    sweeps = Mock(wraps=grid_run.sweep)
    monkeypatch.setattr(grid_run, "sweep", sweeps)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Grid(tmp_path, glue_folder, values, capsys, sweeps)


def failures(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("failed: ")]


def test_a_grid_gives_the_numbers_of_its_sweeps_alone(grid: Grid) -> None:
    grid.values |= {"methods": ["wanda", "attribution"], "scopes": ["encoder", "all-linear"]}
    grid.values |= {"controls": "amounts", "range_examples": "all"}
    code, printed, progress = grid.run()
    assert code == 0
    assert grid.sweeps.call_count == (2 + 1) * 2, "methods and scopes, each with one control"
    assert stored(grid.output) == grid.alone()
    assert any("6 sweeps, 0 there already" in line for line in progress)
    assert any(line.endswith("6 to run: roughly 1 s") for line in progress)
    assert printed.count("Wanda pruning of all linear layers") == 1
    assert printed.count(" pruning") == 2 + 1, "no control has a row"


def test_a_plan_runs_nothing_and_what_is_there_is_kept_or_reported_as_damaged(grid: Grid) -> None:
    code, printed, progress = grid.run("--plan")
    assert (code, printed, grid.sweeps.called, list(grid.output.iterdir())) == (0, "", False, [])
    assert progress[-2] == "2 sweeps, 0 there already"
    assert progress[-1].startswith("2 to run: roughly ")
    assert grid.run()[0] == 0
    missing, other = grid.output.iterdir()
    missing.unlink()
    kept = compress(other)
    content = kept.read_bytes()
    assert grid.run()[0] == 0
    assert grid.sweeps.call_count == 1
    assert {*grid.output.iterdir()} == {missing, kept}
    assert kept.read_bytes() == content
    missing.write_text("{")
    code, printed, progress = grid.run()
    assert (code, grid.sweeps.call_count) == (1, 0)
    (failed,) = failures(progress)
    assert f"{missing.name} is not readable as JSON" in failed
    assert printed.count("40 examples of SST-2") == 1
    grid.values["methods"] = "magnitude"
    assert any(line.startswith("1 sweep, ") for line in grid.run("--plan")[2])


def test_failures_are_reported(
    grid: Grid, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid.values |= {"checkpoints": ["owner/none", str(tiny_bert)], "scopes": ["layer:7", "encoder"]}
    grid.sweeps.side_effect = [DEFAULT, DEFAULT, KeyError("surprise"), DEFAULT]
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # of the trace
    code, _, progress = grid.run()
    assert code == 1
    assert len(stored(grid.output)) == 1
    for words in (
        "'owner/none'",
        "offline",
        "--layers 8",
        "some of layers 1 to 2",
        "unexpected KeyError",
    ):
        assert any(words in line for line in failures(progress)), words


def test_a_full_disk_is_named_and_an_interrupted_grid_goes_on(
    grid: Grid, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            os, "fsync", Mock(side_effect=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        )
        code, _, progress = grid.run()
    assert code == 1
    assert len(failures(progress)) == 2
    assert all(
        "(No space left on device): choose another folder" in line for line in failures(progress)
    )
    grid.sweeps.side_effect = [DEFAULT, KeyboardInterrupt]
    code, _, progress = grid.run()
    assert code == 130
    assert "the same command goes on from there" in progress[-1]
    (finished,) = grid.output.iterdir()
    before, grid.sweeps.side_effect = finished.read_bytes(), None
    assert grid.run()[0] == 0
    assert grid.sweeps.call_count == 1
    assert finished.read_bytes() == before


def test_bad_arguments_are_refused_in_one_line(grid: Grid) -> None:
    for further, words in (
        (("--data", "glue"), "is not NAME=PATH"),
        (("--data", "glu=x"), "'glu' does not occur"),
    ):
        with pytest.raises((PrunescopeError, SystemExit)) as caught:
            grid.run(*further)
        said = (
            str(caught.value)
            if isinstance(caught.value, PrunescopeError)
            else grid.capture.readouterr().err
        )
        assert words in said
        assert said.strip().count("\n") == 0


def test_the_manifest_is_merged(grid: Grid, tmp_path: Path) -> None:
    manifest = tmp_path / "new" / "manifest.json"
    (tmp_path / "damaged.json").write_text("{")
    assert "damaged.json is damaged" in refusal(
        grid.run, "--manifest", str(tmp_path / "damaged.json")
    )
    assert not grid.sweeps.called, "it is noticed before anything runs"
    assert grid.run("--manifest", str(manifest))[0] == 0
    first = read_manifest(manifest)
    assert {entry.method for entry in first} == {"magnitude", "random"}
    assert str(grid.glue) not in manifest.read_text()
    grid.values["methods"] = ["wanda", "random"]
    assert grid.run("--manifest", str(manifest))[0] == 0
    second = read_manifest(manifest)
    assert second[:2] == first, "other entries stay, and a repeated one keeps its place"
    assert [entry.method for entry in second[2:]] == ["wanda"]
