"""Accuracy and similarity of one result or two as curves: read from the SVG that Vega draws, frame by frame."""

import numpy as np
import pytest

from core.charts.compare import FLOOR_NOTE, compare_scene
from core.charts.grammar import BEYOND, BLANK, FIRST_COLOUR, SECOND_COLOUR, UNDEFINED_COLOUR, Spec
from core.charts.overview import pair_scene, player_frames, result_scene
from core.charts.view import specs
from core.findings.accuracy import metric_of
from core.findings.compare import Axis
from core.results.schema import SweepResult, WorkingRangeRecord
from tests.builders import make_result
from tests.pictures import axes, drawn, labels, marks, place, texts, told

AMOUNTS = (0.0, 0.25, 0.5, 0.75)
HOLE = (0.5, 2, 1)  # amount, row and column of a value that is undefined
RESULT = make_result(num_layers=2, amounts=AMOUNTS, accuracy=lambda amount: 0.9 - amount / 2)


def falling(speed: float, **settings: object) -> SweepResult:
    """A result whose every own CKA falls at the same speed."""
    own = {"own_cka": lambda amount, *_: 1 - speed * amount, "accuracy": lambda amount: 0.9 - speed * amount / 2}
    return make_result(**{"num_layers": 3, "amounts": AMOUNTS, **own, **settings})


FIRST, SECOND = falling(0.4, holes=(HOLE,)), falling(1.2, method="random", seed=1)


def views(first: SweepResult = FIRST, second: SweepResult = SECOND, axis: Axis = "amount") -> dict[str, Spec]:
    return specs(compare_scene(first, second, "mean", axis).views)


def accuracy(result: SweepResult = RESULT) -> Spec:
    return result_scene(result, "mean").views["accuracy"].spec


# ---------------------------------------------------------------- accuracy


def test_the_marker_follows_the_frame_and_tells_what_changes_for_the_user() -> None:
    assert accuracy()["datasets"]["majority"] == [{"value": 0.5, "text": "majority class: 0.50"}]
    places = []
    for frame, amount in enumerate(AMOUNTS):
        picture = drawn(accuracy(), frame)
        marker = next(point for point in marks(picture, "point") if point.get("opacity") != "0")
        (line,) = [rule for rule in marks(picture, "rule mark") if list(labels(rule)) == ["amount"]]
        places.append(place(marker))
        assert place(line)[0] == place(marker)[0]
        assert float(labels(marker)["Accuracy"]) == pytest.approx(0.9 - amount / 2, abs=0.0051)
    assert places == sorted(places), "right as the amount grows, and down as accuracy falls"
    assert {"0\u00a0%", "20\u00a0%", "100\u00a0%"} <= {element.text for element in drawn(accuracy(), 0).iter()}
    point = told(accuracy(), 0, "95 % interval", "point")[2]
    changes = [point["Predictions changed"], point["Divergence of the predictions"]]
    assert changes == ["25 % (17 to 33)", "0.075 bits (0.050 to 0.100)"]
    bare = RESULT.frames[1].model_copy(update={"changed": None, "divergence": None, "intervals": {}})
    row = accuracy(RESULT.model_copy(update={"frames": (RESULT.frames[0], bare)}))["datasets"]["accuracy"][1]
    assert (row["changed"], row["divergence"], row["interval"]) == ("not measured", "not measured", "unknown")


def test_the_curve_is_the_tasks_main_metric_or_accuracy_where_that_is_missing() -> None:
    values, name = (0.6, 0.5, 0.0, -0.1), "matthews_correlation"
    frames = tuple(
        frame.model_copy(update={"metrics": {**frame.metrics, name: value}, "intervals": {name: (value, 1.0)}})
        for frame, value in zip(RESULT.frames, values, strict=True)
    )
    task = RESULT.task.model_copy(update={"main_metric": name})
    result = RESULT.model_copy(update={"frames": frames, "task": task})
    assert accuracy(result)["title"] == "Matthews correlation with its 95 % interval"
    heights = [place(marks(drawn(accuracy(result), frame), "point")[0])[1] for frame in range(4)]
    assert sorted(set(heights)) == heights, "below 0 is not drawn at 0"
    assert player_frames(result)[1]["detail"].endswith("MCC 0.50")
    scene = pair_scene((result, RESULT), "mean", ("A", "B"))
    assert scene.views["left-accuracy"].title == "A: Matthews correlation, 95 % interval"
    assert scene.frames[0]["detail"] == "A MCC 0.60 and B accuracy 0.90"
    assert metric_of(result, RESULT) == metric_of(RESULT.model_copy(update={"task": task})) == "accuracy"


def working_to(result: SweepResult, to: float | None) -> SweepResult:
    known = {"metric": "accuracy", "examples": 9, "shown_broken_from": None, "smallest_drop": 0.1, "lead": 0.4}
    return result.model_copy(update={"working_range": WorkingRangeRecord(to=to, reason=None, **known)})


def shades(spec: Spec) -> int:
    return sum(mark.get("fill") == UNDEFINED_COLOUR for mark in marks(drawn(spec, 0), "rect mark"))


@pytest.mark.parametrize(
    ("first", "second", "starts", "words"),
    [
        (None, 0.75, [], BLANK),
        (0.5, None, [0.5], "shaded: the first no longer works"),
        (0.5, 0.25, [0.25, 0.5], "shaded: the second no longer works, darker: neither does"),
        (0.25, 0.25, [0.25], "shaded: neither works any more"),
    ],
)
def test_what_lies_beyond_the_working_range_is_shaded(
    first: float | None, second: float | None, starts: list[float], words: str
) -> None:
    spec = views(working_to(FIRST, first), working_to(SECOND, second))["accuracy"]
    assert [row["start"] for row in spec["datasets"]["beyond"]] == starts
    assert spec["title"] == ["Accuracy with its 95 % interval", words]
    assert shades(spec) == len(starts)
    alone = accuracy(working_to(RESULT, first))
    assert (shades(alone), BEYOND in texts(alone, 0)) == (int(first is not None), first is not None)


# ---------------------------------------------------------------- two results


def test_both_curves_have_their_colours_and_the_marker_stands_on_both() -> None:
    names = {"Magnitude pruning of the encoder", "Random pruning of the encoder, as\nmagnitude prunes (seed 1)"}
    assert {row["series"] for row in views()["accuracy"]["datasets"]["accuracy"]} == names
    for frame in (0, 3):
        picture = drawn(views()["accuracy"], frame)
        points = [point for point in marks(picture, "point") if point.get("opacity") != "0"]
        lines = marks(picture, "line mark")
        assert [mark.get("fill") for mark in points] == [FIRST_COLOUR, SECOND_COLOUR]
        assert [line.get("stroke") for line in lines] == [FIRST_COLOUR, SECOND_COLOUR]
        assert lines[0].get("stroke-dasharray") != lines[1].get("stroke-dasharray")
        assert (place(points[0])[1] < place(points[1])[1]) == bool(frame), "the same baseline"
        own = told(views()["own"], frame, "Pruning", "point")
        for point, (result, k) in zip(own, ((result, k) for result in (FIRST, SECOND) for k in range(3)), strict=True):
            assert float(point["Similarity"]) == pytest.approx(result.frames[frame].own("mean")[k], abs=0.0051)


def test_frames_are_named_by_both_places_and_by_whose_weights_are_removed() -> None:
    def names(first: SweepResult, second: SweepResult) -> list[str]:
        return [frame["name"] for frame in compare_scene(first, second, "mean").frames]

    other = falling(1.2, method="random", amounts=(0.0, 0.3, 0.75))
    assert names(FIRST, other)[1:] == ["25 % and 30 % of weights removed", "75 % of weights removed"]
    rows = views(FIRST, other)["accuracy"]["datasets"]["accuracy"]
    assert [row["k"] for row in rows] == [0, 1, None, 2, 0, 1, 2], "amounts of one alone are drawn, but have no frame"
    second, first = (falling(1.2, scope=f"layer:{k}", points="layer") for k in (1, 0))
    assert names(second, first)[-1] == "75 % of layer 2's weights and 75 % of layer 1's weights removed"
    units = falling(0.8, method="attribution", scope=None, prunable_sparsity=lambda amount: amount * 5 / 6)
    units = units.model_copy(update={"frames": units.frames[:2]})
    assert names(FIRST, units)[1] == "25 % and 21 % of the encoder's weights removed"
    assert any("Share of encoder weights removed" in axis for axis in axes(views(FIRST, units)["accuracy"]))
    majorities = views(FIRST, falling(1.2, num_examples=5))["accuracy"]["datasets"]["majority"]
    assert [row["value"] for row in majorities] == [0.5, 0.6], "two where they differ"


@pytest.mark.parametrize("axis", ["damage", "divergence"])
def test_at_equal_change_both_match_on_it(axis: Axis) -> None:
    first, second = working_to(falling(0.4), 0.5), working_to(falling(1.2, method="random"), 0.5)
    frames, spec = compare_scene(first, second, "mean", axis).frames, views(first, second, axis)
    own, rows = spec["own"]["datasets"]["own"], spec["accuracy"]["datasets"]["accuracy"]
    for k, frame in enumerate(frames):
        means = [np.mean([row["v"][k] for row in own[side : side + 3]]) for side in (0, 3)]
        assert axis != "damage" or means == pytest.approx([1 - frame["amount"]] * 2, abs=2e-6)
        assert [row["amount"] for row in rows if row["k"] == k] == [frame["amount"]] * 2
    assert "shaded: the first no longer works" in spec["accuracy"]["title"] or axis == "divergence"


def test_rows_that_do_not_correspond_have_no_difference() -> None:
    for other in (falling(1.2, num_layers=4), falling(1.2, points="layer")):
        assert set(views(FIRST, other)) == {"first", "second", "accuracy"}
    assert len({len(views()[side]["title"]) for side in ("first", "second", "difference")}) == 1, "equally high"


def test_the_floor_is_drawn_once_where_it_is_the_same_and_named_above_the_curves() -> None:
    bare, none = (result.model_copy(update={"floor": None}) for result in (FIRST, SECOND))
    floor = FIRST.floor.model_copy(update={"cka": {"mean": (0.5, None, 0.1)}})
    other = SECOND.model_copy(update={"floor": floor})
    pairs = (
        (FIRST, SECOND, {"both"}),
        (FIRST, other, {"first", "second"}),
        (FIRST, none, {"first"}),
        (bare, none, set()),
    )
    for first, second, lines in pairs:
        spec = views(first, second)["own"]
        assert {row["line"] for row in spec["datasets"]["floor"]} == lines
        assert spec["title"][1] == (FLOOR_NOTE if lines else BLANK), "as high without"
    strokes = {line.get("stroke") for line in marks(drawn(views(FIRST, other)["own"], 0), "line mark")}
    assert strokes == {FIRST_COLOUR, SECOND_COLOUR}, "each floor has its result's colour"
