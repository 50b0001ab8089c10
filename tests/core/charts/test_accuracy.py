"""Accuracy, of one result and of two: read from the SVG that Vega draws, frame by frame."""

from xml.etree.ElementTree import Element

import pytest

from core.charts.accuracy import accuracies_view
from core.charts.grammar import BEYOND, BLANK, FIRST_COLOUR, SECOND_COLOUR, UNDEFINED_COLOUR
from core.charts.overview import pair_scene, player_frames, result_scene
from core.findings.accuracy import metric_of
from core.findings.compare import shown_together
from core.results.schema import SweepResult, WorkingRangeRecord
from tests.builders import make_result
from tests.core.charts.test_compare import AMOUNTS, FIRST, SECOND, falling, views
from tests.pictures import drawn, labels, marks, place


def test_the_accuracy_picture_marks_the_frame_and_the_majority_class() -> None:
    result = make_result(num_layers=2, amounts=AMOUNTS, accuracy=lambda amount: 0.9 - amount / 2)
    spec = result_scene(result, "mean").views["accuracy"].spec
    assert spec["datasets"]["accuracy-majority"] == [{"value": 0.5, "text": "majority class: 0.50"}]
    places = []
    for frame, amount in enumerate(AMOUNTS):
        picture = drawn(spec, frame)
        (marker,) = marks(picture, "point")
        lines = [rule for rule in marks(picture, "rule mark") if list(labels(rule)) == ["Removed by pruning"]]
        places.append(place(marker))
        assert [place(line)[0] for line in lines] == [place(marker)[0]]
        assert float(labels(marker)["Accuracy"]) == pytest.approx(0.9 - amount / 2, abs=0.0051)
    assert [x for x, _ in places] == sorted(x for x, _ in places)  # right as the amount grows
    assert places[0][1] < places[-1][1]  # down as accuracy falls


def test_both_accuracies_have_their_colours_and_the_marker_stands_on_both() -> None:
    spec = views()["accuracy"]
    assert {row["series"] for row in spec["datasets"]["accuracy"]} == {
        "Magnitude pruning of the encoder",
        "Random pruning of the encoder, as\nmagnitude prunes (seed 1)",
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
        return [row["value"] for row in views(FIRST, second)["accuracy"]["datasets"]["accuracy-majority"]]

    assert majorities(SECOND) == [0.5]
    assert majorities(falling(1.2, num_examples=5)) == [0.5, 0.6]


def with_correlation(result: SweepResult, values: tuple[float, ...]) -> SweepResult:
    """A result whose task is judged by Matthews correlation."""
    frames = tuple(
        frame.model_copy(
            update={
                "metrics": {**frame.metrics, "matthews_correlation": value},
                "intervals": {**frame.intervals, "matthews_correlation": (value - 0.1, value + 0.1)},
            }
        )
        for frame, value in zip(result.frames, values, strict=True)
    )
    task = result.task.model_copy(update={"main_metric": "matthews_correlation"})
    return result.model_copy(update={"frames": frames, "task": task})


def test_the_curve_is_the_tasks_main_metric_which_may_be_negative() -> None:
    result = with_correlation(make_result(num_layers=2, amounts=AMOUNTS), (0.6, 0.5, 0.0, -0.1))
    spec = result_scene(result, "mean").views["accuracy"].spec
    assert spec["title"] == "Matthews correlation with its 95 % interval"
    assert spec["datasets"]["accuracy-majority"] == [{"value": 0.0, "text": "majority class: 0.00"}]
    assert [row["value"] for row in spec["datasets"]["accuracy"]] == [0.6, 0.5, 0.0, -0.1]
    heights = [place(marks(drawn(spec, frame), "point")[0])[1] for frame in range(4)]
    assert heights[0] < heights[1] < heights[2] < heights[3], "below 0 is not drawn at 0"
    assert player_frames(result)[1]["detail"].endswith("MCC 0.50")


def test_accuracy_stands_in_where_the_main_metric_is_missing() -> None:
    result = with_correlation(make_result(num_layers=2, amounts=AMOUNTS), (0.6, 0.5, 0.0, -0.1))
    other = make_result(num_layers=3, amounts=AMOUNTS)
    scene = pair_scene((result, other), "mean", ("A", "B"))
    assert scene.views["left-accuracy"].title == "A: Matthews correlation, 95 % interval"
    assert scene.views["right-accuracy"].title == "B: accuracy, 95 % interval"
    assert metric_of(result, asked="accuracy") == "accuracy"
    scene = pair_scene((other, other), "mean", ("A", "B"))
    assert scene.frames[0]["detail"] == "accuracy A 0.90 and B 0.90"
    old = make_result(amounts=AMOUNTS)
    old = old.model_copy(update={"task": old.task.model_copy(update={"main_metric": "matthews_correlation"})})
    assert metric_of(old) == "accuracy"
    assert metric_of(result, other) == "accuracy", "no metric is the main one of both"


def working_to(result: SweepResult, to: float | None) -> SweepResult:
    known = WorkingRangeRecord(
        to=to, metric="accuracy", examples=9, shown_broken_from=None, smallest_drop=0.1, lead=0.4, reason=None
    )
    return result.model_copy(update={"working_range": known})


def shades(picture: Element) -> list[Element]:
    return [mark for mark in marks(picture, "rect mark") if mark.get("fill") == UNDEFINED_COLOUR]


@pytest.mark.parametrize(("to", "shaded"), [(0.25, 1), (0.75, 0), (None, 0)])
def test_what_lies_beyond_the_working_range_is_shaded(to: float | None, shaded: int) -> None:
    result = working_to(make_result(num_layers=2, amounts=AMOUNTS), to)
    picture = drawn(result_scene(result, "mean").views["accuracy"].spec, 0)
    assert len(shades(picture)) == shaded
    assert sum(text.text == BEYOND for text in marks(picture, "text mark")) == 2 * shaded, "with its halo"


@pytest.mark.parametrize(
    ("first", "second", "starts", "words"),
    [
        (None, 0.75, [], BLANK),
        (0.5, None, [0.5], "shaded: the first no longer works"),
        (0.5, 0.25, [0.25, 0.5], "shaded: the second no longer works, darker: neither does"),
        (0.25, 0.25, [0.25], "shaded: neither works any more"),
    ],
)
def test_of_two_results_each_is_shaded_from_its_own_end(
    first: float | None, second: float | None, starts: list[float], words: str
) -> None:
    spec = views(working_to(FIRST, first), working_to(SECOND, second))["accuracy"]
    assert sorted(row["start"] for row in spec["datasets"]["accuracy-beyond"]) == starts
    assert spec["title"] == ["Accuracy with its 95 % interval", words]
    assert len(shades(drawn(spec, 0))) == len(starts)


def test_at_equal_change_the_shade_begins_where_the_last_working_amount_stands() -> None:
    first, second = working_to(falling(0.4), 0.5), working_to(falling(0.8, method="random"), 0.5)
    together = shown_together(first, second, "damage")
    assert together.places[-1] == pytest.approx(0.3)
    spec = accuracies_view((first, second), together, ("a", "b")).spec
    assert [row["start"] for row in spec["datasets"]["accuracy-beyond"]] == [pytest.approx(0.2)], "0.4 is not shown"
    assert spec["title"][1] == "shaded: the first no longer works"


def test_the_tooltip_tells_what_changes_for_the_user() -> None:
    result = make_result(num_layers=2, amounts=AMOUNTS)
    rows = result_scene(result, "mean").views["accuracy"].datasets["accuracy"]
    assert [row["changed"] for row in rows] == ["0 %", "13 % (8 to 17)", "25 % (17 to 33)", "38 % (25 to 50)"]
    assert rows[2]["divergence"] == "0.075 bits (0.050 to 0.100)"
    bare = result.frames[1].model_copy(update={"changed": None, "divergence": None})
    old = result.model_copy(update={"frames": (result.frames[0], bare)})
    row = result_scene(old, "mean").views["accuracy"].datasets["accuracy"][1]
    assert (row["changed"], row["divergence"]) == ("not measured", "not measured")


def test_amounts_stand_under_the_curve_in_percent() -> None:
    picture = drawn(result_scene(make_result(num_layers=2), "mean").views["accuracy"].spec, 0)
    texts = {element.text for element in picture.iter() if element.text}
    assert {"0\u00a0%", "20\u00a0%", "100\u00a0%"} <= texts
    assert "0.2" not in texts
