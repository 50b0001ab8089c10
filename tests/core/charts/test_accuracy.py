"""Accuracy, of one result and of two: read from the SVG that Vega draws, frame by frame."""

import pytest

from core.charts.compare import compare_scene
from core.charts.grammar import BEYOND, BLANK, FIRST_COLOUR, SECOND_COLOUR, UNDEFINED_COLOUR, Spec
from core.charts.overview import pair_scene, player_frames, result_scene
from core.findings.accuracy import metric_of
from core.results.schema import SweepResult, WorkingRangeRecord
from tests.builders import make_result
from tests.core.charts.test_compare import AMOUNTS, FIRST, SECOND, falling, views
from tests.pictures import drawn, labels, marks, place, texts

RESULT = make_result(num_layers=2, amounts=AMOUNTS, accuracy=lambda amount: 0.9 - amount / 2)


def accuracy(result: SweepResult = RESULT) -> Spec:
    return result_scene(result, "mean").views["accuracy"].spec


def test_the_picture_marks_the_frame_and_the_majority_class() -> None:
    assert accuracy()["datasets"]["accuracy-majority"] == [{"value": 0.5, "text": "majority class: 0.50"}]
    places = []
    for frame, amount in enumerate(AMOUNTS):
        picture = drawn(accuracy(), frame)
        (marker,) = marks(picture, "point")
        lines = [rule for rule in marks(picture, "rule mark") if list(labels(rule)) == ["Removed by pruning"]]
        places.append(place(marker))
        assert [place(line)[0] for line in lines] == [place(marker)[0]]
        assert float(labels(marker)["Accuracy"]) == pytest.approx(0.9 - amount / 2, abs=0.0051)
    assert [x for x, _ in places] == sorted(x for x, _ in places)  # right as the amount grows
    assert places[0][1] < places[-1][1]  # down as accuracy falls
    assert {"0\u00a0%", "20\u00a0%", "100\u00a0%"} <= {element.text for element in drawn(accuracy(), 0).iter()}


def test_both_accuracies_have_their_colours_and_the_marker_stands_on_both() -> None:
    spec, heights = views()["accuracy"], []
    assert list(dict.fromkeys(row["series"] for row in spec["datasets"]["accuracy"])) == [
        "Magnitude pruning of the encoder",
        "Random pruning of the encoder, as\nmagnitude prunes (seed 1)",
    ]
    for frame in (0, 3):
        picture = drawn(spec, frame)
        points = [point for point in marks(picture, "point") if point.get("opacity") != "0"]
        lines = marks(picture, "line mark")
        assert [point.get("fill") for point in points] == [FIRST_COLOUR, SECOND_COLOUR]
        assert [line.get("stroke") for line in lines] == [FIRST_COLOUR, SECOND_COLOUR]
        assert lines[0].get("stroke-dasharray") != lines[1].get("stroke-dasharray")
        assert place(points[0])[0] == place(points[1])[0]
        heights.append(place(points[0])[1] - place(points[1])[1])
    assert heights[0] == 0 > heights[1], "the same baseline; then the first is higher on the page"


def test_a_shared_majority_class_is_one_line_and_two_are_two() -> None:
    for second, lines in ((SECOND, [0.5]), (falling(1.2, num_examples=5), [0.5, 0.6])):
        rows = views(FIRST, second)["accuracy"]["datasets"]["accuracy-majority"]
        assert [row["value"] for row in rows] == lines


def with_correlation(values: tuple[float, ...]) -> SweepResult:
    """A result whose task is judged by Matthews correlation."""
    frames = tuple(
        frame.model_copy(
            update={
                "metrics": {**frame.metrics, "matthews_correlation": value},
                "intervals": {**frame.intervals, "matthews_correlation": (value - 0.1, value + 0.1)},
            }
        )
        for frame, value in zip(RESULT.frames, values, strict=True)
    )
    task = RESULT.task.model_copy(update={"main_metric": "matthews_correlation"})
    return RESULT.model_copy(update={"frames": frames, "task": task})


def test_the_curve_is_the_tasks_main_metric_or_accuracy_where_that_is_missing() -> None:
    values = (0.6, 0.5, 0.0, -0.1)
    result = with_correlation(values)
    spec = accuracy(result)
    assert spec["title"] == "Matthews correlation with its 95 % interval"
    assert spec["datasets"]["accuracy-majority"] == [{"value": 0.0, "text": "majority class: 0.00"}]
    assert [row["value"] for row in spec["datasets"]["accuracy"]] == list(values)
    heights = [place(marks(drawn(spec, frame), "point")[0])[1] for frame in range(4)]
    assert sorted(set(heights)) == heights, "below 0 is not drawn at 0"
    assert player_frames(result)[1]["detail"].endswith("MCC 0.50")
    scene = pair_scene((result, RESULT), "mean", ("A", "B"))
    assert scene.views["left-accuracy"].title == "A: Matthews correlation, 95 % interval"
    assert scene.views["right-accuracy"].title == "B: accuracy, 95 % interval"
    assert scene.frames[0]["detail"] == "A MCC 0.60 and B accuracy 0.90"
    assert metric_of(result, RESULT) == "accuracy", "no metric is the main one of both"
    assert metric_of(RESULT.model_copy(update={"task": result.task})) == "accuracy"


def working_to(result: SweepResult, to: float | None) -> SweepResult:
    known = WorkingRangeRecord(
        to=to, metric="accuracy", examples=9, shown_broken_from=None, smallest_drop=0.1, lead=0.4, reason=None
    )
    return result.model_copy(update={"working_range": known})


def shades(spec: Spec) -> int:
    return sum(mark.get("fill") == UNDEFINED_COLOUR for mark in marks(drawn(spec, 0), "rect mark"))


@pytest.mark.parametrize(("to", "shaded"), [(0.25, 1), (0.75, 0), (None, 0)])
def test_what_lies_beyond_the_working_range_is_shaded(to: float | None, shaded: int) -> None:
    spec = accuracy(working_to(RESULT, to))
    assert (shades(spec), texts(spec, 0).count(BEYOND)) == (shaded, 2 * shaded), "the words with their halo"


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
    assert [row["start"] for row in spec["datasets"]["accuracy-beyond"]] == starts
    assert spec["title"] == ["Accuracy with its 95 % interval", words]
    assert shades(spec) == len(starts)


def test_at_equal_change_the_shade_begins_where_the_last_working_amount_stands() -> None:
    first, second = working_to(falling(0.4), 0.5), working_to(falling(0.8, method="random"), 0.5)
    spec = compare_scene(first, second, "mean", "damage").views["accuracy"].spec
    assert [row["start"] for row in spec["datasets"]["accuracy-beyond"]] == [pytest.approx(0.2)], "0.4 is not shown"
    assert spec["title"][1] == "shaded: the first no longer works"


def test_the_tooltip_tells_what_changes_for_the_user() -> None:
    rows = accuracy()["datasets"]["accuracy"]
    assert [row["changed"] for row in rows] == ["0 %", "13 % (8 to 17)", "25 % (17 to 33)", "38 % (25 to 50)"]
    assert rows[2]["divergence"] == "0.075 bits (0.050 to 0.100)"
    bare = RESULT.frames[1].model_copy(update={"changed": None, "divergence": None})
    row = accuracy(RESULT.model_copy(update={"frames": (RESULT.frames[0], bare)}))["datasets"]["accuracy"][1]
    assert (row["changed"], row["divergence"]) == ("not measured", "not measured")
