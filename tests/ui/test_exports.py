"""The download panel on a page; tests/core and tests/browser open the files."""

from typing import Any
from unittest.mock import Mock

import pytest
from streamlit.testing.v1 import AppTest

from core.charts.theme import THEMES
from core.errors import PrunescopeError
from core.jobs.queue import JobQueue
from tests.opened import labels as buttons
from tests.opened import press, run
from tests.queues import ended

NUMBERS = ["All numbers (CSV)", "Result as JSON"]
PICTURES = ["HTML player", "Numbers shown (CSV)"]
FRAME = "Frame (PNG, SVG)"
pytestmark = pytest.mark.usefixtures("unfolded", "queue")


def page(kind: str) -> None:

    from core.charts.result import result_scene
    from core.charts.story import story
    from tests.builders import make_result
    from ui.exports import offer_exports, offer_story

    result = make_result(num_layers=2, amounts=(0.0, 0.125, 0.5))
    if kind == "a story":
        offer_story(
            story(make_result(num_layers=3, amounts=(0.0, 0.25, 0.5)), "mean", []),
            result,
        )
    else:
        if kind == "a folder":
            folder = result.checkpoint.model_copy(update={"id": "my-bert", "source": "folder"})
            result = result.model_copy(update={"checkpoint": folder})
        scene = result_scene(result, "mean")._replace(title="A finding")
        results = [] if kind == "no result" else [result]
        offer_exports(
            None if kind == "no picture" else scene,
            *results,
            with_numbers=bool(results),
        )


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The content of each download, by its label; in place of a picture, the order to draw it."""
    contents: dict[str, Any] = {}
    monkeypatch.setattr("ui.exports.draw", drawn)
    monkeypatch.setattr(
        "ui.exports.download",
        lambda label, content, *rest: contents.update({label: content}),
    )
    return contents


def drawn(*order: Any, report: Any, holder: str) -> Any:
    """Reports a drawing as half done, and refuses a dark GIF."""
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
    widgets = (*app.selectbox, *app.text_input, *app.toggle)
    return next(widget for widget in widgets if widget.label == label)


def test_a_panel_offers_the_files_of_its_picture_and_its_results() -> None:
    app = opened()
    assert labels(app) == [*PICTURES, *NUMBERS]
    assert buttons(app) >= {"GIF", "MP4", "PNG", "SVG"}
    assert "python -m core.precompute" in app.code[0].value
    assert labels(opened("no picture")) == NUMBERS
    assert labels(opened("no result")) == PICTURES, "as below the forest plot"


def test_pictures_follow_the_choices(made: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened()
    assert chooser(app, FRAME).options[1] == "12.5 % of weights removed"
    press(app, "PNG")
    figure, kind, frames = made["Save PNG"]
    assert (">A finding</tspan>" in figure["words"], kind, frames) == (
        True,
        "png",
        [1],
    )
    for label, value in {
        "Title": "For a <talk>",
        "Dark colours": True,
        FRAME: 2,
    }.items():
        chooser(app, label).set_value(value)
    run(app)
    with monkeypatch.context() as patch:
        patch.setattr("ui.jobs.st.empty", bar := Mock())
        press(app, "MP4")
    bar().progress.assert_called_once_with(0.5, "Drawing: 1 of 2")
    figure, kind, frames = made["Save MP4"]
    assert (
        ">For a &lt;talk&gt;</tspan>" in figure["words"],
        kind,
        list(frames),
    ) == (
        True,
        "mp4",
        [0, 1, 2],
    )
    assert figure["background"] == THEMES["dark"].background
    press(app, "SVG")
    assert made["Save SVG"][2] == [2]
    assert press(app, "GIF").error[0].value == "no GIF"


@pytest.mark.parametrize(("kind", "label"), [("one", "HTML player"), ("a story", "HTML")])
def test_a_page_has_the_chosen_title_and_colours(
    made: dict[str, Any], kind: str, label: str
) -> None:
    app = opened(kind)
    chooser(app, "Title").set_value("My <talk>")
    chooser(app, "Dark colours").set_value(True)
    run(app)
    assert "<h1>My &lt;talk&gt;</h1>" in made[label]
    assert f"--st-background-color: {THEMES['dark'].background};" in made[label]


def test_the_worker_writes_a_checkpoint(queue: JobQueue) -> None:
    app = opened()
    chooser(app, "Amount").set_value(0.5)
    press(app, "Save checkpoint")
    ended(queue, app.session_state["export-checkpoint"][1])
    run(app)
    assert "'/somewhere/0.5'" in app.code[-1].value
    assert "from_pretrained(folder" in app.code[-1].value
    chooser(app, "Amount").set_value(0.0)
    assert not run(app).success, "the folder holds another amount"


@pytest.mark.parametrize(
    ("kind", "hosted", "why"),
    [("a folder", "0", "not known"), ("one", "1", "on your own")],
)
def test_a_page_without_a_checkpoint_says_why(
    monkeypatch: pytest.MonkeyPatch, kind: str, hosted: str, why: str
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
    app = opened(kind)
    assert "Save checkpoint" not in buttons(app)
    assert why in app.markdown[-1].value
