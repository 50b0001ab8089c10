"""The page of all results."""

from pathlib import Path

import pytest
from pydantic_core import to_json
from streamlit.testing.v1 import AppTest

from benchmarks.pooled import pool
from core.findings import pooled
from core.findings.words.verdict import STATES
from core.results.schema import SweepResult
from core.results.store import save
from tests.builders import declining, make_result, ship, with_own_key
from tests.core.findings.made import around, judged, network
from tests.opened import address, box, open_page, players, prose

PAGE = "pages/grid.py"
SMALL = {
    "num_layers": 2,
    "amounts": (0.0, 0.02, 0.04, 0.06, 0.5),
    "num_examples": 64,
}


def named(name: str, **settings: object) -> SweepResult:
    """Build the result of a checkpoint of that name."""
    result = make_result(**{**SMALL, **settings})
    place = {"id": name, "revision": name, "source": "folder"}
    return with_own_key(result, checkpoint=result.checkpoint.model_copy(update=place))


def methods(name: str) -> list[SweepResult]:
    """Build results of two methods, and the random controls of the first."""
    return [
        named(name, own_cka=declining(0.7)),
        named(name, method="attribution", scope=None),
        *(
            named(
                name,
                method="random",
                seed=seed,
                own_cka=declining(0.5 + seed / 1000),
            )
            for seed in range(5)
        ),
    ]


FIRST, *_ = MANY = [
    result for name in ("tiny-a", "tiny-b", "tiny-c", "tiny-<d>") for result in methods(name)
]


@pytest.fixture
def many(shipped: Path) -> None:
    """28 results in the visitor's folder, and three shipped ones."""
    ship(
        shipped,
        make_result(**SMALL),
        make_result(**SMALL, task="cola"),
        make_result(**SMALL, method="wanda"),
    )
    for result in MANY:
        save(result)


def rows(app: AppTest) -> list[dict[str, str]]:
    """Return the table of results."""
    return app.dataframe[0].value.to_dict("records")


def test_it_shows_all_verdicts_of_ones_own_folder_or_shipped(
    many: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(PAGE, results="own")
    assert f"Of 8 verdicts: 4 {STATES['steeper']} and 4 inconclusive" in prose(app)
    inconclusive = "inconclusive (no control; random removal may decide it)"
    assert [row["Verdict"] for row in rows(app)] == [
        inconclusive,
        STATES["steeper"],
    ] * 4
    pages = {"Story": "./?scene=3&", "Layers": "./layers?"}
    assert (
        rows(app)[3].items()
        >= {name: f"{page}result={FIRST.key}" for name, page in pages.items()}.items()
    )
    box(app, "results").set_value("shipped").run()
    assert address(app) == {"results": "shipped"}
    assert {row["Verdict"] for row in rows(app)} == {"–"}, "none has a random control"
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    assert "choose-results" not in {widget.key for widget in open_page(PAGE).selectbox}, (
        "others' are not listed"
    )


def test_layers_pruned_alone_are_left_out_unless_asked_for(
    shipped: Path,
) -> None:
    ship(
        shipped,
        make_result(**SMALL),
        *(make_result(**SMALL, scope=f"layer:{k}", points="layer") for k in (0, 1)),
    )
    assert [len(rows(open_page(PAGE, **query))) for query in ({}, {"alone": "shown"})] == [1, 3]


def test_it_opens_with_what_all_shipped_checkpoints_say(shipped: Path) -> None:
    shelves = [[network(0.71, task=task), *around(0.7, task=task)] for task in ("sst2", "cola")]
    ship(shipped, *(result for shelf in shelves for result in shelf))
    (shipped.parent / pooled.FILE).write_bytes(to_json(pool(judged(*shelves))))
    app = open_page(PAGE)
    assert (
        "the upper layers change most under pruning, also when weights go at random"
        in app.title[0].value
    )
    rows = players(app)[0]["views"]["forest-1"]["datasets"]["forest"]
    assert [row["pooled"] for row in rows] == [False, False, True]
