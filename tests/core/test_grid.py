"""A grid of sweeps from its file to its results: what is run, kept, reported and written."""

import errno
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.errors import PrunescopeError
from core.grid import main, merged, recipe_of
from core.inputs.prepare import prepare
from core.request.grid_file import grid_requests
from core.request.sweep_request import SweepRequest, checked
from core.results.library import read_manifest
from core.results.schema import SweepResult
from core.results.store import load
from core.sweep import grid_run
from core.sweep.grid_plan import plan_grid
from core.sweep.sweep import sweep
from tests.builders import compress
from tests.core.sweep.test_sweep import numbers
from tests.tiny import loaded

SMALL = {"tasks": "sst2", "data": "glue", "amounts": [0, 0.3, 0.6], "examples": 40}


@dataclass
class Grid:
    """A grid of a tiny checkpoint, and what the command did with it."""

    folder: Path
    glue: Path
    values: dict[str, Any]
    computed: list[SweepRequest] = field(default_factory=list)

    @property
    def output(self) -> Path:
        return self.folder / "results"

    @property
    def arguments(self) -> list[str]:
        path = self.folder / "grid.yaml"
        path.write_text(yaml.safe_dump(self.values))
        return [str(path), "--data", f"glue={self.glue}", "--output", str(self.output)]

    def run(self, *further: str) -> int:
        self.computed.clear()
        return main([*self.arguments, *further])

    def results(self) -> dict[str, SweepResult]:
        return {path.stem: load(path) for path in self.output.glob("*.json")}

    def alone(self) -> dict[str, dict[str, object]]:
        """The numbers of its sweeps, each run alone with a model of its own."""
        found = {}
        for request in grid_requests(self.values, "grid.yaml"):
            asked = checked(replace(request, data=str(self.glue)))
            inputs = prepare(asked)
            result = sweep(loaded(inputs.resolved), inputs, asked)
            found[result.key] = numbers(result)
        return found


@pytest.fixture
def grid(tiny_bert: Path, glue_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Grid:
    made = Grid(tmp_path, glue_folder, {**SMALL, "checkpoints": str(tiny_bert), "methods": ["magnitude", "random"]})
    real = grid_run.sweep

    def noted(checkpoint: Any, inputs: Any, request: SweepRequest, **options: Any) -> SweepResult:
        made.computed.append(request)
        return real(checkpoint, inputs, request, **options)

    monkeypatch.setattr(grid_run, "sweep", noted)
    return made


def whole(results: dict[str, SweepResult]) -> dict[str, dict[str, object]]:
    return {key: numbers(result) for key, result in results.items()}


# ---------------------------------------------------------------- what is run


def test_a_grid_gives_the_numbers_of_its_sweeps_alone(grid: Grid, capsys: pytest.CaptureFixture[str]) -> None:
    grid.values |= {
        "methods": ["magnitude", "wanda", "attribution"],
        "scopes": ["encoder", "all-linear"],
        "controls": "amounts",
        "range_examples": "all",
    }
    assert grid.run() == 0
    assert len(grid.computed) == (2 + 2 + 1) * 2, "methods and scopes, each with one control"
    assert whole(grid.results()) == grid.alone()
    written = capsys.readouterr()
    assert "10 sweeps, 0 of them there already" in written.err
    assert "10 to run: about 00:" in written.err
    assert written.out.count("Wanda pruning of all linear layers") == 1
    assert "Random" not in written.out, "controls serve the others"


def test_what_is_there_is_kept(grid: Grid, capsys: pytest.CaptureFixture[str]) -> None:
    assert grid.run() == 0
    missing, other = grid.output.iterdir()
    missing.unlink()
    kept = compress(other)
    content = kept.read_bytes()
    assert grid.run() == 0
    assert len(grid.computed) == 1
    assert "2 sweeps, 1 of them there already" in capsys.readouterr().err
    assert {*grid.output.iterdir()} == {missing, kept}
    assert kept.read_bytes() == content
    assert grid.run() == 0
    assert grid.computed == []


def test_a_working_range_is_judged_on_as_many_examples_as_were_asked_for(
    grid: Grid, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid.values |= {"examples": 40}
    monkeypatch.setattr("core.results.store.SHIPPED_RESULTS", grid.output)  # an output as any other
    assert grid.run() == 0
    compressed = compress(sorted(grid.output.iterdir())[0])
    grid.values |= {"methods": ["magnitude", "random"], "controls": "amounts", "range_examples": "all"}
    assert grid.run() == 0
    judged = [load(path).working_range for path in grid.output.iterdir()]
    assert [known and known.examples for known in judged] == [96, 96], "random pruning is magnitude's control as well"
    assert compressed.is_file()
    assert len(grid.computed) == 2
    assert grid.run() == 0
    assert grid.computed == []


def test_a_plan_runs_nothing(grid: Grid, capsys: pytest.CaptureFixture[str]) -> None:
    assert grid.run("--plan") == 0
    assert grid.computed == []
    assert list(grid.output.iterdir()) == []
    written = capsys.readouterr()
    assert "2 sweeps, 0 of them there already\n2 to run: about " in written.err
    assert written.out == ""


def test_sweeps_that_share_passes_come_in_a_row(grid: Grid) -> None:
    values = {
        **grid.values,
        "methods": ["magnitude", "wanda"],
        "scopes": ["all-linear", "encoder"],
        "examples": [40, 48],
    }
    sweeps, failures = plan_grid(grid_requests(values, "grid.yaml"), {"glue": str(grid.glue)}, grid.output)
    assert failures == []
    assert [(one.request.num_examples, one.request.scope, one.request.method) for one in sweeps] == [
        (examples, scope, method)
        for examples in (40, 48)
        for scope in ("all-linear", "encoder")
        for method in ("magnitude", "wanda")
    ]


# ---------------------------------------------------------------- what fails, and what is interrupted


def test_a_sweep_that_fails_is_reported_while_the_others_go_on(
    grid: Grid, capsys: pytest.CaptureFixture[str], tiny_bert: Path
) -> None:
    grid.values |= {
        "checkpoints": ["owner/none", str(tiny_bert)],
        "scopes": ["layer:7", "encoder"],
        "methods": "magnitude",
    }
    assert grid.run() == 1
    (result,) = grid.results().values()
    assert result.pruning.scope == "encoder"
    failed = [line for line in capsys.readouterr().err.splitlines() if line.startswith("failed: ")]
    assert len(failed) == 3
    assert all("owner/none" in line and "offline" in line for line in failed[:2])
    assert "--scope layer:7" in failed[2]
    assert "this model has 2 layers" in failed[2]


def test_an_unforeseen_fault_stops_one_sweep_alone(
    grid: Grid, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    noted = grid_run.sweep

    def failing(checkpoint: Any, inputs: Any, request: SweepRequest, **options: Any) -> Any:
        if request.method == "magnitude":
            raise KeyError("surprise")
        return noted(checkpoint, inputs, request, **options)

    def unmeasured(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("core.sweep.estimate.measure", unmeasured)  # an estimate that fails stops nothing
    monkeypatch.setattr(grid_run, "sweep", failing)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert grid.run() == 1
    assert [result.pruning.method for result in grid.results().values()] == ["random"]
    (failed,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("failed: "))
    assert "unexpected KeyError" in failed


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_named_for_what_it_is_and_the_grid_goes_on_once_there_is_room(
    grid: Grid, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_disk)
        assert grid.run() == 1
    failed = [line for line in capsys.readouterr().err.splitlines() if line.startswith("failed: ")]
    assert len(failed) == 2
    assert all("(No space left on device): choose another folder" in line for line in failed)
    assert grid.run() == 0
    assert whole(grid.results()) == grid.alone()


def test_a_damaged_result_is_reported_beside_the_sound_ones(grid: Grid, capsys: pytest.CaptureFixture[str]) -> None:
    assert grid.run() == 0
    (damaged, _) = sorted(grid.output.iterdir())
    damaged.write_text("{")
    capsys.readouterr()
    assert grid.run() == 1
    written = capsys.readouterr()
    (failed,) = (line for line in written.err.splitlines() if line.startswith("failed: "))
    assert f"{damaged.name} is not readable as JSON" in failed
    assert written.out.count("SST-2, 40 examples") == 1


def test_an_interrupted_grid_goes_on_with_the_sweep_that_it_had_begun(
    grid: Grid, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = grid_run.sweep

    def interrupted(*given: Any, on_frame: Any, **options: Any) -> Any:
        def on_frame_of_the_second(header: Any, frame: Any) -> None:
            on_frame(header, frame)
            if len(grid.computed) == 2 and frame.amount == 0.3:
                raise KeyboardInterrupt

        return noted(*given, on_frame=on_frame_of_the_second, **options)

    with monkeypatch.context() as patch:
        patch.setattr(grid_run, "sweep", interrupted)
        assert grid.run() == 130
    assert "the same command goes on from there" in capsys.readouterr().err
    (finished,) = grid.output.iterdir()
    before = finished.read_bytes()
    assert grid.run() == 0
    assert len(grid.computed) == 1
    assert finished.read_bytes() == before
    assert whole(grid.results()) == grid.alone()


# ---------------------------------------------------------------- bad input, and the manifest


@pytest.mark.parametrize(
    ("further", "words"),
    [
        (["--data", "glue"], "is not NAME=PATH"),
        (["--data", "glu=x"], "'glu' does not occur"),
        (["--output", "x.json"], "is a file"),
        (["--threads", "0"], "0 threads"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(
    grid: Grid, capsys: pytest.CaptureFixture[str], further: list[str], words: str
) -> None:
    with pytest.raises((PrunescopeError, SystemExit)) as caught:
        grid.run(*further)
    said = capsys.readouterr().err if isinstance(caught.value, SystemExit) else str(caught.value)
    assert words in said
    assert said.strip().count("\n") == 0


def test_the_manifest_is_merged(grid: Grid, tmp_path: Path) -> None:
    manifest = tmp_path / "new" / "manifest.json"
    manifest.parent.mkdir()
    manifest.write_text("{")
    with pytest.raises(PrunescopeError, match=r"manifest\.json"):
        grid.run("--manifest", str(manifest))
    assert grid.computed == [], "it is noticed before anything runs"
    manifest.unlink()
    manifest.parent.rmdir()
    assert grid.run("--manifest", str(manifest)) == 0
    first = read_manifest(manifest)
    assert {entry.method for entry in first} == {"magnitude", "random"}
    assert all("--data glue" in entry.command and "Replace glue with the path" in entry.missing for entry in first)
    assert str(grid.glue) not in manifest.read_text()
    grid.values["methods"] = ["wanda", "random"]
    assert grid.run("--manifest", str(manifest)) == 0
    second = read_manifest(manifest)
    assert second[:2] == first, (
        "entries that the grid does not list stay, and those that it has again keep their places"
    )
    assert [entry.method for entry in second[2:]] == ["wanda"]
    newer = first[0].model_copy(update={"created_at": "later"})
    assert merged(first, [newer]) == [newer, first[1]]


@pytest.mark.parametrize(("checkpoint", "against"), [("recipe:a-seed-1", None), ("embedded:sst2", "recipe:a-seed-1")])
def test_the_recipe_of_a_result_says_that_weights_must_be_made_on_either_side(
    checkpoint: str, against: str | None
) -> None:
    assert "Make the weights" in recipe_of(SweepRequest(checkpoint, "sst2", against=against), ()).missing
    assert "Make the weights" not in recipe_of(SweepRequest("embedded:sst2", "sst2"), ()).missing
