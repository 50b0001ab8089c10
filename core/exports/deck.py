"""The story as slides: a scene each, its heading above its picture, and its sentences below."""

import re
from collections.abc import Sequence
from dataclasses import replace

import altair as alt

from core.charts import grammar as g
from core.charts.story import DRAWING, Step
from core.charts.theme import ThemeName
from core.charts.view import Layout, Scene, View, frame_of
from core.exports.figure import Figure, broken, figure_of

# core/charts/steps.html: the words around each drawing, and where its sentences stand in the end.
STEP = re.compile(r"</b> ([^<]+)</figcaption>(.*?)similarity <b>([\d.]+)</b></p>\s*<p>([^<]+)", re.DOTALL)
DOT = re.compile(r'--to-x: ([\d.]+)px; --to-y: ([\d.]+)px"><circle r="11" fill="(#\w+)"/><text dy="0.35em">(\w)')
APART = 240.0  # between the left edges of two drawings, each 220 wide and 128 high
ACROSS, DOWN = (-5.0, 705.0), (190.0, -44.0)  # of all three, with a line or two of words above and below
LINE, LETTERS = 210.0, 13.0  # how wide a line and how high its letters are, in the same units


def deck_of(steps: Sequence[Step], title: str, theme: ThemeName = "light") -> Figure:
    """Arrange a story as slides, one for each scene that has its data.

    Args:
        steps: See `core.charts.story.story`.
        title: Of the talk, on its first slide, which also says what was measured.
        theme: On white or on black.

    Returns:
        What `core.renderer` draws, one slide a frame: `slides`, each the figure of the scene `name`, of which it shows
        `frame`.
    """
    slides, measured = [], next((step.scene.caption for step in steps if step.scene), ())
    for step in steps:
        said = " ".join(step.said.sentences)
        scene = step.scene and replace(step.scene, title=step.said.heading, caption=(said,))
        if step.name == "similar":
            scene = replace(_similar(step.said.heading), title=title, caption=(said, *measured))
        if scene:
            frame = frame_of(scene.amounts, step.start)
            slides.append({**figure_of(scene, "slide", theme), "name": step.name, "frame": frame})
    return {"slides": slides}


def _similar(heading: str) -> Scene:
    """Draw what similarity means as the page does, once the sentences have moved."""
    words, dots = g.Rows(), g.Rows()
    for k, (name, drawn, value, said) in enumerate(STEP.findall(DRAWING)):
        below = broken(said, LINE, LETTERS)
        words += [
            {"x": k * APART, "y": DOWN[1], "text": "\n".join(broken(name, LINE, LETTERS))},
            {"x": k * APART, "y": 132, "text": "\n".join((f"similarity {value}", *below))},
        ]
        dots += [{"x": k * APART + float(x), "y": float(y), "fill": c, "text": t} for x, y, c, t in DOT.findall(drawn)]
    view = View(_drawings, (), {"words": words, "dots": dots}, g.BLANK)
    layout = Layout("similar", '"similar" minmax(0, 1fr) / minmax(0, 1fr)')
    return Scene("", (), {"similar": view}, [g.step(0.0, heading, "")], layout)


def _drawings() -> g.LayerChart:
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=list(ACROSS), nice=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=list(DOWN), nice=False))
    words, dots = (g.data(name).encode(x=x, y=y, text="text:N") for name in ("words", "dots"))
    return alt.layer(
        words.mark_text(style="note", align="left", baseline="top", lineBreak="\n"),
        dots.mark_point(filled=True, opacity=1, size=1300).encode(color=alt.Color("fill:N", scale=None)),
        dots.mark_text(style="note", color="black", fontWeight="bold"),
    )
