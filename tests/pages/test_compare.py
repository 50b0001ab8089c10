"""Compare without a browser: which two results are shown, and what the page says about them."""

import re
from pathlib import Path

from streamlit.testing.v1 import AppTest

from core.results.names import in_sentence
from core.results.schema import SweepResult
from tests.builders import declining, make_result, ship
from tests.core.findings.made import collapsing, working_to
from tests.opened import (
    address,
    box,
    links,
    open_page,
    player,
    prose,
    unescaped,
)

PAGE = "pages/compare.py"
AMOUNTS = (0.0, 0.3, 0.6, 0.9)


def result(**settings: object) -> SweepResult:
    return make_result(**{"num_layers": 3, "amounts": AMOUNTS, "num_examples": 40, **settings})


def headings(app: AppTest) -> list[str]:
    """Return the titles of the two heatmaps."""
    views = player(app)["views"]
    return [unescaped(" ".join(views[side]["title"])).strip() for side in ("first", "second")]


def test_it_opens_with_magnitude_and_its_random_control_and_others_can_be_chosen(
    shipped: Path,
) -> None:
    magnitude = result(own_cka=declining(0.7))
    wanda = result(method="wanda")
    control = result(method="random", seed=1, own_cka=declining(0.7))
    ship(shipped, magnitude, wanda, control)
    app = open_page(PAGE)
    data = player(app)
    assert [frame["amount"] for frame in data["frames"]] == list(AMOUNTS)
    assert set(data["views"]) == {
        "first",
        "second",
        "difference",
        "accuracy",
        "own",
    }
    assert app.title[0].value == "Magnitude pruning beside random pruning", (
        "how far they work is not known"
    )
    assert headings(app) == [
        "First: magnitude pruning",
        "Second: random pruning",
    ]
    assert "Where in depth the two change is not compared (steps too coarse)." in prose(app)
    assert "| 30 % | 30 % | 0.90 | 0.90 | 1.000 | 1.000 |" in prose(app)
    box(app, "result").set_value(wanda.key).run()
    assert headings(app) == [
        "First: Wanda pruning",
        "Second: magnitude pruning",
    ]
    box(app, "other").set_value(control.key).run()
    assert address(app) == {"result": wanda.key, "other": control.key}


def test_equal_change_is_read_from_the_sweeps_in_small_steps(
    shipped: Path,
) -> None:
    size = {"num_layers": 4, "num_examples": 100}
    steps = {
        **size,
        "amounts": (0.0, 0.02, 0.04, 0.06, 0.3),
        "until_damage": 0.3,
    }
    fine = [
        result(method="random", seed=seed, own_cka=declining(0.7), **steps) for seed in range(5)
    ]
    whole = {**size, "own_cka": declining(0.5)}
    own = result(own_cka=declining(0.9), **steps)
    ship(shipped, result(**whole), result(method="random", **whole), own, *fine)
    app = open_page(PAGE)
    assert "90 % lies in the upper half of the layers for magnitude pruning" in prose(app)
    assert (
        "; by all seeds: more of the change in the upper half than under random removal."
        in prose(app)
    )
    assert not [link for link in links(app) if "Decide it" in link]
    ship(shipped, result(**whole), result(method="wanda", **whole), *fine)
    assert headings(open_page(PAGE))[1] == "Second: random pruning", (
        "what was run to judge it comes before Wanda"
    )


def test_the_axis_is_chosen_and_stands_in_the_address(shipped: Path) -> None:
    amounts = tuple(k / 20 for k in range(20))
    ship(
        shipped,
        result(amounts=amounts),
        result(amounts=amounts, method="wanda", own_cka=lambda a, p, n: 1 - a / 4),
    )
    app = open_page(PAGE)
    names = [
        player(box(app, "axis").set_value(axis).run())["frames"][1]["name"]
        for axis in ("amount", "damage")
    ]
    assert address(app)["axis"] == "damage"
    assert names == ["5 % of weights removed", "Overall change 0.01"]
    app = open_page(PAGE, axis="damage")
    assert player(app)["start"] == 0.1
    removed = re.findall(r"(\d+ %) of weights", app.title[0].value)
    (frame,) = (frame for frame in player(app)["frames"] if frame["amount"] == 0.1)
    assert app.title[0].value.startswith("Layers change equally (0.10) with")
    assert frame["detail"].startswith(" and ".join(removed)), "what stands beside the picture"


def test_what_two_results_do_not_share_is_left_out_and_reported(
    shipped: Path,
) -> None:
    ship(
        shipped,
        one := result(),
        deeper := result(num_layers=4),
        result(method="wanda"),
    )
    for other, words, layout in (
        (one, "are the same result", "compare"),
        (deeper, "no picture of", "beside"),
    ):
        app = open_page(PAGE, result=one.key, other=other.key)
        assert words in prose(app)
        assert player(app)["layout"]["name"] == layout
        assert ("(paired tests" in prose(app)) == (other is deeper)


def test_title_picture_table_and_test_are_by_one_metric(shipped: Path) -> None:
    one, other = collapsing()
    one = working_to(
        one, 0.0, metric="matthews_correlation"
    )  # judged on more examples than its own
    ship(shipped, one, other)
    app = open_page(PAGE, result=one.key, other=other.key)
    metric = "Matthews correlation"
    works = "Magnitude pruning works"
    assert unescaped(app.title[0].value).startswith(f"{works} at no amount measured, Wanda")
    assert player(app)["views"]["accuracy"]["title"][0] == f"{metric} with its 95 % interval"
    assert f"| {metric}, magnitude pruning | {metric}, Wanda" in prose(app)
    assert f"removed, {in_sentence(metric)} is significantly higher for Wanda" in prose(app)
    app = open_page(PAGE, result=one.key, other=other.key, metric="accuracy")
    assert unescaped(app.title[0].value).startswith(f"{works} up to 30 % of weights removed, Wanda")
