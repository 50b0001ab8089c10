"""The numbers that a page shows, read again from the table."""

import csv
import io
from itertools import product

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
    places = product(range(len(RESULT.points)), range(len(RESULT.points)), RESULT.frames)
    known = [(frame.amount, frame.similarity["cka"]["mean"][i][j]) for i, j, frame in places]
    assert [
        (float(cell["Shown at"]), float(cell["Similarity"]) if "Similarity" in cell else None)
        for cell in rows(SCENES["lab"], "Similarity")
    ] == [(amount, None if value is None else round(value, 6)) for amount, value in known]


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
    cells = [cell for cell in rows(SCENES["compare"], "First minus second") if "First" in cell]
    assert len(cells) >= len(AMOUNTS) * len(RESULT.points) ** 2 - 1, "one may be undefined"
    told = [[float(cell[name]) for name in ("Difference", "First", "Second")] for cell in cells]
    assert all(difference == pytest.approx(first - second, abs=0.011) for difference, first, second in told)
    assert min(told)[0] < 0
