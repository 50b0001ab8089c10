"""Layers without a browser: what is shown of one result, and what is said of its layers."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.results.schema import SweepResult
from tests.builders import make_result, ship
from tests.opened import address, box, falls_at, open_page, player, players, told

PAGE = "pages/layers.py"
AMOUNTS = (0.0, 0.25, 0.5, 0.75)


def result(**settings: object) -> SweepResult:
    return make_result(**{"num_layers": 3, "amounts": AMOUNTS, "num_examples": 40, **settings})


def stepped() -> SweepResult:
    """Layers that keep 1 up to amount 0.5, 0.25 and 0, and have 0.5 from the next amount on."""
    last = (0.5, 0.25, 0.0)
    return result(own_cka=lambda amount, layer, layers: 1.0 if amount <= last[layer] else 0.5, statistics=False)


def chosen(app: AppTest) -> list[str]:
    """The rows that are tinted."""
    strips = pictures(app)["rows"]["datasets"]["strips"]
    return [strip["pick"] for strip in strips if strip["chosen"]]


def pictures(app: AppTest, which: int = 0) -> dict[str, Any]:
    """The views of a player: 0 is the page's, 1 the close-up under Details."""
    views: dict[str, Any] = players(app)[which]["views"]
    return views


def heading(app: AppTest) -> str:
    """The page's heading, as it is read."""
    (title,) = app.title
    return title.value.replace("\\", "").replace("\u00a0", " ")


def chooser(app: AppTest) -> str:
    """The caption that opens the chooser, as it is read."""
    (popover,) = app.get("popover")
    return popover.proto.popover.label.replace("\\", "").replace("\u00a0", " ")


def test_the_answer_is_the_heading_and_its_layer_is_selected(shipped: Path) -> None:
    ship(shipped, one := stepped())
    app = open_page(PAGE)
    data = player(app)
    assert (data["layout"]["name"], list(data["views"])) == ("layers", ["rows", "curve"])
    assert [frame["amount"] for frame in data["frames"]] == list(AMOUNTS)
    assert heading(app) == "Layer 3 changes first: it falls below 0.9 at 5 % of weights removed"
    assert chosen(app) == ["3"]
    assert "Layer 3, attention block, stays intact (at least 0.9) up to 5 % of weights removed." in told(app)
    assert "Add a matched random control" in told(app)
    assert "tau-b" not in told(app), "a statistic's name stands under Details"
    assert address(app) == {"result": one.key}


def test_method_checkpoint_and_data_stand_once_in_the_caption_that_opens_the_chooser(shipped: Path) -> None:
    ship(shipped, stepped())
    app = open_page(PAGE, reduction="cls")
    assert chooser(app) == (
        "Magnitude pruning of the encoder · MiniLM-L6, fine-tuned on SST-2 · 40 examples of SST-2 validation, GLUE · "
        "First token"
    )
    for words in ("MiniLM-L6", "Magnitude pruning", "GLUE"):
        assert words not in told(app)


def test_a_layer_is_chosen_and_stands_in_the_address(shipped: Path) -> None:
    ship(shipped, stepped())
    app = open_page(PAGE)
    box(app, "layer").set_value("2").run()
    assert address(app)["layer"] == "2"
    for page in (app, open_page(PAGE, layer="2")):
        assert chosen(page) == ["2"]
        assert player(page)["views"]["curve"]["title"].startswith("Layer 2, attention block")
        assert "Layer 2, attention block, stays intact (at least 0.9) up to 30 %" in told(page)
        assert heading(page).startswith("Layer 3 changes first"), "whichever layer is selected"


def test_a_chosen_layer_stays_when_another_one_changes_first(shipped: Path) -> None:
    ship(shipped, crossing := result(own_cka=lambda a, p, n: 1 - a * (0.3 if (a > 0.3) == (p == 0) else 0.15)))
    firsts = {threshold: chosen(open_page(PAGE, threshold=threshold)) for threshold in ("0.95", "0.8")}
    assert firsts == {"0.95": ["2"], "0.8": ["1"]}, "unless the visitor chooses"
    app = open_page(PAGE, threshold="0.95", layer="2", result=crossing.key)
    box(app, "threshold").set_value("0.8").run()
    assert chosen(app) == ["2"]


def test_a_threshold_is_chosen_and_stands_in_the_address(shipped: Path, unfolded: None) -> None:
    ship(shipped, one := result())
    app = open_page(PAGE)
    assert "none is shown" not in told(app)
    box(app, "threshold").set_value("0.95").run()
    assert address(app)["threshold"] == "0.95"
    last = falls_at(shipped / f"{one.key}.json", "mean", 2, 0.95)
    for page in (app, open_page(PAGE, threshold="0.95")):
        assert heading(page) == f"Layer 3 changes first: it falls below 0.95 at {last} of weights removed"
        assert "0.95" in pictures(page)["rows"]["title"][0]
        assert "none is shown" in told(page)


def test_the_reduction_reaches_pictures_and_words(shipped: Path, unfolded: None) -> None:
    ship(shipped, one := result())
    app = open_page(PAGE)
    for reduction in ("cls", "tokens"):
        box(app, "reduction").set_value(reduction).run()
        last = falls_at(shipped / f"{one.key}.json", reduction, 2)
        assert heading(app).startswith(f"Layer 3 changes first: it falls below 0.9 at {last} of weights removed")
    assert "none is shown" in told(app), "flattened tokens have no interval"


def test_the_control_and_layers_pruned_alone_are_shown_where_they_are_at_hand(shipped: Path, unfolded: None) -> None:
    seeds = [result(method="random", seed=seed) for seed in range(2)]
    alone = [result(scope=f"layer:{k}", points="layer", amounts=(0.0, 0.5)) for k in range(3)]
    ship(shipped, result(), *seeds, *alone)
    app = open_page(PAGE)
    curve = pictures(app)["curve"]["datasets"]
    assert {row["series"] for row in curve["seeds"]} == {0, 1}
    assert curve["alone"] == [], "attention blocks come before most of a layer's weights"
    assert "changes layer 3 first with 2 of 2 seeds" in told(app)
    effects = pictures(app, 1)["alone"]["datasets"]["effects"]
    assert [row["layer"] for row in effects] == ["1", "2", "3"]
    for row, one in zip(effects, alone, strict=True):
        own = one.frames[1].own("mean")
        assert own
        assert row["value"] == [pytest.approx(1 - (own[int(row["layer"]) - 1] or 0), abs=1e-6)] * len(AMOUNTS)
    assert "grey lines" in told(app)
    assert "diamond" in told(app)
    assert "| Order |" in told(app)


def test_the_rest_stands_under_details_which_are_filled_when_they_are_opened(
    shipped: Path, request: pytest.FixtureRequest
) -> None:
    ship(shipped, stepped())
    closed = open_page(PAGE)
    assert len(closed.get("bidi_component")) == 1
    assert "Intact (similarity" not in told(closed)
    request.getfixturevalue("unfolded")
    app = open_page(PAGE, layer="2")
    assert set(pictures(app, 1)) == {"row", "sparsity"}
    assert pictures(app, 1)["row"]["title"].startswith("Layer 2, attention block")
    assert "| Kendall's tau-b with depth | −1.00 |" in told(app)
    assert "| Layer 2, attention block | 30 % |" in told(app)
    assert "grey lines" not in told(app), "there is no control"
    assert "diamond" not in told(app), "no layer was pruned alone"


def test_a_control_that_removes_less_is_not_drawn_and_the_reason_is_said(shipped: Path) -> None:
    control = result(method="random", prunable_sparsity=lambda amount: amount * 0.8)
    ship(shipped, one := result(), control)
    app = open_page(PAGE, result=one.key)
    assert pictures(app)["curve"]["datasets"]["seeds"] == []
    assert "Add a matched random control" in told(app)


def test_both_points_of_a_layer_can_be_chosen(shipped: Path) -> None:
    ship(shipped, result(points="both"))
    app = open_page(PAGE, layer="2a")
    assert chosen(app) == ["2a"]
    assert app.selectbox(key="choose-layer").options[:3] == [
        "Layer 1, attention block",
        "Layer 1, output",
        "Layer 2, attention block",
    ]


def test_another_result_keeps_the_layer_where_it_has_one(shipped: Path) -> None:
    ship(shipped, result(), deep := result(method="wanda", num_layers=4))
    app = open_page(PAGE, layer="3")
    app.selectbox(key="choose-result").set_value(deep.key).run()
    assert not app.exception
    assert chosen(app) == ["3"]
    assert address(app)["result"] == deep.key
    app.selectbox(key="choose-layer").set_value("4").run()
    assert chosen(app) == ["4"]


def test_a_measure_without_any_value_is_a_sentence_and_no_picture(shipped: Path) -> None:
    ship(shipped, result())
    app = open_page(PAGE, measure="partial_cka", reduction="cls")
    assert "is undefined in every layer, by the first token" in heading(app)
    assert not app.get("bidi_component")
    app.button_group(key="choose-reduction").set_value("mean").run()
    assert set(pictures(app)) == {"rows", "curve"}
