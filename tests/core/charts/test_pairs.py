"""Heatmaps, differences and curves, of one result and of two: read from the SVG that Vega draws."""

import re
from itertools import product
from xml.etree.ElementTree import Element

import numpy as np
import pytest

from core.charts.compare import FLOOR_NOTE, compare_scene
from core.charts.grammar import BLANK, FIRST_COLOUR, SECOND_COLOUR, SHADED, UNDEFINED_COLOUR, Spec
from core.charts.result import result_scene
from core.request.catalog import REDUCTIONS
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.core.findings.made import CORRELATED, judged_by, working_to
from tests.pictures import axes, drawn, labels, marks, place, specs, texts, tooltips

AMOUNTS = (0.0, 0.25, 0.5, 0.75)
HOLE_FRAME = 2


def falling(speed: float, **settings: object) -> SweepResult:
    """A result whose every own CKA falls at the same speed."""
    own = {
        "own_cka": lambda amount, *_: 1 - speed * amount,
        "accuracy": lambda amount: 0.9 - speed * amount / 2,
    }
    return make_result(**{"num_layers": 3, "amounts": AMOUNTS, **own, **settings})


FIRST = falling(0.4, holes=((0.5, 2, 1),))
SECOND = falling(1.2, method="random", seed=1)


def views(first: SweepResult = FIRST, second: SweepResult = SECOND) -> dict[str, Spec]:
    return specs(compare_scene(first, second, "mean"))


def one(result: SweepResult = FIRST, picture: str = "heatmap", reduction: str = "mean") -> Spec:
    return result_scene(result, reduction).views[picture].spec


def cells(spec: Spec, frame: int) -> list[Element]:
    """A heatmap's or a difference's cells, row by row of the baseline's layers."""
    return [
        rect
        for rect in marks(
            drawn(spec, frame),
            "rect mark",
        )
        if "Unpruned" in labels(rect)
    ]


def markers(spec: Spec, frame: int) -> list[Element]:
    """The points that can be seen."""
    return [
        point
        for point in marks(
            drawn(spec, frame),
            "point",
        )
        if point.get("opacity") != "0"
    ]


# ---------------------------------------------------------------- heatmaps


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_every_cell_shows_its_value_and_an_undefined_one_is_grey_and_hatched(
    reduction: str,
) -> None:
    spec = one(reduction=reduction)
    for frame in (0, HOLE_FRAME):
        values = [value for row in FIRST.frames[frame].matrix(reduction) for value in row]
        for cell, value in zip(cells(spec, frame), values, strict=True):
            assert labels(cell)["Similarity"] == ("undefined" if value is None else f"{value:.2f}")
            assert (cell.get("fill") == UNDEFINED_COLOUR) == (value is None)
        assert len(
            marks(
                drawn(spec, frame),
                "rule mark",
            )
        ) == 3 * (frame == HOLE_FRAME)
        assert len(texts(spec, frame)) == 9 - (frame == HOLE_FRAME)


def test_colours_mean_the_same_in_every_result_and_negative_values_are_the_low_end() -> None:
    ends = {}
    for drop in (0.02, 1, 2.4):
        spec = one(
            make_result(
                num_layers=2, amounts=(0.0, 0.5), own_cka=lambda a, *_, drop=drop: 1 - a * drop
            )
        )
        assert (
            cells(
                spec,
                0,
            )[0].get("fill")
            == "rgb(252, 253, 191)"
        )  # 1, where magma ends
        ends[labels(cells(spec, 1)[0])["Similarity"]] = cells(
            spec,
            1,
        )[0].get("fill")
    assert (len(set(ends.values())), ends["-0.20"]) == (3, "rgb(0, 0, 4)")  # where magma begins


def test_numbers_names_and_labels_are_written_where_they_fit() -> None:
    for picture in (one(), views()["difference"]):
        assert [
            len(
                texts(
                    {**picture, "width": width},
                    0,
                )
            )
            for width in (80, 70)
        ] == [9, 0]
    both = one(make_result(num_layers=12, amounts=(0.0,), points="both"))
    assert any(
        "'Pruned model, layer (1a: attention block, 1: output)'" in axis for axis in axes(both)
    )


def test_a_difference_is_that_of_the_numbers_beside_it_with_its_sign() -> None:
    for frame in (HOLE_FRAME, 3):
        for cell, (i, j) in zip(
            cells(
                views()["difference"],
                frame,
            ),
            product(range(3), range(3)),
            strict=True,
        ):
            first, second = (
                result.frames[frame].matrix("mean")[i][j] for result in (FIRST, SECOND)
            )
            known = ["undefined" if value is None else f"{value:.2f}" for value in (first, second)]
            known += ["undefined" if first is None else f"{float(known[0]) - float(known[1]):+.2f}"]
            assert [labels(cell)[field] for field in ("First", "Second", "Difference")] == known
    near, far = (
        falling(1, own_cka=lambda amount, *_, to=to: to if amount else 1.0)
        for to in (0.2046, 0.4954)
    )
    for first, second, written, orange in (
        (near, far, "−0.30", False),
        (far, near, "+0.30", True),
    ):  # 0.29 is nearer
        spec = views(first, second)["difference"]
        red, _, blue = map(
            int,
            re.findall(r"\d+", cells(spec, 1)[0].get("fill", "")),
        )
        assert (texts(spec, 1)[0], red > blue) == (written, orange)


# ---------------------------------------------------------------- curves


def test_the_marker_follows_the_frame_and_tells_what_changes_for_the_user() -> None:
    spec = one(picture="accuracy")
    for frame, amount in enumerate(AMOUNTS):
        (marker,) = markers(spec, frame)
        assert float(labels(marker)["value"]) == pytest.approx(
            0.9 - 0.2 * amount,
            abs=0.0051,
        )
    assert {"0\u00a0%", "100\u00a0%", "commonest label: 0.50"} <= {
        element.text for element in drawn(spec, 0).iter()
    }
    for height, below in ((60, True), (20, False)):
        picture = drawn({**spec, "height": height}, 0)
        (words, *_) = (
            text
            for text in marks(
                picture,
                "text mark",
            )
            if "commonest label" in (text.text or "")
        )
        (line, *_) = (
            rule
            for rule in marks(
                picture,
                "rule mark",
            )
            if rule.get("stroke-dasharray")
        )
        assert (place(words)[1] > place(line)[1]) == below, "words keep clear of the axis below"
    point = tooltips(spec, 0, "95 % interval", "point")[2]
    assert point["Predictions changed"] == "25 % (17 to 33 %)"
    bare = FIRST.frames[1].model_copy(update={"changed": None, "intervals": {}})
    spec = one(
        FIRST.model_copy(update={"frames": (FIRST.frames[0], bare)}),
        "accuracy",
    )
    row = spec["datasets"]["accuracy"][1]
    assert (row["changed"], row["interval"]) == ("not measured", "unknown")


def test_what_lies_beyond_the_working_range_is_shaded_and_named_there() -> None:
    for first, second, starts in (
        (None, 0.75, []),
        (
            0.5,
            0.25,
            [
                0.25,
                0.5,
            ],
        ),
        (0.25, 0.25, [0.25]),
    ):
        both = views(
            working_to(FIRST, first),
            working_to(SECOND, second),
        )["accuracy"]
        alone = one(working_to(FIRST, first), "accuracy")
        assert [row["start"] for row in both["datasets"]["beyond"]] == starts
        assert [point.get("fill") for point in markers(both, 3)] == [
            FIRST_COLOUR,
            SECOND_COLOUR,
        ]
        assert both["title"] == [
            "Accuracy with its 95 % interval",
            SHADED if starts else BLANK,
        ]
        assert alone["title"][0].endswith(f"; {SHADED}") == (first is not None)
        assert sum(
            mark.get("fill") == UNDEFINED_COLOUR
            for mark in marks(
                drawn(both, 0),
                "rect mark",
            )
        ) == len(starts)


def test_frames_are_named_by_both_places_and_by_whose_weights_are_removed() -> None:
    def names(first: SweepResult, second: SweepResult) -> list[str]:
        return [
            frame["name"]
            for frame in compare_scene(
                first,
                second,
                "mean",
            ).frames
        ]

    other = falling(1.2, method="random", amounts=(0.0, 0.3, 0.75), num_examples=5)
    assert names(FIRST, other)[1:] == [
        "25 % and 30 % of weights removed",
        "75 % of weights removed",
    ]
    rows = views(FIRST, other)["accuracy"]["datasets"]["accuracy"]
    assert [row["k"] for row in rows] == [0, 1, None, 2, 0, 1, 2], (
        "of one alone: drawn, without frame"
    )
    second, first = (
        falling(
            1.2,
            scope=f"layer:{k}",
            points="layer",
        )
        for k in (1, 0)
    )
    assert (
        names(second, first)[-1]
        == "75 % of layer 2's weights and 75 % of layer 1's weights removed"
    )
    assert set(views(FIRST, first)) == {"first", "second", "accuracy"}, (
        "rows that do not correspond"
    )
    units = falling(
        0.8, method="attribution", scope=None, prunable_sparsity=lambda amount: amount * 5 / 6
    )
    assert (
        names(
            FIRST,
            units,
        )[1]
        == "25 % and 21 % of the encoder's weights removed"
    )


def test_at_equal_change_both_match_on_it() -> None:
    scene = compare_scene(
        falling(0.4),
        falling(1.2, method="random"),
        "mean",
        "damage",
    )
    own = scene.views["own"].datasets["own"]
    rows = scene.views["accuracy"].datasets["accuracy"]
    for k, frame in enumerate(scene.frames):
        means = [np.mean([row["v"][k] for row in own[side : side + 3]]) for side in (0, 3)]
        assert means == pytest.approx([1 - frame["amount"]] * 2, abs=2e-6)
        assert [row["amount"] for row in rows if row["k"] == k] == [frame["amount"]] * 2


def test_the_floor_is_drawn_once_where_it_is_the_same_and_named_above_the_curves() -> None:
    floor = FIRST.floor.model_copy(update={"cka": {"mean": (0.5, None, 0.1)}})
    for known, lines in ((FIRST.floor, {"both"}), (floor, {"first", "second"}), (None, {"first"})):
        spec = views(FIRST, SECOND.model_copy(update={"floor": known}))["own"]
        assert {row["line"] for row in spec["datasets"]["floor"]} == lines
        assert spec["title"][1] == FLOOR_NOTE


def test_two_tasks_are_shown_beside_each_other_each_by_its_own_metric() -> None:
    other = judged_by(CORRELATED, falling(1.2, task="cola"))
    scene = compare_scene(FIRST, other, "mean")
    scores = (FIRST.frames[2].metrics["accuracy"], other.frames[2].metrics["matthews_correlation"])
    assert scene.frames[2]["detail"] == "accuracy {:.2f} and MCC {:.2f}".format(*scores)
    assert set(scene.layout.on_slide.boxes(scene.views, 1280, 720)) == {
        "first",
        "second",
        "accuracy",
    }
    both = compare_scene(FIRST, other, "mean", metric="accuracy")
    assert both.frames[2]["detail"].startswith("accuracy 0.")
    assert "MCC" not in both.frames[2]["detail"]
