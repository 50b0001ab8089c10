"""What can be taken away from a page is what its players show; what files make of a scene is tested in tests/core."""

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
def test_what_is_taken_away_is_what_a_player_shows(
    name: str, shipped: Path, queue: JobQueue, unfolded: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: dict[str, tuple[Scene, Mapping[str, Scene] | None]] = {}

    def note(scene: Scene, results: Sequence[SweepResult], choices: Mapping[str, Scene] | None) -> None:
        offered[scene.layout.name] = scene, choices

    monkeypatch.setattr("ui.exports.offer_pictures", note)
    ship(shipped, *RESULTS)
    app = open_page(SCRIPTS[name], result=RESULTS[0].key)
    shown = {player["layout"]["name"]: player for player in reversed(players(app))}  # of a story the first that moves
    headings = [title.value for title in app.title]
    assert offered.keys() == shown.keys()
    assert len(shown) == 1
    for layout, (scene, choices) in offered.items():
        player = shown[layout]
        assert player["frames"] == as_sent(scene.frames)
        if choices is None:
            assert player["views"] == as_sent(specs(scene.views))
        else:
            known = [{key: value for key, value in one.items() if key != "spoken"} for one in player["choices"]]
            assert known == as_sent(reduction_choices(choices, lambda scene: specs(scene.views)))
            assert scene is choices[player["choice"]]
        assert plain(scene.title) in headings or player["title"].startswith(scene.title)


def as_sent(data: object) -> object:
    """Data as the browser gets them."""
    return json.loads(json.dumps(data))
