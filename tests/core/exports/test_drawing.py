"""A drawing in a separate process, and how it fails; test_figure and test_films test what is drawn."""

import io
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import sleep
from unittest.mock import Mock

import pytest
from PIL import Image

from core import renderer
from core.exports import drawing
from core.exports.drawing import draw
from core.exports.figure import Figure, figure_of
from core.request.limits import limits
from tests.refusals import refusal
from tests.scenes import SCENES

HALF = "import pathlib, sys; pathlib.Path(sys.argv[1], 'picture').write_bytes(b'GIF8'); sys.exit(1)"


@pytest.fixture(scope="module")
def figure() -> Figure:
    """One picture of a scene, which is drawn sooner than all."""
    whole = figure_of(SCENES["lab"])
    return {**whole, "parts": whole["parts"][:1]}


def test_a_picture_is_drawn_in_another_process_as_in_this_one(figure: Figure) -> None:
    content = draw(figure, "png", [1])
    assert content == renderer.draw({"figure": figure, "format": "png", "frames": [1]})
    assert Image.open(io.BytesIO(content)).size == (1920, 1080), "full HD"


def test_a_picture_is_drawn_once_for_all_who_ask_and_not_for_those_who_leave(
    figure: Figure, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    render = drawing._Drawing._render
    monkeypatch.setattr(drawing._Drawing, "_render", lambda self, *of: (started.append(self), render(self, *of)))
    monkeypatch.setattr(drawing, "UNSEEN_SECONDS", 0.5)

    def leaves(stage: str, done: int, frames: int) -> None:
        raise KeyboardInterrupt

    with drawing._door.turn("ann"):  # her other drawing goes on
        with pytest.raises(KeyboardInterrupt):
            draw(figure, "gif", [0, 1], report=leaves, holder="ann")
        assert draw(figure, "svg", [0], holder="bob"), "others do not wait for it"
        while drawing._drawings:
            sleep(0.05)
    assert len(started) == 1, "what nobody waits for is not drawn"
    with ThreadPoolExecutor(2) as threads:
        reports = Mock(), Mock()
        films = threads.map(lambda report: draw(figure, "gif", [0, 1], report=report, holder="ann"), reports)
        assert len(set(films)) == 1
    assert len(started) == 2
    for report in reports:
        report.assert_called_with("Drawing", 2, 2)
    with pytest.raises(KeyboardInterrupt):
        draw(figure, "gif", [1, 0], report=leaves, holder="ann")
    assert draw(figure, "gif", [1, 0], holder="ann")
    assert len(started) == 3, "a second press joins the first"


def test_half_a_file_or_one_too_late_is_no_picture(figure: Figure, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {**figure, "parts": [{"x": 0, "y": 0, "spec": {"mark": "no such mark"}}]}
    assert "could not be drawn" in refusal(draw, broken, "svg", [0])
    with monkeypatch.context() as patch:
        patch.setattr(drawing, "limits", lambda: replace(limits(), drawing_seconds=0.2))
        assert "took too long" in refusal(draw, figure, "gif", [0, 1, 2] * 40)
    monkeypatch.setattr(drawing, "RENDERER", (sys.executable, "-c", HALF))
    assert "could not be drawn" in refusal(draw, figure, "gif", [0, 1])
