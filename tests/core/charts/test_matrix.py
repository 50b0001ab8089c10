"""Layers against layers: read from the SVG that Vega draws, frame by frame."""

import re
from itertools import product
from xml.etree.ElementTree import Element

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
from tests.pictures import axes, drawn, labels, marks, texts

HOLE_FRAME = AMOUNTS.index(HOLE[0])
RESULT = make_result(num_layers=3, amounts=AMOUNTS, holes=(HOLE,))


def heatmap(result: SweepResult = RESULT, reduction: str = "mean") -> Spec:
    return result_scene(result, reduction).views["heatmap"].spec


def cells(spec: Spec, frame: int) -> dict[tuple[str, str], Element]:
    """A heatmap's or a difference's cells by the titles of baseline and pruned layer."""
    rects = [rect for rect in marks(drawn(spec, frame), "rect mark") if "Unpruned" in labels(rect)]
    return {(labels(rect)["Unpruned"], labels(rect)["Pruned"]): rect for rect in rects}


def name(layer: int) -> str:
    return f"Layer {layer + 1}, attention block"


def channels(cell: Element) -> tuple[int, int, int]:
    """Red, green and blue of a cell's colour."""
    red, green, blue = map(int, re.findall(r"\d+", cell.get("fill", "")))
    return red, green, blue


def luminance(rgb: np.ndarray) -> float:
    """WCAG's relative luminance of a colour in [0, 1]."""
    linear = np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


# ---------------------------------------------------------------- CKA


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_every_cell_shows_its_value_to_two_decimals(reduction: str) -> None:
    for frame in (0, 3):
        shown = cells(heatmap(RESULT, reduction), frame)
        values = RESULT.frames[frame].similarity["cka"][reduction]
        told = {key: float(labels(cell)["Similarity"]) for key, cell in shown.items()}
        assert told == {
            (name(i), name(j)): pytest.approx(values[i][j], abs=0.00501) for i, j in product(range(3), range(3))
        }


def test_an_undefined_cell_is_grey_and_hatched_and_says_so() -> None:
    shown = cells(heatmap(), HOLE_FRAME)
    assert labels(shown[name(HOLE[1]), name(HOLE[2])])["Similarity"] == "undefined"
    assert [key for key, cell in shown.items() if cell.get("fill") == UNDEFINED_COLOUR] == [(name(2), name(1))]
    strokes = marks(drawn(heatmap(), HOLE_FRAME), "rule mark")
    assert {(labels(stroke)["baseline"], labels(stroke)["pruned"]) for stroke in strokes} == {("3", "2")}
    assert not marks(drawn(heatmap(), 0), "rule mark")


def test_colours_mean_the_same_in_every_result_and_negative_values_are_the_low_end() -> None:
    ends = {}
    for drop in (0.02, 1, 2.4):
        result = make_result(num_layers=2, amounts=(0.0, 0.5), own_cka=lambda amount, *_, drop=drop: 1 - amount * drop)
        first, last = (cells(heatmap(result), frame)[name(0), name(0)] for frame in (0, 1))
        assert first.get("fill") == "rgb(252, 253, 191)"  # 1, where magma ends
        ends[labels(last)["Similarity"]] = last.get("fill")
    assert len(set(ends.values())) == 3
    assert ends["-0.20"] == "rgb(0, 0, 4)"  # where magma begins


def test_printed_numbers_can_be_read_on_every_shade() -> None:
    magma = matplotlib.colormaps["magma"]
    for value in np.linspace(0, 1, 201):
        shade = luminance(np.array(magma(value)[:3]))
        contrast = (shade + 0.05) / 0.05 if value > LIGHT_FROM else 1.05 / (shade + 0.05)
        assert contrast >= 4.5, f"{value:.3f}"


def test_numbers_are_printed_where_they_fit_and_never_in_undefined_cells() -> None:
    assert (len(texts(heatmap(), 0)), len(texts(heatmap(), HOLE_FRAME))) == (9, 8)
    for layers, printed in ((MAX_PRINTED, MAX_PRINTED**2), (MAX_PRINTED + 1, 0)):
        assert len(texts(heatmap(make_result(num_layers=layers, amounts=(0.0,))), 0)) == printed
    for layers, printed in ((MAX_PRINTED_SIGNED, MAX_PRINTED_SIGNED**2), (MAX_PRINTED_SIGNED + 1, 0)):
        one, other = (make_result(num_layers=layers, amounts=(0.0,), seed=seed) for seed in (0, 1))
        assert len(texts(views(one, other)["difference"], 0)) == printed


@pytest.mark.parametrize("annotated", [False, True])
def test_the_outline_and_the_threshold_are_named_once_where_that_is_asked_for(annotated: bool) -> None:
    picture = drawn(heatmap_view(RESULT, RESULT.frames, "mean", annotated=annotated).spec, 0)
    written = [text.text or "" for text in picture.iter() if text.tag.endswith("text")]
    assert sum("same layer" in text for text in written) == annotated
    assert ("intact from 0.9" in written) == annotated


def test_points_of_both_kinds_alternate_and_where_there_is_no_room_both_axes_leave_the_same_out() -> None:
    spec = heatmap(make_result(num_layers=12, amounts=(0.0,), points="both"))
    assert [row["pruned"] for row in spec["datasets"]["cells"][:4]] == ["1a", "1", "2a", "2"]
    assert any("'Pruned model, layer (1a: attention block, 1: output)'" in axis for axis in axes(spec))
    assert ("Layer 2, output", "Layer 1, attention block") in cells(spec, 0)
    columns, rows = (
        [text.text for text in axis.iter() if re.fullmatch(r"\d+a?", text.text or "") and text.get("opacity") != "0"]
        for axis in marks(drawn({**spec, "width": 280, "height": 280}, 0), "axis")
    )
    assert columns == rows == [f"{k + 1}a" for k in range(12)]


# ---------------------------------------------------------------- the difference of two results


def test_every_cell_shows_the_difference_and_both_values() -> None:
    shown = cells(views()["difference"], 3)
    for i, j in product(range(3), range(3)):
        told = labels(shown[name(i), name(j)])
        values = [result.frames[3].similarity["cka"]["mean"][i][j] for result in (FIRST, SECOND)]
        assert [float(told["First"]), float(told["Second"])] == pytest.approx(values, abs=0.00501)
        assert float(told["Difference"]) == pytest.approx(float(told["First"]) - float(told["Second"]))
    told = labels(cells(views()["difference"], HOLE_FRAME)[name(HOLE[1]), name(HOLE[2])])
    assert (told["Difference"], told["First"], told["Second"] == "undefined") == ("undefined", "undefined", False)


def test_a_difference_is_that_of_the_numbers_beside_it() -> None:
    one, other = (
        falling(1, method=method, own_cka=lambda amount, *_, later=later: later if amount else 1.0)
        for method, later in (("magnitude", 0.2046), ("random", 0.4954))
    )
    spec = views(one, other)["difference"]
    told = labels(cells(spec, 1)[name(0), name(0)])
    assert (told["First"], told["Second"], told["Difference"]) == ("0.20", "0.50", "-0.30")
    assert texts(spec, 1)[0] == "−0.30", "not -0.29, which is nearer, with a true minus sign"


def test_the_first_is_orange_where_it_keeps_more_and_a_colour_means_the_same_everywhere() -> None:
    def own(one: float, other: float, frame: int) -> tuple[int, int, int]:
        spec = views(falling(one), falling(other, method="random"))["difference"]
        return channels(cells(spec, frame)[name(0), name(0)])

    (red, _, blue), (other_red, _, other_blue) = own(0.4, 1.2, 3), own(1.2, 0.4, 3)
    assert red > blue
    assert other_blue > other_red
    assert np.ptp(own(0.4, 0.4, 3)) < 20, "no difference has no hue"
    assert own(0.4, 0.8, 2) == own(0.8, 1.6, 1) == own(0.4, 1.2, 1), "0.2 each"


def test_printed_differences_have_their_sign_and_can_be_read_on_every_shade() -> None:
    one, other = (
        falling(1, num_layers=2, amounts=tuple(k / 20 for k in range(20)), own_cka=of)
        for of in (lambda *_: 1.0, lambda amount, *_: 1 - 1.99 * amount)
    )
    for pair, frame in product(((one, other), (other, one)), range(12)):
        spec = views(*pair)["difference"]
        text = marks(drawn(spec, frame), "text mark")[0]
        value = float((text.text or "").replace("−", "-"))
        assert abs(value) == pytest.approx(1.99 * frame / 20, abs=0.0051)
        assert (text.text or "").startswith("+") == (value > 0)
        shade = luminance(np.array(channels(cells(spec, frame)[name(0), name(0)])) / 255)
        low, high = sorted((0.0 if text.get("fill") == "black" else 1.0, shade))
        assert (high + 0.05) / (low + 0.05) >= 4.5, f"{value} in {text.get('fill')}"
