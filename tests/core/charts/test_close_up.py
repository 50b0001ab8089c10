"""One layer in close-up, and each layer pruned alone: read from the SVG that Vega draws, frame by frame."""

import pytest

from core.charts.close_up import close_up_scene
from core.charts.grammar import Spec
from core.charts.isolated import isolated_view
from core.charts.view import specs
from core.findings.isolated import isolated_orders
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.core.charts.test_layers import AMOUNTS, RESULT, title, written
from tests.pictures import drawn, marks, texts, told


def views(result: SweepResult = RESULT, chosen: str = "2") -> dict[str, Spec]:
    return specs(close_up_scene(result, "mean", chosen).views)


@pytest.mark.parametrize("row", [0, 2])
def test_the_row_of_the_heatmap_over_the_amounts(row: int) -> None:
    spec = views(chosen=str(row + 1))["row"]
    values = [frame.similarity["cka"]["mean"][row][j] for j in range(3) for frame in RESULT.frames]
    assert [cell["Similarity"] for cell in told(spec, 0, "Similarity")] == [
        written(float("nan") if value is None else value) for value in values
    ]
    assert [cell["pick"] for cell in spec["datasets"]["row"]] == [str(j + 1) for j in range(3) for _ in AMOUNTS]
    assert spec["title"].startswith(title(row))
    assert [(own["y"], own["y2"]) for own in spec["datasets"]["own_row"]] == [(row, row + 1)]


def test_sparsity_of_every_layer_with_the_chosen_one_above_the_others() -> None:
    layered = [
        frame.model_copy(update={"layer_sparsity": tuple(frame.amount * share for share in (0.8, 1.0, 1.2))})
        for frame in RESULT.frames
    ]
    spec = views(RESULT.model_copy(update={"frames": tuple(layered)}))["sparsity"]
    rows = spec["datasets"]["layers"]
    assert [row["sparsity"] for row in rows if row["layer"] == "Layer 3"] == pytest.approx([0, 0.3, 0.6, 0.9])
    assert [row["sparsity"] for row in spec["datasets"]["all"]] == list(AMOUNTS)
    assert len(marks(drawn(spec, 2), "line mark")) == 3 + 1 + 1
    both = make_result(num_layers=2, amounts=AMOUNTS, points="both")
    for result, chosen, layer in ((RESULT, "2", "Layer 2"), (both, "1a", "Layer 1"), (both, "2", "Layer 2")):
        rows = views(result, chosen)["sparsity"]["datasets"]["layers"]
        assert {row["layer"] for row in rows if row["chosen"]} == {layer}


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
        columns = zip(effect["low"], effect["value"], effect["high"], strict=True)
        assert all(low <= value <= high for low, value, high in columns)
    assert texts(view.spec, 3) == ["measured at 80 %"] * 2
    beside = close_up_scene(RESULT, "mean", "2", beside={"alone": view})
    assert set(beside.layout.boxes(list(beside.views), 900, 600)) == {"row", "sparsity", "alone"}
