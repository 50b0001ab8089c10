"""The result on show stays on show: through links, reloads and filters, on every page and wherever it comes from."""

import re
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from core.jobs.queue import JobQueue
from core.results.store import save
from tests.builders import make_result, ship
from tests.opened import address, box, follow, links, open_page, players, told
from ui.header import PAGES
from ui.view_state import OWN as OWN_MODEL

SMALL = {"num_layers": 2, "amounts": (0.0, 0.3, 0.6), "num_examples": 20}
SST2, COLA, RANDOM = (
    make_result(**SMALL),
    make_result(**SMALL, task="cola"),
    make_result(**SMALL, method="random"),
)
WRITTEN = make_result(**SMALL, source="written")
SHIPPED = (SST2, COLA, RANDOM, WRITTEN)
RARE = {**SMALL, "amounts": (0.0, 0.31, 0.62)}  # amounts by which the two are known on every page
OWN = make_result(**RARE, task="cola", method="wanda")
OTHER = make_result(**RARE, task="qnli", method="attribution", scope=None)  # nothing would choose it for that one
SHOWING = [name for name in PAGES if name not in ("Methods", "Grid")]  # the pages that show a result


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


@pytest.fixture(params=[False, True], ids=["local", "hosted"])
def anywhere(request: pytest.FixtureRequest, at_hand: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same on a hosted server, where the two are another visitor's."""
    if request.param:
        monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")


def expect_on_show(app: AppTest) -> None:
    """The page shows the visitor's own result, or both of them, by their amounts, and its address says the same."""
    assert [frame["amount"] for frame in player_of(app)["frames"]] == list(RARE["amounts"])
    assert address(app)["result"] == OWN.key
    assert address(app)["other"] == OTHER.key


@pytest.mark.parametrize("name", SHOWING)
def test_it_survives_a_reload(anywhere: None, name: str) -> None:
    app = open_page(PAGES[name], result=OWN.key, other=OTHER.key, reduction="cls")
    expect_on_show(app)
    expect_on_show(open_page(PAGES[name], **address(app)))


def test_it_goes_through_all_pages(anywhere: None) -> None:
    app = open_page(PAGES["Present"], result=OWN.key, other=OTHER.key, reduction="cls")
    for page in PAGES:
        follow(app, page)
        assert address(app) == {"result": OWN.key, "other": OTHER.key, "reduction": "cls"}
        if page in SHOWING:
            expect_on_show(app)


@pytest.mark.parametrize("name", PAGES)
def test_every_link_on_a_page_shows_it(at_hand: None, name: str) -> None:
    app = open_page(PAGES[name], result=OWN.key, other=OTHER.key)
    queries = [parse_qs(link.proto.query_string) for link in app.get("page_link")]
    queries = [query for query in queries if query != {OWN_MODEL: ["model"]}]  # which leads to settings, to no result
    others = [query["result"] for query in queries if query["result"] != [OWN.key]]
    assert len(queries) - len(others) >= len(PAGES)
    assert bool(others) == (name == "Lab"), "only the list of one's own results names others"
    for query in queries:
        assert query.get("other") == ([OTHER.key] if query["result"] == [OWN.key] else None), "each has its own"


@pytest.mark.parametrize("name", SHOWING)
def test_what_a_page_shows_by_itself_is_carried_as_well(at_hand: None, name: str) -> None:
    app = open_page(PAGES[name])
    shown = address(app).get("result")
    assert (shown is None) == (name == "Lab"), "that begins with an example"
    for page in ("Layers", "Compare", "Present"):
        follow(app, page)
        assert address(app)["result"] == (shown or SST2.key)


def test_a_link_to_compare_names_both_so_that_one_step_back_leaves_it(at_hand: None) -> None:
    app = open_page(PAGES["Layers"], result=SST2.key)
    for label in ("Compare", "Compare it with another one"):
        query = links(open_page(PAGES["Overview"], result=SST2.key))[label]
        assert parse_qs(query) == {"result": [SST2.key], "other": [RANDOM.key]}
    assert address(follow(app, "Compare")) == {"result": SST2.key, "other": RANDOM.key}


def test_the_lab_begins_with_its_settings_until_another_result_is_chosen(at_hand: None) -> None:
    app = follow(open_page(PAGES["Layers"]), "Lab")
    assert "result" not in address(app)
    assert player_of(app), "an example"
    app = follow(open_page(PAGES["Layers"], result=COLA.key), "Lab")
    assert address(app)["result"] == COLA.key


@pytest.mark.parametrize("key", ["foo", "<b>x</b>" * 100])
@pytest.mark.parametrize("name", SHOWING)
def test_a_key_that_is_not_stored_is_told_with_what_is_shown_instead(anywhere: None, name: str, key: str) -> None:
    app = open_page(PAGES[name], result=key)
    (note,) = app.info
    named = re.search("“(.*)”, which is not stored here; showing (.+)", re.sub("[\\\\\u2060]", "", note.value))
    assert named
    assert len(named[1]) < 30
    assert key.startswith(named[1].removesuffix("…"))
    instead = "the settings for a new run" if name == "Lab" else "SST-2"
    assert instead in named[2]
    assert address(app).get("result") != key
    assert player_of(app)


def test_a_bad_other_one_is_told_too(at_hand: None) -> None:
    app = open_page(PAGES["Compare"], result=SST2.key, other="foo")
    assert "the result “foo”, which is not stored here; showing" in app.info[0].value
    assert address(app) == {"result": SST2.key, "other": RANDOM.key}


def test_a_damaged_file_is_told_with_its_error(at_hand: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path))
    path = save(OWN)
    path.write_text(path.read_text().replace("0.9", "0.8", 1))
    app = open_page(PAGES["Layers"], result=OWN.key)
    assert "which cannot be read; showing" in app.info[0].value
    assert "checksum" in app.error[0].value
    assert address(app)["result"] == SST2.key


@pytest.mark.parametrize(("asked", "shown"), [("0.52", "31 %"), ("0.9", "62 %")])
@pytest.mark.parametrize("name", SHOWING)
def test_an_amount_that_a_result_lacks_is_told_with_the_one_shown(
    at_hand: None, name: str, asked: str, shown: str
) -> None:
    app = open_page(PAGES[name], result=OWN.key, other=OTHER.key, amount=asked)
    wanted = f"{float(asked):.0%}".replace("%", " %")
    assert f"The link asks for {wanted}, which this result does not have; showing {shown}." in told(app)
    again = open_page(PAGES[name], **address(app))
    assert "The link asks for" not in told(again)
    assert player_of(again)["start"] == player_of(app)["start"] == float(shown.removesuffix(" %")) / 100


def player_of(app: AppTest) -> dict:
    """What the first player of a page was given."""
    return players(app)[0]


# ---------------------------------------------------------------- filters


def test_a_filter_that_contradicts_the_result_is_told_and_gives_way(at_hand: None) -> None:
    app = open_page(PAGES["Layers"], result=OWN.key, task="sst2")
    assert address(app) == {"result": OWN.key}
    assert "the task “sst2”, which is not available here; showing CoLA" in app.info[0].value


def test_only_the_visitor_changes_the_result_by_a_filter(at_hand: None) -> None:
    app = open_page(PAGES["Layers"], result=OWN.key, other=OTHER.key)
    for parameter in ("task", "data"):
        box(app, parameter).set_value("any").run()
        assert address(app)["result"] == OWN.key
        assert address(app)["other"] == OTHER.key
    box(app, "task").set_value("cola").run()
    assert address(app)["result"] == OWN.key, "it passes"
    box(app, "task").set_value("sst2").run()
    assert address(app)["result"] == SST2.key, "the first that passes"
    box(app, "data").set_value("written").run()
    assert address(app)["result"] == WRITTEN.key
    box(app, "task").set_value("cola").run()
    assert address(app) == {"task": "cola", "result": COLA.key}, "no CoLA result is on written examples"


def test_on_compare_another_first_one_leaves_the_second(at_hand: None) -> None:
    app = open_page(PAGES["Compare"], result=OWN.key, other=OTHER.key)
    box(app, "result").set_value(COLA.key).run()
    assert address(app)["other"] == OTHER.key
    box(app, "result").set_value(OTHER.key).run()
    assert address(app)["result"] == OTHER.key
    assert address(app)["other"] not in (OTHER.key, None), "a result is not compared with itself"


def test_elsewhere_another_result_has_another_one_beside_it(at_hand: None) -> None:
    app = open_page(PAGES["Layers"], result=OWN.key, other=OTHER.key)
    box(app, "result").set_value(COLA.key).run()
    assert address(app) == {"result": COLA.key}
    assert address(follow(app, "Compare"))["other"] == OWN.key, "on the same examples"


# ---------------------------------------------------------------- a link to what is shown


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("Overview", {"reduction": "mean"}),
        ("Lab", {"reduction": "mean"}),
        ("Layers", {"reduction": "mean", "threshold": "0.9", "layer": "2"}),
        ("Compare", {"reduction": "mean", "axis": "amount", "other": RANDOM.key}),
        ("Present", {"through": "methods"}),  # the player itself adds the reduction that it shows
        ("Sentences", {"flips": "all"}),
    ],
)
def test_a_copied_link_holds_all_choices_also_the_defaults(
    at_hand: None, name: str, parameters: dict[str, str]
) -> None:
    app = open_page(PAGES[name], result=SST2.key)
    assert player_of(app)["link"].items() >= {"result": SST2.key, **parameters}.items()
    again = open_page(PAGES[name], **player_of(app)["link"])
    assert not again.info
    assert player_of(again)["title"] == player_of(app)["title"]


def test_nothing_but_the_address_remembers(at_hand: None) -> None:
    """A page's own choices stay with it: what a link does not name is not on show there."""
    app = open_page(PAGES["Layers"], result=OWN.key, layer="2", threshold="0.95")
    follow(app, "Compare")
    follow(app, "Layers")
    assert "layer" not in address(app)
    assert "threshold" not in address(app)


# ---------------------------------------------------------------- where there is none, or no control


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Overview", "nothing to show yet"),
        ("Compare", "there is none here"),
        ("Grid", "There is none yet."),
        ("Layers", "There is no result yet."),
        ("Sentences", "There is no result yet"),
        ("Present", "no result to present"),
    ],
)
def test_without_a_result_a_page_leads_to_the_lab(
    name: str, words: str, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.queue.start_worker", lambda: None)  # `queue` would bring a result
    app = open_page(PAGES[name])
    assert words in told(app)
    assert [label for label in links(app) if label.endswith("in the Lab") or label == "To the Lab"]
    assert not app.get("bidi_component")
    commands = {"Overview": "python -m core.precompute --checkpoint embedded:sst2", "Grid": "python -m core.grid"}
    assert [code.value.startswith(commands[name]) for code in app.code] == [True] * (name in commands)
    if name == "Compare":
        ship(shipped, SST2)
        assert "there is only one here" in told(open_page(PAGES[name]))


@pytest.mark.parametrize("seeds", [4, 5])
@pytest.mark.parametrize("name", ["Overview", "Layers", "Compare"])
def test_without_all_seeds_of_its_control_a_method_leads_to_the_lab(name: str, seeds: int, shipped: Path) -> None:
    steps = {**SMALL, "amounts": (0.0, 0.02, 0.04, 0.3)}
    method, *controls = (
        make_result(**steps),
        *(make_result(**steps, method="random", seed=seed, until_damage=0.3) for seed in range(seeds)),
    )
    ship(shipped, method, *controls)
    for first, other in ((method, controls[0]), (controls[0], method))[: 1 + (name == "Compare")]:
        app = open_page(PAGES[name], result=first.key, **({"other": other.key} if name == "Compare" else {}))
        beside = f"&other={other.key}" if name == "Compare" and first is method else ""  # with its own alone
        wanted = f"result={method.key}{beside}" if seeds < 5 else None
        assert links(app).get("Run random control in the Lab") == wanted
