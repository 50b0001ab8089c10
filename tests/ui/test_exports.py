"""The download panel on a page; the files themselves are opened in tests/core and tests/browser."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import ui.exports
from core.errors import PrunescopeError
from core.exports.drawing import Drawing
from core.jobs.queue import JobQueue
from tests.queues import ended


def page() -> None:
    from tests.builders import make_result
    from ui.exports import offer_exports

    offer_exports(make_result(num_layers=2, amounts=(0.0, 0.125, 0.5)), "mean")


def page_of_two() -> None:
    from tests.builders import make_result
    from ui.exports import offer_exports

    amounts = (0.0, 0.5)
    one, other = (make_result(num_layers=2, amounts=amounts, method=method) for method in ("magnitude", "random"))
    offer_exports(one, "mean", (other,))


def page_of_equal_change() -> None:
    from tests.builders import make_result
    from ui.exports import offer_exports

    amounts = tuple(k / 20 for k in range(20))
    one, other = (make_result(num_layers=2, amounts=amounts, method=method) for method in ("magnitude", "random"))
    offer_exports(one, "mean", (other,), "damage")


def page_of_a_run() -> None:
    from tests.builders import make_result
    from ui.exports import offer_exports

    offer_exports(make_result(num_layers=2).model_copy(update={"key": ""}), "mean")


def page_of_a_folder() -> None:
    from tests.builders import make_result
    from ui.exports import offer_exports

    result = make_result(num_layers=2)
    checkpoint = result.checkpoint.model_copy(update={"id": "my-bert", "source": "folder"})
    offer_exports(result.model_copy(update={"checkpoint": checkpoint}), "mean")


class Slow:
    """A drawing that ends on a signal."""

    def __init__(self, *order: object) -> None:
        self.order = order
        self.done, self.total, self.seconds_left = 1, 3, 2.4
        self.content: bytes | None = None
        self.finished = threading.Event()

    @property
    def ended(self) -> bool:
        return self.finished.is_set()

    def cancel(self) -> None:
        self.finished.set()

    def wait(self) -> bytes:
        if self.content is None:
            raise PrunescopeError("the picture was not finished: make it again")
        return self.content


@pytest.fixture(autouse=True)
def nothing_drawn(unfolded: None) -> Iterator[None]:
    ui.exports._gif.clear()
    yield
    ui.exports._gif.clear()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[Slow]:
    """The drawings that are started."""
    started: list[Slow] = []

    def start(*order: object) -> Slow:
        started.append(Slow(*order))
        return started[-1]

    monkeypatch.setattr(ui.exports, "Drawing", start)
    return started


def opened(function: Any) -> AppTest:
    return run(AppTest.from_function(function, default_timeout=20))


def run(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception, app.exception
    return app


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.download_button]


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return run(app)


def buttons(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


def test_everything_is_offered_and_nothing_is_made_yet(queue: JobQueue, slow: list[Slow]) -> None:
    app = opened(page)
    assert labels(app) == [
        "Player as one HTML file",
        "PNG",
        "SVG",
        "Similarities as CSV",
        "Metrics as CSV",
        "Result as JSON",
    ]
    assert buttons(app) == {"Make the GIF", "Write the folder"}
    assert "python -m core.precompute" in app.code[0].value
    assert not slow


def test_a_gif_is_made_on_request_with_progress_once_for_all(queue: JobQueue, slow: list[Slow]) -> None:
    app = press(opened(page), "Make the GIF")
    (drawing,) = slow
    bar = app.get("progress")[0].proto
    assert (bar.text, bar.value) == ("Drawing frame 2, about 2 s left", 33)
    assert "Make the GIF" not in buttons(app)
    drawing.content = b"GIF89a"
    drawing.finished.set()
    run(app)
    assert labels(app)[0] == "Download the GIF"
    assert not app.get("progress")
    press(opened(page), "Make the GIF")
    assert len(slow) == 1, "another visitor gets the same"


def test_another_speed_is_another_gif(queue: JobQueue, slow: list[Slow]) -> None:
    app = press(opened(page), "Make the GIF")
    app.selectbox(key="export-milliseconds").set_value(125)
    run(app)
    assert not app.get("progress")
    press(app, "Make the GIF")
    assert len(slow) == 2


def test_a_gif_can_be_cancelled_and_made_again(queue: JobQueue, slow: list[Slow]) -> None:
    app = press(press(opened(page), "Make the GIF"), "Cancel")
    assert "not finished" in app.info[0].value
    press(app, "Make the GIF")
    assert len(slow) == 2


def test_a_real_gif_arrives(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    drawings: list[Drawing] = []

    def start(*order: Any) -> Drawing:
        drawings.append(Drawing(*order))
        return drawings[-1]

    monkeypatch.setattr(ui.exports, "Drawing", start)
    app = press(opened(page), "Make the GIF")
    assert drawings[0].wait().startswith(b"GIF89a")
    assert "Download the GIF" in labels(run(app))


def test_a_frame_is_chosen_by_its_amount(queue: JobQueue) -> None:
    app = opened(page)
    box = next(box for box in app.selectbox if box.label == "Frame")
    assert box.options == ["0 % of weights removed", "12.5 % of weights removed", "50 % of weights removed"]
    assert box.value == 1
    box.set_value(2)
    run(app)


def test_a_checkpoint_is_written_by_the_worker(queue: JobQueue) -> None:
    app = opened(page)
    (amount,) = (box for box in app.selectbox if box.label == "Pruning amount")
    amount.set_value(0.5)
    press(app, "Write the folder")
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
    assert buttons(app) == {"Make the GIF"}
    assert "on your own computer" in app.markdown[-1].value


def test_a_checkpoint_whose_folder_is_forgotten_is_not_offered(queue: JobQueue) -> None:
    app = opened(page_of_a_folder)
    assert buttons(app) == {"Make the GIF"}
    assert "not recorded" in app.markdown[-1].value


def test_a_comparison_gives_pictures_of_both_and_numbers_of_each(queue: JobQueue) -> None:
    app = opened(page_of_two)
    assert labels(app).count("PNG") == 1
    assert labels(app).count("Similarities as CSV") == labels(app).count("Result as JSON") == 2
    assert len(app.code) == 2


def test_a_comparison_is_taken_away_where_it_is_shown(queue: JobQueue, slow: list[Slow]) -> None:
    app = opened(page_of_equal_change)
    box = next(box for box in app.selectbox if box.label == "Frame")
    assert box.options[:2] == ["Overall change 0.00", "Overall change 0.025"]
    press(app, "Make the GIF")
    (drawing,) = slow
    figure, kind, frames, _ = drawing.order
    assert (kind, len(frames)) == ("gif", len(box.options))
    titles = next(parameter["value"] for parameter in figure["params"] if parameter["name"] == "titles")
    assert titles[1][-1].startswith("Overall change 0.025 · ")


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
