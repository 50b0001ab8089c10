"""Compare without a browser: which two are shown, and what is said of them."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.results.schema import SweepResult
from tests.builders import declining, make_result, ship
from tests.opened import address, box, links, open_page, player, told

PAGE = "pages/compare.py"
AMOUNTS = (0.0, 0.3, 0.6, 0.9)


def result(**settings: object) -> SweepResult:
    return make_result(**{"num_layers": 3, "amounts": AMOUNTS, "num_examples": 40, **settings})


def shown(app: AppTest) -> tuple[str, str]:
    """What stands over the two heatmaps."""
    views = player(app)["views"]
    one, other = (" ".join(views[side]["title"]).replace("\u00a0", " ").strip() for side in ("first", "second"))
    return one, other


def test_it_opens_with_magnitude_and_its_random_control(shipped: Path) -> None:
    magnitude, wanda = result(own_cka=declining(0.7)), result(method="wanda")
    control = result(method="random", seed=1, own_cka=declining(0.7))
    ship(shipped, magnitude, wanda, control)
    app = open_page(PAGE)
    data = player(app)
    assert (data["layout"]["name"], data["autoplay"]) == ("compare", False)
    assert [frame["amount"] for frame in data["frames"]] == list(AMOUNTS)
    assert set(data["views"]) == {"first", "second", "difference", "accuracy", "own"}
    assert app.title[0].value == "Magnitude pruning beside random pruning, as magnitude prunes (seed 1)", (
        "how far they work is not known"
    )
    assert shown(app) == (
        "First: magnitude pruning of the encoder",
        "Second: random pruning of the encoder, as magnitude prunes (seed 1)",
    )
    assert "Where in depth the two change is not compared (coarse steps)." in told(app)
    assert "correct more often at 0 of 3 amounts" in told(app)
    assert "| 30 % | 30 % | 0 | 0 | 1.000 | 1.000 |" in told(app)
    assert address(app) == {"result": magnitude.key, "other": control.key}


def test_equal_change_is_read_from_the_sweeps_in_small_steps(shipped: Path) -> None:
    size = {"num_layers": 4, "num_examples": 100}
    steps = {**size, "amounts": (0.0, 0.02, 0.04, 0.06, 0.3), "until_damage": 0.3}
    fine = [result(method="random", seed=seed, own_cka=declining(0.7), **steps) for seed in range(5)]
    own = [result(own_cka=declining(0.9), **steps)]
    whole = {**size, "own_cka": declining(0.5)}
    ship(shipped, result(**whole), result(method="random", **whole), *own, *fine)
    app = open_page(PAGE)
    assert "90 % lies in the upper half of the layers under magnitude pruning" in told(app)
    assert "; by all seeds: steeper than chance." in told(app)
    assert "Run random control in the Lab" not in links(app)


def test_both_are_chosen_and_stand_in_the_address(shipped: Path) -> None:
    magnitude, wanda, control = result(), result(method="wanda"), result(method="random", controls="wanda")
    ship(shipped, magnitude, wanda, control)
    app = open_page(PAGE)
    box(app, "result").set_value(wanda.key).run()
    assert shown(app)[0] == "First: Wanda pruning of the encoder"
    box(app, "other").set_value(magnitude.key).run()
    assert shown(app)[1] == "Second: magnitude pruning of the encoder"
    assert address(app)["result"] == wanda.key
    assert address(app)["other"] == magnitude.key
    assert shown(open_page(PAGE, result=wanda.key, other=magnitude.key)) == shown(app)


def test_the_reduction_reaches_pictures_and_words(shipped: Path) -> None:
    steps = {"amounts": (0.0, 0.02, 0.04, 0.06, 0.9), "own_cka": declining(0.7)}
    ship(shipped, result(**steps), result(method="random", **steps))
    app = open_page(PAGE)
    before = player(app)["views"]
    assert "Of an overall change of 0.05, " in told(app)
    app.button_group(key="choose-reduction").set_value("cls").run()
    for view in ("first", "second"):
        assert player(app)["views"][view]["title"] == before[view]["title"]
    app.button_group(key="choose-reduction").set_value("tokens").run()
    assert "is not compared (all tokens)" in told(app)


def test_task_and_source_shorten_the_lists(shipped: Path) -> None:
    sst2 = [result(), result(method="random"), result(source="written"), result(method="random", source="written")]
    cola = [result(task="cola"), result(task="cola", method="random")]
    ship(shipped, *sst2, *cola)
    app = open_page(PAGE)
    assert box(app, "task").options == ["SST-2", "CoLA", "Any"]
    assert len(box(app, "result").options) == 2
    box(app, "data").set_value("written").run()
    assert address(app) == {"data": "written", "result": sst2[2].key, "other": sst2[3].key}
    assert box(app, "result").value == sst2[2].key
    assert box(app, "other").value == sst2[3].key
    box(app, "task").set_value("cola").run()
    assert not app.exception
    assert box(app, "result").value == cola[0].key
    box(app, "task").set_value("any").run()
    box(app, "data").set_value("any").run()
    assert len(box(app, "result").options) == 6
    assert len(set(box(app, "result").options)) == 6, "told apart by name"


def test_two_controls_without_their_method_leave_nothing_to_show_of_all_methods(shipped: Path, unfolded: None) -> None:
    ship(shipped, result(method="random", controls="wanda"), result(method="random", controls="wanda", seed=1))
    app = open_page(PAGE)
    assert "No method has been swept over the whole encoder" in told(app)
    assert not app.get("expander")[-1].label.startswith("Download all methods")


def test_the_keys_alone_make_a_link_also_into_another_task(shipped: Path) -> None:
    ship(shipped, sst2 := result(), result(method="random"), first := result(task="cola"), result(task="cola", seed=1))
    app = open_page(PAGE, result=first.key)
    assert app.selectbox(key="choose-task").value == "cola"
    assert app.selectbox(key="choose-result").value == first.key
    assert not app.info
    app.selectbox(key="choose-task").set_value("sst2").run()
    assert not app.info
    assert address(app)["result"] == sst2.key


def test_the_axis_is_chosen_and_stands_in_the_address(shipped: Path) -> None:
    amounts = tuple(k / 20 for k in range(20))
    ship(shipped, result(amounts=amounts), result(amounts=amounts, method="wanda", own_cka=lambda a, p, n: 1 - a / 4))
    app = open_page(PAGE)
    assert player(app)["frames"][1]["name"] == "5 % of weights removed"
    app.button_group(key="choose-axis").set_value("damage").run()
    assert address(app)["axis"] == "damage"
    frames = player(app)["frames"]
    assert frames[1]["name"] == "Overall change 0.01"
    assert frames[-1]["amount"] == pytest.approx(0.23)
    assert player(app)["start"] == 0.1
    assert "of 0.82 and 0.24" in told(app)
    assert player(open_page(PAGE, axis="divergence"))["frames"][1]["name"].startswith("Divergence 0.0")


def test_all_methods_of_the_task_are_read_when_they_are_unfolded(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship(shipped, result(), result(method="wanda"), result(method="random"), result(scope="layer:1"))
    read = []
    monkeypatch.setattr("ui.results.methods_beside", lambda *asked: read.append(asked) or ())
    open_page(PAGE)
    assert read == []


def test_different_examples_are_looked_at_but_not_tested(shipped: Path) -> None:
    ship(shipped, one := result(), other := result(task="cola", method="random"))
    app = open_page(PAGE, result=one.key, other=other.key)
    assert app.selectbox(key="choose-task").value == "any"
    assert "difference" in player(app)["views"]
    assert "no paired test is possible" in told(app)
    assert "(paired tests" not in told(app)


def test_other_depths_have_no_difference_and_say_so(shipped: Path) -> None:
    ship(shipped, one := result(), other := result(num_layers=4))
    app = open_page(PAGE, result=one.key, other=other.key)
    assert player(app)["layout"]["name"] == "beside"
    assert "no picture of their difference" in told(app)


def test_units_and_weights_share_an_axis_as_sparsity_only(shipped: Path) -> None:
    units = result(method="attribution", scope=None, prunable_sparsity=lambda amount: amount * 0.95)
    ship(shipped, one := result(), units)
    app = open_page(PAGE, result=one.key, other=units.key)
    assert player(app)["frames"][1]["name"] == "30 % and 28 % of the encoder's weights removed"


def test_a_result_beside_itself_is_told(shipped: Path) -> None:
    ship(shipped, one := result(), result(method="random"))
    app = open_page(PAGE, result=one.key, other=one.key)
    assert "are the same result" in told(app)
    assert "(paired tests" not in told(app)


def test_a_damaged_result_is_told_and_another_one_can_be_chosen(shipped: Path) -> None:
    ship(shipped, damaged := result(), wanda := result(method="wanda"), result(method="random", controls="wanda"))
    path = shipped / f"{damaged.key}.json"
    path.write_text(path.read_text().replace("0.9", "0.8", 1))
    app = open_page(PAGE)
    assert "checksum" in app.error[0].value
    app.selectbox(key="choose-result").set_value(wanda.key).run()
    assert shown(app) == (
        "First: Wanda pruning of the encoder",
        "Second: random pruning of the encoder, as Wanda prunes (seed 0)",
    )
