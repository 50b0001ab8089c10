"""A drawing in a process of its own, and how it fails; what is drawn is tested in test_figure and test_films."""

import io
import sys
from dataclasses import replace
from unittest.mock import Mock

import pytest
from PIL import Image

from core import renderer
from core.errors import PrunescopeError
from core.exports import drawing
from core.exports.drawing import Picture, draw
from core.exports.figure import Figure, figure_of
from core.request.limits import limits
from tests.refusals import refusal
from tests.scenes import SCENES

HALF = "import pathlib, sys; pathlib.Path(sys.argv[1], 'picture').write_bytes(b'GIF8'); sys.exit(1)"


@pytest.fixture(scope="module")
def figure() -> Figure:
    return figure_of(SCENES["lab"])


@pytest.mark.parametrize(("kind", "begins"), {"svg": b"<svg", "png": b"\x89PNG", "gif": b"GIF89a"}.items())
def test_every_kind_is_drawn_in_a_process_of_its_own_as_here(figure: Figure, kind: Picture, begins: bytes) -> None:
    content = draw(figure, kind, [1])
    here = renderer.draw({"figure": figure, "format": kind, "frames": [1], "milliseconds": 500})
    assert content.startswith(begins)
    assert kind == "svg" or content == here, "an SVG bears how much was drawn before"
    assert kind != "png" or Image.open(io.BytesIO(content)).size == (1920, 1080), "full HD"


def test_only_so_many_are_drawn_at_once_and_turns_come_back(figure: Figure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "TURN_SECONDS", 0.01)
    with drawing._film_turns, drawing._film_turns:
        assert "as many pictures are being drawn as fit" in refusal(draw, figure, "gif", [0, 1])
        assert draw(figure, "svg", [0]), "a still does not wait for films"
        with drawing._still_turns, pytest.raises(PrunescopeError, match="try again soon"):
            draw(figure, "svg", [0])
    assert draw(figure, "gif", [0, 1], report=(report := Mock())), "turns are given back"
    assert [call.args[1:] for call in report.mock_calls] == [(1, 2), (2, 2)]
    with pytest.raises(KeyboardInterrupt):
        draw(figure, "gif", [0, 1], report=Mock(side_effect=KeyboardInterrupt))
    assert drawing._film_turns._value == 2, "also where somebody leaves"


def test_half_a_file_or_one_too_late_is_no_picture(figure: Figure, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {**figure, "parts": [{"x": 0, "y": 0, "spec": {"mark": "no such mark"}}]}
    assert "not finished" in refusal(draw, broken, "svg", [0])
    with monkeypatch.context() as patch:
        patch.setattr(drawing, "limits", lambda: replace(limits(), drawing_seconds=0.2))
        assert "not finished" in refusal(draw, figure, "gif", [0, 1, 2] * 40)
    monkeypatch.setattr(drawing, "RENDERER", (sys.executable, "-c", HALF))
    assert "not finished" in refusal(draw, figure, "gif", [0, 1])
