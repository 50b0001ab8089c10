"""Any use of any widget, and any address: no exception, and the result on show stays."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.jobs.queue import JobQueue
from core.request.sweep_request import MAX_CHARACTERS
from tests.builders import make_result, ship
from tests.opened import SCRIPTS, address, open_page
from tests.pages.test_sentences import on_written
from tests.queues import RESULT
from tests.studies import make_recovery, make_study

Act = Callable[[Any], object]

NASTY = (
    "<img src=x onerror=alert(1)> **b** [l](http://x.y) $x$",
    "",
    "0.5, nonsense",
    "ü" * 5_000,
)
FILES = cycle((b"", b"text,label\nx,1\n", b"{", b"\xff\xfe\x00"))
BAD = ("-1", "1e999", "nan", "<b>x</b>%00" * 500)
PARAMETERS = (  # of an address, each with few valid values
    *(
        "result",
        "other",
        "job",
        "reduction",
        "amount",
        "metric",
        "axis",
        "results",
        "task",
        "checkpoint",
        "examples",
    ),
    *("study", "recovery", "most", "keep", "layer", "threshold"),
    *("flips", "label", "through", "title", "caption", "unknown"),
)
MANY = 9  # options, which then differ in the task or the place of the checkpoint alone
PANEL = re.compile(
    "prunescope-|export-(amount|write)"
)  # widgets of all panels of downloads, used on one page
WIDGETS = {
    "Methods": 0,
    "Cut": 18,
    "All results": 1,
    "Lab": 31,
}  # the least number besides; elsewhere 6
MAY_SHOW_ANOTHER = re.compile(  # widgets that put another result on show
    "choose-(task|checkpoint|examples|result|other)|another-depth|written-examples|upload"
    "|lab-(run-now|again|control|deleted)"
)
SMALL = (0.0, 0.3, 0.6, 0.9)
SST2, COLA, RANDOM = (
    make_result(task=task, method=method, amounts=SMALL, num_examples=100)
    for task, method in (
        ("sst2", "magnitude"),
        ("cola", "magnitude"),
        ("sst2", "random"),
    )
)
PARTICULAR = re.compile(  # the end of a key that differs between results, headings or checkpoints
    r"-[0-9a-f]{64}.*|\.\d+$|(?<=-title)-.*|(?<=-frame)-\d+"
    r"|(?<=lab-task-embedded:)(?!messages).*|(?<=lab-task-)(yoshitomo-matsubara|textattack)/.*"
    r"|(?<=^prunescope).*(?=-\w+$)",  # in the name of a file
    re.DOTALL,
)


class Label(str):
    """An option's words, as the browser sends them; the page must not format them again."""

    def __format__(self, _: str) -> str:
        raise TypeError


def option_acts(widget: Any) -> list[Act]:
    """Return acts that choose every option, or every third of many, the chosen one first."""
    first = getattr(widget, "index", None) or 0
    options = (*widget.options[first:], *widget.options[:first])[
        :: 1 if len(widget.options) < MANY else 3
    ]
    labels = [Label(option) for option in (*options, widget.options[first])]
    return [
        lambda box, label=label: label in box.options and box.set_value(label) for label in labels
    ]


def value_acts(
    values: Callable[[Any], Iterable[object]],
) -> Callable[[Any], list[Act]]:
    return lambda widget: [
        lambda field, value=value: field.set_value(value) for value in values(widget)
    ]


def text_acts(widget: Any) -> list[Act]:
    """Return acts that type text; its length is bounded, since the server keeps it."""
    assert 0 < widget.max_chars <= MAX_CHARACTERS
    return value_acts(lambda _: NASTY)(widget)


ACTS: dict[str, Callable[[Any], list[Act]]] = {
    "selectbox": option_acts,
    "button_group": option_acts,
    "file_uploader": value_acts(  # of every allowed kind; the browser sends no others
        lambda widget: [(f"file{end}", next(FILES), "text/plain") for end in widget.allowed_type]
    ),
    "slider": value_acts(lambda widget: (widget.max, widget.min)),
    "text_input": text_acts,
    "text_area": text_acts,
    "number_input": value_acts(lambda widget: (widget.max, widget.min)),
    "toggle": value_acts(lambda widget: (True, False)),
    "button": lambda widget: [lambda button: button.click()],
}


def widgets(app: AppTest) -> Iterator[tuple[str, str, Any]]:
    """Yield every usable widget with its kind and identity, which is the same for all results."""
    for kind in ACTS:
        for widget in app.get(kind):
            if not getattr(widget, "disabled", False):
                yield (
                    kind,
                    PARTICULAR.sub("", widget.key or widget.label),
                    widget,
                )


@pytest.fixture(scope="module")
def five_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of shipped results, to which no page writes."""
    folder = tmp_path_factory.mktemp("shipped") / "results"
    trained = make_study(task="cola", num_layers=6), make_recovery()
    ship(folder, SST2, COLA, RANDOM, on_written(amounts=SMALL), RESULT, *trained)
    return folder


@pytest.fixture
def somewhere(
    five_results: Path,
    monkeypatch: pytest.MonkeyPatch,
    queue: JobQueue,
    unfolded: None,
) -> None:
    """Serve five results, with a worker without a model and exports without content."""
    monkeypatch.setattr("core.results.store.SHIPPED_RESULTS", five_results)
    for write in (
        "draw",
        "player_page",
        "story_page",
        "numbers_csv",
        "shown_csv",
    ):  # at every run, in open panels
        monkeypatch.setattr(f"ui.exports.{write}", lambda *_, **__: b"file")


def drive(app: AppTest, driven: set[str]) -> None:
    """Use every widget in every way, and new ones as soon as they appear; note their identities."""
    while fresh := next((entry for entry in widgets(app) if entry[1] not in driven), None):
        kind, identity, first = fresh
        driven.add(identity)
        for act in ACTS[kind](first):
            widget = next(
                (widget for _, key, widget in widgets(app) if key == identity),
                None,
            )
            if widget is None:
                break
            before = address(app)
            act(widget)
            app.run()
            assert not app.exception, (identity, app.exception)
            if not MAY_SHOW_ANOTHER.fullmatch(identity) and "job" not in before:
                assert on_show(address(app)) == on_show(before), identity
            drive(app, driven)


def on_show(parameters: dict[str, str]) -> list[str | None]:
    return [parameters.get(name) for name in ("result", "other")]


@pytest.fixture(scope="module")
def panels() -> set[str]:
    """The widgets of panels that a page before has used."""
    return set()


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_widget_can_be_used_in_every_way(
    somewhere: None, panels: set[str], name: str
) -> None:
    used = panels.copy()
    driven = panels.copy()
    query = (
        {} if name == "Lab" else {"result": COLA.key}
    )  # not the default; the Lab begins with its settings
    app = open_page(SCRIPTS[name], **query)
    assert address(app).items() >= query.items()
    drive(app, driven)
    panels |= {*filter(PANEL.match, driven)}
    assert len(driven - used) >= WIDGETS.get(name, 6), sorted(driven)


@pytest.mark.parametrize(("place", "name"), enumerate(SCRIPTS))
def test_no_address_breaks_a_page_and_invalid_values_are_reported(
    somewhere: None, place: int, name: str
) -> None:
    for first in (
        place,
        place + 2,
    ):  # half of the values here, the others on the next page
        app = open_page(
            SCRIPTS[name],
            **dict(zip(PARAMETERS, islice(cycle(BAD), first, None), strict=False)),
        )
        assert app.title or app.get("bidi_component")
        notes = [note.value for note in (*app.info, *app.error)]
        assert notes or name == "Methods"
        assert not [note for note in notes if "<" in note.replace("\\<", "")]
