"""The page of a whole grid, and choosing among many results on the other pages."""

import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import PrunescopeError
from core.findings.grid import GridRow, grid_rows
from core.results import extract, library
from core.results.schema import SweepResult
from core.results.store import save
from core.wall import reading
from core.wall.reading import Question
from tests.builders import against, declining, made_by_recipe, make_result, ship, with_own_key
from tests.opened import address, box, open_page, told
from ui.grid import OPENED, grid_of
from ui.view_state import ANY

PAGE = "pages/grid.py"
SMALL = {"num_layers": 2, "amounts": (0.0, 0.02, 0.04, 0.06, 0.5), "num_examples": 64}


def named(name: str, **settings: object) -> SweepResult:
    """A result of a checkpoint of that name."""
    result = make_result(**{**SMALL, **settings})
    return with_own_key(result, checkpoint=result.checkpoint.model_copy(update={"id": name, "revision": name}))


def methods(name: str) -> list[SweepResult]:
    """Two methods of a checkpoint, of which one differs from its random controls, and these controls."""
    return [
        named(name, own_cka=declining(0.7)),
        named(name, method="attribution", scope=None),
        *(named(name, method="random", seed=seed, own_cka=declining(0.5 + seed / 1000)) for seed in range(5)),
    ]


FIRST, *_ = MANY = [result for name in ("tiny-a", "tiny-b", "tiny-c", "tiny-<d>") for result in methods(name)]


@pytest.fixture
def many(shipped: Path) -> None:
    """28 results in the visitor's folder, beside three shipped ones."""
    ship(shipped, make_result(**SMALL), make_result(**SMALL, task="cola"), make_result(**SMALL, method="wanda"))
    for result in MANY:
        save(result)


def tables(app: AppTest) -> str:
    """What the grid's component was given."""
    (component,) = (found.proto for found in app.get("bidi_component") if found.proto.component_name.endswith("_grid"))
    html: str = json.loads(component.json)["html"]
    return html


def title(app: AppTest) -> str:
    return app.title[0].value.replace("\\", "")


def words_of_verdicts(app: AppTest) -> list[str]:
    return re.findall(r'class="state"[^>]*>([^<]+)<', tables(app))


def test_it_shows_all_verdicts_and_curves_of_ones_own_folder(many: None) -> None:
    app = open_page(PAGE)
    assert title(app) == "Of 8 verdicts: 4 steeper than chance and 4 cannot be told"
    assert words_of_verdicts(app) == ["steeper"] * 4 + ["cannot be told"] * 4
    assert "Cannot be told: 4 × no control." in tables(app)
    assert tables(app).count('href="layers?result=') == tables(app).count('href="./?result=') == 8
    assert f'href="layers?result={FIRST.key}"' in tables(app)
    assert tables(app).count('<path class="ghost" d="M') == 4 + 1, "and one that explains them"
    assert "tiny-&lt;d&gt;" in tables(app)
    assert "tiny-<d>" not in tables(app)


def test_the_shipped_results_are_a_choice_away(many: None) -> None:
    app = open_page(PAGE)
    box(app, "results").set_value("shipped").run()
    assert address(app)["results"] == "shipped"
    assert len(words_of_verdicts(app)) == 3


def test_a_filter_narrows_what_is_shown(many: None) -> None:
    app = open_page(PAGE, method="magnitude")
    assert title(app) == "Of 4 verdicts: 4 steeper than chance"
    box(app, "method").set_value("attribution").run()
    assert title(app) == "Of 4 verdicts: 4 cannot be told"


def test_after_one_file_was_added_that_one_is_read(many: None, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def read_all(questions: Sequence[Question]) -> Iterator[str | PrunescopeError]:
        read.extend(path for question in questions for path in question.paths)
        return reading.read_all(questions)

    for page in (PAGE, "app.py"):
        open_page(page)
    monkeypatch.setattr(extract, "read_all", read_all)
    open_page(PAGE)
    assert read == []
    added = save(named("tiny-c", method="wanda"))
    assert len(words_of_verdicts(open_page(PAGE))) == 9
    open_page("app.py")
    assert read == [str(added)]


def test_visitors_who_come_at_once_read_it_once(many: None, monkeypatch: pytest.MonkeyPatch) -> None:
    second_has_come, read = Event(), list[int]()

    def rows(results: list[SweepResult]) -> list[GridRow]:
        read.append(len(results))
        second_has_come.wait(0.2)  # time for a second reader to begin as well
        return grid_rows(results)

    monkeypatch.setattr("ui.grid.grid_rows", rows)
    entries = library.own()
    with ThreadPoolExecutor(2) as visitors:
        list(visitors.map(lambda _: grid_of(entries, [entry.key for entry in entries]), range(2)))
    assert read == [7, 7, 7, 7]


def test_a_click_opens_the_result_on_its_page(many: None) -> None:
    app = open_page(PAGE)
    app.session_state[OPENED] = f"layers?result={FIRST.key}"
    app.run()
    assert not app.exception
    assert address(app)["result"] == FIRST.key
    assert app.get("bidi_component")[0].proto.component_name.endswith("player")


@pytest.mark.parametrize("opened", ["https://elsewhere", "layers", ""])
def test_what_else_a_browser_sends_opens_nothing(many: None, opened: str) -> None:
    app = open_page(PAGE)
    app.session_state[OPENED] = opened
    assert tables(app.run())


def test_hosted_a_visitor_sees_the_shipped_ones_alone(many: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    app = open_page(PAGE)
    assert box(app, "results").options == ["Shipped with Prunescope"]
    assert "tiny-" not in tables(app)


def test_results_against_another_checkpoint_alone_make_no_grid(shipped: Path) -> None:
    save(against(make_result(num_layers=3), 3))
    assert title(open_page(PAGE)) == "No grid yet"


# ---------------------------------------------------------------- choosing among many


def test_words_find_results_whatever_the_boxes_say(many: None) -> None:
    app = open_page("pages/layers.py", result=FIRST.key)
    assert box(app, "checkpoint").value == "tiny-a"
    everything = len(box(app, "result").options)
    app.text_input(key="search").set_value("tiny-B random").run()
    assert [box(app, name).value for name in ("task", "data")] == [ANY] * 2
    assert len(box(app, "result").options) == 5 + 1, "five seeds, and the result on show"
    assert address(app)["search"] == "tiny-B random"
    assert address(app)["result"] == FIRST.key
    app.text_input(key="search").set_value("nowhere").run()
    assert "No result has these words in its name." in told(app)
    box(app, "method").set_value("attribution").run()
    assert not app.exception, "what no result passes gives way to what was chosen last"
    assert "search" not in address(app)
    assert {entry.key: entry.method for entry in library.own()}[address(app)["result"]] == "attribution"
    box(app, "method").set_value(ANY).run()
    app.text_input(key="search").set_value("").run()
    assert len(box(app, "result").options) == everything


def test_a_method_or_checkpoint_puts_its_results_on_show(many: None) -> None:
    app = open_page("pages/layers.py", result=FIRST.key)
    box(app, "method").set_value("attribution").run()
    shown = address(app)["result"]
    assert {entry.key: entry.method for entry in library.own()}[shown] == "attribution"
    assert address(app)["method"] == "attribution"
    box(app, "checkpoint").set_value("tiny-c").run()
    shown = next(entry for entry in library.own() if entry.key == address(app)["result"])
    assert (shown.checkpoint, shown.method) == ("tiny-c", "attribution")


def test_few_results_need_no_search(shipped: Path) -> None:
    ship(shipped, make_result(**SMALL), make_result(**SMALL, task="cola"))
    app = open_page("pages/layers.py")
    assert not app.text_input
    assert [one.label for one in app.selectbox[:3]] == ["Task", "Examples", "Result"]


@pytest.mark.parametrize("seeds", [1, 2])
def test_checkpoints_that_differ_only_in_the_seed_have_a_table(shipped: Path, seeds: int) -> None:
    for seed in range(seeds):
        for result in methods("tiny"):
            save(with_own_key(result, checkpoint=made_by_recipe(result.checkpoint, "minilm-l6-sst2", seed)))
    app = open_page(PAGE, results="own")
    words = "The same method on checkpoints that differ only in the seed"
    assert (words in [found.value for found in app.subheader]) == (seeds > 1)
    assert ("MiniLM-L6, fine-tuned on SST-2, 2 seeds" in told(app)) == (seeds > 1)


def test_the_id_of_a_foreign_checkpoint_is_text(shipped: Path) -> None:
    for seed in range(2):
        for result in methods("tiny"):
            checkpoint = result.checkpoint.model_copy(
                update={"id": f"recipe:![x](//y)-seed-{seed}", "source": "folder"}
            )
            save(with_own_key(result, checkpoint=checkpoint.model_copy(update={"revision": f"{seed:064}"})))
    words = "".join(text.value for text in open_page(PAGE, results="own").markdown)
    assert "x\\](//y), 2 seeds" in words
