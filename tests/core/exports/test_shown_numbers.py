"""The numbers that a page shows, read again from the table."""

import csv
import io

import pytest

from core.charts.view import Scene
from core.exports.shown_numbers import shown_csv
from core.request.catalog import MEASURES
from tests.scenes import AMOUNTS, RESULT, SCENES


def rows(scene: Scene, picture: str = "") -> list[dict[str, str]]:
    """The rows of a table, without the columns that are empty in them."""
    table = csv.DictReader(io.StringIO(shown_csv(scene)))
    return [{key: value for key, value in row.items() if value} for row in table if row["Picture"].startswith(picture)]


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_every_picture_tells_its_numbers(scene: Scene) -> None:
    assert {row["Picture"] for row in rows(scene)} == {view.heading for view in scene.views.values()}


def test_a_cell_has_a_row_for_each_amount_with_its_value() -> None:
    cells = rows(SCENES["lab"], "Similarity")
    size = len(RESULT.points)
    assert len(cells) == len(AMOUNTS) * size**2
    values = iter(cells)
    for i in range(size):
        for j in range(size):
            for frame in RESULT.frames:
                cell, value = next(values), frame.similarity["cka"]["mean"][i][j]
                assert float(cell["Shown at"]) == frame.amount
                known = None if value is None else round(value, 6)
                assert (float(cell["Similarity"]) if "Similarity" in cell else None) == known


def test_what_is_undefined_is_empty_and_a_floor_says_what_it_is() -> None:
    strips = rows(SCENES["layers"], "Similarity (CKA) of each layer")
    assert "undefined" not in {value for row in strips for value in row.values()}
    floors = [row for row in strips if row.get("Weights removed") == "everything"]
    assert RESULT.floor
    known = [f"{value:.2f}" for value in RESULT.floor.cka["mean"] if value is not None]
    assert [row[MEASURES["cka"].symbol] for row in floors] == known


def test_a_curve_has_a_row_for_each_point() -> None:
    curve = rows(SCENES["lab"], "Accuracy")
    assert [float(row["Accuracy"]) for row in curve] == [frame.metrics["accuracy"] for frame in RESULT.frames]
    assert all("Shown at" not in row for row in curve), "it stands still"


def test_a_difference_is_a_number_that_a_spreadsheet_reads() -> None:
    cells = rows(SCENES["compare"], "First minus second")
    told = [
        {name: float(cell[name]) for name in ("Difference", "First", "Second")} for cell in cells if "First" in cell
    ]
    for cell in told:
        assert cell["Difference"] == pytest.approx(cell["First"] - cell["Second"], abs=0.011)
    assert len(told) >= len(AMOUNTS) * len(RESULT.points) ** 2 - 1, "one may be undefined"
    assert min(cell["Difference"] for cell in told) < 0
