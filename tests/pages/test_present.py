"""The Present page without a browser: what stands on the stage, and how it is chosen and worded."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import streamlit as st

from core.charts.view import Scene
from core.findings.words.overview import holding_sentence, overview_heading
from core.request.catalog import REDUCTIONS
from core.results.schema import SweepResult
from pages.present import MAX_TEXT_CHARS, through, turn
from tests.builders import make_result, ship
from tests.opened import links, open_page, player, told
from ui.results import at_hand

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
    assert "S speaker's sentence" in data["stage"]["hint"]
    assert [choice["name"] for choice in data["choices"]] == list(REDUCTIONS)


def test_a_speaker_says_the_finding_and_how_far_the_model_works(results: list[SweepResult]) -> None:
    first, *_ = player(open_page(PAGE))["choices"]
    finding, works = overview_heading([results[0]], [results[2:4]]), holding_sentence(results[0], first["name"])
    assert first["spoken"].replace("\u00a0", " ") == f"{finding} {works}"


def test_the_way_out_and_the_downloads_stand_above_the_stage(results: list[SweepResult]) -> None:
    app = open_page(PAGE, result=results[2].key)
    assert links(app)["Leave"] == f"result={results[2].key}"
    assert "[Settings and downloads](#settings)" in told(app)


def test_the_address_holds_everything(results: list[SweepResult]) -> None:
    app = open_page(
        PAGE,
        result=results[4].key,
        reduction="cls",
        amount="0.5",
        title="In <b>short</b>",
        caption="A *talk*",
        through="all",
    )
    data = player(app)
    assert (data["choice"], data["start"]) == ("cls", 0.5)
    assert data["title"] == data["stage"]["heading"] == "In <b>short</b>"  # the player shows it as text
    assert data["stage"]["caption"] == "A *talk*"
    assert app.text_input(key="title").value == "In <b>short</b>"
    assert app.button_group(key="choose-through").value == "all"
    assert not app.info


def test_title_and_caption_are_typed_and_an_empty_one_is_the_results_own(results: list[SweepResult]) -> None:
    app = open_page(PAGE)
    app.text_input(key="title").set_value("Lower layers survive longer?").run()
    assert player(app)["stage"]["heading"] == "Lower layers survive longer?"
    app.text_input(key="title").set_value("").run()
    app.selectbox(key="choose-result").set_value(results[2].key).run()
    assert player(app)["stage"]["heading"] == "Random pruning of the encoder, as magnitude prunes (seed 0)"
    assert app.text_input(key="caption").max_chars == MAX_TEXT_CHARS


def test_pictures_to_take_away_say_which_sentence_vector_they_show(
    results: list[SweepResult], monkeypatch: pytest.MonkeyPatch, unfolded: None
) -> None:
    taken: list[Mapping[str, Scene]] = []
    monkeypatch.setattr("ui.exports.offer_pictures", lambda scene, several, choices: taken.append(choices))
    open_page(PAGE)
    assert {name: scene.caption[-1] for name, scene in taken[0].items()} == {
        name: REDUCTIONS[name].title for name in results[0].reductions
    }


def test_the_keys_go_through_every_method_once_or_through_all(
    results: list[SweepResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    address: dict[str, str] = {}
    monkeypatch.setattr(st, "query_params", address)
    entries = at_hand()
    chosen: dict[str, str] = {}
    monkeypatch.setattr("pages.present.choose", lambda *arguments, **names: chosen["through"])
    chosen["through"] = "methods"
    once = through(entries)
    assert once == [results[place].key for place in (0, 2, 4)]
    chosen["through"] = "all"
    assert through(entries) == [result.key for result in results]

    address.update(result=results[0].key, other=results[1].key)
    turn(once, 1)
    assert address == {"result": results[2].key}, "the other one was chosen for the one before"
    turn(once, 1)  # before the page has followed
    assert address["result"] == results[4].key
    turn(once, 1)
    assert address["result"] == results[0].key  # round
    address["result"] = results[1].key
    turn(once, 1)
    assert address["result"] == results[0].key  # from one that is not among them, to the first
