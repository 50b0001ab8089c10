"""What one visitor's page has drawn, the next one's shows: nothing is drawn twice, and no other choice is left out."""

from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from cachetools import LRUCache

from core.charts.view import View
from core.jobs.queue import JobQueue
from tests.builders import declining, make_result, ship
from tests.opened import open_page
from ui import shared
from ui.header import PAGES

SMALL = {"num_layers": 3, "amounts": (0.0, 0.3, 0.6, 0.9), "num_examples": 80}
MAGNITUDE = make_result(**SMALL, own_cka=declining(0.7))
WANDA = make_result(**SMALL, method="wanda")
CONTROL = make_result(**SMALL, method="random", seed=1)
COLA = make_result(**SMALL, task="cola")
SHIPPED = (MAGNITUDE, WANDA, COLA)


@pytest.fixture(autouse=True)
def nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_answers", LRUCache(shared.MOST_BYTES, getsizeof=itemgetter(1)))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[View]:
    """The pictures that were made."""
    views: list[View] = []
    make = View.__init__

    def made(view: View, *arguments: Any, **options: Any) -> None:
        make(view, *arguments, **options)
        views.append(view)

    monkeypatch.setattr(View, "__init__", made)
    return views


@pytest.mark.parametrize("name", [name for name in PAGES if name not in ("Methods", "Grid")])
def test_for_a_second_visitor_no_picture_is_made_again(
    name: str, shipped: Path, drawn: list[View], queue: JobQueue
) -> None:
    ship(shipped, *SHIPPED)
    open_page(PAGES[name])
    made = len(drawn)
    assert made > 0
    open_page(PAGES[name])
    assert len(drawn) == made


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("Overview", {"result": WANDA.key}),
        ("Overview", {"reduction": "cls"}),
        ("Layers", {"layer": "1"}),
        ("Layers", {"threshold": "0.8"}),
        ("Layers", {"measure": "partial_cka"}),
        ("Compare", {"other": COLA.key}),
        ("Compare", {"axis": "damage"}),
        ("Compare", {"reduction": "tokens"}),
        ("Present", {"result": COLA.key}),
        ("Sentences", {"flips": "flips"}),
    ],
)
def test_another_choice_is_drawn_anew(
    name: str, choices: dict[str, str], shipped: Path, drawn: list[View], queue: JobQueue
) -> None:
    ship(shipped, *SHIPPED)
    open_page(PAGES[name], result=MAGNITUDE.key)
    made = len(drawn)
    open_page(PAGES[name], **{"result": MAGNITUDE.key, **choices})
    assert len(drawn) > made


@pytest.mark.parametrize("name", ["Overview", "Layers"])
def test_a_control_that_has_come_to_hand_is_drawn(name: str, shipped: Path, drawn: list[View]) -> None:
    ship(shipped, *SHIPPED)
    open_page(PAGES[name], result=MAGNITUDE.key)
    made = len(drawn)
    ship(shipped, *SHIPPED, CONTROL)
    open_page(PAGES[name], result=MAGNITUDE.key)
    assert len(drawn) > made
