"""Survival, beside a heatmap and on the Layers page: read from the SVG that Vega draws, frame by frame."""

import numpy as np
import pytest

from core.charts.grammar import Spec
from core.charts.layers import BAR, layer_scene
from core.charts.overview import result_scene
from core.findings.survival import layer_survivals, own_similarity
from core.request.catalog import SURVIVAL_THRESHOLD
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.core.charts.test_layers import views
from tests.pictures import drawn, labels, marks, place, texts, told

AMOUNTS = (0.0, 0.25, 0.5, 0.75)


def survival(result: SweepResult) -> Spec:
    return result_scene(result, "mean").views["survival"].spec


@pytest.mark.parametrize("frame", [0, 6, 12, 19])
def test_a_bar_is_bright_exactly_while_its_layer_has_never_fallen(frame: int) -> None:
    result = make_result(num_layers=4)
    values = own_similarity(result, "mean")
    for spec in (survival(result), views(result)["rows"]):
        rects = marks(drawn(spec, frame), "rect mark")
        bright = [rect.get("opacity") == "1" for rect in rects if "Stays intact up to" in labels(rect)]
        assert bright == (values[: frame + 1] >= SURVIVAL_THRESHOLD).all(axis=0).tolist()


def test_a_layer_that_never_falls_is_said_to_outlast_the_sweep() -> None:
    result = make_result(num_layers=2, amounts=AMOUNTS, own_cka=lambda amount, point, size: 1 - amount * point)
    bars = survival(result)["datasets"]["bars"]
    assert [bar["text"] for bar in bars] == ["> 75 % *", "10 %"]
    assert bars[0]["ends"] == len(AMOUNTS)


@pytest.mark.parametrize("measure", ["cka", "partial_cka"])
def test_survival_is_that_measures_own_with_its_interval_where_it_is_known(measure: str) -> None:
    result = make_result(num_layers=3)
    known = (result.statistics or {})[measure]["mean"].survival
    spec = layer_scene(result, "mean", "1", measure=measure).views["rows"].spec
    bars = spec["datasets"]["bars"]
    assert [(bar["low"], bar["high"]) for bar in bars] == [(one.low, one.high) for one in known]
    assert [bar["survival"] for bar in bars] == pytest.approx([one.value for one in known], abs=1e-6)
    assert sum("high" in labels(rule) for rule in marks(drawn(spec, 0), "rule mark")) == 2 * 3, "each with its halo"
    assert any(bar["by_construction"] for bar in bars) == (measure == "cka"), "the floor is of CKA"


def test_an_undefined_layer_has_a_word_and_no_bar() -> None:
    result = make_result(num_layers=3, own_cka=lambda amount, point, size: None if point == 1 else 1 - amount / 5)
    spec = views(result)["rows"]
    assert [bar["text"].removesuffix(" *") for bar in spec["datasets"]["bars"]] == ["50 %", "undefined", "50 %"]
    bars = [bar["Layer"] for bar in told(spec, 0, "Stays intact up to")]
    assert bars == [str(BAR[0]), str(2 + BAR[0])], "their heights"
    assert texts(spec, 0).count("undefined") == 2, "with its halo"


@pytest.mark.parametrize("threshold", [0.8, 0.95])
def test_another_threshold_gives_other_bars_without_interval(threshold: float) -> None:
    result = make_result(num_layers=3)
    spec = views(result, threshold=threshold)["rows"]
    bars, layers = spec["datasets"]["bars"], layer_survivals(result, "mean", threshold)
    assert [bar["text"].removesuffix(" *") for bar in bars] == [one.text for one in layers]
    assert {bar["interval"] for bar in bars} == {"unknown"}
    assert str(threshold) in spec["title"][0]


@pytest.mark.parametrize(("threshold", "marked"), [(0.95, []), (0.9, [0]), (0.8, [0]), (0.3, [0, 1, 2])])
def test_a_layer_that_is_intact_with_everything_removed_is_marked(threshold: float, marked: list[int]) -> None:
    result = make_result(num_layers=3)
    assert result.floor
    assert result.floor.cka["mean"] == pytest.approx((0.9, 0.9 - 0.8 / 3, 0.9 - 1.6 / 3))
    for known, expected in ((result, marked), (result.model_copy(update={"floor": None}), [])):
        spec = views(known, threshold=threshold)["rows"]
        assert [k for k, bar in enumerate(spec["datasets"]["bars"]) if bar["text"].endswith(" *")] == expected
        assert len(spec["title"]) == (2 if expected else 1), "the mark is explained where there is one"


@pytest.mark.parametrize(("height", "numbered"), [(600, 12), (150, 6), (70, 3)])
def test_numbers_stand_beside_as_many_bars_as_there_is_room_for(height: int, numbered: int) -> None:
    spec = {**survival(make_result(num_layers=12, amounts=(0.0, 0.5, 0.9))), "height": height}
    heights = sorted({place(mark)[1] for mark in marks(drawn(spec, 0), "text mark")})
    assert len(heights) == numbered
    assert min(np.diff(heights)) >= 10, "pixels, which text is high"


def test_the_line_of_the_amount_passes_behind_the_numbers_not_through_them() -> None:
    elements = list(drawn(survival(make_result(num_layers=3)), 6).iter())
    (line,) = (k for k, element in enumerate(elements) if list(labels(element)) == ["Removed by pruning"])
    numbers = [k for k, element in enumerate(elements) if element.get("aria-roledescription") == "text mark"]
    assert len(numbers) == 2 * 3, "each with its halo"
    assert line < min(numbers)
