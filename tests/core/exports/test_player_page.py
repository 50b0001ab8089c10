"""The player in one file: what it holds; that it plays is tested in tests/browser."""

import json
import re
from dataclasses import replace

import pytest

from core.charts.theme import THEMES
from core.charts.view import Scene
from core.exports.player_page import player_page
from core.request.catalog import ROOT
from tests.scenes import OTHER, RESULT, SCENES


def data_of(page: str) -> dict:
    (line,) = [line for line in page.splitlines() if line.startswith("mountPlayer(document")]
    return json.loads(line.removeprefix('mountPlayer(document.querySelector("main"), ').removesuffix(");"))


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_it_holds_the_player_and_what_the_page_shows_and_no_name_breaks_out(scene: Scene) -> None:
    name = "</script><script>alert(1)</script><!--"
    page = player_page(replace(scene, caption=(name,)), (RESULT, OTHER), "dark")
    for file in ("player.js", "player.css"):
        assert (ROOT / "core" / "charts" / file).read_text("utf-8") in page
    assert f"--st-background-color: {THEMES['dark'].background};" in page
    data = data_of(page)
    shown = {view: json.loads(json.dumps(dict(known.datasets))) for view, known in scene.views.items()}
    assert ({view: known["datasets"] for view, known in data["views"].items()}, data["frames"]) == (shown, scene.frames)
    assert f"<h1>{scene.title}</h1>" in page
    assert page.count("python -m core.precompute") == 2
    assert "alert(1)</script>" not in page
    assert len(re.findall("^<script", page, re.MULTILINE)) == page.count("</script>") == 2
    assert "default-src 'none'" in page
