"""The player and the story in one file: what it holds; that it plays is tested in tests/browser."""

import json
import re
from dataclasses import replace

import pytest

from core.charts.story import story
from core.charts.theme import THEMES
from core.charts.view import Scene
from core.exports.player_page import player_page, story_page
from core.request.catalog import ROOT
from tests.builders import make_result
from tests.core.findings import made
from tests.scenes import OTHER, RESULT, SCENES

NAME = "</script><script>alert(1)</script><!--"


def data_of(page: str, function: str) -> dict:
    (line,) = [line for line in page.splitlines() if line.startswith(f"{function}(document")]
    return json.loads(line.removeprefix(f'{function}(document.querySelector("main"), ').removesuffix(");"))


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_it_holds_the_player_and_what_the_page_shows_and_no_name_breaks_out(scene: Scene) -> None:
    page = player_page(replace(scene, caption=(NAME,)), (RESULT, OTHER), "dark")
    for file in ("player.js", "player.css"):
        assert (ROOT / "core" / "charts" / file).read_text("utf-8") in page
    assert f"--st-background-color: {THEMES['dark'].background};" in page
    data = data_of(page, "mountPlayer")
    shown = {view: json.loads(json.dumps(dict(known.datasets))) for view, known in scene.views.items()}
    assert ({view: known["datasets"] for view, known in data["views"].items()}, data["frames"]) == (shown, scene.frames)
    assert f"<h1>{scene.title}</h1>" in page
    assert page.count("python -m core.precompute") == 2
    assert "alert(1)</script>" not in page
    assert len(re.findall("^<script", page, re.MULTILINE)) == page.count("</script>") == 2
    assert "default-src 'none'" in page


def test_one_page_holds_all_scenes_with_their_notes_and_no_name_breaks_out() -> None:
    whole, halves = make_result(num_layers=4, amounts=(0.0, 0.2, 0.6)), [made.half("layers:0-1", 0.5)]
    steps = story(whole, "mean", [*halves, made.half("layers:2-3", 0.1)])
    page = story_page(steps, whole, NAME, "dark")
    data = data_of(page, "mountStory")
    assert (data["key"], [step["name"] for step in data["steps"]]) == (whole.key, [step.name for step in steps])
    for told, step in zip(data["steps"], steps, strict=True):
        assert (tuple(told["notes"]), bool(told["player"])) == (step.notes, bool(step.scene))
        assert set(told["player"]["views"] if told["player"] else ()) == set(step.scene.views if step.scene else ())
    assert "alert(1)</script>" not in page
    assert page.count("</script>") == 2
    assert "default-src 'none'" in page
    assert len(page.encode()) < 2e6
