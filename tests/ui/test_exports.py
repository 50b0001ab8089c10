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
from tests.opened import press, run
from tests.queues import ended
from tests.scenes import SCENES
from tests.slow_drawing import SlowDrawing


def page() -> None:
    from core.charts.overview import result_scene
    from tests.builders import make_result
    from ui.exports import offer_exports

    result = make_result(num_layers=2, amounts=(0.0, 0.125, 0.5))
    offer_exports(result_scene(result, "mean"), result)


def page_of_two() -> None:
    from tests.scenes import OTHER, RESULT, SCENES
    from ui.exports import offer_exports

    offer_exports(SCENES["compare"], RESULT, OTHER)


def page_of_a_choice() -> None:
    from core.charts.overview import STAGE, result_scene
    from tests.builders import make_result
    from ui.exports import offer_exports

    result = make_result(num_layers=2, amounts=(0.0, 0.5))
    scenes = {name: result_scene(result, name, STAGE) for name in ("mean", "cls")}
    offer_exports(scenes["cls"], result, choices=scenes)


def page_of_several() -> None:
    from tests.scenes import OTHER, RESULT, SCENES
    from ui.exports import offer_exports

    offer_exports(SCENES["compare"], RESULT, OTHER)
    offer_exports(SCENES["profiles"], RESULT, OTHER, numbers=False)


def page_without_a_picture() -> None:
    from tests.builders import make_result
    from ui.exports import offer_exports

    offer_exports(None, make_result(num_layers=2))


def page_of_a_run() -> None:
    from core.charts.overview import result_scene
    from tests.builders import make_result
    from ui.exports import offer_exports

    result = make_result(num_layers=2).model_copy(update={"key": ""})
    offer_exports(result_scene(result, "mean"), result)


def page_of_a_folder() -> None:
    from core.charts.overview import result_scene
    from tests.builders import make_result
    from ui.exports import offer_exports

    result = make_result(num_layers=2)
    checkpoint = result.checkpoint.model_copy(update={"id": "my-bert", "source": "folder"})
    result = result.model_copy(update={"checkpoint": checkpoint})
    offer_exports(result_scene(result, "mean"), result)


@pytest.fixture(autouse=True)
def nothing_drawn(unfolded: None) -> Iterator[None]:
    ui.pictures._film.clear()
    yield
    ui.pictures._film.clear()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[SlowDrawing]:
    """The drawings that are started."""
    started: list[SlowDrawing] = []

    def start(*order: object) -> SlowDrawing:
        started.append(SlowDrawing(*order))
        return started[-1]

    monkeypatch.setattr(ui.pictures, "Drawing", start)
    return started


def opened(function: Any) -> AppTest:
    return run(AppTest.from_function(function, default_timeout=20))


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.download_button]


def segmented(app: AppTest, label: str) -> Any:
    (control,) = (control for control in app.button_group if control.label == label)
    return control


def buttons(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


def test_everything_is_offered_and_nothing_is_made_yet(queue: JobQueue, slow: list[SlowDrawing]) -> None:
    app = opened(page)
    assert labels(app) == [
        "HTML player",
        "PNG",
        "SVG",
        "PDF",
        "Numbers shown (CSV)",
        "Similarities as CSV",
        "Metrics as CSV",
        "Result as JSON",
    ]
    assert buttons(app) == {"Make GIF", "Make MP4", "Save checkpoint"}
    assert "python -m core.precompute" in app.code[0].value
    assert not slow


def test_a_gif_is_made_on_request_with_progress_once_for_all(queue: JobQueue, slow: list[SlowDrawing]) -> None:
    app = press(opened(page), "Make GIF")
    (drawing,) = slow
    bar = app.get("progress")[0].proto
    assert (bar.text, bar.value) == ("Drawing frame 2, about 2 s left", 33)
    assert "Make GIF" not in buttons(app)
    drawing.content = b"GIF89a"
    drawing.finished.set()
    run(app)
    assert labels(app)[0] == "Download GIF (0.0 MB)"
    assert not app.get("progress")
    press(opened(page), "Make GIF")
    assert len(slow) == 1, "another visitor gets the same"


def test_another_speed_is_another_gif(queue: JobQueue, slow: list[SlowDrawing]) -> None:
    app = press(opened(page), "Make GIF")
    app.selectbox(key="export-single-milliseconds").set_value(125)
    run(app)
    assert not app.get("progress")
    press(app, "Make GIF")
    assert len(slow) == 2


def test_a_gif_can_be_cancelled_and_made_again(queue: JobQueue, slow: list[SlowDrawing]) -> None:
    app = press(press(opened(page), "Make GIF"), "Cancel")
    assert "not finished" in app.info[0].value
    press(app, "Make GIF")
    assert len(slow) == 2


def test_a_real_gif_arrives(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    drawings: list[Drawing] = []

    def start(*order: Any) -> Drawing:
        drawings.append(Drawing(*order))
        return drawings[-1]

    monkeypatch.setattr(ui.pictures, "Drawing", start)
    app = press(opened(page), "Make GIF")
    assert drawings[0].wait().startswith(b"GIF89a")
    assert labels(run(app))[0].startswith("Download GIF (0.")


def test_a_frame_is_chosen_by_its_amount(queue: JobQueue) -> None:
    app = opened(page)
    box = next(box for box in app.selectbox if box.label == "Amount")
    assert box.options == ["0 % of weights removed", "12.5 % of weights removed", "50 % of weights removed"]
    assert box.value == 1
    box.set_value(2)
    run(app)


def test_a_checkpoint_is_written_by_the_worker(queue: JobQueue) -> None:
    app = opened(page)
    (amount,) = (box for box in app.selectbox if box.label == "Pruning amount")
    amount.set_value(0.5)
    press(app, "Save checkpoint")
    ended(queue, app.session_state["export-checkpoint"][1])
    run(app)
    assert "'/somewhere/0.5'" in app.code[-1].value
    assert "from_pretrained(folder)" in app.code[-1].value
    next(box for box in app.selectbox if box.label == "Pruning amount").set_value(0.0)
    run(app)
    assert not app.success, "the folder of another amount is not this one"


def test_a_hosted_server_says_why_it_writes_none(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    app = opened(page)
    assert buttons(app) == {"Make GIF", "Make MP4"}
    assert "on your own computer" in app.markdown[-1].value


def test_a_checkpoint_whose_folder_is_forgotten_is_not_offered(queue: JobQueue) -> None:
    app = opened(page_of_a_folder)
    assert buttons(app) == {"Make GIF", "Make MP4"}
    assert "not recorded" in app.markdown[-1].value


def test_a_comparison_gives_pictures_of_both_and_numbers_of_each(queue: JobQueue) -> None:
    app = opened(page_of_two)
    assert labels(app).count("PNG") == 1
    assert labels(app).count("Similarities as CSV") == labels(app).count("Result as JSON") == 2
    assert len(app.code) == 2
    headings = [one.value for one in app.markdown if one.value.startswith("**Numbers")]
    assert headings == [
        "**Numbers: Magnitude pruning of the encoder**",
        "**Numbers: Random pruning of the encoder, as magnitude prunes (seed 2)**",
    ]


def test_what_is_drawn_is_what_the_page_shows_as_it_was_asked_for(queue: JobQueue, slow: list[SlowDrawing]) -> None:
    scene = SCENES["compare"]
    app = opened(page_of_two)
    (title,) = app.text_input
    assert title.value == scene.title
    title.set_value("For a talk")
    segmented(app, "Size").set_value("page")
    segmented(app, "Colours").set_value("dark")
    press(run(app), "Make MP4")
    (drawing,) = slow
    figure, kind, frames, milliseconds = drawing.order
    assert (kind, list(frames), milliseconds) == ("mp4", list(range(len(scene.frames))), 500)
    assert figure == figure_of(replace(scene, title="For a talk"), "page", "dark")


def test_who_cancels_a_film_leaves_it_to_the_others_who_want_it(queue: JobQueue, slow: list[SlowDrawing]) -> None:
    first, second = (press(opened(page), "Make GIF") for _ in range(2))
    (drawing,) = slow
    press(first, "Cancel")
    assert not drawing.ended
    assert "Make GIF" in buttons(run(first))
    assert run(second).get("progress")
    press(second, "Cancel")
    assert drawing.ended


def test_both_films_are_made_beside_each_other(queue: JobQueue, slow: list[SlowDrawing]) -> None:
    app = press(press(opened(page), "Make GIF"), "Make MP4")
    assert [drawing.order[1] for drawing in slow] == ["gif", "mp4"]
    assert len(app.get("progress")) == 2


def test_another_title_is_another_film(queue: JobQueue, slow: list[SlowDrawing]) -> None:
    app = press(opened(page), "Make GIF")
    app.text_input[0].set_value("Another")
    run(app)
    assert "Make GIF" in buttons(app), "a file with the title before is not offered under this one"


def test_where_the_player_lets_one_choose_so_does_the_download(queue: JobQueue, slow: list[SlowDrawing]) -> None:
    app = opened(page_of_a_choice)
    assert segmented(app, "Size").options == ["Slide, 1920 × 1080"], "a stage fills the screen"
    assert segmented(app, "Sentence vector").value == "cls", "what the page opened with"
    press(app, "Make GIF")
    segmented(app, "Sentence vector").set_value("mean")
    press(run(app), "Make GIF")
    captions = [drawing.order[0].words[-1].text for drawing in slow]
    assert [caption.rpartition(" · ")[2] for caption in captions] == ["First token", "Mean over tokens"]


def test_several_panels_of_a_page_do_not_meet(queue: JobQueue) -> None:
    app = opened(page_of_several)
    assert labels(app).count("PNG") == 2
    assert labels(app).count("Result as JSON") == 2, "the second has no numbers"
    assert len([code for code in app.code if "core.precompute" in code.value]) == 4, "but the command of each result"


def test_without_a_picture_there_are_numbers(queue: JobQueue) -> None:
    app = opened(page_without_a_picture)
    assert labels(app) == ["Similarities as CSV", "Metrics as CSV", "Result as JSON"]


def test_of_a_run_nothing_is_offered_yet(queue: JobQueue) -> None:
    app = opened(page_of_a_run)
    assert not labels(app)
    assert "when the run has ended" in app.markdown[0].value


def test_nothing_is_made_ready_until_it_is_unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    app = AppTest.from_function(page, default_timeout=20).run()
    assert not app.exception
    assert [one.label for one in app.expander] == ["Download"]
    assert not app.get("download_button")
    assert not app.button
