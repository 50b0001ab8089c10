"""Read pictures from the SVG that Vega draws."""

import json
import re
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

import vl_convert

from core.charts.grammar import Spec
from core.charts.theme import THEMES, styled
from core.charts.view import Scene


def specs(scene: Scene) -> dict[str, Spec]:
    """Return the specification of every picture."""
    return {name: view.spec for name, view in scene.views.items()}


LOOKS = {**styled(THEMES["light"], 12), "aria": True}


def at_frame(spec: Spec, frame: int) -> Spec:
    """Return the picture as a player shows it at a frame, its marks labelled with values."""
    values = {}
    for parameter in spec["params"]:
        values[parameter["name"]] = parameter["value"]
    values["frame"] = frame
    return {
        **spec,
        "config": {**LOOKS, **spec["config"]},
        "params": [{"name": name, "value": value} for name, value in values.items()],
    }


def drawn(spec: Spec, frame: int) -> ElementTree.Element:
    """Draw the picture as SVG."""
    vega = _compiled(json.dumps(at_frame(spec, 0)))
    for signal in vega["signals"]:
        if signal["name"] == "frame":
            signal["value"] = frame
    return ElementTree.fromstring(vl_convert.vega_to_svg(vega))


@lru_cache(maxsize=32)
def _compiled(spec: str) -> dict[str, Any]:
    """Compile the picture to Vega, once for all frames as in a player."""
    vega: dict[str, Any] = vl_convert.vegalite_to_vega(spec)
    return vega


def labels(element: ElementTree.Element) -> dict[str, str]:
    """Parse `Baseline: Layer 1; CKA: 0.9` into a dictionary; Vega writes a true minus sign."""
    fields = {}
    for part in element.get("aria-label", "").split("; "):
        name, _, value = part.partition(": ")
        fields[name] = value.replace("−", "-")
    return fields


def marks(picture: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    """Return the marks of one kind, such as `rect mark`, `bar` or `point`."""
    return picture.findall(f".//*[@aria-roledescription='{kind}']")


def place(element: ElementTree.Element) -> tuple[float, float]:
    """Return the position of an element, x and y in pixels."""
    pattern = r"translate\(([-\d.]+),([-\d.]+)\)"
    match = re.fullmatch(pattern, element.get("transform", ""))
    assert match
    return float(match[1]), float(match[2])


def tooltips(spec: Spec, frame: int, title: str, kind: str = "rect mark") -> list[dict[str, str]]:
    """Return the tooltips of marks of one kind that have a field with this title."""
    found = marks(drawn(spec, frame), kind)
    return [fields for fields in map(labels, found) if title in fields]


def texts(spec: Spec, frame: int) -> list[str]:
    """Return the texts besides axes, legends and titles."""
    picture = drawn(spec, frame)
    return [mark.text or "" for mark in marks(picture, "text mark")]


def axes(spec: Spec) -> list[str]:
    """Return the descriptions of the axes."""
    picture = drawn(spec, 0)
    return [axis.get("aria-label", "") for axis in marks(picture, "axis")]
