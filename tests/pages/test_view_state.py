"""The result on show survives links, reloads and choices on every page."""

from pathlib import Path
from unittest.mock import Mock
from urllib.parse import parse_qs

import pytest

from core.jobs.queue import JobQueue
from core.request.limits import is_hosted
from core.request.pages import FIRST_LINE, VIEWS
from core.results.store import save
from tests.builders import make_result, ship
from tests.core.findings.made import around, network
from tests.opened import (
    SCRIPTS,
    address,
    follow,
    links,
    open_page,
    players,
    press,
    prose,
)

SMALL = {"num_layers": 2, "amounts": (0.0, 0.3, 0.6), "num_examples": 20}
CHANGES = ({}, {"task": "cola"}, {"method": "random"}, {"source": "written"})
SST2, *_ = SHIPPED = tuple(make_result(**SMALL, **changes) for changes in CHANGES)
RARE = {**SMALL, "amounts": (0.0, 0.31, 0.62)}  # amounts of no other result
OWN = make_result(**RARE, task="cola", method="wanda")
OTHER = make_result(
    **RARE, task="qnli", method="attribution", scope=None
)  # no page would choose it beside that one
SHOWING = [
    name for name in SCRIPTS if name not in ("Methods", "All results", "Cut", "Recover")
]  # of sweeps


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Four shipped results, and two of the visitor's own; no page writes there."""
    shipped, own = (tmp_path_factory.mktemp(name) / "results" for name in ("shipped", "own"))
    ship(shipped, *SHIPPED)
    for result in (OWN, OTHER):
        save(result, own)
    return shipped, own


@pytest.fixture
def at_hand(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, queue: JobQueue) -> None:
    """These results are available."""
    shipped, own = folders
    monkeypatch.setattr("core.results.store.SHIPPED_RESULTS", shipped)
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(own))


@pytest.fixture(params=["0", "1"], ids=["local", "hosted"])
def anywhere(
    request: pytest.FixtureRequest,
    at_hand: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same on a hosted server, where the two are another visitor's."""
    monkeypatch.setenv("PRUNESCOPE_HOSTED", request.param)


def test_it_goes_through_all_pages_and_links_and_survives_a_reload_of_each(
    anywhere: None,
) -> None:
    query = {"result": OWN.key, "other": OTHER.key, "reduction": "cls"}
    app = open_page(SCRIPTS["Present"], **query)
    for page in SCRIPTS:
        follow(app, page)
        assert address(app) == query
        for tab in (app, open_page(SCRIPTS[page], **query)) if page in SHOWING else ():
            assert [frame["amount"] for frame in players(tab)[0]["frames"]] == list(RARE["amounts"])
            assert address(tab) == query
        queries = [parse_qs(link.proto.query_string) for link in app.get("page_link")]
        others = [link for link in queries if link["result"] != [OWN.key]]
        assert len(queries) - len(others) >= len(FIRST_LINE) + len(VIEWS)
        assert bool(others) == (page == "Lab" and not is_hosted()), "one's own results"
        for link in queries:
            assert link.get("other") == ([OTHER.key] if link not in others else None), (
                "each has its own"
            )


@pytest.mark.parametrize(
    "name", [name for name in SHOWING if name != "Story"]
)  # where it plays in one of its scenes
def test_a_copied_link_holds_all_choices(at_hand: None, name: str) -> None:
    first = players(open_page(SCRIPTS[name], result=OWN.key, other=OTHER.key, amount="0.31"))[0]
    assert first["start"] == 0.31
    assert first["link"].keys() >= {
        "result",
        *{"Layers": {"layer"}, "Compare": {"axis", "other"}}.get(name, ()),
    }
    again = open_page(SCRIPTS[name], **first["link"])
    assert "The link asks for" not in prose(again)
    assert players(again)[0]["title"] == first["title"]


@pytest.mark.parametrize(
    "name",
    [name for name in SCRIPTS if name not in ("Lab", "Methods", "Cut", "Recover")],
)
def test_without_a_result_a_page_leads_to_the_lab(
    name: str, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "core.jobs.queue.queue.start_worker", lambda: None
    )  # `queue` would bring a result
    app = open_page(SCRIPTS[name])
    assert not players(app)
    assert app.title[0].value == "Nothing to show yet"
    assert "Prune a checkpoint in the Lab" in links(app)
    command = "grid" if name == "All results" else "precompute"
    assert app.code[0].value.startswith(f"python -m core.{command} ")
    if name == "Compare":
        ship(shipped, SST2)
        assert "needs two results" in prose(open_page(SCRIPTS[name]))


def test_unclear_verdicts_lead_to_a_remedy(
    shipped: Path, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = (method := network(num_examples=60)), *around(0.7, num_examples=60)
    ship(shipped, *small, drawn := network(0.82), *around(0.7, 4))
    unlikely, likely = (
        open_page(SCRIPTS["Layers"], result=result.key) for result in (drawn, method)
    )
    assert not [button for button in unlikely.button if "Lab:" in button.label], (
        "only other seeds could decide it"
    )
    monkeypatch.setattr("streamlit.switch_page", switch := Mock())
    press(likely, "Decide it in the Lab: more examples")
    settings = open_page(SCRIPTS["Lab"], **switch.call_args.kwargs["query_params"])
    examples = [field.value for field in settings.number_input if field.key == "lab-examples"]
    assert (
        examples,
        settings.toggle[0].value,
        settings.expander[0].proto.expanded,
    ) == (
        [120],
        True,
        True,
    )
