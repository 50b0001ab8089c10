"""Layers against layers: read from the SVG that Vega draws, frame by frame."""

import re
from itertools import product
from xml.etree.ElementTree import Element

import matplotlib
import numpy as np
import pytest

from core.charts.grammar import UNDEFINED_COLOUR, Spec
from core.charts.matrix import LIGHT_FROM, MAX_PRINTED, MAX_PRINTED_SIGNED, heatmap_view
from core.charts.overview import pair_scene, result_scene
from core.request.catalog import REDUCTIONS
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.core.charts.test_curves import AMOUNTS, FIRST, HOLE, SECOND, falling, views
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


def luminance(rgb: np.ndarray) -> float:
    """WCAG's relative luminance of a colour in [0, 1]."""
    linear = np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


# ---------------------------------------------------------------- CKA


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_every_cell_shows_its_value_and_an_undefined_one_is_grey_and_hatched(reduction: str) -> None:
    for frame in (0, HOLE_FRAME):
        shown, values = cells(heatmap(reduction=reduction), frame), RESULT.frames[frame].matrix(reduction)
        for (i, row), j in product(enumerate(values), range(3)):
            cell, written = shown[name(i), name(j)], "undefined" if row[j] is None else f"{row[j]:.2f}"
            assert labels(cell)["Similarity"] == written
            assert (cell.get("fill") == UNDEFINED_COLOUR) == (row[j] is None)
        strokes = marks(drawn(heatmap(reduction=reduction), frame), "rule mark")
        assert len(strokes) == 3 * (frame == HOLE_FRAME)


def test_colours_mean_the_same_in_every_result_and_negative_values_are_the_low_end() -> None:
    ends = {}
    for drop in (0.02, 1, 2.4):
        result = make_result(num_layers=2, amounts=(0.0, 0.5), own_cka=lambda amount, *_, drop=drop: 1 - amount * drop)
        first, last = (cells(heatmap(result), frame)[name(0), name(0)] for frame in (0, 1))
        assert first.get("fill") == "rgb(252, 253, 191)"  # 1, where magma ends
        ends[labels(last)["Similarity"]] = last.get("fill")
    assert len(set(ends.values())) == 3
    assert ends["-0.20"] == "rgb(0, 0, 4)"  # where magma begins
    for value in np.linspace(0, 1, 201):
        shade = luminance(np.array(matplotlib.colormaps["magma"](value)[:3]))
        contrast = (shade + 0.05) / 0.05 if value > LIGHT_FROM else 1.05 / (shade + 0.05)
        assert contrast >= 4.5, f"a number in a cell of {value:.3f}"


def test_numbers_are_printed_where_they_fit_and_never_in_undefined_cells() -> None:
    assert (len(texts(heatmap(), 0)), len(texts(heatmap(), HOLE_FRAME))) == (9, 8)
    for more in (0, 1):
        many = make_result(num_layers=MAX_PRINTED + more, amounts=(0.0,))
        assert len(texts(heatmap(many), 0)) == (0 if more else MAX_PRINTED**2)
        two = (make_result(num_layers=MAX_PRINTED_SIGNED + more, amounts=(0.0,), seed=seed) for seed in (0, 1))
        assert len(texts(views(*two)["difference"], 0)) == (0 if more else MAX_PRINTED_SIGNED**2)
    for annotated in (False, True):
        picture = drawn(heatmap_view(RESULT, RESULT.frames, "mean", annotated=annotated).spec, 0)
        written = [text.text for text in picture.iter() if text.tag.endswith("text")]
        assert [words in written for words in ("same layer ↓", "intact from 0.9")] == [annotated] * 2


def test_points_of_both_kinds_alternate_and_where_there_is_no_room_both_axes_leave_the_same_out() -> None:
    spec = heatmap(make_result(num_layers=12, amounts=(0.0,), points="both"))
    assert [row["pruned"] for row in spec["datasets"]["cells"][:4]] == ["1a", "1", "2a", "2"]
    assert any("'Pruned model, layer (1a: attention block, 1: output)'" in axis for axis in axes(spec))
    columns, rows = (
        [text.text for text in axis.iter() if re.fullmatch(r"\d+a?", text.text or "") and text.get("opacity") != "0"]
        for axis in marks(drawn({**spec, "width": 340, "height": 340}, 0), "axis")
    )
    assert columns == rows == [f"{k + 1}a" for k in range(12)]


def test_two_results_stand_side_by_side_at_the_amounts_that_both_have() -> None:
    left, right = make_result(num_layers=2, amounts=AMOUNTS), make_result(num_layers=3, amounts=(0.0, 0.5, 0.6))
    scene = pair_scene((left, right), "mean", ("SST-2", "CoLA"))
    assert [frame["detail"] for frame in scene.frames][1:] == ["SST-2 accuracy 0.85 and CoLA accuracy 0.85"]
    assert list(scene.views) == ["left", "left-accuracy", "right", "right-accuracy"]
    assert [row["k"] for row in scene.views["right-accuracy"].datasets["accuracy"]] == [0, 1, None]
    for side, result in (("left", left), ("right", right)):
        of_pair, alone = cells(scene.views[side].spec, 1), cells(heatmap(result), result.amounts.index(0.5))
        assert [cell.get("fill") for cell in of_pair.values()] == [cell.get("fill") for cell in alone.values()]


# ---------------------------------------------------------------- the difference of two results


def test_a_difference_is_that_of_the_numbers_beside_it() -> None:
    for frame, (i, j) in product((HOLE_FRAME, 3), product(range(3), range(3))):
        told = labels(cells(views()["difference"], frame)[name(i), name(j)])
        first, second = (result.frames[frame].matrix("mean")[i][j] for result in (FIRST, SECOND))
        shown = [told[field] for field in ("First", "Second", "Difference")]
        assert shown[0] == ("undefined" if first is None else f"{first:.2f}")
        assert shown[1] == f"{second:.2f}"
        assert shown[2] == ("undefined" if first is None else f"{float(shown[0]) - float(shown[1]):+.2f}")
    one, other = (falling(1, own_cka=lambda amount, *_, to=to: to if amount else 1.0) for to in (0.2046, 0.4954))
    spec = views(one, other)["difference"]
    assert labels(cells(spec, 1)[name(0), name(0)])["Difference"] == "-0.30"
    assert texts(spec, 1)[0] == "−0.30", "not -0.29, which is nearer, with a true minus sign"


def test_printed_differences_have_their_sign_and_can_be_read_on_every_shade() -> None:
    one, other = (
        falling(1, num_layers=2, amounts=tuple(k / 20 for k in range(20)), own_cka=of)
        for of in (lambda *_: 1.0, lambda amount, *_: 1 - 1.99 * amount)
    )
    for pair, frame in product(((one, other), (other, one)), range(12)):
        spec = views(*pair)["difference"]
        text, cell = marks(drawn(spec, frame), "text mark")[0], cells(spec, frame)[name(0), name(0)]
        value = float((text.text or "").replace("−", "-"))
        assert abs(value) == pytest.approx(1.99 * frame / 20, abs=0.0051)
        assert (text.text or "").startswith("+") == (value > 0)
        red, green, blue = map(int, re.findall(r"\d+", cell.get("fill", "")))
        assert (red > blue) == (value > 0) or frame < 2, "the first is orange where it keeps more"
        shade = luminance(np.array((red, green, blue)) / 255)
        low, high = sorted((0.0 if text.get("fill") == "black" else 1.0, shade))
        assert (high + 0.05) / (low + 0.05) >= 4.5, f"{value} in {text.get('fill')}"
