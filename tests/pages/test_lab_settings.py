"""The Lab's settings: the requests that they make, and what is missing."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.request.catalog import DEFAULT_EXAMPLES, METHODS, ROOT
from core.request.controls import every_method, judged_beside
from core.request.sweep_request import SweepRequest
from tests.builders import make_result, ship
from tests.opened import (
    address,
    errors,
    fill,
    follow,
    open_page,
    press,
    prose,
    run,
)
from tests.pages.conftest import Runs

LAB = "pages/lab.py"
pytestmark = pytest.mark.usefixtures("queue")
DEFAULT = SweepRequest("embedded:sst2", "sst2", data="written")
COLA = "yoshitomo-matsubara/bert-base-uncased-cola"
HOW_FAR = "How far can I prune?"
FIFTHS = (0.0, 0.2, 0.4, 0.6, 0.8)
OTHER = {"checkpoint": "other checkpoint", "task-other checkpoint": "sst2"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {
                **OTHER,
                "place": f" {ROOT}",
                "points": "layer",
                "step": "0.2",
                "scope": "some layers",
                "layer": 2,
                "last-layer": 3,
                "examples": 64,
            },
            SweepRequest(
                str(ROOT),
                "sst2",
                64,
                "hub",
                scope="layers:1-2",
                points="layer",
                amounts=FIFTHS,
            ),
        ),
        (
            {**OTHER, "place": "owner/name@v1"},
            SweepRequest("owner/name@v1", "sst2", data="hub"),
        ),
        (
            {"step": "list", "amounts": "0.3, 0.75", "until": True},
            replace(DEFAULT, amounts=(0.0, 0.3, 0.75), until_damage=0.3),
        ),
    ],
)
def test_every_setting_reaches_the_request(
    runs: Runs, settings: Mapping[str, Any], expected: SweepRequest
) -> None:
    press(fill(open_page(LAB), settings), "Run")
    assert runs.requests == [expected]


def test_other_data_are_not_asked_for_as_many_examples_as_there_were(
    runs: Runs, shipped: Path
) -> None:
    ship(shipped, result := make_result(num_examples=DEFAULT_EXAMPLES))
    page = open_page(LAB, result=result.key, decide="1")
    press(fill(page, {"checkpoint": "embedded:messages"}), "Run")
    assert runs.requests[0].num_examples is None


@pytest.mark.parametrize(
    ("hosted", "settings", "words"),
    [
        (
            "0",
            {"step": "list", "amounts": "0.5, **x**<b>"},
            "**x**<b>' is not a number",
        ),
        (
            "0",
            {**OTHER, "place": "~nobody-of-this-name/model"},
            "there is no folder '~nobody-of-this-name/model'",
        ),
        ("0", {"data-True": "own sentences"}, "Choose your file"),
        ("1", OTHER, "Enter the Hub model id"),
        ("1", {**OTHER, "place": str(ROOT)}, "is not a checkpoint here"),
    ],
)
def test_what_is_missing_stands_beside_run_and_is_an_error_once_run_is_pressed(
    runs: Runs,
    monkeypatch: pytest.MonkeyPatch,
    hosted: str,
    settings: Mapping[str, Any],
    words: str,
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
    page = fill(open_page(LAB), settings)
    assert words in prose(page)
    assert "''" not in prose(page)
    assert not page.error, "Run was not pressed yet"
    press(page, "Run")
    assert not runs.requests
    (error,) = errors(page)
    assert words in error


def test_settings_survive_a_slow_browser_another_page_and_a_change_of_mind() -> None:
    page = fill(
        open_page(LAB),
        {
            **OTHER,
            "place": "me/mine",
            "step": "list",
            "amounts": "0.4",
            "examples": 64,
        },
    )
    follow(follow(page, "Methods"), "Lab")
    fill(fill(page, {"step": "0.1"}), {"step": "list", "until": True})
    run(run(page))  # a busy browser draws only the second
    texts = {field.key: (field.value, field.proto.default) for field in page.text_input}
    assert texts == {"lab-place": ("me/mine",) * 2, "lab-amounts": ("0.4",) * 2}
    assert page.number_input(key="lab-examples").proto.default == 64
    assert page.checkbox(key="lab-until").proto.default
    box = page.selectbox(key="lab-checkpoint").proto
    assert box.options[box.default] == "My own checkpoint (folder or Hub id)"


def test_how_far_one_can_prune_is_asked_of_every_method(runs: Runs) -> None:
    page = fill(open_page(LAB), {"checkpoint": COLA, "step": "0.2", "method": "attribution"})
    press(press(page, HOW_FAR), "Run")
    wanted = SweepRequest(COLA, "cola", data="hub", amounts=FIFTHS)
    assert runs.requests == [wanted]
    first, *others = every_method(wanted)
    assert [first.method, *(sweep.method for sweep in others)] == [
        name for name, method in METHODS.items() if not method.is_random
    ]
    assert runs.follow_ups == tuple(others)
    page = fill(open_page(LAB), {"checkpoint": COLA, "step": "0.2", "with-control": True})
    press(press(page, HOW_FAR), "Run")
    assert runs.follow_ups == (*others, *judged_beside(wanted)), (
        "the switch that the README asks for stays"
    )


def test_other_presets_fill_in_what_they_name(runs: Runs) -> None:
    page = fill(open_page(LAB), {"method": "wanda"})
    press(press(press(page, "The published experiment"), "Quick look"), "Run")
    assert runs.requests == [replace(DEFAULT, num_examples=64, scope="all-linear", amounts=FIFTHS)]
    assert address(page)["reduction"] == "tokens"
