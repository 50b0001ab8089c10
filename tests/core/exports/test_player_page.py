"""The player in one file: what it holds; that it plays is tested in tests/browser."""

import json
import re
from dataclasses import replace

import pytest

from core.charts.overview import result_scene
from core.charts.theme import THEMES
from core.charts.view import Scene
from core.exports.player_page import player_page
from core.request.catalog import REDUCTIONS, ROOT
from tests.scenes import OTHER, RESULT, SCENES


def data_of(page: str) -> dict:
    (line,) = [line for line in page.splitlines() if line.startswith("mountPlayer(document")]
    return json.loads(line.removeprefix('mountPlayer(document.querySelector("main"), ').removesuffix(");"))


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_it_holds_the_player_and_what_the_page_shows(scene: Scene) -> None:
    page = player_page(scene, (RESULT, OTHER), "globalThis.vegaEmbed = null;")
    for name in ("player.js", "player.css"):
        assert (ROOT / "core" / "charts" / name).read_text("utf-8") in page
    assert "globalThis.vegaEmbed = null;" in page
    data = data_of(page)
    assert data["frames"] == scene.frames
    assert {name: view["datasets"] for name, view in data["views"].items()} == {
        name: json.loads(json.dumps(dict(view.datasets))) for name, view in scene.views.items()
    }
    assert f"<h1>{scene.title}</h1>" in page
    assert all(line in page for line in scene.caption)
    assert page.count("python -m core.precompute") == 2


def test_it_has_the_colours_that_were_asked_for() -> None:
    for theme, colours in THEMES.items():
        page = player_page(SCENES["layers"], (RESULT,), "", theme)
        assert f"color-scheme: {theme};" in page
        assert f"--st-background-color: {colours.background};" in page


def test_its_viewer_can_choose_where_the_page_lets_one_choose() -> None:
    scenes = {name: result_scene(RESULT, name) for name in REDUCTIONS}
    data = data_of(player_page(replace(scenes["cls"], title="Another"), (RESULT,), "", choices=scenes))
    assert data["choice"] == "cls", "the one on show comes first"
    assert [choice["name"] for choice in data["choices"]] == list(REDUCTIONS)
    assert set(data["choices"][0]["views"]) == {"heatmap", "accuracy", "survival"}


def test_a_name_cannot_break_out_of_the_page() -> None:
    name = "</script><script>alert(1)</script><!--"
    page = player_page(replace(SCENES["lab"], title=name, caption=(name,)), (RESULT,), 'x = "</script>"')
    assert "alert(1)</script>" not in page
    assert len(re.findall("^<script", page, re.MULTILINE)) == page.count("</script>") == 2
    assert "default-src 'none'" in page
