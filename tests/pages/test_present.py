"""The Present page without a browser: what stands on the stage, and how it is chosen and worded."""

from pathlib import Path

import pytest
import streamlit as st

from core.findings.words.overview import holding_sentence, overview_heading
from core.results.schema import SweepResult
from tests.builders import make_result, ship
from tests.opened import address, box, links, open_page, player, told

PAGE = "pages/present.py"


@pytest.fixture
def results(shipped: Path) -> list[SweepResult]:
    """Five shipped results, of which three are a method each on all layers."""
    made = [
        make_result(),
        make_result(scope="layer:0"),
        make_result(method="random"),
        make_result(method="random", seed=1),
        make_result(method="attribution", scope=None),
    ]
    ship(shipped, *made)
    return made


def test_it_opens_with_the_first_result_playing_on_the_whole_screen(results: list[SweepResult]) -> None:
    data = player(open_page(PAGE))
    assert (data["layout"]["name"], data["autoplay"], data["start"]) == ("present", True, None)
    assert data["stage"]["heading"] == "Magnitude pruning of the encoder"
    assert data["stage"]["caption"] == "MiniLM-L6, fine-tuned on SST-2, 200 examples of SST-2 validation, GLUE"
    first, *_ = data["choices"]
    finding, works = overview_heading([results[0]], [results[2:4]]), holding_sentence(results[0], first["name"])
    assert first["spoken"].replace("\u00a0", " ") == f"{finding} {works}"


def test_the_address_holds_everything(results: list[SweepResult]) -> None:
    words = {"title": "In <b>short</b>", "caption": "A *talk*"}
    app = open_page(PAGE, result=results[4].key, reduction="cls", amount="0.5", through="all", **words)
    data = player(app)
    assert (data["choice"], data["start"]) == ("cls", 0.5)
    assert data["title"] == data["stage"]["heading"] == "In <b>short</b>"  # the player shows it as text
    assert data["stage"]["caption"] == "A *talk*"
    assert box(app, "through").value == "all"
    assert not app.info
    assert links(app)["Leave"] == f"result={results[4].key}&reduction=cls"
    assert "[Settings and downloads](#settings)" in told(app)
    app.text_input(key="title").set_value("").run()
    box(app, "result").set_value(results[2].key).run()
    assert player(app)["stage"]["heading"] == "Random pruning, matched to magnitude (seed 0)"


def test_the_keys_go_through_every_method_once_or_through_all(
    results: list[SweepResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:  # a component's events do not reach a page without a browser
        patch.setattr("ui.player._player", lambda on_turn_change, **_: st.button("Turn", on_click=on_turn_change))
        for through, places in (("methods", (0, 2, 4)), ("all", range(5))):
            app = open_page(PAGE, through=through, other=results[1].key)
            app.session_state["present"] = {"turn": 1}
            for place in (*places[1:], places[0]):
                app.button[0].click().run()
                assert address(app) == {"result": results[place].key, "through": through}, "nothing is beside it"
