"""The content of the player and of the story as one HTML file; tests/browser plays them."""

import json
import re

import pytest

from core.charts.story import story
from core.charts.theme import THEMES
from core.charts.view import Scene
from core.exports.player_page import player_page, story_page
from core.findings.words.numbers import unbroken
from core.request.catalog import ROOT
from tests.builders import make_result
from tests.core.findings import made
from tests.scenes import OTHER, RESULT, SCENES

NAME = "</script><script>alert(1)</script><!--"


def data_of(page: str, function: str) -> dict:
    """Reads the data of a page that fetches nothing, of which no text ends a script."""
    assert "default-src 'none'" in page
    assert "alert(1)</script>" not in page
    assert len(re.findall("^<script", page, re.MULTILINE)) == page.count("</script>") == 2
    (line,) = [line for line in page.splitlines() if line.startswith(f"{function}(document")]
    return json.loads(
        line.removeprefix(f'{function}(document.querySelector("main"), ').removesuffix(");")
    )


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_a_page_holds_the_player_and_the_scene(scene: Scene) -> None:
    page = player_page(scene._replace(caption=(NAME,)), (RESULT, OTHER), "dark")
    for file in ("player.js", "player.css"):
        assert (ROOT / "core" / "charts" / file).read_text("utf-8") in page
    assert f"--st-background-color: {THEMES['dark'].background};" in page
    data = data_of(page, "mountPlayer")
    expected = {
        name: json.loads(json.dumps(dict(view.datasets))) for name, view in scene.views.items()
    }
    assert {name: json.loads(view)["datasets"] for name, view in data["views"].items()} == expected
    assert data["frames"] == scene.frames
    assert f"<h1>{scene.title}</h1>" in page
    assert page.count("python -m core.precompute") == 2


def test_a_page_holds_all_scenes_of_a_story_with_their_notes() -> None:
    result = make_result(num_layers=4, amounts=(0.0, 0.2, 0.6))
    halves = [made.half("layers:0-1", 0.5)]
    steps = story(result, "mean", [*halves, made.half("layers:2-3", 0.1)])
    page = story_page(steps, result, NAME, "dark")
    data = data_of(page, "mountStory")
    assert data["key"] == result.key
    assert [step["notes"] for step in data["steps"]] == [
        [*map(unbroken, step.notes)] for step in steps
    ]
    assert [bool(step["player"]) for step in data["steps"]] == [bool(step.scene) for step in steps]
