"""Accuracy, of one result and of two: read from the SVG that Vega draws, frame by frame."""

import pytest

from core.charts.grammar import FIRST_COLOUR, SECOND_COLOUR
from core.charts.overview import player_views
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.core.charts.test_compare import AMOUNTS, FIRST, SECOND, falling, views
from tests.pictures import drawn, labels, marks, place


def test_the_accuracy_picture_marks_the_frame_and_the_majority_class() -> None:
    result = make_result(num_layers=2, amounts=AMOUNTS, accuracy=lambda amount: 0.9 - amount / 2)
    spec = player_views(result, "mean")["accuracy"].spec
    assert spec["datasets"]["accuracy-majority"] == [{"accuracy": 0.5, "text": "always the majority class: 0.50"}]
    places = []
    for frame, amount in enumerate(AMOUNTS):
        picture = drawn(spec, frame)
        (marker,) = marks(picture, "point")
        lines = [rule for rule in marks(picture, "rule mark") if list(labels(rule)) == ["Pruning amount"]]
        places.append(place(marker))
        assert [place(line)[0] for line in lines] == [place(marker)[0]]
        assert float(labels(marker)["Accuracy"]) == pytest.approx(0.9 - amount / 2, abs=0.0051)
    assert [x for x, _ in places] == sorted(x for x, _ in places)  # right as the amount grows
    assert places[0][1] < places[-1][1]  # down as accuracy falls


def test_both_accuracies_have_their_colours_and_the_marker_stands_on_both() -> None:
    spec = views()["accuracy"]
    assert {row["series"] for row in spec["datasets"]["accuracy"]} == {
        "Magnitude pruning of the encoder",
        "Random pruning of the encoder (seed 1)",
    }
    heights = []
    for frame in (0, 3):
        picture = drawn(spec, frame)
        points = [point for point in marks(picture, "point") if point.get("opacity") != "0"]
        assert [point.get("fill") for point in points] == [FIRST_COLOUR, SECOND_COLOUR]
        assert len({place(point)[0] for point in points}) == 1
        heights.append([place(point)[1] for point in points])
        lines = marks(picture, "line mark")
        assert [line.get("stroke") for line in lines] == [FIRST_COLOUR, SECOND_COLOUR]
        assert lines[0].get("stroke-dasharray") != lines[1].get("stroke-dasharray")
    assert heights[0][0] == heights[0][1], "the same baseline"
    assert heights[1][0] < heights[1][1], "the first is higher on the page"


def test_a_shared_majority_class_is_one_line_and_two_are_two() -> None:
    def majorities(second: SweepResult) -> list[float]:
        return [row["accuracy"] for row in views(FIRST, second)["accuracy"]["datasets"]["accuracy-majority"]]

    assert majorities(SECOND) == [0.5]
    assert majorities(falling(1.2, num_examples=5)) == [0.5, 0.6]
