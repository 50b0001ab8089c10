"""A row a layer and the selected layer's curve: read from the SVG that Vega draws, frame by frame."""

import math
from itertools import pairwise

import pytest

from core.charts.grammar import ALONE_COLOUR, UNDEFINED_COLOUR, Spec
from core.charts.layers import layer_scene
from core.charts.view import specs
from core.findings.survival import layer_survivals, own_similarity
from core.findings.yardstick import Yardstick
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.pictures import drawn, marks, place, texts, told

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


def views(result: SweepResult = RESULT, chosen: str = "2", threshold: float = 0.9) -> dict[str, Spec]:
    return specs(layer_scene(result, "mean", chosen, threshold, SEEDS, {2: ALONE}).views)


def title(layer: int) -> str:
    return f"Layer {layer + 1}, attention block"


def written(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.2f}"


# ---------------------------------------------------------------- rows


def test_every_layer_has_a_strip_of_its_similarity_over_the_amounts() -> None:
    spec = views()["rows"]
    assert [cell["Similarity"] for cell in told(spec, 0, "Predictions changed")] == list(map(written, OWN.T.ravel()))
    cells = [(cell["name"], cell["amount"]) for cell in spec["datasets"]["cells"]]
    assert cells == [(title(layer), f"{100 * amount:.0f} %") for layer in range(3) for amount in AMOUNTS]
    assert sum(rule.get("stroke") == "white" for rule in marks(drawn(spec, 0), "rule mark")) == 3, "hatching"


def test_strip_and_bar_of_a_layer_are_one_row_on_one_axis() -> None:
    datasets = views()["rows"]["datasets"]
    for row, (strip, bar) in enumerate(zip(datasets["strips"], datasets["bars"], strict=True)):
        cells = [cell for cell in datasets["cells"] if cell["pick"] == strip["pick"] == bar["pick"]]
        assert (strip["y"], strip["y2"]) == (row, row + 1)
        assert all(row < mark["y"] < mark["y2"] < row + 1 for mark in (bar, *cells))
        assert bar["y2"] < min(cell["y"] for cell in cells)
    heights = [place(text)[1] for text in marks(drawn(views()["rows"], 0), "text mark")]
    assert sorted(heights[:3], reverse=True) == heights[:3], "the first layer is at the bottom"


def test_the_numbers_beside_strip_and_bar() -> None:
    for frame in (0, 1, 3):
        numbers = texts(views()["rows"], frame)
        assert numbers[:3] == list(map(written, OWN[frame]))
        intact = [layer.text for layer in layer_survivals(RESULT, "mean")]
        assert [text.removesuffix(" *") for text in numbers[3:] if text] == intact


@pytest.mark.parametrize(("height", "numbers"), [(400, 2), (200, 1), (100, 0)])
def test_a_row_has_the_numbers_that_it_has_room_for(height: int, numbers: int) -> None:
    spec = layer_scene(make_result(num_layers=12, amounts=(0.0, 0.5)), "mean", "1").views["rows"].spec
    heights = sorted(place(text)[1] for text in marks(drawn({**spec, "height": height}, 0), "text mark"))
    assert len(heights) == 12 * numbers
    assert all(after - before >= 12 for before, after in pairwise(heights)), "pixels, of the letters"


def test_the_layout_gives_every_row_its_height() -> None:
    for count in (6, 12, 24, 48):
        layout = layer_scene(make_result(num_layers=count, amounts=(0.0, 0.5)), "mean", "1").layout
        assert (layout.height(["rows", "curve"]) or 0) / count >= 25, "pixels; numbers stand in a row"


def test_what_is_left_with_everything_removed_is_the_last_cell() -> None:
    def cells(result: SweepResult, reduction: str = "mean", measure: str = "cka") -> list[float]:
        rows = layer_scene(result, reduction, "1", measure=measure).views["rows"].datasets["floors"]
        assert all(row["x"] > 0.75 < row["x2"] for row in rows)
        return [row["value"] for row in rows]

    assert RESULT.floor
    assert cells(RESULT) == pytest.approx(RESULT.floor.cka["mean"])
    assert cells(RESULT, "cls") == [], "undefined"
    assert cells(RESULT.model_copy(update={"floor": None})) == []
    assert cells(RESULT, measure="partial_cka") == [], "the floor is of CKA"


def test_all_that_stands_for_a_layer_can_be_clicked_and_told() -> None:
    rows = views()["rows"]
    for name in ("strips", "cells", "floors", "bars"):
        assert {row["pick"] for row in rows["datasets"][name]} == {"1", "2", "3"}
    strips = rows["datasets"][rows["usermeta"]["picks"]]
    assert [strip["chosen"] for strip in strips] == [False, True, False]
    for strip, layer, values in zip(strips, layer_survivals(RESULT, "mean"), OWN.T, strict=True):
        assert strip["name"] == f"{layer.title}, intact up to {layer.text}"
        assert strip["v"] == list(map(written, values))


def test_the_rows_are_of_the_measure() -> None:
    scene = layer_scene(RESULT, "mean", "2", measure="partial_cka")
    cells = [cell["value"] for cell in scene.views["rows"].datasets["cells"] if cell["pick"] == "1"]
    assert cells == pytest.approx(own_similarity(RESULT, "mean", "partial_cka")[:, 0])
    assert scene.views["rows"].title[0].startswith("Partial CKA of each layer with itself, unpruned")
    assert "by partial CKA" in scene.title


@pytest.mark.parametrize("amounts", [(0.0, 0.9), (0.0, 0.05, 0.15)])
def test_results_of_any_amounts_stand_on_the_same_axis(amounts: tuple[float, ...]) -> None:
    other = layer_scene(make_result(num_layers=3, amounts=amounts), "mean", "2")
    assert {name: view.spec["layer"] for name, view in other.views.items()} == {
        name: spec["layer"] for name, spec in views().items()
    }


# ---------------------------------------------------------------- the selected layer


def test_the_curve_is_the_selected_layers_with_its_interval_and_the_marker_follows_the_frame() -> None:
    spec, known = views(chosen="1")["curve"], (RESULT.statistics or {})["cka"]["mean"].own
    rows = spec["datasets"]["own"]
    assert [row["value"] for row in rows] == pytest.approx(OWN[:, 0], abs=1e-6)
    for row, frame in zip(rows, known or (), strict=True):
        assert (row["low"], row["high"]) == pytest.approx(frame[0], abs=1e-6)
    assert spec["title"].startswith(title(0))
    assert [texts(spec, frame)[-1] for frame in range(len(AMOUNTS))] == list(map(written, OWN[:, 0]))
    old = RESULT.model_copy(update={"statistics": None})
    assert {row["low"] for row in views(old)["curve"]["datasets"]["own"]} == {None}


def test_every_seed_of_the_control_is_a_line_beside_the_curve() -> None:
    for spec, seeds in ((views()["curve"], 3), (layer_scene(RESULT, "mean", "2").views["curve"].spec, 0)):
        lines = marks(drawn(spec, 0), "line mark")
        assert sum(line.get("stroke") == UNDEFINED_COLOUR for line in lines) == seeds


@pytest.mark.parametrize("threshold", [0.8, 0.9, 0.95])
@pytest.mark.parametrize("layer", [0, 2])
def test_lines_are_named_beside_their_ends_and_the_names_keep_apart(threshold: float, layer: int) -> None:
    lines = views(chosen=str(layer + 1), threshold=threshold)["curve"]["datasets"]["lines"]
    floor = RESULT.floor.cka["mean"][layer] if RESULT.floor else None
    known = {"threshold": threshold, "floor": floor, "seeds": 0.25}
    assert {line["role"]: line["value"] for line in lines} == pytest.approx(known)
    heights = sorted(line["at"] for line in lines)
    assert heights[-1] <= 1
    assert min(after - before for before, after in pairwise(heights)) > 0.099
    (only,) = layer_scene(RESULT, "cls", "1").views["curve"].datasets["lines"]
    assert (only["role"], only["text"]) == ("threshold", "intact: 0.9")


def test_seed_twins_are_a_band_or_a_line_each_behind_the_curve_and_named_beside_it() -> None:
    pairs = ((0.9, 0.8, 0.7), (0.95, 0.6, 0.7), (0.95, 0.7, float("nan")))
    for known, low, high in ((pairs, 0.6, 0.8), (pairs[:1], 0.8, 0.8)):
        spec = layer_scene(RESULT, "mean", "2", twins=Yardstick(known, len(known))).views["curve"].spec
        assert [(float(band["From"]), float(band["To"])) for band in told(spec, 0, "From")] == [(low, high)]
        assert any(mark.get("stroke") == ALONE_COLOUR for mark in marks(drawn(spec, 0), "rect mark"))
        (line,) = [line for line in spec["datasets"]["lines"] if line["role"] == "twins"]
        assert line["value"] == pytest.approx((low + high) / 2)
        assert "other seeds" in texts(spec, 0)
    assert "other seeds" not in texts(views()["curve"], 0)


def test_a_layer_that_is_pruned_alone_stands_beside_the_curve_of_its_output() -> None:
    outputs = make_result(num_layers=3, amounts=AMOUNTS, points="layer")
    (alone,) = views(outputs)["curve"]["datasets"]["alone"]
    assert (alone["removed"], alone["value"]) == ("50 %", pytest.approx(0.95))
    assert views(outputs, chosen="1")["curve"]["datasets"]["alone"] == [], "layer 1 was not"
    assert views()["curve"]["datasets"]["alone"] == [], "attention blocks come before most of a layer's weights"
