"""Two results in one picture: read from the SVG that Vega draws, frame by frame."""

import math
import re
from itertools import product
from xml.etree import ElementTree

import pytest

from core.charts.compare import compare_frames, compare_views
from core.charts.grammar import FIRST_COLOUR, SECOND_COLOUR, UNDEFINED_COLOUR, Spec
from core.charts.matrix import MAX_PRINTED_SIGNED
from core.charts.view import specs
from core.findings.compare import names_apart, shared_scale, shown_together
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.pictures import drawn, labels, marks, place

AMOUNTS = (0.0, 0.25, 0.5, 0.75)
HOLE = (0.5, 2, 1)  # amount, row and column of a value that is undefined


def falling(speed: float, **settings: object) -> SweepResult:
    """A result whose every own CKA falls at the same speed."""
    return make_result(
        **{
            "num_layers": 3,
            "amounts": AMOUNTS,
            "own_cka": lambda amount, point, size: 1 - speed * amount,
            "accuracy": lambda amount: 0.9 - speed * amount / 2,
            **settings,
        }
    )


FIRST, SECOND = falling(0.4, holes=(HOLE,)), falling(1.2, method="random", seed=1)


def views(first: SweepResult = FIRST, second: SweepResult = SECOND, reduction: str = "mean") -> dict[str, Spec]:
    return specs(compare_views(first, second, reduction, shown_together(first, second), names_apart(first, second)))


def differences(picture: ElementTree.Element) -> dict[tuple[str, str], ElementTree.Element]:
    rects = [rect for rect in marks(picture, "rect mark") if "Difference" in labels(rect)]
    return {(labels(rect)["Baseline"], labels(rect)["Pruned"]): rect for rect in rects}


def name(layer: int) -> str:
    return f"Layer {layer + 1}, attention block"


def luminance(rgb: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", rgb)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# ---------------------------------------------------------------- the difference


@pytest.mark.parametrize("frame", [0, 3])
def test_every_cell_tells_the_difference_and_what_it_comes_from(frame: int) -> None:
    cells = differences(drawn(views()["difference"], frame))
    assert len(cells) == 9
    for i, j in product(range(3), range(3)):
        a, b = (result.frames[frame].cka["mean"][i][j] for result in (FIRST, SECOND))
        assert a is not None
        assert b is not None
        told = labels(cells[name(i), name(j)])
        assert float(told["Difference"]) == pytest.approx(a - b, abs=5.1e-4)
        assert (float(told["First"]), float(told["Second"])) == pytest.approx((a, b), abs=5.1e-4)


def test_where_either_is_undefined_there_is_no_difference() -> None:
    picture = drawn(views()["difference"], AMOUNTS.index(HOLE[0]))
    cells = differences(picture)
    told = labels(cells[name(HOLE[1]), name(HOLE[2])])
    assert (told["Difference"], told["First"]) == ("undefined", "undefined")
    assert told["Second"] != "undefined"
    assert [key for key, cell in cells.items() if cell.get("fill") == UNDEFINED_COLOUR] == [(name(2), name(1))]
    assert len(marks(picture, "text mark")) == 8


def test_the_first_is_orange_where_it_keeps_more_and_blue_where_it_keeps_less() -> None:
    def own(one: SweepResult, other: SweepResult) -> tuple[int, int, int]:
        fill = differences(drawn(views(one, other)["difference"], 3))[name(0), name(0)].get("fill", "")
        red, green, blue = map(int, re.findall(r"\d+", fill))
        return red, green, blue

    gentle, harsh = falling(0.4), falling(1.2, method="random")
    red, _, blue = own(gentle, harsh)
    assert red > blue
    red, _, blue = own(harsh, gentle)
    assert blue > red
    assert max(own(gentle, gentle)) - min(own(gentle, gentle)) < 20, "no difference has no hue"


def test_a_difference_has_the_same_colour_in_every_frame_and_comparison() -> None:
    weak = falling(0.4)
    fills = [
        differences(drawn(views(one, other)["difference"], frame))[name(1), name(1)].get("fill")
        for one, other, frame in (
            (weak, falling(0.8, method="random"), 2),  # 0.8 - 0.6
            (falling(0.8), falling(1.6, method="random"), 1),  # 0.8 - 0.6
            (weak, falling(1.2, method="random"), 1),  # 0.9 - 0.7
        )
    ]
    assert len(set(fills)) == 1


def test_printed_differences_have_their_sign_and_can_be_read_on_every_shade() -> None:
    one, other = (
        falling(1, num_layers=2, amounts=tuple(k / 20 for k in range(20)), own_cka=of)
        for of in (lambda amount, point, size: 1.0, lambda amount, point, size: 1 - 1.99 * amount)
    )
    for pair in ((one, other), (other, one)):
        spec = views(*pair)["difference"]
        for frame in range(0, 12):
            picture = drawn(spec, frame)
            shade = luminance(differences(picture)[name(0), name(0)].get("fill", ""))
            text = next(mark for mark in marks(picture, "text mark"))
            value = float((text.text or "").replace("−", "-"))
            assert abs(value) == pytest.approx(1.99 * frame / 20, abs=0.0051)
            assert (text.text or "").startswith("+") == (value > 0)
            ink = 0.0 if text.get("fill") == "black" else 1.0
            low, high = sorted((ink, shade))
            assert (high + 0.05) / (low + 0.05) >= 4.5, f"{value} in {text.get('fill')}"


def test_numbers_are_printed_where_they_fit() -> None:
    for layers, printed in ((MAX_PRINTED_SIGNED, MAX_PRINTED_SIGNED**2), (MAX_PRINTED_SIGNED + 1, 0)):
        one, other = (make_result(num_layers=layers, amounts=(0.0,), seed=seed) for seed in (0, 1))
        assert len(marks(drawn(views(one, other)["difference"], 0), "text mark")) == printed


# ---------------------------------------------------------------- curves


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


def test_the_diagonals_are_laid_over_one_another() -> None:
    spec = views()["own"]
    for frame in (0, 2):
        points = marks(drawn(spec, frame), "point")
        told = {(labels(point)["Pruning"].split()[0], labels(point)["Layer"]): labels(point)["CKA"] for point in points}
        assert len(told) == 6
        for result, word in ((FIRST, "Magnitude"), (SECOND, "Random")):
            for k in range(3):
                value = result.frames[frame].cka["mean"][k][k]
                assert float(told[word, str(k + 1)]) == pytest.approx(value, abs=0.0051)


# ---------------------------------------------------------------- what is shown together


UNITS = falling(
    0.8, method="attribution", scope=None, amounts=(0.0, 0.3, 0.6, 0.9), prunable_sparsity=lambda amount: amount * 5 / 6
)


def test_granularities_share_the_axis_as_prunable_sparsity() -> None:
    pairs = shown_together(FIRST, UNITS)
    assert [(a.amount, b.amount) for a, b in pairs] == [(0.0, 0.0), (0.25, 0.3), (0.5, 0.6), (0.75, 0.9)]
    assert [frame["amount"] for frame in compare_frames(pairs, shared_scale(FIRST, UNITS))] == [0, 0.25, 0.5, 0.75]
    spec = views(FIRST, UNITS)["accuracy"]
    axes = [element.get("aria-label", "") for element in marks(drawn(spec, 0), "axis")]
    assert any("Share of the encoder's weights removed" in axis for axis in axes)
    assert [row["amount"] for row in spec["datasets"]["accuracy"]][4:] == [0.0, 0.25, 0.5, 0.75]


def test_frames_that_are_near_each_other_are_named_by_both_places() -> None:
    other = falling(1.2, method="random", amounts=(0.0, 0.3, 0.75))
    pairs = shown_together(FIRST, other)
    frames = compare_frames(pairs, "amount")
    assert [frame["name"] for frame in frames] == [
        "Pruning amount 0.00",
        "Pruning amount 0.25 and 0.30",
        "Pruning amount 0.75",
    ]
    assert frames[2]["detail"] == "accuracy 0.75 and 0.45"
    rows = views(FIRST, other)["accuracy"]["datasets"]["accuracy"]
    assert [row["k"] for row in rows] == [0, 1, None, 2, 0, 1, 2], "amounts of one alone are drawn, but have no frame"


def test_rows_that_do_not_correspond_have_no_difference() -> None:
    for other in (falling(1.2, num_layers=4), falling(1.2, points="layer")):
        assert set(views(FIRST, other)) == {"first", "second", "accuracy"}


def test_every_view_has_the_same_title_height_and_nothing_moves() -> None:
    drawings = views()
    heights = {len(drawings[side]["title"]) for side in ("first", "second", "difference")}
    assert len(heights) == 1
    for spec in drawings.values():
        pictures = [drawn(spec, frame) for frame in range(len(AMOUNTS))]
        assert len({(one.get("viewBox"), one[1].get("transform")) for one in pictures}) == 1


def test_data_hold_no_nan() -> None:
    for spec in views(reduction="cls").values():
        for rows in spec["datasets"].values():
            values = [value for row in rows for value in row.values() if isinstance(value, float)]
            assert not any(map(math.isnan, values))
