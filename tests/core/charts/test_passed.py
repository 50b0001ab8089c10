"""Layers and halves pruned alone: which lines cross, what stands beside them, and random removal drawn alike."""

import numpy as np
import pytest

from core.charts.grammar import FIRST_COLOUR, spread
from core.charts.passed import halves_scene, passed_scene
from core.findings.comparable import isolated_of
from core.findings.passed import passed_on
from tests.builders import declining, make_result
from tests.core.findings.made import HARMS, OWN_LOSSES, alone, half
from tests.pictures import drawn, marks, texts

WHOLE = make_result(num_layers=4, amounts=(0.0, 0.15, 0.3, 0.7), own_cka=declining(0.8))
DRAWN = [layer for seed in range(2) for layer in alone(HARMS[::-1], method="random", seed=seed)]


def test_lines_run_to_harm_each_column_up_to_its_largest_and_random_removal_is_drawn_alike() -> None:
    scene = passed_scene(WHOLE, "mean", "2", passed_on(WHOLE, [*alone(), *DRAWN], "mean"))
    assert (list(scene.views), scene.amounts) == (["passed", "by-chance"], [0.3, 0.7])
    lines = scene.views["passed"].datasets["lines"]
    columns = {k: [row["v"][1] for row in lines if row["column"] == k] for k in range(4)}
    assert columns[0] == pytest.approx([0.25, 0.25, 1, 1])
    assert columns[1] == pytest.approx(np.array(OWN_LOSSES) / 0.4)
    assert columns[3] == pytest.approx(np.array(HARMS) / 0.4)
    by_chance = scene.views["by-chance"]
    assert {row["column"] for row in by_chance.datasets["lines"]} == {0, 1, 2}, "nobody pruned all layers at random"
    assert ("mean of 2 draws" in by_chance.heading, "first token" in scene.views["passed"].heading) == (True, True)
    spec = {**scene.views["passed"].spec, "width": 500, "height": 300}
    lines = [(float(line.get("stroke-width", 0)), line.get("stroke")) for line in marks(drawn(spec, 0), "line mark")]
    assert [ink for width, ink in lines if width > 3] == [FIRST_COLOUR], "the selected one"
    names = sorted(text for text in texts(spec, 0) if text[:1].isdigit())
    assert names == ["1", "1: 12 %", "2", "2: 6 %", "3", "3: 9 %", "4", "4: 3 %"]
    read = passed_scene(WHOLE, "mean", "2", passed_on(WHOLE, alone(read=0.5), "mean"))
    assert (list(read.views), "what the classifier reads" in read.views["passed"].heading) == (["passed"], True)


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


@pytest.mark.parametrize("further", [(), (0.9,)])  # amounts that one half alone was measured at
def test_halves_stand_beside_the_whole_model_that_has_lost_as_much_of_its_own_weights(further: tuple[float]) -> None:
    whole = make_result(num_layers=4, amounts=(0.0, 0.15, 0.6, 0.7), own_cka=declining(0.8))
    pair = isolated_of(whole, [half("layers:0-1", 0.4), half("layers:2-3", 0.1, amounts=(0.0, 0.2, 0.6, *further))])
    seed = {scope: half(scope, 0.5, method="random") for scope in pair}
    scene = halves_scene(whole, "mean", pair, [seed], "The finding")
    assert (scene.title, list(scene.views), scene.amounts) == ("The finding", ["stack", "harm"], [0, 0.2, 0.6])
    rows = [row for row in scene.views["harm"].datasets["harm"] if row["seed"] is None]
    known = {(row["series"], row["amount"]): row["changed"] for row in rows}
    assert (known["lower half", 0.6], known["upper half", 0.6], known["all layers", 0.6]) == (0.4, 0.1, 0.3)
    faded, unknown = ([row["v"][k] for row in scene.views["stack"].datasets["stack"]] for k in (2, 1))
    assert set(unknown) == {None}
    assert faded == pytest.approx([round(value, 6) for value in whole.frames[2].own("mean")]), "all layers are pruned"
    assert len(marks(drawn({**scene.views["harm"].spec, "width": 400, "height": 200}, 2), "line mark")) == 3 + 2
