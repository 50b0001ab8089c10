"""Layers without a browser: what is shown of one result, and what is said of its layers."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.results.schema import SweepResult
from tests.builders import make_result, ship
from tests.opened import address, falls_at, links, open_page, player, told

PAGE = "pages/layers.py"
AMOUNTS = (0.0, 0.25, 0.5, 0.75)


def result(**settings: object) -> SweepResult:
    return make_result(**{"num_layers": 3, "amounts": AMOUNTS, "num_examples": 40, **settings})


def stepped() -> SweepResult:
    """Layers that keep 1 up to amount 0.5, 0.25 and 0, and have 0.5 from the next amount on."""
    last = (0.5, 0.25, 0.0)
    return result(own_cka=lambda amount, layer, layers: 1.0 if amount <= last[layer] else 0.5, statistics=False)


def chosen(app: AppTest) -> list[str]:
    """The strips that are tinted."""
    strips = player(app)["views"]["curves"]["datasets"]["strips"]
    return [strip["pick"] for strip in strips if strip["chosen"]]


def test_it_opens_with_every_layer_and_says_which_falls_first(shipped: Path) -> None:
    ship(shipped, one := stepped())
    app = open_page(PAGE)
    data = player(app)
    assert (data["layout"]["name"], list(data["views"])) == ("layers", ["curves", "survival", "row", "sparsity"])
    assert [frame["amount"] for frame in data["frames"]] == list(AMOUNTS)
    assert (
        "**At similarity ≥ 0.9, layer 3 falls first, at 5 %, and layer 1 lasts longest, up to 55 %. Kendall's "
        "tau-b of that amount with depth is −1.00.**" in told(app)
    )
    assert "Layer 1, attention block, keeps similarity ≥ 0.9 up to 55 %; all others fall before it." in told(app)
    assert chosen(app) == ["1"]
    assert "grey lines" not in told(app), "there is no control"
    assert "diamond" not in told(app), "no layer was pruned alone"
    assert address(app) == {"result": one.key}


def test_a_layer_is_chosen_and_stands_in_the_address(shipped: Path) -> None:
    ship(shipped, stepped())
    app = open_page(PAGE)
    app.selectbox(key="choose-layer").set_value("3").run()
    assert address(app)["layer"] == "3"
    again = open_page(PAGE, layer="3")
    for page in (app, again):
        assert chosen(page) == ["3"]
        assert player(page)["views"]["row"]["title"].startswith("Layer 3, attention block")
        assert "Layer 3, attention block, keeps similarity ≥ 0.9 up to 5 %; none falls before it." in (told(page))


def test_a_threshold_is_chosen_and_stands_in_the_address(shipped: Path) -> None:
    ship(shipped, one := result())
    app = open_page(PAGE)
    assert "none is shown" not in told(app)
    app.button_group(key="choose-threshold").set_value("0.95").run()
    assert address(app)["threshold"] == "0.95"
    first, last = (falls_at(shipped / f"{one.key}.json", "mean", layer, 0.95) for layer in (0, 2))
    for page in (app, open_page(PAGE, threshold="0.95")):
        assert (
            f"At similarity ≥ 0.95, layer 3 falls first, at {last}, and layer 1 lasts longest, up to {first}."
            in told(page)
        )
        assert "0.95" in player(page)["views"]["survival"]["title"][0]
        assert "none is shown" in told(page)


def test_the_reduction_reaches_pictures_and_words(shipped: Path) -> None:
    ship(shipped, one := result())
    app = open_page(PAGE)
    for reduction in ("cls", "tokens"):
        app.button_group(key="choose-reduction").set_value(reduction).run()
        first, last = (falls_at(shipped / f"{one.key}.json", reduction, layer) for layer in (0, 2))
        assert f"At similarity ≥ 0.9, layer 3 falls first, at {last}, and " in told(app)
        assert f" longest, up to {first}." in told(app)
    assert "none is shown" in told(app), "flattened tokens have no interval"


@pytest.mark.parametrize("seeds", [4, 5])
def test_without_all_seeds_of_its_control_it_leads_to_the_lab(shipped: Path, seeds: int) -> None:
    one = result(amounts=(0.0, 0.02, 0.04, 0.3))
    ship(shipped, one, *(result(method="random", seed=seed, until_damage=0.3) for seed in range(seeds)))
    assert links(open_page(PAGE)).get("Run its control in the Lab") == (f"result={one.key}" if seeds < 5 else None)


def test_the_control_and_layers_pruned_alone_are_drawn_where_they_are_at_hand(shipped: Path) -> None:
    seeds = [result(method="random", seed=seed) for seed in range(2)]
    alone = [result(scope=f"layer:{k}", points="layer", amounts=(0.0, 0.5)) for k in range(3)]
    ship(shipped, result(), *seeds, *alone)
    app = open_page(PAGE)
    data = player(app)["views"]["curves"]["datasets"]
    assert {row["series"] for row in data["controls"]} == {0, 1}
    assert data["alone"] == [], "attention blocks come before most of a layer's weights"
    effects = player(app)["views"]["alone"]["datasets"]["effects"]
    assert [row["layer"] for row in effects] == ["1", "2", "3"]
    for row, one in zip(effects, alone, strict=True):
        own = one.frames[1].own("mean")
        assert own
        assert row["value"] == [pytest.approx(1 - (own[int(row["layer"]) - 1] or 0), abs=1e-6)] * len(AMOUNTS)
    assert "alone" in player(app)["layout"]["wide"]
    assert "grey lines" in told(app)
    assert "diamond" in told(app)
    assert "When 50 % of one layer alone is removed" in told(app)
    assert "| Layer | 50 % removed |" in told(app)


def test_a_control_that_removes_less_is_not_drawn_and_the_reason_is_said(shipped: Path) -> None:
    control = result(method="random", prunable_sparsity=lambda amount: amount * 0.8)
    ship(shipped, one := result(), control)
    app = open_page(PAGE, result=one.key)
    assert player(app)["views"]["curves"]["datasets"]["controls"] == []
    assert "grey lines" not in told(app)
    assert (
        "Its random control is not drawn: the two do not remove equally much of every layer: at 75 % altogether, such "
        "as 75 % and 60 % of layer 1's weights." in told(app)
    )


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


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("result", "none"), ("layer", "0"), ("layer", "99"), ("threshold", "0.5"), ("reduction", "x"), ("task", "x")],
)
def test_what_does_not_exist_is_told_and_the_default_is_shown(shipped: Path, parameter: str, value: str) -> None:
    ship(shipped, result())
    app = open_page(PAGE, **{parameter: value})
    assert "The link asks for" in told(app)
    assert chosen(app) == ["1"]


def test_a_measure_without_any_value_is_a_sentence_and_no_picture(shipped: Path) -> None:
    ship(shipped, result())
    app = open_page(PAGE, measure="partial_cka", reduction="cls")
    assert "undefined by the first token: in the emptied model [CLS] is the same for every sentence." in told(app)
    assert not app.get("bidi_component")
    app.button_group(key="choose-reduction").set_value("mean").run()
    assert "curves" in player(app)["views"]


def test_a_link_opens_at_its_amount(shipped: Path) -> None:
    ship(shipped, result())
    assert player(open_page(PAGE, amount="0.25"))["start"] == 0.25
    assert "The link asks for" in told(open_page(PAGE, amount="1"))


def test_a_damaged_result_is_told(shipped: Path) -> None:
    ship(shipped, damaged := result())
    path = shipped / f"{damaged.key}.json"
    path.write_text(path.read_text().replace("0.9", "0.8", 1))
    assert "checksum" in open_page(PAGE).error[0].value


def test_without_a_result_it_leads_to_the_lab(shipped: Path) -> None:
    app = open_page(PAGE)
    assert "no result at hand" in told(app)
    assert not app.get("bidi_component")
