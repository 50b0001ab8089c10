"""The download panel on a page; the files themselves are opened in tests/core and tests/browser."""

import json
from typing import Any
from unittest.mock import Mock

import pytest
from streamlit.testing.v1 import AppTest

from core.charts.theme import THEMES
from core.errors import PrunescopeError
from core.jobs.queue import JobQueue
from core.results.store import parse
from tests.opened import labels as buttons
from tests.opened import press, run
from tests.queues import ended

NUMBERS = ["All numbers (CSV)", "Result as JSON"]
PICTURES = ["HTML player", "Numbers shown (CSV)"]
pytestmark = pytest.mark.usefixtures("unfolded", "queue")


def page(kind: str) -> None:
    from dataclasses import replace

    from core.charts.result import STAGE, result_scene
    from core.results.statistics import WorkingRangeRecord
    from tests.builders import make_result
    from ui.exports import offer_exports

    result = make_result(num_layers=2, amounts=(0.0, 0.125, 0.5))
    if kind == "a choice":
        scenes = {name: result_scene(result, name, STAGE) for name in ("mean", "cls")}
        offer_exports(scenes["cls"], result, choices=scenes)
    elif kind == "no picture":
        offer_exports(None, result)
    elif kind == "no result":
        offer_exports(result_scene(result, "mean"), numbers=False)
    else:
        folder = result.checkpoint.model_copy(update={"id": "my-bert", "source": "folder"})
        known = {"metric": "accuracy", "examples": 200, "smallest_drop": 0.1, "lead": 0.4, "reason": None}
        works, fails = (WorkingRangeRecord(to=to, shown_broken_from=None, **known) for to in (0.125, 0.0))
        changes = {"a folder": {"checkpoint": folder}, "a range": {"working_range": works}}
        changes["no range"], changes["older"] = {"working_range": fails}, {"checksum": "0" * 64}
        scene = replace(result_scene(result, "mean"), title="A finding")
        offer_exports(scene, result.model_copy(update=changes.get(kind, {})))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The content of each download, by its label; in place of a picture, the order to draw it."""
    contents: dict[str, Any] = {}
    monkeypatch.setattr("ui.exports.draw", drawn)
    monkeypatch.setattr("ui.exports.download", lambda label, content, *rest: contents.update({label: content}))
    return contents


def drawn(*order: Any) -> Any:
    """Reports a drawing as half done, and refuses a dark GIF."""
    *order, report, holder = order
    assert holder
    report("Drawing", 1, 2)
    if order[1] == "gif" and order[0]["background"] != "#ffffff":
        raise PrunescopeError("no GIF")
    return order


def opened(kind: str = "one") -> AppTest:
    return run(AppTest.from_function(page, default_timeout=20, args=(kind,)))


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.get("download_button")]


def chooser(app: AppTest, label: str) -> Any:
    widgets = (*app.button_group, *app.selectbox, *app.text_input, *app.toggle)
    return next(widget for widget in widgets if widget.label == label)


def test_a_panel_offers_what_there_is() -> None:
    app = opened()
    assert labels(app) == [*PICTURES, *NUMBERS]
    assert buttons(app) >= {"GIF", "MP4", "PNG", "SVG"}
    assert "python -m core.precompute" in app.code[0].value
    assert labels(opened("no picture")) == NUMBERS
    assert labels(opened("no result")) == PICTURES, "as below the forest plot"


def test_an_older_result_from_which_fields_were_left_out_opens_again(made: dict[str, Any]) -> None:
    opened("older")
    assert parse(json.loads(made["Result as JSON"]), "mine.json").amounts == (0.0, 0.125, 0.5)


def test_what_is_drawn_follows_the_choices(made: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened()
    assert chooser(app, "Amount").options[1] == "12.5 % of weights removed"
    press(app, "PNG")
    figure, kind, frames, _ = made["Save PNG"]
    assert (figure["words"][0]["bold"], kind, frames) == ("A finding", "png", [1])
    chosen = {"Title": "For a talk", "Dark colours": True, "Frame duration": 125, "Amount": 2}
    for label, value in chosen.items():
        chooser(app, label).set_value(value)
    run(app)
    with monkeypatch.context() as patch:
        patch.setattr("ui.jobs.st.empty", bar := Mock())
        press(app, "MP4")
    bar().progress.assert_called_once_with(0.5, "Drawing: 1 of 2")
    figure, kind, frames, milliseconds = made["Save MP4"]
    assert (figure["words"][0]["bold"], kind, list(frames), milliseconds) == ("For a talk", "mp4", [0, 1, 2], 125)
    assert figure["background"] == THEMES["dark"].background
    press(app, "SVG")
    assert made["Save SVG"][2] == [2]
    assert "<h1>For a talk</h1>" in made["HTML player"]
    app = opened("a choice")
    assert chooser(app, "Sentence vector").value == "cls", "what the page opened with"
    press(app, "PNG")
    assert made["Save PNG"][0]["words"][-1]["text"].endswith("First token")
    chooser(app, "Sentence vector").set_value("mean")
    press(app, "GIF")
    assert made["Save GIF"][0]["words"][-1]["text"].endswith("Mean over tokens")
    chooser(app, "Dark colours").set_value(True)
    assert press(app, "GIF").error[0].value == "no GIF"


def talk() -> None:
    from core.charts.story import story
    from tests.builders import make_result
    from ui.exports import offer_story

    result = make_result(num_layers=3, amounts=(0.0, 0.25, 0.5))
    offer_story(story(result, "mean", [], []), result)


def test_a_story_is_taken_to_a_talk_with_a_title_and_colours_of_ones_own(made: dict[str, Any]) -> None:
    app = run(AppTest.from_function(talk, default_timeout=20))
    chooser(app, "Title").set_value("My <talk>")
    chooser(app, "Dark colours").set_value(True)
    run(app)
    assert "<h1>My &lt;talk&gt;</h1>" in made["HTML"]
    assert f"--st-background-color: {THEMES['dark'].background};" in made["HTML"]


def test_a_checkpoint_is_written_by_the_worker(queue: JobQueue) -> None:
    firsts = [chooser(opened(kind), "Pruning amount").value for kind in ("a range", "no range")]
    assert firsts == [0.125, 0.0], "the largest amount at which the model works"
    app = opened()
    chooser(app, "Pruning amount").set_value(0.5)
    press(app, "Save checkpoint")
    ended(queue, app.session_state["export-checkpoint"][1])
    run(app)
    assert "'/somewhere/0.5'" in app.code[-1].value
    assert "from_pretrained(folder" in app.code[-1].value
    chooser(app, "Pruning amount").set_value(0.0)
    assert not run(app).success, "the folder of another amount is not this one"


def test_where_no_checkpoint_can_be_written_it_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, hosted, why in (("a folder", "0", "not known"), ("one", "1", "on your own computer")):
        monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
        app = opened(kind)
        assert "Save checkpoint" not in buttons(app)
        assert why in app.markdown[-1].value
