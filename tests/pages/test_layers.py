"""Layers without a browser: the picture of a result, and what the page says about its layers."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import PrunescopeError
from core.findings.words.passed import HALVES_ALONE, SEE_ALONE
from core.request.sweep_request import SweepRequest
from core.results.schema import SweepResult
from tests.builders import declining, make_result, ship
from tests.core.findings import made
from tests.opened import (
    address,
    box,
    errors,
    labels,
    links,
    open_page,
    player,
    press,
    prose,
    run,
    title,
    unescaped,
)
from ui.lab import settings

PAGE = "pages/layers.py"
AMOUNTS = (0.0, 0.25, 0.5, 0.75)


def result(**settings: object) -> SweepResult:
    return make_result(**{"num_layers": 3, "amounts": AMOUNTS, "num_examples": 40, **settings})


def stepped() -> SweepResult:
    """Build a result whose layers keep 1 up to amount 0.5, 0.25 and 0, and then drop to 0.5."""
    last = (0.5, 0.25, 0.0)
    return result(
        own_cka=lambda amount, layer, layers: 1.0 if amount <= last[layer] else 0.5,
        statistics=False,
    )


def pictures(app: AppTest) -> dict[str, Any]:
    """Return the views of the player."""
    return player(app)["views"]


def chosen(app: AppTest) -> list[str]:
    """Return the highlighted rows."""
    strips = pictures(app)["rows"]["datasets"]["strips"]
    return [strip["pick"] for strip in strips if strip["chosen"]]


def test_the_heading_answers_and_the_caption_says_what_was_measured(
    shipped: Path,
) -> None:
    ship(shipped, stepped())
    app = open_page(PAGE)
    data = player(app)
    assert (data["layout"]["name"], list(data["views"])) == (
        "layers",
        ["rows", "curve"],
    )
    assert [frame["amount"] for frame in data["frames"]] == list(AMOUNTS)
    assert title(app) == "Layer 3 changes first: it falls below 0.9 at 5 % of weights removed"
    assert chosen(app) == ["3"]
    assert unescaped(app.get("popover")[0].proto.popover.label) == (
        "Magnitude pruning of the encoder · MiniLM-L6, fine-tuned on SST-2 · 40 examples of SST-2 "
        "validation, GLUE · "
        "Mean over tokens · The first to change"
    )


def test_a_layer_is_chosen_and_stays_when_another_one_changes_first(
    shipped: Path,
) -> None:
    crossing = result(own_cka=lambda a, p, n: 1 - a * (0.3 if (a > 0.3) == (p == 0) else 0.15))
    ship(
        shipped,
        crossing,
        deep := result(method="wanda", num_layers=4, points="both"),
    )
    app = open_page(PAGE)
    assert chosen(app) == ["1"], "unless the visitor chooses"
    box(app, "layer").set_value("3").run()
    assert player(app)["views"]["curve"]["title"][0].startswith("Layer 3, attention block")
    assert address(app) == {"layer": "3"}
    box(app, "result").set_value(deep.key).run()
    assert chosen(app) == ["3"]
    box(app, "layer").set_value("4a").run()
    assert chosen(app) == ["4a"]


def test_halves_are_shown_once_they_were_pruned_alone(shipped: Path, unfolded: None) -> None:
    whole = make_result(num_layers=4, amounts=made.ALONE_STEPS, own_cka=declining(0.9))
    ship(
        shipped,
        whole,
        *made.alone(),
        made.half("layers:0-1", 0.4),
        made.half("layers:2-3", 0.1),
    )
    app = open_page(PAGE, layer="2")
    assert "At 60 % removed, the upper half of the layers changes more" in prose(app)
    assert links(app)[SEE_ALONE] == f"result={whole.key}&scene=4"
    assert settings.ALONE not in labels(app)


def test_a_click_prunes_halves_alone(
    shipped: Path, unfolded: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[SweepRequest] = []
    monkeypatch.setattr(
        settings,
        "start",
        lambda first, follow_ups: started.extend((first, *follow_ups)),
    )
    monkeypatch.setattr(settings, "forecast", lambda sweeps: started.append(sweeps[0]))
    units = result(method="attribution", scope=None)
    part = result(scope="layer:1")
    far = result(source="folder")
    ship(shipped, whole := result(source="written"), units, part, far)
    app = open_page(PAGE, result=whole.key)
    assert [request.scope for request in started] == ["layer:0"], "its time is forecast"
    press(app, settings.ALONE)
    assert {request.scope for request in started} == {
        "layer:0",
        "layer:1",
        "layer:2",
    }
    monkeypatch.setattr(settings, "forecast", Mock(side_effect=PrunescopeError("too long")))
    assert errors(run(app)) == ["too long"]
    for other in (units, part, far):
        assert HALVES_ALONE not in {box.label for box in open_page(PAGE, result=other.key).expander}
