"""Compare without a browser: which two results are shown, and what the page says about them."""

import re
from pathlib import Path

from streamlit.testing.v1 import AppTest

from core.results.schema import SweepResult
from tests.builders import declining, make_result, ship
from tests.core.findings.made import collapsing, working_to
from tests.opened import (
    address,
    box,
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
    assert headings(app) == [
        "First: magnitude pruning",
        "Second: random pruning",
    ]
    box(app, "result").set_value(wanda.key).run()
    assert headings(app) == [
        "First: Wanda pruning",
        "Second: magnitude pruning",
    ]
    box(app, "other").set_value(control.key).run()
    assert address(app) == {"result": wanda.key, "other": control.key}


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
    assert "at no amount measured, Wanda" in app.title[0].value
    assert player(app)["views"]["accuracy"]["title"][0] == f"{metric} with its 95 % interval"
    assert f"| {metric}, magnitude pruning | {metric}, Wanda" in prose(app)
    app = open_page(PAGE, result=one.key, other=other.key, metric="accuracy")
    assert "up to 30" in app.title[0].value
