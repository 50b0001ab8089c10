"""The looks of pictures: one table, filled in for a page's browser and for a figure."""

import json
import re
from typing import Any

import pytest

from core.charts.theme import STYLE, THEMES, styled
from core.charts.view import Scene
from core.request.catalog import ROOT
from tests.scenes import SCENES


def roles(part: Any) -> set[str]:
    """The styles that marks name in a specification."""
    if isinstance(part, list):
        return set().union(*map(roles, part))
    if not isinstance(part, dict):
        return set()
    named = part.get("style", [])
    return roles(list(part.values())) | set([named] if isinstance(named, str) else named)


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_every_role_of_a_mark_has_looks(scene: Scene) -> None:
    for view in scene.views.values():
        assert roles({**view.spec, "datasets": None, "config": None}) <= set(STYLE["style"])


def test_a_theme_fills_every_colour_and_size() -> None:
    light, dark = styled(THEMES["light"], 13, 11, shown=True), styled(THEMES["dark"], 13, 11, shown=False)
    assert "$" not in json.dumps([light, dark])
    assert light["style"]["note"] == {"color": THEMES["light"].text, "fontSize": 13}
    assert light["style"]["number"] == {"fontSize": 11, "opacity": 1}
    assert light["style"]["series"]["strokeWidth"] == pytest.approx(2.6)
    assert dark["style"]["halo"]["stroke"] == THEMES["dark"].background
    assert dark["style"]["bar"]["color"] == "#fb8861", "as .streamlit/config.toml"
    assert dark["style"]["number"]["opacity"] == 0


def test_a_player_that_stands_on_no_page_has_the_colours_of_the_light_theme() -> None:
    styles, light = (ROOT / "core" / "charts" / "player.css").read_text("utf-8"), THEMES["light"]
    assert dict(re.findall(r"--st-([a-z-]+)-color, (#\w+)", styles)) == {
        "text": light.text,
        "background": light.background,
        "secondary-background": light.secondary,
        "border": light.line,
        "primary": light.accent,
    }
