"""A row a layer, the selected layer's curve, its close-up: read from the SVG that Vega draws, frame by frame."""

from itertools import pairwise

import numpy as np
import pytest

from core.charts.close_up import close_up_scene
from core.charts.grammar import ALONE_COLOUR, UNDEFINED_COLOUR, Spec, two_places
from core.charts.isolated import isolated_view
from core.charts.layers import layer_scene
from core.charts.overview import result_scene
from core.charts.strips import EVERYTHING, FIRST_EDGE, edges
from core.charts.view import specs
from core.findings.isolated import isolated_orders
from core.findings.survival import layer_survivals, own_similarity
from core.findings.yardstick import Yardstick
from core.request.catalog import MEASURES
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.pictures import drawn, labels, marks, place, texts, told

AMOUNTS = (0.0, 0.25, 0.5, 0.75)
RESULT = make_result(num_layers=3, amounts=AMOUNTS, holes=((0.5, 1, 2), (0.75, 2, 2)))
SEEDS = [
    make_result(num_layers=3, amounts=AMOUNTS, method="random", seed=seed, own_cka=lambda a, p, n: 1 - a)
    for seed in range(3)
]
ALONE = make_result(
    num_layers=3, amounts=(0.0, 0.5), scope="layer:1", points="layer", own_cka=lambda a, p, n: 1 - a * p / 10
)
OWN = own_similarity(RESULT, "mean")  # (frames, points)


def views(
    result: SweepResult = RESULT, chosen: str = "2", threshold: float = 0.9, measure: str = "cka"
) -> dict[str, Spec]:
    return specs(layer_scene(result, "mean", chosen, threshold, SEEDS, {2: ALONE}, measure).views)


def survival(result: SweepResult) -> Spec:
    return result_scene(result, "mean").views["survival"].spec


# ---------------------------------------------------------------- rows


@pytest.mark.parametrize("measure", ["cka", "partial_cka"])
def test_a_layers_strip_bar_and_numbers_are_one_row_that_can_be_picked(measure: str) -> None:
    scene = layer_scene(RESULT, "mean", "2", measure=measure)
    spec, own = scene.views["rows"].spec, own_similarity(RESULT, "mean", measure)
    told_as = MEASURES[measure].symbol
    values = [cell[told_as].replace("-", "−") for cell in told(spec, 0, "Predictions changed")]
    assert values == list(map(two_places, own.T.ravel()))
    hatched = sum(rule.get("stroke") == "white" for rule in marks(drawn(spec, 0), "rule mark"))
    assert hatched == 3 * int(np.isnan(own).sum())
    datasets, known = spec["datasets"], layer_survivals(RESULT, "mean", measure=measure)
    for row, (strip, bar, layer) in enumerate(zip(datasets["strips"], datasets["bars"], known, strict=True)):
        cells = [cell for cell in datasets["cells"] if cell["pick"] == strip["pick"] == bar["pick"]]
        assert row == strip["y"] < bar["y"] < bar["y2"] < min(cell["y"] for cell in cells) < strip["y2"] == row + 1
        assert strip["name"] == f"{layer.title}, intact up to {layer.text}"
        assert strip["chosen"] == (row == 1)
    for frame in (0, 3):
        numbers = texts(spec, frame)
        assert numbers[:3] == list(map(two_places, own[frame]))
        assert [text.removesuffix(" *") for text in numbers[3:] if text] == [layer.text for layer in known]
    floors = [row["value"] for row in datasets["floors"]]
    assert floors == pytest.approx(RESULT.floor.cka["mean"] if measure == "cka" else []), "the floor is of CKA"
    assert layer_scene(RESULT, "cls", "1").views["rows"].datasets["floors"] == [], "undefined"


@pytest.mark.parametrize(("height", "numbers"), [(400, 2), (200, 1), (100, 0)])
def test_a_row_has_the_numbers_that_it_has_room_for(height: int, numbers: int) -> None:
    scene = layer_scene(make_result(num_layers=12, amounts=(0.0, 0.5)), "mean", "1")
    spec = {**scene.views["rows"].spec, "height": height}
    heights = sorted(place(text)[1] for text in marks(drawn(spec, 0), "text mark"))
    assert len(heights) == 12 * numbers
    assert all(after - before >= 12 for before, after in pairwise(heights)), "pixels, of the letters"
    assert (scene.layout.height(["rows", "curve"]) or 0) / 12 >= 25, "pixels of a row on the page"


@pytest.mark.parametrize("amounts", [(0.0,), (0.0, 0.95), (0.0, 0.5, 0.99), (0.0, 0.05, 0.9)])
def test_results_of_any_amounts_stand_on_the_same_axis(amounts: tuple[float, ...]) -> None:
    borders = edges(amounts)
    assert all(low < amount < high for amount, (low, high) in zip(amounts, pairwise(borders), strict=True))
    assert borders[-1] < 1 < EVERYTHING[1]
    assert edges((0.0, 0.3, 0.5, 0.6)) == pytest.approx([FIRST_EDGE, 0.15, 0.4, 0.55, 0.65]), "half way to the next"
    others = layer_scene(make_result(num_layers=3, amounts=amounts), "mean", "2").views
    assert [view.spec["layer"] for view in others.values()] == [spec["layer"] for spec in views().values()]


# ---------------------------------------------------------------- survival


@pytest.mark.parametrize("frame", [0, 6, 19])
def test_a_bar_is_bright_exactly_while_its_layer_has_never_fallen(frame: int) -> None:
    result = make_result(num_layers=4)
    values = own_similarity(result, "mean")
    for spec in (survival(result), views(result)["rows"]):
        rects = marks(drawn(spec, frame), "rect mark")
        bright = [rect.get("opacity") == "1" for rect in rects if "Stays intact up to" in labels(rect)]
        assert bright == (values[: frame + 1] >= 0.9).all(axis=0).tolist()
    elements = [
        (list(labels(mark)), mark.get("aria-roledescription")) for mark in drawn(survival(result), frame).iter()
    ]
    line, number = elements.index((["amount"], "rule mark")), [kind for _, kind in elements].index("text mark")
    assert line < number, "the line of the amount passes behind the numbers"


@pytest.mark.parametrize(("threshold", "marked"), [(0.95, []), (0.9, [0]), (0.3, [0, 1, 2])])
def test_a_bar_has_its_interval_and_a_mark_where_the_floor_is_intact(threshold: float, marked: list[int]) -> None:
    result = make_result(num_layers=3)
    for known, expected in ((result, marked), (result.model_copy(update={"floor": None}), [])):
        spec = views(known, threshold=threshold)["rows"]
        bars, layers = spec["datasets"]["bars"], layer_survivals(known, "mean", threshold)
        assert [bar["text"].removesuffix(" *") for bar in bars] == [layer.text for layer in layers]
        assert [k for k, bar in enumerate(bars) if bar["text"].endswith(" *")] == expected
        assert [(bar["low"], bar["high"]) for bar in bars] == [layer.interval or (None, None) for layer in layers]
        assert len(spec["title"]) == (2 if expected else 1), "the mark is explained where there is one"
    holed = make_result(num_layers=3, own_cka=lambda amount, point, size: None if point == 1 else 1 - amount / 5)
    spec = views(holed)["rows"]
    assert [bar["text"].removesuffix(" *") for bar in spec["datasets"]["bars"]] == ["50 %", "undefined", "50 %"]
    assert [bar["Layer"][:7] for bar in told(spec, 0, "Stays intact up to")] == ["Layer 1", "Layer 3"]


@pytest.mark.parametrize(("height", "numbered"), [(600, 12), (150, 6), (70, 3)])
def test_numbers_stand_beside_as_many_bars_as_there_is_room_for(height: int, numbered: int) -> None:
    spec = {**survival(make_result(num_layers=12, amounts=(0.0, 0.5, 0.9))), "height": height}
    heights = sorted({place(mark)[1] for mark in marks(drawn(spec, 0), "text mark")})
    assert len(heights) == numbered
    assert min(np.diff(heights)) >= 10, "pixels, which text is high"


# ---------------------------------------------------------------- the selected layer


def test_the_curve_is_the_selected_layers_with_its_interval_beside_its_control() -> None:
    spec, known = views(chosen="1")["curve"], (RESULT.statistics or {})["cka"]["mean"].own
    for row, value, frame in zip(spec["datasets"]["own"], OWN[:, 0], known or (), strict=True):
        assert (row["value"], row["low"], row["high"]) == pytest.approx((value, *frame[0]), abs=1e-6)
    assert [texts(spec, frame)[-1] for frame in range(len(AMOUNTS))] == list(map(two_places, OWN[:, 0]))
    lines = marks(drawn(spec, 0), "line mark")
    assert sum(line.get("stroke") == UNDEFINED_COLOUR for line in lines) == len(SEEDS)
    outputs = make_result(num_layers=3, amounts=AMOUNTS, points="layer")
    (alone,) = views(outputs)["curve"]["datasets"]["alone"]
    assert (alone["removed"], alone["value"]) == ("50 %", pytest.approx(0.95))
    for other in (views(outputs, chosen="1"), views()):
        assert other["curve"]["datasets"]["alone"] == [], "it was not pruned, or is an attention block"


@pytest.mark.parametrize("pairs", [1, 3])
@pytest.mark.parametrize("threshold", [0.8, 0.95])
def test_lines_and_bands_are_named_beside_their_ends_and_the_names_keep_apart(threshold: float, pairs: int) -> None:
    known = ((0.8, 0.8, 0.7), (0.95, 0.6, 0.7), (0.95, 0.7, float("nan")))[:pairs]
    low = 0.8 if pairs == 1 else 0.6
    scene = layer_scene(RESULT, "mean", "2", threshold, SEEDS, twins=Yardstick(known, pairs))
    spec = scene.views["curve"].spec
    (band,) = told(spec, 0, "to")
    assert [float(band["Twins of other seeds, from"]), float(band["to"])] == [low, 0.8]
    assert any(mark.get("stroke") == ALONE_COLOUR for mark in marks(drawn(spec, 0), "rect mark"))
    lines = {line["role"]: line for line in spec["datasets"]["lines"]}
    middles = {"threshold": threshold, "floor": RESULT.floor.cka["mean"][1], "seeds": 0.25, "twins": (low + 0.8) / 2}
    assert {role: line["value"] for role, line in lines.items()} == pytest.approx(middles)
    heights = sorted(line["at"] for line in lines.values())
    assert heights[-1] <= 1
    assert min(after - before for before, after in pairwise(heights)) > 0.099


# ---------------------------------------------------------------- close-up


@pytest.mark.parametrize("row", [0, 2])
def test_a_close_up_is_a_row_of_the_heatmap_and_what_is_removed_of_each_layer(row: int) -> None:
    spec = specs(close_up_scene(RESULT, "mean", str(row + 1)).views)
    values = [two_places(frame.matrix("mean")[row][j]).replace("−", "-") for j in range(3) for frame in RESULT.frames]
    assert [cell["Similarity"] for cell in told(spec["row"], 0, "Similarity")] == values
    assert [(own["y"], own["y2"]) for own in spec["row"]["datasets"]["own"]] == [(row, row + 1)]
    rows = spec["sparsity"]["datasets"]["layers"]
    assert [r["sparsity"] for r in rows if r["chosen"]] == list(AMOUNTS)
    assert {r["layer"] for r in rows if r["chosen"]} == {f"Layer {row + 1}"}
    assert len(marks(drawn(spec["sparsity"], 2), "line mark")) == 3 + 1 + 1


def test_each_layer_alone_stands_at_the_amount_measured_nearest_with_its_control() -> None:
    def alone(method: str, speed: float) -> list[SweepResult]:
        settings = {"num_layers": 3, "amounts": (0.0, 0.3, 0.8), "points": "layer", "method": method}
        own = {"own_cka": lambda amount, point, size: 1 - amount * (point + 1) * speed}
        return [make_result(scope=f"layer:{layer}", **settings, **own) for layer in range(3)]

    layers, seed = alone("magnitude", 0.05), alone("random", 0.1)
    orders = isolated_orders(RESULT, "mean", [*layers, *seed])
    view = isolated_view(RESULT, "mean", orders, [dict(enumerate(seed, start=1))])
    for k, (effect, chance) in enumerate(zip(view.datasets["effects"], view.datasets["by_chance"], strict=True)):
        measured = [0.3, 0.3, 0.3, 0.8]  # nearest to 0, 0.25, 0.5 and 0.75
        assert effect["value"] == pytest.approx([amount * (k + 1) / 20 for amount in measured])
        assert chance["value"] == pytest.approx([amount * (k + 1) / 10 for amount in measured])
    assert texts(view.spec, 3) == ["measured at 80 %"] * 2
    beside = close_up_scene(RESULT, "mean", "2", beside={"alone": view})
    assert set(beside.layout.boxes(list(beside.views), 900, 600)) == {"row", "sparsity", "alone"}
