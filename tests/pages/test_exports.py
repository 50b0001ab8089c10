"""A page exports the scenes that its players show; tests/core tests the files made of a scene."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from core.charts.view import Scene, reduction_choices, specs
from core.jobs.queue import JobQueue
from core.results.schema import SweepResult
from tests.builders import make_result, ship
from tests.opened import SCRIPTS, open_page, players
from ui.text import plain

SMALL = {"num_layers": 3, "amounts": (0.0, 0.3, 0.6)}
RESULTS = (make_result(**SMALL), make_result(**SMALL, method="random"), make_result(**SMALL, task="cola"))
SHOWING = [name for name in SCRIPTS if name not in ("Cut", "All results", "Methods")]


@pytest.mark.parametrize("name", SHOWING)
def test_a_page_exports_what_its_players_show(
    name: str, shipped: Path, queue: JobQueue, unfolded: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: dict[str, tuple[Scene, Mapping[str, Scene] | None]] = {}

    def note(scene: Scene, results: Sequence[SweepResult], choices: Mapping[str, Scene] | None) -> None:
        offered[scene.layout.name] = scene, choices

    monkeypatch.setattr("ui.exports.offer_pictures", note)
    ship(shipped, *RESULTS)
    app = open_page(SCRIPTS[name], result=RESULTS[0].key)
    mounted = {player["layout"]["name"]: player for player in reversed(players(app))}  # in a story, the first
    headings = [title.value for title in app.title]
    assert offered.keys() == mounted.keys()
    assert len(mounted) == 1
    for layout, (scene, choices) in offered.items():
        player = mounted[layout]
        assert player["frames"] == as_sent(scene.frames)
        if choices is None:
            assert player["views"] == as_sent(specs(scene.views))
        else:
            views = [{key: value for key, value in choice.items() if key != "spoken"} for choice in player["choices"]]
            assert views == as_sent(reduction_choices(choices, lambda scene: specs(scene.views)))
            assert scene is choices[player["choice"]]
        assert plain(scene.title) in headings or player["title"].startswith(scene.title)


def as_sent(data: object) -> object:
    """Return data as the browser receives them."""
    return json.loads(json.dumps(data))
