"""The Present page without a browser: what stands on the stage, and how it is chosen and worded."""

import json
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.request.catalog import REDUCTIONS
from core.results.schema import SweepResult
from pages.present import MAX_TEXT_CHARS, through, turn
from tests.builders import make_result, ship
from ui.results import at_hand

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[SweepResult]:
    """Five shipped results, of which three are a method each on all layers."""
    made = [
        make_result(),
        make_result(scope="layer:0"),
        make_result(method="random"),
        make_result(method="random", seed=1),
        make_result(method="attribution", scope=None),
    ]
    monkeypatch.setattr("core.results.store.SHIPPED_RESULTS", tmp_path / "results")
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))
    ship(tmp_path / "results", *made)
    return made


def present(**parameters: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=30).switch_page("pages/present.py")
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def stage(app: AppTest) -> Any:
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


def test_it_opens_with_the_first_result_playing_on_the_whole_screen(results: list[SweepResult]) -> None:
    data = stage(present())
    assert (data["layout"], data["autoplay"], data["start"]) == ("present", True, None)
    assert data["stage"]["heading"] == "Magnitude pruning of the encoder"
    assert data["stage"]["caption"] == "MiniLM-L6, fine-tuned on SST-2, 200 examples of SST-2 validation, GLUE"
    assert "page keys: other result" in data["stage"]["hint"]
    assert [choice["name"] for choice in data["choices"]] == list(REDUCTIONS)


def test_the_address_holds_everything(results: list[SweepResult]) -> None:
    app = present(
        result=results[4].key, reduction="cls", amount="0.5", title="In <b>short</b>", caption="A *talk*", through="all"
    )
    data = stage(app)
    assert (data["choice"], data["start"]) == ("cls", 0.5)
    assert data["title"] == data["stage"]["heading"] == "In <b>short</b>"  # the player shows it as text
    assert data["stage"]["caption"] == "A *talk*"
    assert app.text_input(key="title").value == "In <b>short</b>"
    assert app.button_group(key="choose-through").value == "all"
    assert not app.info


@pytest.mark.parametrize("parameter", ["result", "task", "data", "reduction", "amount", "through"])
def test_what_the_address_asks_for_in_vain_is_told_and_the_default_shown(
    results: list[SweepResult], parameter: str
) -> None:
    app = present(**{parameter: "nonsense"})
    (note,) = app.info
    assert "does not exist here" in note.value
    assert stage(app)["stage"]["heading"] == "Magnitude pruning of the encoder"


def test_title_and_caption_are_typed_and_an_empty_one_is_the_results_own(results: list[SweepResult]) -> None:
    app = present()
    app.text_input(key="title").set_value("Lower layers survive longer?").run()
    assert stage(app)["stage"]["heading"] == "Lower layers survive longer?"
    app.text_input(key="title").set_value("").run()
    app.selectbox(key="choose-result").set_value(results[2].key).run()
    assert stage(app)["stage"]["heading"] == "Random pruning of the encoder (seed 0)"
    assert app.text_input(key="caption").max_chars == MAX_TEXT_CHARS


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

    turn(once, results[0], 1)
    assert address["result"] == results[2].key
    turn(once, results[0], -1)
    assert address["result"] == results[4].key  # round
    turn(once, results[1], 1)
    assert address["result"] == results[0].key  # from one that is not among them, to the first


def test_without_a_result_it_leads_to_the_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.results.store.SHIPPED_RESULTS", tmp_path / "results")
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))
    app = present()
    assert "no result to present" in app.info[0].value
    assert not app.get("bidi_component")
