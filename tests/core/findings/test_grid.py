"""A grid as a table: which sweeps have rows, and that each cell says what the pages say."""

import pytest

from core.findings.grid import grid_rows, grid_table
from core.findings.lab import key_figures
from core.findings.verdicts import verdict_rows, verdict_table
from core.results import library, store
from core.results.extract import extract_of
from core.results.schema import SweepResult


@pytest.fixture(scope="module")
def results() -> list[SweepResult]:
    """Magnitude pruning of SST-2's checkpoint, by two sets of measures, and the seeds of its control."""
    entries = [
        entry
        for entry in library.shipped()
        if (entry.task, entry.source, entry.scope) == ("sst2", "folder", "encoder")
        and entry.points[0].endswith("attention")
        and len(entry.points) == 6
        and "magnitude" in (entry.method, entry.controls)
    ]
    paths = [store.find(entry.key) for entry in entries]
    return [store.load(path) for path in paths if path]


def test_controls_serve_the_method_and_its_verdict_is_given_once(results: list[SweepResult]) -> None:
    whole = [result for result in results if result.pruning.controls is None]
    assert len(whole) == 2
    assert len(results) == 2 + 3 + 5
    table = grid_table(grid_rows(results))
    (judged,) = verdict_rows(verdict_table(whole, results))
    assert [row["Verdict"] for row in table] == [judged["Verdict at 0.05"], "–"]


def test_the_cells_say_what_the_result_says(results: list[SweepResult]) -> None:
    result = results[0]
    (row, _) = grid_table(grid_rows(results))
    metric = {frame.amount: frame.metrics["accuracy"] for frame in result.frames}
    assert (float(row["Unpruned"]), float(row["At 50 %"])) == pytest.approx((metric[0.0], metric[0.5]), abs=5e-4)
    first, _, holds = key_figures(result, "mean")
    assert (row["First to change"], row["Holds"]) == (first.value, holds.value)
    gap = result.statistics_of("mean").gap_at_damage["0.1"]
    numbers = [
        float(word.strip("()").replace("−", "-")) for word in row["Gap at change 0.1"].replace("to ", "").split()
    ]
    assert numbers == pytest.approx([gap.value, gap.low, gap.high], abs=5e-4)


def test_extracts_make_the_same_table(results: list[SweepResult]) -> None:
    assert grid_table(grid_rows([extract_of(result) for result in results])) == grid_table(grid_rows(results))


def test_controls_alone_have_rows_but_no_verdict(results: list[SweepResult]) -> None:
    controls = [result for result in results if result.pruning.controls]
    assert [row["Verdict"] for row in grid_table(grid_rows(controls))] == ["–"] * len(controls)
    assert grid_table([]) == []


def test_the_unpruned_model_alone_has_a_row(results: list[SweepResult]) -> None:
    unpruned = results[0].model_copy(update={"frames": results[0].frames[:1], "statistics": None})
    (row,) = grid_table(grid_rows([unpruned]))
    assert (row["At 50 %"], row["Holds"], row["First to change"], row["Gap at change 0.1"]) == ("–",) * 4
