"""The pictures of single layers: read from the SVG that Vega draws, frame by frame."""

import math

import pytest

from core.charts.grammar import EVERYTHING_REMOVED, STRIP_HEIGHT, UNDEFINED_COLOUR, Spec
from core.charts.layers import layer_scene
from core.charts.view import specs
from core.findings.overview import own_similarity
from core.results.names import amount_name
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.pictures import drawn, labels, marks, place

AMOUNTS = (0.0, 0.25, 0.5, 0.75)
RESULT = make_result(num_layers=3, amounts=AMOUNTS, holes=((0.5, 1, 2), (0.75, 2, 2)))
SEEDS = [
    make_result(num_layers=3, amounts=AMOUNTS, method="random", seed=seed, own_cka=lambda a, p, n: 1 - a)
    for seed in range(3)
]
ALONE = {
    2: make_result(
        num_layers=3, amounts=(0.0, 0.5), scope="layer:1", points="layer", own_cka=lambda a, p, n: 1 - a * p / 10
    ),
}


def views(result: SweepResult = RESULT, chosen: str = "2", threshold: float = 0.9) -> dict[str, Spec]:
    return specs(layer_scene(result, "mean", chosen, threshold, SEEDS, ALONE).views)


def title(layer: int) -> str:
    return f"Layer {layer + 1}, attention block"


# ---------------------------------------------------------------- strips


def test_every_layer_has_its_curve_one_strip_above_the_one_before() -> None:
    rows = views()["curves"]["datasets"]["own"]
    values = own_similarity(RESULT, "mean")
    assert len(rows) == 12
    for row in rows:
        value = values[AMOUNTS.index(row["amount"]), row["row"]]
        assert row["name"] == title(row["row"])
        if math.isnan(value):
            assert (row["y"], row["text"]) == (None, "undefined")
        else:
            assert row["y"] == pytest.approx(row["row"] + STRIP_HEIGHT * value, abs=1e-6)
            assert float(row["text"]) == pytest.approx(value, abs=0.00501)


def test_the_marker_and_the_number_of_every_layer_follow_the_frame() -> None:
    spec = views()["curves"]
    for frame in (0, 1, 3):
        picture = drawn(spec, frame)
        texts = [text.text for text in marks(picture, "text mark") if text.text != EVERYTHING_REMOVED]
        values = own_similarity(RESULT, "mean")[frame]
        assert texts == ["undefined" if math.isnan(value) else f"{value:.2f}" for value in values]
    heights = [place(text)[1] for text in marks(picture, "text mark") if text.text != EVERYTHING_REMOVED]
    assert heights == sorted(heights, reverse=True), "the first layer is at the bottom"


def test_every_seed_of_the_control_is_a_line_in_every_strip() -> None:
    with_control, without = views()["curves"], layer_scene(RESULT, "mean", "2").views["curves"].spec
    grey = [
        sum(line.get("stroke") == UNDEFINED_COLOUR for line in marks(drawn(spec, 0), "line mark"))
        for spec in (with_control, without)
    ]
    assert grey == [3 * 3, 0]


def test_a_layer_that_is_pruned_alone_stands_in_the_strip_of_its_output() -> None:
    outputs = make_result(num_layers=3, amounts=AMOUNTS, points="layer")
    (alone,) = views(outputs)["curves"]["datasets"]["alone"]
    assert (alone["pick"], alone["amount"], alone["text"]) == ("2", 0.5, "0.95")
    assert alone["y"] == pytest.approx(1 + STRIP_HEIGHT * 0.95)
    assert views()["curves"]["datasets"]["alone"] == [], "attention blocks come before most of a layer's weights"


def test_all_that_stands_for_a_layer_can_be_clicked() -> None:
    drawings = views()
    for view, name in (("curves", "strips"), ("curves", "own"), ("curves", "alone"), ("survival", "bars")):
        rows = drawings[view]["datasets"][name]
        assert {row["pick"] for row in rows} <= {"1", "2", "3"}
        assert all("pick" in row for row in rows)
    assert [row["chosen"] for row in drawings["curves"]["datasets"]["strips"]] == [False, True, False]


def test_the_floor_is_a_line_in_every_strip_where_it_is_known() -> None:
    def heights(result: SweepResult, reduction: str = "mean", measure: str = "cka") -> list[float]:
        rows = layer_scene(result, reduction, "1", measure=measure).views["curves"].datasets["floors"]
        assert sum(row["label"] is not None for row in rows) == min(len(rows), 1), "it is named once"
        return [row["y"] for row in rows]

    assert RESULT.floor
    floor = RESULT.floor.cka["mean"]
    assert heights(RESULT) == pytest.approx([row + STRIP_HEIGHT * value for row, value in enumerate(floor) if value])
    assert heights(RESULT, "cls") == [], "undefined"
    assert heights(RESULT.model_copy(update={"floor": None})) == []
    assert heights(RESULT, measure="partial_cka") == [], "the floor is of CKA"


def test_the_strips_are_of_the_measure_and_the_close_up_of_one_with_a_heatmap() -> None:
    drawings = layer_scene(RESULT, "mean", "2", measure="partial_cka").views
    values = [row["text"] for row in drawings["curves"].datasets["own"] if row["pick"] == "1"]
    own = [frame.own("mean", "partial_cka") for frame in RESULT.frames]
    assert values == [f"{row[0]:.2f}" for row in own if row and row[0] is not None]
    assert drawings["curves"].title == "Partial CKA of each layer with its own baseline, from 0 to 1"
    assert drawings["row"].datasets == layer_scene(RESULT, "mean", "2").views["row"].datasets


# ---------------------------------------------------------------- one layer in close-up


@pytest.mark.parametrize(("chosen", "row"), [("1", 0), ("3", 2)])
def test_the_row_of_the_heatmap_over_the_amounts(chosen: str, row: int) -> None:
    spec = views(chosen=chosen)["row"]
    cells = {
        (labels(mark)["Removed by pruning"], labels(mark)["Pruned"]): labels(mark)["Similarity"]
        for mark in marks(drawn(spec, 0), "rect mark")
        if "Similarity" in labels(mark)
    }
    assert len(cells) == 12
    for frame in RESULT.frames:
        for j in range(3):
            value = frame.similarity["cka"]["mean"][row][j]
            told = cells[amount_name(frame.amount), title(j)]
            assert told == "undefined" if value is None else float(told) == pytest.approx(value, abs=0.00501)
    assert spec["title"].startswith(title(row))


def test_the_frame_of_the_row_moves_from_left_to_right() -> None:
    places = []
    for frame in range(len(AMOUNTS)):
        frames = [mark for mark in marks(drawn(views()["row"], frame), "rect mark") if list(labels(mark)) == ["label"]]
        assert len(frames) == 1
        assert labels(frames[0])["label"] == amount_name(AMOUNTS[frame])
        places.append(frames[0].get("d"))
    assert len(set(places)) == len(AMOUNTS)


def test_sparsity_of_every_layer_with_the_chosen_one_above_the_others() -> None:
    layered = [
        frame.model_copy(update={"layer_sparsity": tuple(frame.amount * share for share in (0.8, 1.0, 1.2))})
        for frame in RESULT.frames
    ]
    spec = views(RESULT.model_copy(update={"frames": tuple(layered)}))["sparsity"]
    rows = spec["datasets"]["layers"]
    assert [row["sparsity"] for row in rows if row["layer"] == "Layer 3"] == pytest.approx([0, 0.3, 0.6, 0.9])
    assert {row["layer"] for row in rows if row["chosen"]} == {"Layer 2"}
    assert [row["sparsity"] for row in spec["datasets"]["all"]] == list(AMOUNTS)
    picture = drawn(spec, 2)
    assert len(marks(picture, "line mark")) == 3 + 1 + 1


def test_with_both_points_of_a_layer_the_sparsity_is_that_of_the_layer() -> None:
    both = make_result(num_layers=2, amounts=AMOUNTS, points="both")
    for chosen, layer in (("1a", "Layer 1"), ("2", "Layer 2")):
        rows = layer_scene(both, "mean", chosen).views["sparsity"].datasets["layers"]
        assert {row["layer"] for row in rows if row["chosen"]} == {layer}
    isolated = {1: make_result(num_layers=2, amounts=(0.0, 0.5), points="both", scope="layer:0")}
    alone = layer_scene(both, "mean", "1a", isolated=isolated).views["curves"].datasets["alone"]
    assert [row["pick"] for row in alone] == ["1"], "at its output"


def test_nothing_changes_its_size_while_it_plays() -> None:
    for spec in views().values():
        pictures = [drawn(spec, frame) for frame in range(len(AMOUNTS))]
        assert len({(one.get("viewBox"), one[1].get("transform")) for one in pictures}) == 1
