"""The download panel on a page; the files themselves are opened in tests/core and tests/browser."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import ui.pictures
from core.exports.drawing import Drawing
from core.exports.figure import figure_of
from core.jobs.queue import JobQueue
from tests.opened import labels as buttons
from tests.opened import press, run
from tests.queues import ended
from tests.scenes import SCENES
from tests.slow_drawing import SlowDrawing

NUMBERS = ["Similarities as CSV", "Metrics as CSV", "Result as JSON"]


def page(kind: str) -> None:
    from core.charts.overview import STAGE, result_scene
    from tests.builders import make_result
    from tests.scenes import OTHER, RESULT, SCENES
    from ui.exports import offer_exports

    result = make_result(num_layers=2, amounts=(0.0, 0.125, 0.5))
    if kind in ("two", "several"):
        offer_exports(SCENES["compare"], RESULT, OTHER)
    if kind == "several":
        offer_exports(SCENES["profiles"], RESULT, OTHER, numbers=False)
    elif kind == "a choice":
        scenes = {name: result_scene(result, name, STAGE) for name in ("mean", "cls")}
        offer_exports(scenes["cls"], result, choices=scenes)
    elif kind == "no picture":
        offer_exports(None, result)
    elif kind != "two":
        folder = result.checkpoint.model_copy(update={"id": "my-bert", "source": "folder"})
        changes = {"a run": {"key": ""}, "a folder": {"checkpoint": folder}}
        offer_exports(result_scene(result, "mean"), result.model_copy(update=changes.get(kind, {})))


@pytest.fixture(autouse=True)
def nothing_drawn(unfolded: None) -> Iterator[None]:
    ui.pictures._film.clear()
    yield
    ui.pictures._film.clear()


@pytest.fixture
def slow(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> list[SlowDrawing]:
    """The drawings that are started."""
    started: list[SlowDrawing] = []

    def start(*order: object) -> SlowDrawing:
        started.append(SlowDrawing(*order))
        return started[-1]

    monkeypatch.setattr(ui.pictures, "Drawing", start)
    return started


def opened(kind: str = "one") -> AppTest:
    return run(AppTest.from_function(page, default_timeout=20, args=(kind,)))


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.download_button]


def segmented(app: AppTest, label: str) -> Any:
    (control,) = (control for control in app.button_group if control.label == label)
    return control


def selected(app: AppTest, label: str) -> Any:
    (chooser,) = (chooser for chooser in app.selectbox if chooser.label == label)
    return chooser


def test_everything_is_offered_and_nothing_is_made_yet(slow: list[SlowDrawing]) -> None:
    app = opened()
    assert labels(app) == ["HTML player", "PNG", "SVG", "PDF", "Numbers shown (CSV)", *NUMBERS]
    assert buttons(app) == {"Make GIF", "Make MP4", "Save checkpoint"}
    assert "python -m core.precompute" in app.code[0].value
    assert not slow
    amounts = selected(app, "Amount")
    assert amounts.options == ["0 % of weights removed", "12.5 % of weights removed", "50 % of weights removed"]
    assert amounts.value == 1
    amounts.set_value(2)
    run(app)


def test_a_gif_is_made_on_request_with_progress_once_for_all(slow: list[SlowDrawing]) -> None:
    app = press(opened(), "Make GIF")
    (drawing,) = slow
    bar = app.get("progress")[0].proto
    assert (bar.text, bar.value) == ("Drawing frame 2, about 2 s left", 33)
    assert "Make GIF" not in buttons(app)
    drawing.content = b"GIF89a"
    drawing.finished.set()
    assert labels(run(app))[0] == "Download GIF (0.0 MB)"
    assert not app.get("progress")
    press(opened(), "Make GIF")
    assert len(slow) == 1, "another visitor gets the same"


def test_what_is_asked_for_otherwise_is_another_film_and_both_kinds_are_made_beside_each_other(
    slow: list[SlowDrawing],
) -> None:
    app = press(press(opened(), "Make GIF"), "Make MP4")
    assert [drawing.order[1] for drawing in slow] == ["gif", "mp4"]
    assert len(app.get("progress")) == 2
    selected(app, "Frame duration").set_value(125)
    assert not run(app).get("progress")
    press(app, "Make GIF")
    assert len(slow) == 3
    app.text_input[0].set_value("Another")
    assert "Make GIF" in buttons(run(app)), "a file with the title before is not offered under this one"


def test_who_cancels_a_film_leaves_it_to_the_others_who_want_it_and_can_have_it_made_again(
    slow: list[SlowDrawing],
) -> None:
    first, second = (press(opened(), "Make GIF") for _ in range(2))
    (drawing,) = slow
    press(first, "Cancel")
    assert not drawing.ended
    assert "Make GIF" in buttons(run(first))
    assert run(second).get("progress")
    press(second, "Cancel")
    assert drawing.ended
    assert "not finished" in second.info[0].value
    press(second, "Make GIF")
    assert len(slow) == 2


def test_a_real_gif_arrives(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    drawings: list[Drawing] = []

    def start(*order: Any) -> Drawing:
        drawings.append(Drawing(*order))
        return drawings[-1]

    monkeypatch.setattr(ui.pictures, "Drawing", start)
    app = press(opened(), "Make GIF")
    assert drawings[0].wait().startswith(b"GIF89a")
    assert labels(run(app))[0].startswith("Download GIF (0.")


def test_a_checkpoint_is_written_by_the_worker(queue: JobQueue) -> None:
    app = opened()
    selected(app, "Pruning amount").set_value(0.5)
    press(app, "Save checkpoint")
    ended(queue, app.session_state["export-checkpoint"][1])
    run(app)
    assert "'/somewhere/0.5'" in app.code[-1].value
    assert "from_pretrained(folder)" in app.code[-1].value
    selected(app, "Pruning amount").set_value(0.0)
    assert not run(app).success, "the folder of another amount is not this one"


@pytest.mark.parametrize(
    ("kind", "hosted", "why"), [("one", "1", "on your own computer"), ("a folder", "0", "not recorded")]
)
def test_where_no_checkpoint_can_be_written_it_says_why(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch, kind: str, hosted: str, why: str
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
    app = opened(kind)
    assert buttons(app) == {"Make GIF", "Make MP4"}
    assert why in app.markdown[-1].value


def test_a_comparison_gives_pictures_of_both_and_numbers_of_each_as_they_are_asked_for(slow: list[SlowDrawing]) -> None:
    app = opened("two")
    assert labels(app).count("PNG") == 1
    assert labels(app).count("Similarities as CSV") == labels(app).count("Result as JSON") == 2
    assert len(app.code) == 2
    assert [one.value for one in app.markdown if one.value.startswith("**Numbers")] == [
        "**Numbers: Magnitude pruning of the encoder**",
        "**Numbers: Random pruning of the encoder, as magnitude prunes (seed 2)**",
    ]
    scene, (title,) = SCENES["compare"], app.text_input
    assert title.value == scene.title
    title.set_value("For a talk")
    segmented(app, "Size").set_value("page")
    segmented(app, "Colours").set_value("dark")
    press(run(app), "Make MP4")
    figure, kind, frames, milliseconds = slow[0].order
    assert (kind, list(frames), milliseconds) == ("mp4", list(range(len(scene.frames))), 500)
    assert figure == figure_of(replace(scene, title="For a talk"), "page", "dark")


def test_where_the_player_lets_one_choose_so_does_the_download(slow: list[SlowDrawing]) -> None:
    app = opened("a choice")
    assert segmented(app, "Size").options == ["Slide, 1920 × 1080"], "a stage fills the screen"
    assert segmented(app, "Sentence vector").value == "cls", "what the page opened with"
    press(app, "Make GIF")
    segmented(app, "Sentence vector").set_value("mean")
    press(run(app), "Make GIF")
    captions = [drawing.order[0].words[-1].text for drawing in slow]
    assert [caption.rpartition(" · ")[2] for caption in captions] == ["First token", "Mean over tokens"]


def test_what_a_panel_has_is_what_there_is(queue: JobQueue) -> None:
    app = opened("several")
    assert labels(app).count("PNG") == 2, "they do not meet"
    assert labels(app).count("Result as JSON") == 2, "the second has no numbers"
    assert len([code for code in app.code if "core.precompute" in code.value]) == 4, "but the command of each result"
    assert labels(opened("no picture")) == NUMBERS
    app = opened("a run")
    assert not labels(app)
    assert "when the run has ended" in app.markdown[0].value


def test_nothing_is_made_ready_until_it_is_unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    app = opened()
    assert [one.label for one in app.expander] == ["Download"]
    assert not app.get("download_button")
    assert not app.button
