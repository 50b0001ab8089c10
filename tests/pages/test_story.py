"""The story without a browser: its result, the data of its scenes, and where its buttons lead."""

import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from streamlit.web.server.app_discovery import discover_asgi_app

from core.charts.story import story as told
from core.findings.cut import frontier_of
from core.findings.words.cut import cut_finding
from core.request.catalog import ROOT
from core.results.cached_call import _answers
from tests.builders import make_result, ship
from tests.opened import address, open_page, players, press, story
from tests.studies import make_recovery, make_study

PAGE = "app.py"
NAMES = ["watch", "similar", "chance", "alone", "towards", "again", "cut"]
SST2 = make_result()
COLA = make_result(task="cola")
STUDY = make_study(num_layers=6)
RECOVERY = make_recovery()
ALONE = [make_result(scope=f"layer:{layer}", points="layer") for layer in range(6)]
CONTROLS = [make_result(method="random", seed=seed) for seed in range(5)]


@pytest.fixture
def complete(shipped: Path) -> Path:
    """Ship all results that the story of the first one needs, and others; return the folder."""
    ship(
        shipped,
        make_result(source="written"),
        COLA,
        SST2,
        *CONTROLS,
        *ALONE,
        STUDY,
        RECOVERY,
    )
    return shipped


def test_it_opens_with_the_bundled_checkpoint_and_all_scenes(
    complete: Path,
) -> None:
    data = story(open_page(PAGE))
    assert data["key"] == SST2.key
    assert [step["name"] for step in data["steps"]] == NAMES
    watch, similar, *_, last = data["steps"]
    assert similar["drawing"]
    assert watch["player"]["start"] == 0, "it waits"
    assert watch["asked"]["heading"].endswith("?")
    assert (last["heading"], last["go"]["action"]) == (
        cut_finding(frontier_of(STUDY), 0.05).heading,
        "own",
    )


def test_a_server_tells_it_before_it_answers(
    complete: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stories() -> list[object]:
        return [call for call in _answers if isinstance(call, tuple) and call[0] is told]

    _answers.clear()
    monkeypatch.delitem(sys.modules, "app", raising=False)
    assert discover_asgi_app(ROOT / PAGE).import_string == "app:app"
    import_module("app")
    ahead = stories()
    assert len(ahead) == 1
    open_page(PAGE)
    assert stories() == ahead, "the first visitor waits for no other"


def test_it_leads_to_the_published_pair_which_leads_no_further(
    shipped: Path,
) -> None:
    pair = [make_result(task=task, num_layers=12) for task in ("sst2", "cola")]
    ship(shipped, SST2, COLA, *pair)
    label = f"The same story of a model of {len(pair[0].points)} layers"
    app = press(open_page(PAGE), label)
    assert (address(app)["result"], story(app)["key"]) == (
        pair[0].key,
        pair[0].key,
    )
    assert label not in {button.label for button in app.button}


def test_a_button_leads_to_where_the_results_can_be_made(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship(shipped, SST2)
    for what, goal in {
        "own": ("pages/lab.py", {"own": "model"}),
        "smaller steps": (
            "pages/lab.py",
            {"result": SST2.key, "decide": "smaller steps"},
        ),
        "layers": ("pages/layers.py", {"result": SST2.key}),
        "cut": ("pages/cut.py", {"result": SST2.key}),
    }.items():
        switch = Mock()
        with (
            monkeypatch.context() as patch
        ):  # a component's events do not reach a page without a browser
            patch.setattr(
                "ui.player._player",
                lambda what=what, **_: SimpleNamespace(go=what),
            )
            patch.setattr("streamlit.switch_page", switch)
            open_page(PAGE, result=SST2.key)
        assert (
            switch.call_args.args[0],
            switch.call_args.kwargs["query_params"],
        ) == goal


def test_a_damaged_result_is_reported_and_another_shown(complete: Path) -> None:
    path = complete / f"{SST2.key}.json"
    path.write_text(path.read_text().replace("0.9", "0.8", 1))
    app = open_page(PAGE)
    assert "checksum" in app.error[0].value
    assert story(app)["key"] != SST2.key
    assert players(app)
