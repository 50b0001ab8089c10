"""The grid of shipped results: what it asks for, what it computes, what it leaves alone in the manifest."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core import grid
from core.grid import GLUE, main, requests
from core.request.amounts import FINE_AMOUNTS
from core.request.catalog import CONTROL_SEEDS, DEFAULT_MEASURES, EMBEDDED, MEASURES, METHODS, TASKS
from core.request.sweep_request import SweepRequest
from core.results.library import Entry, read_manifest
from core.results.schema import SweepResult
from core.results.store import load

ON_GLUE = [task for task in EMBEDDED if TASKS[task].dataset_id]


@pytest.fixture
def computed(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> list[SweepRequest]:
    """A grid of two tiny results a task; what is really computed is noted."""
    done: list[SweepRequest] = []
    real = grid.compute

    def tiny_requests(task: str) -> Iterator[SweepRequest]:
        for seed in (0, 1):
            yield SweepRequest(str(tiny_bert), task, "random", amounts=(0.0, 0.5), num_examples=8, seed=seed, data=GLUE)

    def compute(request: SweepRequest, threads: int | None) -> SweepResult:
        done.append(request)
        return real(request, threads)

    monkeypatch.setattr(grid, "requests", tiny_requests)
    monkeypatch.setattr(grid, "compute", compute)
    return done


def run(folder: Path, glue_folder: Path, *arguments: str) -> tuple[Entry, ...]:
    assert main(["--data", str(glue_folder), "--output", str(folder / "results"), *arguments]) == 0
    return read_manifest(folder / "manifest.json")


def tasks(entries: tuple[Entry, ...]) -> list[str]:
    return [entry.task for entry in entries]


def test_one_tasks_run_leaves_the_entries_of_the_others(
    computed: list[SweepRequest], tmp_path: Path, glue_folder: Path
) -> None:
    first = run(tmp_path, glue_folder, "--tasks", "cola", "qqp")
    assert tasks(first) == ["cola", "cola", "qqp", "qqp"]
    second = run(tmp_path, glue_folder, "--tasks", "sst2")
    assert tasks(second) == ["sst2", "sst2", *tasks(first)], "in the catalog's order"
    assert second[2:] == first
    assert tasks(run(tmp_path, glue_folder, "--tasks", "cola")) == tasks(second), "its own entries are not doubled"
    assert len(computed) == 6


def test_existing_results_are_kept_and_recomputed_only_on_request(
    computed: list[SweepRequest], tmp_path: Path, glue_folder: Path
) -> None:
    first = run(tmp_path, glue_folder, "--tasks", "sst2")
    (tmp_path / "results" / f"{first[1].key}.json").unlink()  # as after an interrupted run
    assert [entry.key for entry in run(tmp_path, glue_folder, "--tasks", "sst2")] == [entry.key for entry in first]
    assert [request.seed for request in computed] == [0, 1, 1]
    run(tmp_path, glue_folder, "--tasks", "sst2", "--fresh")
    assert [request.seed for request in computed] == [0, 1, 1, 0, 1]


def test_an_entry_names_the_needs_of_its_command(
    computed: list[SweepRequest], tmp_path: Path, glue_folder: Path
) -> None:
    (entry, _) = run(tmp_path, glue_folder, "--tasks", "sst2")
    assert "--data glue" in entry.command
    assert entry.missing.startswith("Replace glue with the path of a folder")
    assert str(glue_folder) not in (tmp_path / "manifest.json").read_text()
    assert load(tmp_path / "results" / f"{entry.key}.json").key == entry.key


@pytest.mark.parametrize("task", ON_GLUE)
def test_the_grid_has_every_method_three_seeds_of_each_control_and_the_written_examples(task: str) -> None:
    wanted = list(requests(task))
    assert len(set(map(str, wanted))) == len(wanted)
    main = [one for one in wanted if one.data == GLUE and one.points == "attention" and one.amounts == FINE_AMOUNTS]
    assert {one.method for one in main} == set(METHODS)
    for controlled in [one for one in main if METHODS[one.method].control]:
        pruning = (controlled.method, controlled.scope)
        assert [one.seed for one in main if (one.control_of, one.scope) == pruning] == [0, 1, 2]
    assert {one.scope for one in main if one.method == "magnitude"} == {"encoder", "all-linear"}
    assert {"magnitude", "attribution", "random"} <= {one.method for one in wanted if one.data == "written"}
    alone = {one.scope for one in wanted if (one.scope or "").startswith("layer:")}
    assert alone == ({f"layer:{k}" for k in range(6)} if task in ("sst2", "cola") else set())


@pytest.mark.parametrize("task", list(EMBEDDED))
def test_magnitude_is_measured_by_every_measure_on_the_published_tasks(task: str) -> None:
    checks = [wanted for wanted in requests(task) if wanted.measures != DEFAULT_MEASURES]
    assert [(one.method, one.scope, one.points, one.data, one.measures) for one in checks] == (
        [("magnitude", "encoder", "attention", GLUE, tuple(MEASURES))] if task in ("sst2", "cola") else []
    )


@pytest.mark.parametrize("task", ON_GLUE)
def test_every_method_has_all_the_seeds_of_its_control_in_small_steps(task: str) -> None:
    small = [wanted for wanted in requests(task) if wanted.until_damage is not None]
    assert {(wanted.amounts[1], wanted.amounts[-1], wanted.until_damage) for wanted in small} == {(0.01, 0.95, 0.3)}
    for name, method in METHODS.items():
        for scope in ("encoder", "all-linear") if name == "magnitude" else ("encoder", None):
            seeds = sorted(wanted.seed for wanted in small if (wanted.control_of, wanted.scope) == (name, scope))
            fits = method.control and (scope is None) == (method.granularity == "neuron")
            assert seeds == (list(range(CONTROL_SEEDS[method.granularity])) if fits else [])
    assert {wanted.method for wanted in small if not wanted.control_of} == {"attribution", "attribution-residual"}


def test_a_task_that_was_written_here_has_its_written_examples_alone() -> None:
    wanted = list(requests("messages"))
    assert {one.data for one in wanted} == {"written"}
    assert [(one.method, one.seed) for one in wanted] == [
        ("magnitude", 0),
        *(("random", seed) for seed in range(3)),
        ("attribution", 0),
        *(("random-neuron", seed) for seed in range(3)),
    ]
