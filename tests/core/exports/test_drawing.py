"""The life of a drawing; what is drawn is tested in test_figure and test_films."""

import itertools
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from core.errors import PrunescopeError
from core.exports import drawing as module
from core.exports.drawing import Drawing
from core.exports.figure import Figure, Part, figure_of
from core.jobs.worker_process import ChildProcess
from core.request.limits import limits
from tests.queues import Clock
from tests.scenes import SCENES


@pytest.fixture(scope="module")
def figure() -> Figure:
    return figure_of(SCENES["lab"])


@pytest.mark.parametrize("at_once", [True, False])
def test_a_drawing_can_be_cancelled_before_its_process_has_started_and_between_two_frames(
    figure: Figure, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cancelling(ChildProcess):
        """Cancels when the first frame is drawn."""

        def lines(self) -> Iterator[str]:
            for line in super().lines():
                drawing.cancel()
                yield line

    monkeypatch.setattr(module, "ChildProcess", Cancelling)
    drawing = Drawing(figure, "gif", [0, 1, 2] * 40)
    if at_once:
        drawing.cancel()
    with pytest.raises(PrunescopeError, match="not finished"):
        drawing.wait()
    assert drawing.ended
    assert drawing.done < drawing.total


def test_the_time_left_follows_the_pace_so_far(figure: Figure, clock: Clock) -> None:
    drawing = Drawing(figure, "svg", [0], clock=clock)
    drawing.wait()
    drawing.total, drawing.done = 5, 0
    clock.advance(6.0)
    assert drawing.seconds_left is None
    drawing.done = 3
    assert drawing.seconds_left == 4.0


def test_only_so_many_are_drawn_at_once(figure: Figure) -> None:
    turns = [module._film_turns.acquire(blocking=False) for _ in range(module.FILMS_AT_ONCE)]
    try:
        assert all(turns)
        hours = itertools.count(0.0, 3600.0)
        with pytest.raises(PrunescopeError, match="2 films are being drawn"):
            Drawing(figure, "gif", [0, 1], clock=lambda: next(hours)).wait()
        assert Drawing(figure, "svg", [0]).wait().startswith(b"<svg"), "a still does not wait for films"
        with module._still_turns, pytest.raises(PrunescopeError, match="1 picture is being drawn"):
            Drawing(figure, "svg", [0], clock=lambda: next(hours)).wait()
    finally:
        for _ in turns:
            module._film_turns.release()


def test_half_a_file_is_no_picture_and_a_failed_drawing_an_error(
    figure: Figure, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = replace(figure, parts=[Part("broken", 0, 0, {"mark": "no such mark"})])
    with pytest.raises(PrunescopeError, match="not finished"):
        Drawing(broken, "svg", [0]).wait()
    half = "import pathlib, sys; sys.stdin.readline(); pathlib.Path(sys.argv[1]).write_bytes(b'GIF8'); sys.exit(1)"
    monkeypatch.setattr(module, "RENDERER", (sys.executable, "-c", half))
    with pytest.raises(PrunescopeError, match="not finished"):
        Drawing(figure, "gif", [0, 1]).wait()
    with module._still_turns:
        waiting = Drawing(figure, "svg", [0])
        waiting.cancel()
        with pytest.raises(PrunescopeError, match="1 picture is"):
            waiting.wait()


def test_a_drawing_that_takes_too_long_is_ended_and_says_so(figure: Figure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "limits", lambda: replace(limits(), drawing_seconds=0.2))
    with pytest.raises(PrunescopeError, match=r"longer than 0\.2 seconds"):
        Drawing(figure, "gif", [0, 1, 2] * 40).wait()
