"""Results of every kind on every page, which exports the scenes that its players show.

Labels and names may be a stranger's, weights not shipped, similarities undefined.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from core.charts.view import Scene
from core.results.schema import SweepResult
from core.results.store import load, save
from tests.builders import (
    make_result,
    ship,
    with_own_key,
    with_own_labels,
)
from tests.opened import SCRIPTS, open_page, players
from tests.pictures import specs
from ui import exports
from ui.text import plain

SMALL = {"num_layers": 3, "amounts": (0.0, 0.3, 0.6)}
BARE = make_result(**SMALL)
PICTURE = "C![i](http://x.y)"  # a name that must stay text
NOT_MARKDOWN = {
    "bidi_component",
    "code",
    "dataframe",
    "selectbox",
    "text_input",
}
OWN = with_own_labels(
    make_result(**SMALL, num_examples=66),
    ("Anger", "very_*surprised*", f"{PICTURE}a", f"{PICTURE}b"),
)
RESULTS = {
    "own labels": with_own_key(
        OWN,
        checkpoint=OWN.checkpoint.model_copy(update={"id": PICTURE}),
        task=OWN.task.model_copy(update={"source_name": PICTURE}),
    ),
    "unpruned": make_result(num_layers=3, amounts=(0.0,)),
    "undefined": make_result(**SMALL, num_examples=66, own_cka=lambda *_: None),
}


@pytest.mark.usefixtures("queue", "unfolded")
@pytest.mark.parametrize(
    "page",
    [page for page in SCRIPTS if page not in ("Cut", "Recover", "All results", "Methods")],
)
@pytest.mark.parametrize("kind", RESULTS)
def test_every_page_shows_and_exports_it(
    kind: str, page: str, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = RESULTS[kind]
    offer = exports.offer_pictures
    offered: dict[str, tuple[Scene, Mapping[str, Scene] | None]] = {}

    def note(
        scene: Scene,
        results: Sequence[SweepResult],
        choices: Mapping[str, Scene] | None,
    ) -> None:
        offered[scene.layout.name] = scene, choices
        offer(scene, results, choices)

    monkeypatch.setattr(exports, "offer_pictures", note)
    ship(shipped, BARE, make_result(**SMALL, task="cola"))
    path = save(result)
    assert load(path) == result
    app = open_page(SCRIPTS[page], result=result.key, reduction="tokens")
    assert not app.error
    mounted = {
        player["layout"]["name"]: player for player in reversed(players(app))
    }  # in a story, the first
    assert offered.keys() == mounted.keys()
    assert len(mounted) == (kind != "undefined" or page != "Layers")
    for layout, (scene, choices) in offered.items():
        player = mounted[layout]
        assert player["frames"] == as_sent(scene.frames)
        if choices is None:
            assert player["views"] == as_sent(specs(scene))
        else:
            for choice, other in zip(player["choices"], choices.values(), strict=True):
                assert choice["views"] == as_sent(specs(other))
            assert scene is choices[player["choice"]]
        assert plain(scene.title) in [title.value for title in app.title] or player[
            "title"
        ].startswith(scene.title)
    if kind == "own labels":
        assert not [
            node
            for node in app.main
            if node.type not in NOT_MARKDOWN and PICTURE in str(node.proto)
        ]


def as_sent(data: object) -> object:
    """Return data as the browser receives them."""
    return json.loads(json.dumps(data))
