"""Every table is read again: it holds the numbers of its result."""

import csv
import io
import json
import re
from itertools import product

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
    table = [row for row in rows(similarity_csv(result)) if row["measure"] == "cka"]
    known = result.statistics_of("mean")
    assert known
    expected = []
    for k, frame in enumerate(result.frames):
        for reduction, (i, baseline), (j, pruned) in product(REDUCTIONS, *[list(enumerate(result.points))] * 2):
            value = frame.similarity["cka"][reduction][i][j]
            interval = known.own[k][i] if known.own and i == j and reduction == "mean" else None
            place = (str(frame.amount), str(frame.sparsity), "cka", reduction, baseline, pruned)
            expected.append(
                (*place, *("" if each is None else str(each) for each in (value, *(interval or (None,) * 2))))
            )
    read = [tuple(row.values()) for row in table]
    assert [row[:7] for row in read] == [row[:7] for row in expected], "amount, sparsity, reduction, points, value"
    assert [row for row in read if row[3] == "mean"] == [row for row in expected if row[3] == "mean"], "and intervals"
    assert sum(row[6] == "" for row in read) == len(REDUCTIONS)


def test_a_measure_without_matrix_has_rows_of_points_with_themselves_alone(result: SweepResult) -> None:
    table = [row for row in rows(similarity_csv(result)) if row["measure"] == "partial_cka"]
    assert all(row["baseline_point"] == row["pruned_point"] for row in table)
    mean = [row["value"] for row in table if row["reduction"] == "mean"]
    own = [value for frame in result.frames for value in frame.own("mean", "partial_cka") or ()]
    assert mean == ["" if value is None else str(value) for value in own]


def test_the_table_of_metrics_reads_back_equal(result: SweepResult) -> None:
    expected, frames = [], []
    for frame in result.frames:
        update = {name: {**getattr(frame, name), "f1": None} for name in ("metrics", "intervals")}
        frames.append(frame.model_copy(update=update))
        assert frame.changed
        assert frame.divergence
        for name, value, interval in (
            ("accuracy", frame.metrics["accuracy"], frame.intervals["accuracy"]),
            ("f1", "", None),
            ("changed_predictions", frame.changed.share, frame.changed.interval),
            ("divergence", frame.divergence.value, frame.divergence.interval),
        ):
            row = (frame.amount, frame.sparsity, frame.prunable_sparsity, name, value, *(interval or ("", "")))
            expected.append(tuple(map(str, row)))
    read = rows(metrics_csv(result.model_copy(update={"frames": tuple(frames)})))
    assert [tuple(row.values()) for row in read] == expected


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
