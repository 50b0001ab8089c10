"""Survival, on the Overview and on the Layers page: read from the SVG that Vega draws, frame by frame."""

import numpy as np
import pytest

from core.charts.layers import BAR, layer_scene
from core.charts.overview import result_scene
from core.findings.survival import layer_survivals, own_similarity
from core.request.catalog import SURVIVAL_THRESHOLD
from tests.builders import make_result
from tests.core.charts.test_compare import AMOUNTS
from tests.core.charts.test_layers import views
from tests.pictures import drawn, labels, marks, place


def test_a_bar_is_bright_exactly_while_its_layer_has_never_fallen() -> None:
    result = make_result(num_layers=4)
    values = own_similarity(result, "mean")
    spec = result_scene(result, "mean").views["survival"].spec
    for frame in (0, 6, 12, 19):
        rects = marks(drawn(spec, frame), "rect mark")
        bars = [rect for rect in rects if "Stays intact up to" in labels(rect)]
        bright = [bar.get("opacity") == "1" for bar in bars]
        assert bright == (values[: frame + 1] >= SURVIVAL_THRESHOLD).all(axis=0).tolist()


def test_a_layer_that_never_falls_is_said_to_outlast_the_sweep() -> None:
    result = make_result(num_layers=2, amounts=AMOUNTS, own_cka=lambda amount, point, size: 1 - amount * point)
    bars = result_scene(result, "mean").views["survival"].datasets["bars"]
    assert [bar["text"] for bar in bars] == ["> 75 % *", "10 %"]
    assert bars[0]["ends"] == len(AMOUNTS)


def test_survival_has_its_interval_where_it_is_known() -> None:
    result = make_result(num_layers=3)
    known = (result.statistics or {})["cka"]["mean"].survival
    bars = views(result)["rows"]["datasets"]["bars"]
    assert [(bar["low"], bar["high"]) for bar in bars] == [(one.low, one.high) for one in known]
    assert [bar["survival"] for bar in bars] == pytest.approx([one.value for one in known], abs=1e-6)
    rules = [rule for rule in marks(drawn(views(result)["rows"], 0), "rule mark") if "high" in labels(rule)]
    assert len(rules) == 2 * 3, "each with its halo"


def test_an_undefined_layer_has_a_word_and_no_bar() -> None:
    result = make_result(num_layers=3, own_cka=lambda amount, point, size: None if point == 1 else 1 - amount / 5)
    spec = views(result)["rows"]
    assert [bar["text"].removesuffix(" *") for bar in spec["datasets"]["bars"]] == ["50 %", "undefined", "50 %"]
    picture = drawn(spec, 0)
    bars = [labels(rect)["Layer"] for rect in marks(picture, "rect mark") if "Stays intact up to" in labels(rect)]
    assert bars == [str(BAR[0]), str(2 + BAR[0])], "their heights"
    assert sum(text.text == "undefined" for text in marks(picture, "text mark")) == 2, "with its halo"


@pytest.mark.parametrize("threshold", [0.8, 0.95])
def test_another_threshold_gives_other_bars_without_interval(threshold: float) -> None:
    result = make_result(num_layers=3)
    spec = views(result, threshold=threshold)["rows"]
    bars = spec["datasets"]["bars"]
    assert [bar["text"].removesuffix(" *") for bar in bars] == [
        one.text for one in layer_survivals(result, "mean", threshold)
    ]
    assert {bar["interval"] for bar in bars} == {"unknown"}
    assert str(threshold) in spec["title"][0]
    lines = views(result, threshold=threshold)["curve"]["datasets"]["lines"]
    assert [line["value"] for line in lines if line["role"] == "threshold"] == [threshold]


def test_a_bar_fades_when_its_layer_has_fallen() -> None:
    result = make_result(num_layers=3)
    values = own_similarity(result, "mean")
    for frame in (0, 12, 19):
        rects = marks(drawn(views(result)["rows"], frame), "rect mark")
        bars = [rect for rect in rects if "Stays intact up to" in labels(rect)]
        bright = [bar.get("opacity") == "1" for bar in bars]
        assert bright == (values[: frame + 1] >= 0.9).all(axis=0).tolist()


@pytest.mark.parametrize(("threshold", "marked"), [(0.95, []), (0.9, [0]), (0.8, [0]), (0.3, [0, 1, 2])])
def test_a_layer_that_is_intact_with_everything_removed_is_marked(threshold: float, marked: list[int]) -> None:
    result = make_result(num_layers=3)
    assert result.floor
    assert result.floor.cka["mean"] == pytest.approx((0.9, 0.9 - 0.8 / 3, 0.9 - 1.6 / 3))
    spec = views(result, threshold=threshold)["rows"]
    assert [k for k, bar in enumerate(spec["datasets"]["bars"]) if bar["text"].endswith(" *")] == marked
    assert len(spec["title"]) == (2 if marked else 1), "the mark is explained where there is one"
    without = views(result.model_copy(update={"floor": None}))["rows"]
    assert not any(bar["by_construction"] for bar in without["datasets"]["bars"])
    assert len(without["title"]) == 1


def test_survival_by_another_measure_is_that_measures_own() -> None:
    result = make_result(num_layers=3)
    rows = layer_scene(result, "mean", "1", measure="partial_cka").views["rows"].datasets["bars"]
    known = (result.statistics or {})["partial_cka"]["mean"].survival
    assert [bar["survival"] for bar in rows] == pytest.approx([layer.value for layer in known], abs=1e-6)
    assert not any(bar["by_construction"] for bar in rows), "the floor is of CKA"


def test_the_line_of_the_amount_passes_behind_the_numbers_not_through_them() -> None:
    picture = drawn(result_scene(make_result(num_layers=3), "mean").views["survival"].spec, 6)
    order = [element.get("aria-roledescription") for element in picture.iter()]
    (line,) = (k for k, element in enumerate(picture.iter()) if list(labels(element)) == ["Removed by pruning"])
    texts = [k for k, kind in enumerate(order) if kind == "text mark"]
    assert len(texts) == 2 * 3, "each with its halo"
    assert line < min(texts)


@pytest.mark.parametrize(("height", "numbered"), [(600, 12), (150, 6), (70, 3)])
def test_numbers_stand_beside_as_many_bars_as_there_is_room_for(height: int, numbered: int) -> None:
    result = make_result(num_layers=12, amounts=(0.0, 0.5, 0.9))
    spec = {**result_scene(result, "mean").views["survival"].spec, "height": height}
    texts = [place(mark) for mark in marks(drawn(spec, 0), "text mark")]
    heights = sorted({y for _, y in texts})
    assert len(heights) == numbered
    assert min(np.diff(heights)) >= 10, "pixels, which text is high"
