"""The looks of pictures: one table, filled in for a page's browser and for a figure."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from core.charts.theme import STYLE, THEMES, styled
from core.charts.view import Scene
from core.request.catalog import ROOT
from tests.scenes import SCENES


def roles(part: Any) -> Iterator[str]:
    """The styles that marks name in a specification."""
    if isinstance(part, dict):
        if "style" in part:
            yield from [part["style"]] if isinstance(part["style"], str) else part["style"]
        for value in part.values():
            yield from roles(value)
    elif isinstance(part, list):
        for value in part:
            yield from roles(value)


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_every_role_of_a_mark_has_looks(scene: Scene) -> None:
    for view in scene.views.values():
        assert set(roles({**view.spec, "datasets": None, "config": None})) <= set(STYLE["style"])


def test_a_theme_fills_every_colour_and_size() -> None:
    light = styled(THEMES["light"], 13, 11, shown=True)
    assert "$" not in json.dumps(light)
    assert light["style"]["note"] == {"color": THEMES["light"].text, "fontSize": 13}
    assert light["style"]["number"] == {"fontSize": 11, "opacity": 1}
    assert light["style"]["series"]["strokeWidth"] == pytest.approx(2.6)
    dark = styled(THEMES["dark"], 13, 11, shown=False)
    assert dark["style"]["halo"]["stroke"] == THEMES["dark"].background
    assert dark["style"]["bar"]["color"] == "#fb8861", "as .streamlit/config.toml"
    assert dark["style"]["number"]["opacity"] == 0


def test_a_player_that_stands_on_no_page_has_the_colours_of_the_light_theme() -> None:
    text = "".join((ROOT / "core" / "charts" / f"player.{end}").read_text("utf-8") for end in ("css", "js"))
    found = set(re.findall(r"--st-([a-z-]+)-color\"?, \"?(#\w+)", text))
    light = THEMES["light"]
    names = ("text", "background", "secondary-background", "border", "primary")
    colours = (light.text, light.background, light.secondary, light.line, light.accent)
    assert found == set(zip(names, colours, strict=True))
