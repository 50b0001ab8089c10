"""The Present page without a browser: what is on the stage, and how it is chosen and worded."""

from pathlib import Path

import pytest
import streamlit as st

from core.results.schema import SweepResult
from tests.builders import make_result, ship
from tests.opened import address, box, links, open_page, player, prose

PAGE = "pages/present.py"


@pytest.fixture
def results(shipped: Path) -> list[SweepResult]:
    """Five shipped results of one model: three methods, of which one has two controls."""
    random = ({"method": "random"}, {"method": "random", "seed": 1})
    prunings = (
        {},
        {"scope": "layer:0"},
        *random,
        {"method": "attribution", "scope": None},
    )
    ship(shipped, *(results := [make_result(**pruning) for pruning in prunings]))
    return results


def test_the_address_holds_everything(results: list[SweepResult]) -> None:
    app = open_page(
        PAGE,
        result=results[4].key,
        reduction="cls",
        amount="0.5",
        caption="A *talk* in <b>short</b>",
    )
    data = player(app)
    assert (data["choice"], data["start"]) == ("cls", 0.5)
    assert data["stage"]["caption"] == "A *talk* in <b>short</b>"  # the player shows it as text
    assert not app.info
    assert links(app)["Leave"] == f"result={results[4].key}&reduction=cls"
    assert "[Settings and downloads](#settings)" in prose(app)
    app.text_input(key="caption").set_value("").run()
    box(app, "result").set_value(results[2].key).run()
    assert player(app)["stage"]["heading"] == "Seed 0: random pruning, matched to magnitude"
    assert player(app)["stage"]["caption"].startswith("MiniLM-L6")


@pytest.mark.parametrize("paired", [True, False])
def test_the_keys_go_through_the_published_pair_and_its_controls_or_results_measured_alike(
    results: list[SweepResult],
    shipped: Path,
    monkeypatch: pytest.MonkeyPatch,
    paired: bool,
) -> None:
    shown = results
    prunings = [
        "magnitude pruning",
        "magnitude",
        "seed 0: random",
        "seed 1: random",
        "attribution",
    ]
    if paired:
        cola = [
            make_result(task="cola", method="random", seed=seed, until_damage=0.3)
            for seed in (1, 0)
        ]
        ship(shipped, *results, further := make_result(task="cola"), *cola)
        shown = [results[0], further, results[2], cola[1]]
        prunings = [
            "SST-2: magnitude",
            "CoLA: magnitude",
            "SST-2: random",
            "CoLA: random",
        ]
    with (
        monkeypatch.context() as patch
    ):  # a component's events do not reach a page without a browser
        patch.setattr(
            "ui.player._player",
            lambda on_turn_change, **_: st.button("Turn", on_click=on_turn_change),
        )
        app = open_page(PAGE, result=shown[0].key, other=results[1].key)
        for result in (*shown[1:], shown[0]):
            app.session_state["present"] = {"turn": result.key}
            app.button[0].click().run()
            assert address(app) == {"result": result.key}, "nothing is beside it"
    pages = [open_page(PAGE, result=result.key) for result in shown]
    headings = [player(page)["stage"]["heading"] for page in pages]
    assert all(
        heading.lower().startswith(pruning.lower())
        for heading, pruning in zip(headings, prunings, strict=True)
    )
    assert len({*headings}) == len(shown), "each says what differs"
    assert all(heading in prose(pages[0]) for heading in headings)
