"""`python -m core.illustrate`: draws the picture at the head of the Methods page into core/charts/methods.html.

The picture never changes while the app runs. So it is drawn once, here, and comes with the code: a browser shows it
without Vega. Draw it again after a change to core/charts/methods.py; until then, its test fails.
"""

import re
from html import escape

import vl_convert

from core.charts.grammar import Spec
from core.charts.methods import TEXT_SIZE, TITLE, explanation_views
from core.request.catalog import ROOT

PICTURE = ROOT / "core" / "charts" / "methods.html"
INK = "currentColor"  # the page's, in either theme
DECIMALS = 3  # of a coordinate in pixels
# The looks that core/charts/player.js gives to other pictures. Vega measures text in the typeface that vl-convert
# carries, so that the drawing is the same on every computer; core/charts/methods.css sets the page's.
STYLE: Spec = {
    "background": "transparent",
    "padding": 2,
    "font": "Liberation Sans",
    "aria": False,  # the parts have alternative texts
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": TEXT_SIZE,
        "titleFontSize": TEXT_SIZE,
        "titleFontWeight": "normal",
        "titlePadding": 6,
    },
    "title": {
        "color": INK,
        "subtitleColor": INK,
        "fontSize": TEXT_SIZE + 1,
        "subtitleFontSize": TEXT_SIZE,
        "subtitlePadding": 4,
        "anchor": "start",
        "frame": "bounds",
        "offset": 8,
    },
    "view": {"stroke": None},
    "style": {"note": {"color": INK}},
}


def picture() -> str:
    """Draw all parts of the picture, as HTML without styles."""
    parts = "\n".join(_part(name, view.spec) for name, view in explanation_views().items())
    return f'<div class="explanation" role="group" aria-label="{escape(TITLE)}">\n{parts}\n</div>\n'


def _part(name: str, spec: Spec) -> str:
    svg = vl_convert.vegalite_to_svg({**spec, "config": {**spec["config"], **STYLE}})
    label = escape(spec["description"])
    drawing = _rounded(svg).replace("<svg", '<svg aria-hidden="true"', 1)  # the alternative text stands around it
    return f'<div class="picture {name}" role="img" aria-label="{label}">{drawing}</div>'


def _rounded(svg: str) -> str:
    """Round coordinates, whose last digits depend on the processor."""
    return re.sub(rf"\d+\.\d{{{DECIMALS + 1},}}", lambda number: f"{float(number[0]):.{DECIMALS}f}", svg)


if __name__ == "__main__":
    PICTURE.write_text(picture(), "utf-8")
