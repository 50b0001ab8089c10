"""A drawing in a separate process, and how it fails.

Test_figure and test_films test what is drawn.
"""

import io
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

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
# A renderer that ends a film only once the file exists that it is given.
GATED = """
import json, pathlib, sys, time
gate, folder = map(pathlib.Path, sys.argv[1:])
order = json.loads((folder / "order").read_text())
for _ in order["frames"]:
    print(flush=True)
while order["format"] == "gif" and not gate.exists():
    time.sleep(0.01)
(folder / "picture").write_text(str(order["frames"]))
"""


@pytest.fixture(scope="module")
def figure() -> Figure:
    """One picture of a scene, which is drawn sooner than all."""
    whole = figure_of(SCENES["lab"])
    return {**whole, "parts": whole["parts"][:1]}


def test_a_picture_is_drawn_in_another_process_as_in_this_one(
    figure: Figure,
) -> None:
    content = draw(figure, "png", [1])
    assert content == renderer.draw({"figure": figure, "format": "png", "frames": [1]})
    assert Image.open(io.BytesIO(content)).size == (1920, 1080), "full HD"


def test_a_picture_is_drawn_once_for_everybody(
    figure: Figure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    monkeypatch.setattr(
        drawing,
        "RENDERER",
        (sys.executable, "-I", "-S", "-c", GATED, str(gate)),
    )
    started: list[object] = []
    render = drawing._Drawing._render
    monkeypatch.setattr(
        drawing._Drawing,
        "_render",
        lambda self, *of: (started.append(self), render(self, *of)),
    )
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

    def opens(stage: str, done: int, frames: int) -> None:
        if (stage, done, frames) == ("Drawing", 2, 2):
            gate.touch()

    with ThreadPoolExecutor(2) as threads:
        films = threads.map(
            lambda report: draw(figure, "gif", [0, 1], report=report, holder="ann"),
            [opens] * 2,
        )
        assert [*films] == [b"[0, 1]"] * 2
    assert len(started) == 2
    gate.unlink()
    with pytest.raises(KeyboardInterrupt):
        draw(figure, "gif", [1, 0], report=leaves, holder="ann")
    assert draw(figure, "gif", [1, 0], report=opens, holder="ann") == b"[1, 0]"
    assert len(started) == 3, "a second press joins the first"


def test_half_a_file_or_one_too_late_is_no_picture(
    figure: Figure, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(drawing, "limits", lambda: limits()._replace(drawing_seconds=0.2))
        assert "took too long" in refusal(draw, figure, "gif", [0, 1, 2] * 40)
    monkeypatch.setattr(drawing, "RENDERER", (sys.executable, "-c", HALF))
    assert "could not be drawn" in refusal(draw, figure, "gif", [0, 1])
