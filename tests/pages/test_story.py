"""The story without a browser: whose it is, what it lacks and leads to, and what it hands to the browser."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.builders import make_result, ship
from tests.opened import address, errors, open_page, players, press, story

PAGE = "app.py"
NAMES = ["similar", "guess", "play", "limits", "chance", "matters"]
SST2, COLA = make_result(), make_result(task="cola")
HALVES = [make_result(scope=scope, points="layer") for scope in ("layers:0-2", "layers:3-5")]
CONTROLS = [make_result(method="random", seed=seed) for seed in range(5)]


@pytest.fixture
def complete(shipped: Path) -> Path:
    """The folder of shipped results, among them all that the story of the first one takes."""
    ship(shipped, make_result(source="written"), COLA, SST2, *CONTROLS, *HALVES)
    return shipped


def test_it_opens_with_the_bundled_checkpoint_and_all_six_scenes(complete: Path) -> None:
    told_of = story(open_page(PAGE))
    assert told_of["key"] == SST2.key
    assert [step["name"] for step in told_of["steps"]] == NAMES
    first, _, play, limits, *_, last = told_of["steps"]
    assert [bool(step["player"]) for step in told_of["steps"]] == [False] + [True] * 5
    assert first["drawing"]
    assert play["player"]["start"] is None, "it plays"
    assert limits["player"]["start"] is not None
    assert last["go"]["action"] == "own"


def test_a_guess_is_answered_by_how_far_its_layer_is_intact(complete: Path) -> None:
    _, guess, play, *_ = story(open_page(PAGE))["steps"]
    view, shown = guess["player"]["views"]["stack"], play["player"]["views"]["stack"]
    rows, known = view["datasets"][view["usermeta"]["picks"]], shown["datasets"]["stack"]
    for row, layer in zip(rows, known, strict=True):
        assert f"layer {layer['layer']}: {layer['words']}" in row["answer"].replace("\u00a0", " ")
        assert ("first" in row["answer"]) == layer["first"]


def test_a_link_from_before_opens_that_results_story_whatever_else_it_asks_for(complete: Path) -> None:
    app = open_page(PAGE, result=COLA.key, reduction="cls", amount="0.33", layer="2", colour="red")
    assert story(app)["key"] == COLA.key
    assert not app.info
    assert not errors(app)
    assert "First token" in str(app.get("popover")), "how a layer became a vector is still asked for by links"


def test_it_leads_to_the_published_pair_and_from_there_no_further(shipped: Path) -> None:
    pair = [make_result(task=task, num_layers=12) for task in ("sst2", "cola")]
    ship(shipped, SST2, COLA, *pair)
    label = f"The same story of a model of {len(pair[0].points)} layers"
    app = press(open_page(PAGE), label)
    assert (address(app)["result"], story(app)["key"]) == (pair[0].key, pair[0].key)
    assert label not in {button.label for button in app.button}


def test_what_a_scene_lacks_is_said_with_a_button(shipped: Path) -> None:
    ship(shipped, SST2)
    lacking = [step for step in story(open_page(PAGE))["steps"][1:] if not step["player"]]
    wanted = [("chance", "random removal"), ("matters", "halves")]
    assert [(step["name"], step["go"]["action"]) for step in lacking if step["sentences"]] == wanted


@pytest.mark.parametrize(
    ("what", "page", "query"),
    [
        ("own", "pages/lab.py", {"own": "model"}),
        ("smaller steps", "pages/lab.py", {"result": SST2.key, "decide": "smaller steps"}),
        ("halves", "pages/layers.py", {"result": SST2.key}),
    ],
)
def test_a_button_leads_where_what_is_missing_can_be_made(
    what: str, page: str, query: dict[str, str], shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship(shipped, SST2)
    led: list[tuple[str, dict[str, str]]] = []
    with monkeypatch.context() as patch:  # a component's events do not reach a page without a browser
        patch.setattr("ui.player._player", lambda **_: SimpleNamespace(go=what))
        patch.setattr("streamlit.switch_page", lambda page, query_params: led.append((page, query_params)))
        open_page(PAGE, result=SST2.key)
    assert led == [(page, query)]


def test_a_damaged_result_is_told_and_another_one_shown(complete: Path) -> None:
    path = complete / f"{SST2.key}.json"
    path.write_text(path.read_text().replace("0.9", "0.8", 1))
    app = open_page(PAGE)
    assert "checksum" in app.error[0].value
    assert story(app)["key"] != SST2.key
    assert players(app)
