"""Halves of the layers pruned alone: what stands beside them."""

import pytest

from core.charts.passed import halves_scene
from core.findings.comparable import isolated_of
from tests.builders import declining, make_result
from tests.core.findings.made import half
from tests.pictures import drawn, marks


@pytest.mark.parametrize("further", [(), (0.9,)])  # amounts that one half alone was measured at
def test_halves_stand_beside_the_whole_model_that_has_lost_as_much_of_its_own_weights(further: tuple[float]) -> None:
    whole = make_result(num_layers=4, amounts=(0.0, 0.15, 0.6, 0.7), own_cka=declining(0.8))
    pair = isolated_of(whole, [half("layers:0-1", 0.4), half("layers:2-3", 0.1, amounts=(0.0, 0.1, 0.6, *further))])
    seed = {scope: half(scope, 0.5, method="random") for scope in pair}
    scene = halves_scene(whole, "mean", pair, [seed], "The finding")
    assert (scene.title, list(scene.views), scene.amounts) == ("The finding", ["harm"], [0, 0.1, 0.6])
    rows = [row for row in scene.views["harm"].datasets["harm"] if row["seed"] is None]
    known = {(row["series"], row["amount"]): row["changed"] for row in rows}
    assert (known["lower half", 0.6], known["upper half", 0.6], known["all layers", 0.6]) == (0.4, 0.1, 0.3)
    assert len(marks(drawn({**scene.views["harm"].spec, "width": 400, "height": 200}, 2), "line mark")) == 3 + 2
