"""Tables, read back, hold the numbers of their result, or those that a page shows."""

import csv
import io
import re
from itertools import product

import pytest

from core.charts.view import Scene
from core.exports.tables import file_name, numbers_csv, shown_csv, table
from core.request.catalog import REDUCTIONS
from core.results.schema import SweepResult
from tests.scenes import AMOUNTS, OTHER, RESULT, SCENES


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def written(*values: object) -> tuple[str, ...]:
    return tuple("" if value is None else str(value) for value in values)


def read(result: SweepResult) -> list[tuple[str, ...]]:
    return [tuple(row.values()) for row in rows(numbers_csv(result))]


def test_the_table_of_all_numbers_reads_back_equal() -> None:
    frame = RESULT.frames[1]
    statistics = RESULT.statistics_of("mean")
    frame = frame.model_copy(
        update={name: {**getattr(frame, name), "f1": None} for name in ("metrics", "intervals")}
    )
    place = (frame.amount, frame.sparsity, frame.prunable_sparsity)
    no_points = (None, None, None)
    scores = [
        written(
            *place,
            "accuracy",
            *no_points,
            frame.metrics["accuracy"],
            *frame.intervals["accuracy"],
        ),
        written(*place, "f1", *no_points, None, None, None),
        written(
            *place,
            "changed_predictions",
            *no_points,
            frame.changed.share,
            *frame.changed.interval,
        ),
    ]
    assert read(RESULT.model_copy(update={"frames": (frame,)}))[:3] == scores
    cells = [
        written(frame.amount, at, to, value, *(interval if at == to else ("", "")))
        for frame, own in zip(RESULT.frames, statistics.own or (), strict=True)
        for row, at, interval in zip(frame.matrix("mean"), RESULT.points, own, strict=True)
        for to, value in zip(RESULT.points, row, strict=True)
    ]
    assert [(row[0], *row[5:]) for row in read(RESULT) if row[3:5] == ("cka", "mean")] == cells
    assert sum(row[3] == "cka" and row[7] == "" for row in read(RESULT)) == len(REDUCTIONS), (
        "undefined is empty"
    )


@pytest.mark.parametrize("start", "=+-@\t\r")
def test_no_text_is_a_formula_to_a_spreadsheet(start: str) -> None:
    name = f"{start}cmd|' /C calc'!A0"
    safe = f"'{start}cmd|' /C calc'!A0".replace("\r", "\n")
    cells = rows(table(["a", name], [["-0.5", -1e-7], ["+3", name], ["-1+2", "a-b"]]))
    expected = [("-0.5", "-1e-07"), ("+3", safe), ("'-1+2", "a-b")]
    assert [(row["a"], row[safe]) for row in cells] == expected, (
        "numbers stay numbers, also where a page wrote them"
    )


def test_files_are_named_by_their_content() -> None:
    assert file_name([RESULT]) == f"prunescope-sst2-magnitude-{RESULT.key[:8]}"
    both = file_name([RESULT, OTHER], "compare")
    assert re.fullmatch(
        r"prunescope-compare-sst2-magnitude-\w{8}-and-sst2-random-\w{8}",
        both,
    )
    odd = RESULT.model_copy(update={"task": RESULT.task.model_copy(update={"name": "../ä b"})})
    assert "/" not in file_name([odd])


# ---------------------------------------------------------------- what a page shows


def shown(scene: Scene, picture: str = "") -> list[dict[str, str]]:
    """Returns the rows of a picture without their empty columns."""
    table = [row for row in rows(shown_csv(scene)) if row["Picture"].startswith(picture)]
    return [{title: value for title, value in row.items() if value} for row in table]


def test_the_table_of_a_page_has_the_numbers_of_the_result_and_nothing_where_one_is_undefined() -> (
    None
):
    matrices = [frame.similarity.cka["mean"] for frame in RESULT.frames]
    values = [matrix[i][j] for i, j, matrix in product(range(3), range(3), matrices)]
    cells = [
        (float(row["Shown at"]), row.get("Similarity"))
        for row in shown(SCENES["lab"], "Similarity")
    ]
    rounded = [None if value is None else str(round(value, 6)) for value in values]
    assert cells == list(zip(AMOUNTS * 9, rounded, strict=True))
    curve = shown(SCENES["lab"], "Accuracy")
    assert [float(row["Accuracy"]) for row in curve] == [
        frame.metrics["accuracy"] for frame in RESULT.frames
    ]
    assert all("Shown at" not in row for row in curve), "it stands still"
    strips = shown(SCENES["layers"], "How much each layer")
    assert "undefined" not in {value for row in strips for value in row.values()}
    floors = [row["Similarity"] for row in strips if row.get("Weights removed") == "everything"]
    assert floors == [str(round(value, 6)) for value in RESULT.floor.cka["mean"]]
    differences = [row for row in shown(SCENES["compare"], "First minus second") if "First" in row]
    numbers = [
        [float(row[name]) for name in ("Difference", "First", "Second")] for row in differences
    ]
    assert all(
        difference == pytest.approx(first - second, abs=0.011)
        for difference, first, second in numbers
    )
    assert min(numbers)[0] < 0, "with a minus that a spreadsheet reads"
