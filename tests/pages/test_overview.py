"""The Overview without a browser: what it says, and what it says when there is nothing to say."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.results.schema import SweepResult
from core.results.statistics import WorkingRangeRecord
from core.results.store import save
from tests.builders import make_result, ship, with_own_key
from tests.opened import address, box, falls_at, links, open_page, players, told

PAGE = "app.py"
FINDING = {"stack", "heatmap", "accuracy"}
LEFT_AND_RIGHT = (("left", "cells"), ("right", "cells"))
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


def falling(amount: float, layer: int, layers: int) -> float:
    """Own CKA of 0.9 at amount 0.9 in the first layer, at 0.8 in the second, and so on."""
    return 1 - 0.1 * amount / (0.9 - 0.1 * layer)


def working_to(result: SweepResult, to: float) -> SweepResult:
    record = WorkingRangeRecord(
        to=to, metric="accuracy", examples=200, shown_broken_from=None, smallest_drop=0.1, lead=0.4, reason=None
    )
    return with_own_key(result, working_range=record)


def test_the_heading_is_the_finding_and_the_line_below_holds_accuracy_against_representation(shipped: Path) -> None:
    course = {"own_cka": falling, "accuracy": lambda amount: 0.9 - amount / 10}
    result = working_to(make_result(**course), 0.5)
    controls = [make_result(method="random", seed=seed, **course) for seed in range(5)]
    ship(shipped, result, *controls)
    app = open_page(PAGE)
    assert [title.value for title in app.title] == [
        "Magnitude pruning changes the upper layers most; random removal does about the same."
    ]
    assert "though layer 6 has fallen below 0.9 by then (similarity down to 0.88)." in told(app)
    assert (
        "As by chance: under magnitude pruning of the encoder, 62 % of an overall change of 0.05 lies in the upper "
        "half of the layers, and 62 % under random removal at the same overall change (5 seeds)." in told(app)
    )
    (data,) = players(app)
    assert (data["autoplay"], len(data["frames"])) == (True, 20)
    assert set(data["views"]) == FINDING
    assert "| 0.000 ± 0.000 |" in told(app), "the same numbers"


def test_other_checkpoints_are_summed_up_where_there_are_any(shipped: Path) -> None:
    heading = "Does it hold for other checkpoints?"
    sst2, cola = (
        [make_result(task=task), *(make_result(task=task, method="random", seed=seed) for seed in range(5))]
        for task in ("sst2", "cola")
    )
    ship(shipped, *sst2)
    assert heading not in [found.value for found in open_page(PAGE).subheader]
    ship(shipped, *sst2, *cola)
    app = open_page(PAGE)
    assert heading in [found.value for found in app.subheader]
    assert "changes most on all 2 checkpoints with 6 layers: 98 % of an overall change of 0.05 lies there" in told(app)
    assert "MiniLM-L6, fine-tuned on CoLA | 6 | 98 % | 98 % ± 0 | as by chance" in told(app)


def test_the_stack_has_the_numbers_of_the_result_and_of_its_control(shipped: Path) -> None:
    result = make_result(own_cka=falling)
    controls = [make_result(method="random", seed=seed, own_cka=falling) for seed in range(5)]
    ship(shipped, result, *controls)
    stack = players(open_page(PAGE))[0]["views"]["stack"]["datasets"]["stack"]
    for k, row in enumerate(stack):
        expected = [falling(frame.amount, k, 6) for frame in result.frames]
        assert row["v"] == pytest.approx(expected, abs=1e-6)
        assert row["chance"] == pytest.approx(expected, abs=1e-6), "it changes the layers as much at the same amounts"
        assert row["words"].startswith(f"intact up to {90 - 10 * k} %")


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
    assert not second["autoplay"]
    assert (
        "MiniLM-L6, fine-tuned on SST-2 · MiniLM-L6, fine-tuned on CoLA · Magnitude pruning of the encoder · Mean over "
        "tokens" in told(app)
    )
    assert (
        "Magnitude pruning changes the upper layers most; whether random removal does the same cannot be told here."
        in told(app)
    ), "without a control, of neither"
    for result, beside in ((wanda[0], 0.7), (alone, 0.9), (written, 0.9)):
        app = open_page(PAGE, result=result.key)
        assert accuracies(app, 1) == [beside, beside]


def depths(app: AppTest) -> list[int]:
    """How many layers the first figure and both sides of the pair have."""
    stack, pair = (data["views"] for data in players(app))
    sides = [round(len(pair[side]["datasets"][name]) ** 0.5) for side, name in LEFT_AND_RIGHT]
    return [len(stack["stack"]["datasets"]["stack"]), *sides]


def test_it_opens_on_the_deepest_pair_whose_sides_have_equally_many_layers(shipped: Path, tmp_path: Path) -> None:
    shallow, (deep_cola, deep_sst2) = pair("magnitude"), pair("magnitude", num_layers=12)
    deeper = make_result(num_layers=24, method="magnitude")  # there is none for CoLA
    ship(shipped, *shallow, deep_sst2, deeper)
    assert depths(open_page(PAGE)) == [6, 6, 6]
    ship(shipped, *shallow, deep_cola, deep_sst2, deeper)
    app = open_page(PAGE)
    assert depths(app) == [12, 12, 12]
    assert address(app)["result"] == deep_sst2.key
    for result in (deeper, make_result(task="cola", num_layers=24)):
        save(result, tmp_path / "own")
    ship(shipped, *shallow)
    assert depths(open_page(PAGE)) == [6, 6, 6], "the visitor's own do not replace what is shipped"


def test_any_result_is_shown_in_the_first_figure_and_chosen_also_by_address(shipped: Path) -> None:
    deep = make_result(num_layers=12, accuracy=lambda amount: 0.8)
    cola, sst2 = pair("wanda", accuracy=lambda amount: 0.7)
    ship(shipped, *pair("magnitude"), cola, sst2, deep)
    app = open_page(PAGE)
    assert accuracies(app) == [0.9]
    for result, accuracy, layers in ((sst2, 0.7, 6), (deep, 0.8, 12)):
        for shown in (box(app, "result").set_value(result.key).run(), open_page(PAGE, result=result.key)):
            assert accuracies(shown) == [accuracy]
            assert len(players(shown)[0]["views"]["stack"]["datasets"]["stack"]) == layers
            assert address(shown)["result"] == result.key
    assert accuracies(open_page(PAGE, result=cola.key)) == [0.7]


def test_the_settings_stand_in_one_caption(shipped: Path) -> None:
    ship(shipped, *pair("magnitude"))
    assert (
        "MiniLM-L6, fine-tuned on SST-2 · 200 examples of SST-2 validation, GLUE · Magnitude pruning of the encoder · "
        "Mean over tokens" in told(open_page(PAGE))
    )
    assert "· First token" in told(open_page(PAGE, reduction="cls"))


def test_the_finding_follows_the_reduction(shipped: Path) -> None:
    result = make_result()
    ship(shipped, result)
    app = open_page(PAGE)
    for reduction in ("cls", "tokens", "mean"):
        box(app, "reduction").set_value(reduction).run()
        for layer in (0, 5):
            falls = falls_at(shipped / f"{result.key}.json", reduction, layer)
            falls = falls.replace("the last amount measured,", ">")
            assert f"| Layer {layer + 1}, attention block | {falls} |" in told(app)


def test_a_damaged_side_is_told_and_the_other_one_shown(shipped: Path) -> None:
    cola, sst2 = pair("magnitude")
    ship(shipped, cola, sst2)
    path = shipped / f"{cola.key}.json"
    path.write_text(path.read_text().replace("0.9", "0.8", 1))
    app = open_page(PAGE)
    (error,) = app.error
    assert "checksum" in error.value
    assert views(app) == [FINDING]
    assert "200 examples of SST-2 validation, GLUE" in told(app)
    app = open_page(PAGE, result=cola.key)
    assert app.error
    assert app.title[0].value


def test_isolated_pruning_is_not_called_cumulative(shipped: Path) -> None:
    for scope, cumulative in (("encoder", True), ("layer:1", False)):
        ship(shipped, make_result(scope=scope))
        app = open_page(PAGE)
        assert ("reflects the pruning of every layer below it" in told(app)) == cumulative
    assert app.title[0].value == "Magnitude pruning of layer 2 alone can change only that layer and those above it."


def test_one_button_leads_to_the_visitor_s_own_model(shipped: Path) -> None:
    ship(shipped, make_result(), make_result(task="cola"))
    for result in (make_result(), make_result(task="cola")):
        assert links(open_page(PAGE, result=result.key))["Try your own model"] == "own=model", "no result is in the way"


def test_the_curve_shows_any_metric_of_the_result(shipped: Path) -> None:
    whole = make_result(task="qqp", num_layers=2, amounts=(0.0, 0.5))
    frames = tuple(
        frame.model_copy(
            update={
                "metrics": {"accuracy": 0.8, "matthews_correlation": 0.6, "f1": 0.7},
                "intervals": dict.fromkeys(("accuracy", "matthews_correlation", "f1")),
            }
        )
        for frame in whole.frames
    )
    ship(shipped, result := with_own_key(whole, frames=frames))
    app = open_page(PAGE, result=result.key)
    curve = app.button_group(key="choose-metric")
    assert curve.options == ["Accuracy", "Matthews correlation", "F1"]
    curve.set_value("f1").run()
    assert accuracies(app) == [0.7]
    assert any("always positive: " in str(view["datasets"]) for view in players(app)[0]["views"].values())
