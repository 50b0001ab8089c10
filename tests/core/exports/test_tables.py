"""Tables, read back, hold the numbers of their result, or those that a page shows."""

import csv
import io
from itertools import product

import pytest

from core.charts.view import Scene
from core.exports.tables import file_name, numbers_csv, shown_csv, table
from core.request.catalog import REDUCTIONS
from core.results.schema import SweepResult
from tests.scenes import OTHER, RESULT, SCENES


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def written(*values: object) -> tuple[str, ...]:
    return tuple("" if value is None else str(value) for value in values)


def read(result: SweepResult) -> list[tuple[str, ...]]:
    return [tuple(row.values()) for row in rows(numbers_csv(result))]


def test_the_table_of_all_numbers_begins_with_the_scores() -> None:
    frame = RESULT.frames[1]
    undefined = {
        "metrics": {**frame.metrics, "f1": None},
        "intervals": {**frame.intervals, "f1": None},
    }
    result = RESULT.model_copy(update={"frames": (frame.model_copy(update=undefined),)})

    accuracy, f1, changed, *_ = read(result)

    assert accuracy[3] == "accuracy"
    assert f1[3] == "f1"
    assert changed[3] == "changed_predictions"
    assert accuracy[7:] == written(frame.metrics["accuracy"], *frame.intervals["accuracy"])
    assert f1[7:] == ("", "", "")
    assert changed[7:] == written(frame.changed.share, *frame.changed.interval)


def test_the_table_of_all_numbers_has_each_pair_of_points() -> None:
    points = RESULT.points
    expected = []
    for frame, own in zip(RESULT.frames, RESULT.statistics_of("mean").own, strict=True):
        for i, j in product(range(3), range(3)):
            value = frame.matrix("mean")[i][j]
            interval = own[i] if i == j else ("", "")
            cell = written(
                frame.amount,
                "mean",
                points[i],
                points[j],
                value,
                *interval,
            )
            expected.append(cell)

    rows = [row for row in read(RESULT) if row[3] == "cka"]

    cells = [(row[0], *row[4:]) for row in rows]
    assert [cell for cell in cells if cell[1] == "mean"] == expected
    undefined = [row for row in rows if row[7] == ""]
    assert len(undefined) == len(REDUCTIONS)


@pytest.mark.parametrize("start", "=+-@\t\r")
def test_no_text_is_a_formula_to_a_spreadsheet(start: str) -> None:
    name = f"{start}cmd|' /C calc'!A0"
    safe = f"'{start}cmd|' /C calc'!A0".replace("\r", "\n")
    numbers = [["-0.5", -1e-7], ["+3", 1]]
    texts = [["-1+2", "a-b"], ["", name]]

    cells = rows(table(["a", name], [*numbers, *texts]))

    expected = [
        ("-0.5", "-1e-07"),
        ("+3", "1"),
        ("'-1+2", "a-b"),
        ("", safe),
    ]
    assert [(row["a"], row[safe]) for row in cells] == expected


def test_files_are_named_by_their_content() -> None:
    magnitude = f"sst2-magnitude-{RESULT.key[:8]}"
    random = f"sst2-random-{OTHER.key[:8]}"
    task = RESULT.task.model_copy(update={"name": "../ä b"})
    odd = RESULT.model_copy(update={"task": task})

    assert file_name([RESULT]) == f"prunescope-{magnitude}"
    assert file_name([RESULT, OTHER], "compare") == f"prunescope-compare-{magnitude}-and-{random}"
    assert "/" not in file_name([odd])


# ---------------------------------------------------------------- what a page shows


def shown(scene: Scene, picture: str = "") -> list[dict[str, str]]:
    """Returns the rows of a picture without their empty columns."""
    filled = []
    for row in rows(shown_csv(scene)):
        if row["Picture"].startswith(picture):
            filled.append({title: value for title, value in row.items() if value})
    return filled


def test_the_table_of_a_page_has_its_numbers_and_nothing_where_one_is_undefined() -> None:
    expected = []
    for i, j, frame in product(range(3), range(3), RESULT.frames):
        value = frame.matrix("mean")[i][j]
        written = None if value is None else str(round(value, 6))
        expected.append((frame.amount, written))

    cells = shown(SCENES["lab"], "Similarity")
    curve = shown(SCENES["lab"], "Accuracy")
    strips = shown(SCENES["layers"], "How much each layer")

    assert [(float(row["Shown at"]), row.get("Similarity")) for row in cells] == expected
    for row, frame in zip(curve, RESULT.frames, strict=True):
        assert float(row["Accuracy"]) == frame.metrics["accuracy"]
        assert "Shown at" not in row, "it stands still"
    floors = []
    for row in strips:
        assert "undefined" not in row.values()
        if row.get("Weights removed") == "everything":
            floors.append(float(row["Similarity"]))
    assert floors == pytest.approx(RESULT.floor.cka["mean"], abs=1e-6)
