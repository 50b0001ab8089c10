"""One layer in close-up, and each layer pruned alone: read from the SVG that Vega draws, frame by frame."""

import pytest

from core.charts.close_up import close_up_scene
from core.charts.grammar import Spec
from core.charts.isolated import isolated_view
from core.charts.view import specs
from core.findings.isolated import isolated_orders
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.core.charts.test_layers import AMOUNTS, RESULT, title
from tests.pictures import drawn, labels, marks


def views(result: SweepResult = RESULT, chosen: str = "2") -> dict[str, Spec]:
    return specs(close_up_scene(result, "mean", chosen).views)


@pytest.mark.parametrize(("chosen", "row"), [("1", 0), ("3", 2)])
def test_the_row_of_the_heatmap_over_the_amounts(chosen: str, row: int) -> None:
    spec = views(chosen=chosen)["row"]
    cells = [labels(mark)["Similarity"] for mark in marks(drawn(spec, 0), "rect mark") if "Similarity" in labels(mark)]
    values = [frame.similarity["cka"]["mean"][row][j] for j in range(3) for frame in RESULT.frames]
    for told, value in zip(cells, values, strict=True):
        assert told == "undefined" if value is None else float(told) == pytest.approx(value, abs=5.1e-3)
    assert [cell["pick"] for cell in spec["datasets"]["row"]] == [str(j + 1) for j in range(3) for _ in AMOUNTS]
    assert spec["title"].startswith(title(row))
    assert [(one["y"], one["y2"]) for one in spec["datasets"]["own_row"]] == [(row, row + 1)]


@pytest.mark.parametrize("amounts", [(0.0, 0.9), (0.0, 0.05, 0.15)])
def test_results_of_any_amounts_stand_on_the_same_axis(amounts: tuple[float, ...]) -> None:
    other = views(make_result(num_layers=3, amounts=amounts))["row"]
    assert {**other, "datasets": None} == {**views()["row"], "datasets": None}


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
    assert len(marks(drawn(spec, 2), "line mark")) == 3 + 1 + 1


def test_with_both_points_of_a_layer_the_sparsity_is_that_of_the_layer() -> None:
    both = make_result(num_layers=2, amounts=AMOUNTS, points="both")
    for chosen, layer in (("1a", "Layer 1"), ("2", "Layer 2")):
        rows = views(both, chosen)["sparsity"]["datasets"]["layers"]
        assert {row["layer"] for row in rows if row["chosen"]} == {layer}


def test_each_layer_alone_stands_at_the_amount_measured_nearest_with_its_control() -> None:
    def alone(method: str, seed: int = 0) -> list[SweepResult]:
        return [
            make_result(
                num_layers=3,
                amounts=(0.0, 0.3, 0.8),
                scope=f"layer:{layer}",
                points="layer",
                method=method,
                seed=seed,
                own_cka=lambda a, p, n: 1 - a * (p + 1) / (20 if method == "magnitude" else 10),
            )
            for layer in range(3)
        ]

    layers, seed = alone("magnitude"), alone("random")
    orders = isolated_orders(RESULT, "mean", [*layers, *seed])
    view = isolated_view(RESULT, "mean", orders, [dict(enumerate(seed, start=1))])
    for k, (effect, chance) in enumerate(zip(view.datasets["effects"], view.datasets["by_chance"], strict=True)):
        measured = [0.3, 0.3, 0.3, 0.8]  # nearest to 0, 0.25, 0.5 and 0.75
        assert effect["value"] == pytest.approx([amount * (k + 1) / 20 for amount in measured])
        assert chance["value"] == pytest.approx([amount * (k + 1) / 10 for amount in measured])
        assert all(
            low <= value <= high
            for low, value, high in zip(*(effect[name] for name in ("low", "value", "high")), strict=True)
        )
    assert [text.text for text in marks(drawn(view.spec, 3), "text mark")] == ["measured at 80 %"] * 2
    beside = close_up_scene(RESULT, "mean", "2", beside={"alone": view})
    assert set(beside.views) == {"row", "sparsity", "alone"}
    assert set(beside.layout.boxes(list(beside.views), 900, 600)) == set(beside.views)


def test_nothing_changes_its_size_while_it_plays() -> None:
    for spec in views().values():
        pictures = [drawn(spec, frame) for frame in range(len(AMOUNTS))]
        assert len({(one.get("viewBox"), one[1].get("transform")) for one in pictures}) == 1
