"""The looks of all pictures: the meaning of the roles that `core.charts.grammar` names.

Both use one table. core/charts/player.js fills it with the colours of the page around it and
`core.exports.figure` with those of a theme below. A value `$text` is a colour that is known only
there, `2em` is twice the size of text.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Literal, NamedTuple

from core.charts.grammar import UNDEFINED_COLOUR, Spec
from core.request.catalog import ROOT

ThemeName = Literal["light", "dark"]

TYPEFACE = "Liberation Sans, Arial, Helvetica, sans-serif"  # vl-convert carries the first
_TEXT: Spec = {
    "labelColor": "$text",
    "titleColor": "$text",
    "labelFontSize": "1em",
    "titleFontSize": "1em",
    "titleFontWeight": "normal",
}
STYLE: Spec = {
    "background": "transparent",
    "padding": 2,
    "font": "$font",
    "aria": False,  # the boxes around pictures have alternative texts
    # As `core.results.names` writes numbers.
    "locale": {
        "number": {
            "decimal": ".",
            "thousands": ",",
            "grouping": [3],
            "percent": "\u00a0%",
            "minus": "−",
            "currency": ["", ""],
        }
    },
    "scale": {
        "invalid": {"color": {"value": UNDEFINED_COLOUR}},  # a cell without a value is not 0
        "clamp": True,  # what lies beyond a scale is drawn at its edge
    },
    "axis": {
        **_TEXT,
        "gridColor": "$line",
        "domainColor": "$line",
        "tickColor": "$line",
        "labelLimit": "20em",
        "titlePadding": 6,
        "tickCount": 50,  # never too few
    },
    "axisX": {"grid": False},
    "legend": {
        **_TEXT,
        "orient": "top",
        "titleOrient": "left",
        "labelLimit": 600,
        "titleLimit": 600,
        "gradientThickness": "0.8em",
    },
    "title": {
        "color": "$text",
        "fontSize": "1.08em",
        "anchor": "start",
        "frame": "bounds",
        "offset": 8,
    },
    "view": {"stroke": None},
    "style": {
        "frame": {"stroke": "$line"},
        "halo": {
            "color": "$background",
            "stroke": "$background",
            "strokeWidth": "0.42em",
            "strokeJoin": "round",
        },
        "band": {"color": "$accent", "opacity": 0.22},
        "series": {"color": "$accent", "strokeWidth": "0.2em"},
        "bar": {"color": "$accent"},
        "chance": {"color": UNDEFINED_COLOUR, "strokeWidth": 1},
        "floor": {
            "color": "$text",
            "strokeWidth": "0.08em",
            "strokeDash": [2, 2],
            "opacity": 0.8,
        },
        "reference": {"color": "$text", "strokeDash": [5, 4], "opacity": 0.7},
        "note": {"color": "$text", "fontSize": "1em", "align": "left"},
        "guess": {"color": "$accent", "strokeWidth": 2, "strokeDash": [6, 4]},
        "current": {"color": "$text", "strokeWidth": "0.125em"},
        "marker": {
            "color": "$accent",
            "stroke": "$text",
            "strokeWidth": 1.5,
            "size": "7.5em",
            "opacity": 1,
        },
    },
}


class Theme(NamedTuple):
    """Colours around a picture that stands on no page.

    They are Streamlit's own, and the accent of .streamlit/config.toml.
    """

    text: str
    line: str
    accent: str
    background: str
    secondary: str  # of buttons


_ACCENTS = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
THEMES: Mapping[ThemeName, Theme] = {
    "light": Theme(
        "#2f2d2b",
        "#d5d5d5",
        _ACCENTS["light"]["primaryColor"],
        "#ffffff",
        "#f8f8f7",
    ),
    "dark": Theme(
        "#edebe8",
        "#42413e",
        _ACCENTS["dark"]["primaryColor"],
        "#171614",
        "#2d2b27",
    ),
}


def styled(theme: Theme, size: float) -> Spec:
    """Return the looks of a picture in a figure.

    Args:
        theme: Its colours.
        size: The size of its text, in pixels.
    """
    values = {**theme._asdict(), "font": TYPEFACE}
    text = re.sub(
        r'"\$(\w+)"',
        lambda name: json.dumps(values[name[1]]),
        json.dumps(STYLE),
    )
    return json.loads(
        re.sub(
            r'"([\d.]+)em"',
            lambda length: str(float(length[1]) * size),
            text,
        )
    )
