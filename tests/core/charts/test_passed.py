"""Layers and halves pruned alone: which lines cross, what stands beside them, and random removal drawn alike."""

import numpy as np
import pytest

from core.charts.grammar import FIRST_COLOUR, SECOND_COLOUR, spread
from core.charts.halves import CHANCE, SERIES, halves_scene
from core.charts.passed import passed_scene
from core.findings.comparable import Halves
from core.findings.passed import passed_on
from tests.builders import declining, make_result
from tests.core.findings.made import HARMS, OWN_LOSSES, alone, half
from tests.pictures import drawn, marks, texts

WHOLE = make_result(num_layers=4, amounts=(0.0, 0.15, 0.3, 0.7), own_cka=declining(0.8))
DRAWN = [layer for seed in range(2) for layer in alone(HARMS[::-1], method="random", seed=seed)]


def test_lines_run_from_the_own_loss_to_harm_each_column_up_to_its_largest() -> None:
    scene = passed_scene(WHOLE, "mean", "2", passed_on(WHOLE, [*alone(), *DRAWN], "mean"))
    assert (list(scene.views), scene.amounts) == (["passed", "by-chance"], [0.3, 0.7])
    lines = scene.views["passed"].datasets["lines"]
    columns = {k: [row["v"][1] for row in lines if row["column"] == k] for k in range(4)}
    assert columns[1] == pytest.approx(np.array(OWN_LOSSES) / 0.4)
    assert columns[3] == pytest.approx(np.array(HARMS) / 0.4)
    assert columns[0] == pytest.approx([0.25, 0.25, 1, 1])
    assert all(max(values) == 1 for values in columns.values())
    told = [row["text"][1] for row in lines if row["column"] == 3]
    assert told == ["28 % (14 to 28 %)", "14 % (7 to 14 %)", "21 % (10 to 21 %)", "7 % (4 to 7 %)"]
    by_chance = scene.views["by-chance"]
    assert {row["column"] for row in by_chance.datasets["lines"]} == {0, 1, 2}, "nobody pruned all layers at random"
    assert "mean of 2 draws" in by_chance.heading
    alone_only = passed_scene(WHOLE, "mean", "2", passed_on(WHOLE, alone(read=0.5), "mean"))
    assert list(alone_only.views) == ["passed"]
    assert "what the classifier reads" in alone_only.views["passed"].heading
    assert "first token" in scene.views["passed"].heading


def test_the_drawing_has_a_line_a_layer_the_selected_one_thick_and_its_interval_written() -> None:
    view = passed_scene(WHOLE, "mean", "2", passed_on(WHOLE, alone(), "mean")).views["passed"]
    spec = {**view.spec, "width": 500, "height": 300}
    lines = [line for line in marks(drawn(spec, 0), "line mark") if float(line.get("stroke-width", 0)) > 1]
    assert sorted(line.get("stroke") for line in lines) == sorted([FIRST_COLOUR, SECOND_COLOUR] * 2)
    assert [line.get("stroke") for line in lines if float(line.get("stroke-width", 0)) > 3] == [FIRST_COLOUR]
    names = [text for text in texts(spec, 0) if text[:1].isdigit()]
    assert sorted(names) == ["1", "1: 12 %", "2", "2: 6 % (3 to 6 %)", "3", "3: 9 %", "4", "4: 3 %"]
    assert {row["chosen"] for row in view.datasets["ends"] if row["layer"] == "2"} == {True}


@pytest.mark.parametrize(
    ("heights", "places"),
    [
        ([0.0, 1.0], [0.0, 1.0]),
        ([0.5, 0.5, 0.45], [0.55, 0.65, 0.45]),
        ([1.0, 1.0, 0.2], [0.9, 1.0, 0.1]),
        ([float("nan"), 0.0], [0.0, 0.1]),
    ],
)
def test_names_beside_equal_places_stand_apart_in_their_order(heights: list[float], places: list[float]) -> None:
    assert spread(heights, 0.1) == pytest.approx(places)


def test_halves_stand_over_the_share_of_all_weights_beside_the_whole_model() -> None:
    pair = Halves(half("layers:0-1", 0.4), half("layers:2-3", 0.1))
    seed = Halves(*(half(known.pruning.scope, 0.5, method="random") for known in pair))
    scene = halves_scene(WHOLE, "mean", [], pair, [seed], "The finding")
    assert (scene.title, list(scene.views), scene.amounts) == ("The finding", ["stack", "harm"], [0.0, 0.15, 0.3])
    rows = scene.views["harm"].datasets["harm"]
    known = {
        name: {row["removed"]: (row["changed"], row["k"]) for row in rows if row["series"] == name} for name in SERIES
    }
    assert known[SERIES[0]] == {0: (0, 0), 0.1: (pytest.approx(0.135), None), 0.3: (0.4, 2)}
    assert known[SERIES[1]][0.3] == (0.1, 2)
    assert known[SERIES[2]] == {0: (0, 0), 0.15: (0.075, 1), 0.3: (0.15, 2)}, "no half has as many as 70 %"
    spec = {**scene.views["harm"].spec, "width": 400, "height": 200}
    assert len(marks(drawn(spec, 2), "line mark")) == 3 + 2
    markers = [len(marks(drawn(spec, frame), "point")) for frame in (1, 2)]
    assert markers[1] - markers[0] == 2, "at 15 % the halves were not measured"
    assert CHANCE in scene.views["harm"].heading
    without = halves_scene(WHOLE, "mean", [], pair, [], "").views["harm"]
    assert (without.datasets["chance"], CHANCE in without.heading) == ([], False)
