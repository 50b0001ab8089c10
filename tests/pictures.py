"""Reads pictures from the SVG that Vega draws, for tests."""

import json
import re
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

import vl_convert

from core.charts.grammar import Spec
from core.charts.theme import THEMES, styled

LOOKS = {**styled(THEMES["light"], 12, 11, shown=True), "aria": True}


def at_frame(spec: Spec, frame: int) -> Spec:
    """The picture as a player shows it at a frame; Vega labels every mark with the values that it stands for."""
    values = {**{parameter["name"]: parameter["value"] for parameter in spec["params"]}, "frame": frame}
    params = [{"name": name, "value": value} for name, value in values.items()]
    return {**spec, "config": {**LOOKS, **spec["config"]}, "params": params}


def drawn(spec: Spec, frame: int) -> ElementTree.Element:
    """The picture as SVG."""
    vega = _compiled(json.dumps(at_frame(spec, 0)))
    signals = [{**signal, "value": frame} if signal["name"] == "frame" else signal for signal in vega["signals"]]
    return ElementTree.fromstring(vl_convert.vega_to_svg({**vega, "signals": signals}))


@lru_cache(maxsize=32)
def _compiled(spec: str) -> dict[str, Any]:
    """The picture in Vega's own terms, which all frames share, as in a player."""
    vega: dict[str, Any] = vl_convert.vegalite_to_vega(spec)
    return vega


def labels(element: ElementTree.Element) -> dict[str, str]:
    """`Baseline: Layer 1; CKA: 0.9` as a dictionary; Vega writes a true minus sign."""
    pairs = (part.partition(": ") for part in element.get("aria-label", "").split("; "))
    return {key: value.replace("−", "-") for key, _, value in pairs}


def marks(picture: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    """The elements of one kind of mark, as Vega describes them: `rect mark`, `bar`, `point`, …."""
    return [element for element in picture.iter() if element.get("aria-roledescription") == kind]


def place(element: ElementTree.Element) -> tuple[float, float]:
    """Where an element stands, x and y in pixels."""
    match = re.fullmatch(r"translate\(([-\d.]+),([-\d.]+)\)", element.get("transform", ""))
    assert match
    return float(match[1]), float(match[2])


def told(spec: Spec, frame: int, title: str, kind: str = "rect mark") -> list[dict[str, str]]:
    """What the marks of a kind tell the mouse, of those that tell something of this title."""
    return [said for said in map(labels, marks(drawn(spec, frame), kind)) if title in said]


def texts(spec: Spec, frame: int) -> list[str]:
    """What the picture writes besides axes, legends and titles."""
    return [text.text or "" for text in marks(drawn(spec, frame), "text mark")]


def axes(spec: Spec, frame: int = 0) -> list[str]:
    """What its axes are said to be."""
    return [axis.get("aria-label", "") for axis in marks(drawn(spec, frame), "axis")]
