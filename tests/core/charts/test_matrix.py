"""Layers against layers: read from the SVG that Vega draws, frame by frame."""

import re
from itertools import product
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest

from core.charts.grammar import UNDEFINED_COLOUR, Spec
from core.charts.matrix import LIGHT_FROM, MAX_PRINTED, MAX_PRINTED_SIGNED, heatmap_view
from core.charts.overview import result_scene
from core.request.catalog import REDUCTIONS
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.core.charts.test_compare import AMOUNTS, FIRST, HOLE, SECOND, falling, views
from tests.pictures import drawn, labels, marks

HOLE_FRAME = AMOUNTS.index(HOLE[0])


@pytest.fixture(scope="module")
def result() -> SweepResult:
    return make_result(num_layers=3, amounts=AMOUNTS, holes=(HOLE,))


def heatmap(result: SweepResult, reduction: str = "mean") -> Spec:
    return result_scene(result, reduction).views["heatmap"].spec


def cells(spec: Spec, frame: int) -> dict[tuple[str, str], ElementTree.Element]:
    """The heatmap's cells by the titles of baseline and pruned layer."""
    rects = [rect for rect in marks(drawn(spec, frame), "rect mark") if "Similarity" in labels(rect)]
    return {(labels(rect)["Unpruned"], labels(rect)["Pruned"]): rect for rect in rects}


def differences(picture: ElementTree.Element) -> dict[tuple[str, str], ElementTree.Element]:
    rects = [rect for rect in marks(picture, "rect mark") if "Difference" in labels(rect)]
    return {(labels(rect)["Unpruned"], labels(rect)["Pruned"]): rect for rect in rects}


def name(layer: int) -> str:
    return f"Layer {layer + 1}, attention block"


def channels(cell: ElementTree.Element) -> tuple[int, int, int]:
    """Red, green and blue of a cell's colour."""
    red, green, blue = map(int, re.findall(r"\d+", cell.get("fill", "")))
    return red, green, blue


def luminance(rgb: np.ndarray) -> float:
    """WCAG's relative luminance of a colour in [0, 1]."""
    linear = np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


# ---------------------------------------------------------------- CKA


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_every_cell_shows_its_value_to_two_decimals(result: SweepResult, reduction: str) -> None:
    spec = heatmap(result, reduction)
    for frame in (0, 3):
        shown = cells(spec, frame)
        assert len(shown) == 9
        for i, j in product(range(3), range(3)):
            value = result.frames[frame].similarity["cka"][reduction][i][j]
            assert value is not None
            assert float(labels(shown[name(i), name(j)])["Similarity"]) == pytest.approx(value, abs=0.00501)


def test_an_undefined_cell_is_grey_and_hatched_and_says_so(result: SweepResult) -> None:
    spec = heatmap(result)
    shown = cells(spec, HOLE_FRAME)
    assert labels(shown[name(HOLE[1]), name(HOLE[2])])["Similarity"] == "undefined"
    assert [key for key, cell in shown.items() if cell.get("fill") == UNDEFINED_COLOUR] == [(name(2), name(1))]
    strokes = marks(drawn(spec, HOLE_FRAME), "rule mark")
    assert {(labels(stroke)["baseline"], labels(stroke)["pruned"]) for stroke in strokes} == {("3", "2")}
    assert not marks(drawn(spec, 0), "rule mark")


def test_negative_values_are_painted_as_the_low_end_but_shown_exactly() -> None:
    result = make_result(num_layers=2, amounts=(0.0, 0.5), own_cka=lambda amount, point, size: -0.2 if amount else 1.0)
    own = cells(heatmap(result), 1)[name(0), name(0)]
    assert labels(own)["Similarity"] == "-0.20"
    assert own.get("fill") == "rgb(0, 0, 4)"  # where magma begins


def test_colours_mean_the_same_in_every_result() -> None:
    faint = make_result(num_layers=2, amounts=(0.0, 0.5), own_cka=lambda amount, point, size: 1 - amount * 0.02)
    strong = make_result(num_layers=2, amounts=(0.0, 0.5))
    fills = [[cells(heatmap(one), frame)[name(1), name(1)].get("fill") for frame in (0, 1)] for one in (faint, strong)]
    assert fills[0][0] == fills[1][0] == "rgb(252, 253, 191)"  # 1, where magma ends
    assert fills[0][1] != fills[1][1]


def test_printed_numbers_can_be_read_on_every_shade() -> None:
    magma = matplotlib.colormaps["magma"]
    for value in np.linspace(0, 1, 201):
        shade = luminance(np.array(magma(value)[:3]))
        contrast = (shade + 0.05) / 0.05 if value > LIGHT_FROM else 1.05 / (shade + 0.05)
        assert contrast >= 4.5, f"{value:.3f}"


def test_numbers_are_printed_where_they_fit_and_never_in_undefined_cells(result: SweepResult) -> None:
    def printed(one: SweepResult, frame: int) -> int:
        return len(marks(drawn(heatmap(one), frame), "text mark"))

    assert printed(result, 0) == 9
    assert printed(result, HOLE_FRAME) == 8
    fits, crowded = (make_result(num_layers=k, amounts=(0.0,)) for k in (MAX_PRINTED, MAX_PRINTED + 1))
    assert printed(fits, 0) == MAX_PRINTED**2
    assert printed(crowded, 0) == 0


def test_the_outline_and_the_threshold_are_named_once_where_that_is_asked_for(result: SweepResult) -> None:
    for annotated in (False, True):
        spec = heatmap_view(result, result.frames, "mean", annotated=annotated).spec
        texts = [text.text or "" for text in drawn(spec, 0).iter() if text.tag.endswith("text")]
        assert sum("same layer" in text for text in texts) == annotated
        assert ("intact from 0.9" in texts) == annotated


def test_points_of_both_kinds_alternate_and_are_explained() -> None:
    result = make_result(num_layers=2, amounts=(0.0,), points="both")
    spec = heatmap(result)
    assert [row["pruned"] for row in spec["datasets"]["cells"][:4]] == ["1a", "1", "2a", "2"]
    axes = [element.get("aria-label", "") for element in marks(drawn(spec, 0), "axis")]
    assert any("'Pruned model, layer (1a: attention block, 1: output)'" in axis for axis in axes)
    assert any(axis.endswith("1a, 1, 2a, 2") for axis in axes)
    assert ("Layer 2, output", "Layer 1, attention block") in cells(spec, 0)


def test_where_labels_have_no_room_both_axes_leave_the_same_ones_out() -> None:
    result = make_result(num_layers=12, amounts=(0.0,), points="both")
    picture = drawn({**heatmap(result), "width": 280, "height": 280}, 0)
    columns, rows = (
        [text.text for text in axis.iter() if re.fullmatch(r"\d+a?", text.text or "") and text.get("opacity") != "0"]
        for axis in marks(picture, "axis")
    )
    assert columns == rows == [f"{k + 1}a" for k in range(12)]


# ---------------------------------------------------------------- the difference of two results


@pytest.mark.parametrize("frame", [0, 3])
def test_every_cell_shows_the_difference_and_both_values(frame: int) -> None:
    cells = differences(drawn(views()["difference"], frame))
    assert len(cells) == 9
    for i, j in product(range(3), range(3)):
        a, b = (result.frames[frame].similarity["cka"]["mean"][i][j] for result in (FIRST, SECOND))
        assert a is not None
        assert b is not None
        told = labels(cells[name(i), name(j)])
        assert (float(told["First"]), float(told["Second"])) == pytest.approx((a, b), abs=0.00501)
        assert float(told["Difference"]) == pytest.approx(float(told["First"]) - float(told["Second"]))


def test_a_difference_is_that_of_the_numbers_beside_it() -> None:
    one, other = (
        falling(1, method=method, own_cka=lambda amount, *_, later=later: later if amount else 1.0)
        for method, later in (("magnitude", 0.2046), ("random", 0.4954))
    )
    picture = drawn(views(one, other)["difference"], 1)
    told = labels(differences(picture)[name(0), name(0)])
    assert (told["First"], told["Second"], told["Difference"]) == ("0.20", "0.50", "-0.30")
    assert marks(picture, "text mark")[0].text == "−0.30", "not -0.29, which is nearer, with a true minus sign"


def test_an_undefined_value_leaves_the_difference_undefined() -> None:
    picture = drawn(views()["difference"], HOLE_FRAME)
    cells = differences(picture)
    told = labels(cells[name(HOLE[1]), name(HOLE[2])])
    assert (told["Difference"], told["First"]) == ("undefined", "undefined")
    assert told["Second"] != "undefined"
    assert [key for key, cell in cells.items() if cell.get("fill") == UNDEFINED_COLOUR] == [(name(2), name(1))]
    assert len(marks(picture, "text mark")) == 8


def test_the_first_is_orange_where_it_keeps_more_and_blue_where_it_keeps_less() -> None:
    def own(one: SweepResult, other: SweepResult) -> tuple[int, int, int]:
        return channels(differences(drawn(views(one, other)["difference"], 3))[name(0), name(0)])

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
            shade = luminance(np.array(channels(differences(picture)[name(0), name(0)])) / 255)
            text = next(mark for mark in marks(picture, "text mark"))
            value = float((text.text or "").replace("−", "-"))
            assert abs(value) == pytest.approx(1.99 * frame / 20, abs=0.0051)
            assert (text.text or "").startswith("+") == (value > 0)
            ink = 0.0 if text.get("fill") == "black" else 1.0
            low, high = sorted((ink, shade))
            assert (high + 0.05) / (low + 0.05) >= 4.5, f"{value} in {text.get('fill')}"


def test_differences_are_printed_where_they_fit() -> None:
    for layers, printed in ((MAX_PRINTED_SIGNED, MAX_PRINTED_SIGNED**2), (MAX_PRINTED_SIGNED + 1, 0)):
        one, other = (make_result(num_layers=layers, amounts=(0.0,), seed=seed) for seed in (0, 1))
        assert len(marks(drawn(views(one, other)["difference"], 0), "text mark")) == printed
