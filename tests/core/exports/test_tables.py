"""Every table is read again: it holds the numbers of its result."""

import csv
import io
import json
import re

import pytest

from core.exports.tables import file_name, metrics_csv, own_rows, result_json, similarity_csv, table
from core.request.catalog import REDUCTIONS
from core.results.schema import SweepResult
from core.results.store import parse
from tests.builders import against, make_result

AMOUNTS = (0.0, 0.25, 0.5)
HOLE = (0.5, 1, 0)


@pytest.fixture(scope="module")
def result() -> SweepResult:
    return make_result(num_layers=3, amounts=AMOUNTS, holes=(HOLE,))


@pytest.fixture(scope="module")
def other() -> SweepResult:
    return make_result(num_layers=3, amounts=AMOUNTS, method="random", seed=2)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_table_of_similarities_reads_back_equal(result: SweepResult) -> None:
    table = rows(similarity_csv(result))
    read = {
        (float(row["amount"]), row["reduction"], row["baseline_point"], row["pruned_point"]): row
        for row in table
        if row["measure"] == "cka"
    }
    points = result.points
    assert len(read) == len(AMOUNTS) * len(REDUCTIONS) * len(points) ** 2
    for frame in result.frames:
        for reduction, matrix in frame.similarity["cka"].items():
            for i, baseline in enumerate(points):
                for j, pruned in enumerate(points):
                    row = read[frame.amount, reduction, baseline, pruned]
                    value = matrix[i][j]
                    assert row["value"] == "" if value is None else float(row["value"]) == value
                    assert float(row["sparsity"]) == frame.sparsity
    assert sum(row["value"] == "" for row in read.values()) == len(REDUCTIONS)


def test_a_measure_without_matrix_has_rows_of_points_with_themselves_alone(result: SweepResult) -> None:
    table = [row for row in rows(similarity_csv(result)) if row["measure"] == "partial_cka"]
    assert all(row["baseline_point"] == row["pruned_point"] for row in table)
    mean = [row["value"] for row in table if row["reduction"] == "mean"]
    own = [value for frame in result.frames for value in frame.own("mean", "partial_cka") or ()]
    assert mean == ["" if value is None else str(value) for value in own]


def test_intervals_of_own_similarity_stand_beside_it_alone(result: SweepResult) -> None:
    known = result.statistics_of("mean")
    assert known
    assert known.own
    table = [row for row in rows(similarity_csv(result)) if (row["measure"], row["reduction"]) == ("cka", "mean")]
    own = [row for row in table if row["baseline_point"] == row["pruned_point"]]
    bounds = [(float(row["low"]), float(row["high"])) if row["low"] else None for row in own]
    assert bounds == [interval for frame in known.own for interval in frame]
    assert any(bounds)
    assert all((row["low"], row["high"]) == ("", "") for row in table if row not in own)


def test_the_table_of_metrics_reads_back_equal(result: SweepResult) -> None:
    frames = tuple(
        frame.model_copy(
            update={
                "metrics": {**frame.metrics, "f1": None},
                "intervals": {**frame.intervals, "f1": None},
            }
        )
        for frame in result.frames
    )
    read = rows(metrics_csv(result.model_copy(update={"frames": frames})))
    names = ["accuracy", "f1", "changed_predictions", "divergence"]
    assert [row["metric"] for row in read] == names * len(AMOUNTS)
    for frame, row in zip(result.frames, read[::4], strict=True):
        interval = frame.intervals["accuracy"]
        assert float(row["amount"]) == frame.amount
        assert float(row["prunable_sparsity"]) == frame.prunable_sparsity
        assert float(row["value"]) == frame.metrics["accuracy"]
        assert (float(row["low"]), float(row["high"])) == interval
    assert all((row["value"], row["low"], row["high"]) == ("", "", "") for row in read[1::4])
    for frame, changed, divergence in zip(result.frames, read[2::4], read[3::4], strict=True):
        assert frame.changed
        assert frame.divergence
        assert float(changed["value"]) == frame.changed.share
        assert float(divergence["value"]) == frame.divergence.value
        for row, interval in ((changed, frame.changed.interval), (divergence, frame.divergence.interval)):
            assert (row["low"], row["high"]) == (tuple(map(str, interval)) if interval else ("", ""))


@pytest.mark.parametrize("start", "=+-@\t\r")
def test_no_text_is_a_formula_to_a_spreadsheet(result: SweepResult, start: str) -> None:
    name, read = f"{start}cmd|' /C calc'!A0", f"'{start}cmd|' /C calc'!A0".replace("\r", "\n")
    renamed = tuple(
        frame.model_copy(update={"metrics": {name: 0.5}, "intervals": {name: (-0.5, 0.5)}}) for frame in result.frames
    )
    for row in rows(metrics_csv(result.model_copy(update={"frames": renamed})))[::3]:
        assert (row["metric"], row["value"], row["low"]) == (read, "0.5", "-0.5")
    assert rows(table(["a", name], [["-0.5", -1e-7], ["+3", name], ["-1+2", "a-b"]])) == [
        {"a": "-0.5", read: "-1e-07"},
        {"a": "+3", read: read},
        {"a": "'-1+2", read: "a-b"},
    ], "numbers stay numbers, also where a page has written them"


def test_the_json_is_the_result(result: SweepResult) -> None:
    assert parse(json.loads(result_json(result)), "exported") == result


def test_files_are_named_by_their_content(result: SweepResult, other: SweepResult) -> None:
    assert file_name([result], ".json") == f"prunescope-sst2-magnitude-{result.key[:8]}.json"
    both = file_name([result, other], ".gif", "compare")
    assert re.fullmatch(r"prunescope-compare-sst2-magnitude-\w{8}-and-sst2-random-\w{8}\.gif", both)
    third = make_result(num_layers=3, amounts=AMOUNTS, method="wanda")
    assert file_name([result, other, third], ".pdf", "profiles").endswith("-and-1-more.pdf"), "no name grows endlessly"
    odd = result.model_copy(update={"task": result.task.model_copy(update={"name": "../ä b"})})
    assert "/" not in file_name([odd], ".csv")


def test_rows_against_another_checkpoint_are_its_points() -> None:
    rectangular, square = (against(make_result(num_layers=3, amounts=AMOUNTS), layers) for layers in (2, 3))
    table = [row for row in rows(similarity_csv(rectangular)) if row["measure"] == "cka"]
    assert len(table) == len(AMOUNTS) * 2 * 2 * 3
    assert list(dict.fromkeys(row["baseline_point"] for row in table)) == list(rectangular.baseline_points)
    assert {row["low"] for row in table} == {""}, "no point has its own, though two have the same name"
    assert not [row for row in own_rows(rectangular) if row[3] == "cka"]
    assert len([row for row in own_rows(square) if row[3] == "cka"]) == len(AMOUNTS) * 2 * 3
    with_interval = [row for row in rows(similarity_csv(square)) if row["low"]]
    assert {row["baseline_point"] == row["pruned_point"] for row in with_interval} == {True}
