"""The Overview without a browser: what it says, and what stands beside it."""

from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from core.findings import pooled
from core.results.library import entry_of
from core.results.schema import SweepResult
from core.results.statistics import WorkingRangeRecord
from core.results.store import save
from tests.builders import make_result, ship, with_own_key, with_own_labels
from tests.core.findings.made import around, judged, network
from tests.opened import box, links, open_page, players, told
from ui.view_state import published_pair

PAGE = "app.py"
FINDING = {"stack", "heatmap", "accuracy"}
PAIR = {"left", "right", "left-accuracy", "right-accuracy"}


def views(app: AppTest) -> list[set[str]]:
    """The names of the pictures of each player."""
    return [set(data["views"]) for data in players(app)]


def accuracies(app: AppTest, figure: int = 0) -> list[float]:
    """Unpruned, of every accuracy curve of a figure."""
    datasets = [rows for view in players(app)[figure]["views"].values() for rows in view["datasets"].values()]
    return [rows[0]["value"] for rows in datasets if rows and {"k", "value"} <= rows[0].keys()]


def pair(method: str, **others: Any) -> list[SweepResult]:
    return [make_result(task=task, method=method, **others) for task in ("cola", "sst2")]


def controls(task: str, **others: Any) -> list[SweepResult]:
    return [make_result(task=task, method="random", seed=seed, **others) for seed in range(5)]


def falling(amount: float, layer: int, layers: int) -> float:
    """Own CKA of 0.9 at amount 0.9 in the first layer, at 0.8 in the second, and so on."""
    return 1 - 0.1 * amount / (0.9 - 0.1 * layer)


def test_the_finding_its_numbers_and_its_control(shipped: Path) -> None:
    course = {"own_cka": falling, "accuracy": lambda amount: 0.9 - amount / 10}
    known = WorkingRangeRecord(
        to=0.5, metric="accuracy", examples=200, shown_broken_from=None, smallest_drop=0.1, lead=0.4, reason=None
    )
    result = with_own_key(make_result(**course), working_range=known)
    ship(shipped, result, *controls("sst2", **course))
    app = open_page(PAGE)
    assert [title.value for title in app.title] == [
        "Magnitude pruning changes the upper layers most; random removal does about the same."
    ]
    assert "though layer 6 has fallen below 0.9 by then (similarity down to 0.88)." in told(app)
    assert "and 62 % under random removal at the same overall change (5 seeds)." in told(app)
    (data,) = players(app)
    assert (data["autoplay"], len(data["frames"])) == (True, 20)
    for k, row in enumerate(data["views"]["stack"]["datasets"]["stack"]):
        assert row["words"].startswith(f"intact up to {90 - 10 * k} %")
    for reduction in ("cls", "tokens", "mean"):
        box(app, "reduction").set_value(reduction).run()
        assert "| Layer 6, attention block | 40 % |" in told(app)
    assert links(app)["Try your own model"] == "reduction=mean&own=model", "no result is in the way"


def test_other_checkpoints_are_summed_up_where_there_are_any(shipped: Path) -> None:
    ship(shipped, *(one for task in ("sst2", "cola") for one in (make_result(task=task), *controls(task))))
    app = open_page(PAGE)
    assert "changes most on all 2 checkpoints with 6 layers: 98 % of an overall change" in told(app)
    assert "MiniLM-L6, fine-tuned on CoLA | 6 | 98 % | 98 % ± 0 | no different from random removal" in told(app)
    save(with_own_labels(make_result(), ("good", "bad")))
    save(make_result(task="qqp"))
    beside = told(open_page(PAGE))
    assert told(app).split("| Checkpoint")[0] == beside.split("| Checkpoint")[0], "a run of one's own changes no claim"
    assert "| moods (yours) | 6 | 98 % | – | inconclusive: no control |" in beside


def test_a_method_measured_on_both_published_tasks_is_shown_on_them_side_by_side(shipped: Path) -> None:
    written = make_result(source="written")
    wanda = pair("wanda", accuracy=lambda amount: 0.7)
    alone = make_result(method="attribution", scope=None)  # there is none for CoLA
    ship(shipped, written, alone, *pair("magnitude"), *wanda)
    app = open_page(PAGE)
    assert views(app) == [FINDING, PAIR]
    first, second = players(app)
    assert [second["views"][side]["title"] for side in ("left", "right")] == ["SST-2", "CoLA"]
    assert first["group"] != second["group"]
    assert "MiniLM-L6, fine-tuned on SST-2 · MiniLM-L6, fine-tuned on CoLA · Magnitude pruning" in told(app)
    for result, beside in ((wanda[0], 0.7), (alone, 0.9), (written, 0.9)):
        app = open_page(PAGE, result=result.key)
        assert accuracies(app, 1) == [beside, beside]


def test_the_deepest_pair_whose_sides_have_equally_many_layers_is_shown() -> None:
    deep = pair("magnitude", num_layers=12)
    deeper = make_result(num_layers=24, method="magnitude")  # there is none for CoLA
    cola, sst2, *others = map(entry_of, [*deep, *pair("magnitude"), deeper])
    assert published_pair([*others, cola, sst2]) == published_pair([sst2, cola, *others]) == [sst2, cola]


def test_a_damaged_side_is_told_and_the_other_one_shown(shipped: Path) -> None:
    cola, sst2 = pair("magnitude")
    ship(shipped, cola, sst2)
    path = shipped / f"{cola.key}.json"
    path.write_text(path.read_text().replace("0.9", "0.8", 1))
    for asked in ({}, {"result": cola.key}):
        app = open_page(PAGE, **asked)
        assert "checksum" in app.error[0].value
        assert views(app) == [FINDING]
        assert players(app)[0]["link"]["result"] == sst2.key


def test_it_opens_with_what_all_checkpoints_say_of_a_result_that_counts_among_them(shipped: Path) -> None:
    shelves = [[network(0.71, task=task), *around(0.7, task=task)] for task in ("sst2", "cola")]
    own = [network(0.9, task="qqp"), *around(0.7, task="qqp")]
    ship(shipped, *(result for shelf in shelves for result in shelf))
    for result in own:
        save(result)
    pooled.write(pooled.pooled(judged(*shelves)))
    app = open_page(PAGE, result=shelves[0][0].key)
    assert app.title[0].value.startswith("The upper layers change most, on all 2 checkpoints.")
    assert "Accuracy is" in told(app), "what holds for this one stands below its picture"
    assert not open_page(PAGE, result=own[0].key).title[0].value.startswith("The upper layers")
    grid = open_page("pages/grid.py")
    assert grid.title[0].value == app.title[0].value
    (forest,) = players(grid)
    rows = forest["views"]["forest-1"]["datasets"]["forest"]
    assert [row["kind"] for row in rows] == ["cell", "cell", "pooled", "own"], "a mark"
