"""The Overview without a browser: what it says, and what it says when there is nothing to say."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.results.schema import SweepResult
from tests.builders import make_result, ship
from tests.opened import address, falls_at, links, open_page, player, told

PAGE = "app.py"


def accuracies(app: AppTest) -> list[float]:
    """Unpruned, of every accuracy curve."""
    datasets = [rows for view in player(app)["views"].values() for rows in view["datasets"].values()]
    return [rows[0]["value"] for rows in datasets if rows and {"k", "value"} <= rows[0].keys()]


def pair(method: str, **others: Any) -> list[SweepResult]:
    return [make_result(task=task, method=method, **others) for task in ("cola", "sst2")]


def falling(amount: float, layer: int, layers: int) -> float:
    """Own CKA of 0.9 at amount 0.9 in the first layer, at 0.8 in the second, and so on."""
    return 1 - 0.1 * amount / (0.9 - 0.1 * layer)


@pytest.mark.parametrize("seeds", [4, 5])
def test_a_method_without_all_seeds_of_its_control_leads_to_the_lab(shipped: Path, seeds: int) -> None:
    result = make_result()
    ship(shipped, result, *(make_result(method="random", seed=seed) for seed in range(seeds)))
    found = links(open_page(PAGE))
    assert found.get("Run its control in the Lab") == (f"result={result.key}" if seeds < 5 else None)


def test_it_opens_with_two_tasks_in_step_and_what_they_say(shipped: Path) -> None:
    course = {"own_cka": falling, "accuracy": lambda amount: 0.9 if amount < 0.42 else 0.5}
    cola, sst2 = pair("magnitude", **course)
    controls = [make_result(method="random", seed=seed, **course) for seed in range(5)]
    ship(shipped, make_result(source="written"), make_result(scope="layer:1"), *controls, cola, sst2)
    app = open_page(PAGE)
    assert app.title[0].value == "What does pruning do to the representations inside a fine-tuned BERT?"
    data = player(app)
    assert (data["layout"]["name"], data["autoplay"], len(data["frames"])) == ("pair", True, 20)
    assert [data["views"][side]["title"] for side in ("left", "right")] == ["SST-2", "CoLA"]
    assert (
        "**Magnitude pruning changes the upper layers most. Compared with random removal: SST-2 as by chance; "
        "CoLA cannot be told.**" in told(app)
    )
    shares = (
        "under magnitude pruning of the encoder, 62 % of an overall change of 0.05 lies in the upper half of the layers"
    )
    at_random = "and 62 % when as many weights are removed at random (5 seeds)."
    assert f"SST-2**: As by chance: {shares}, {at_random}" in told(app)
    assert f"CoLA**: Cannot be told, because no matched random control is at hand: {shares}." in told(app)
    for task in ("SST-2", "CoLA"):
        assert (
            "Under magnitude pruning of the encoder, layer 1 stays intact (similarity ≥ 0.9) up to 90 %, "
            "layer 6 only up to 40 %, and each layer falls earlier than the one below it (MiniLM-L6, fine-tuned "
            f"on {task}; 200 examples of {task} validation, GLUE; mean over tokens)." in told(app)
        )
    assert (
        told(app).count(
            "Accuracy, 0.90 without pruning, stays within the unpruned model's 95 % interval (0.86 to 0.94) up to "
            "40 %; from 45 % on its interval reaches down to the majority class (0.50)."
        )
        == 2
    )
    assert "Difference from the mean of 5 seeds: 0.000 ± 0.000" in told(app), "the same numbers"
    assert told(app).count("Depth gap D over the whole sweep: ") == 2
    assert "Pruning is cumulative" in told(app)
    assert told(app).count("| Layer 1, attention block | 90 % |") == 2


def test_a_control_that_removes_less_leads_to_no_conclusion(shipped: Path) -> None:
    controls = [make_result(method="random", seed=k, prunable_sparsity=lambda amount: amount * 0.8) for k in range(5)]
    ship(shipped, *controls, *pair("magnitude"))
    assert told(open_page(PAGE)).count("Cannot be told, because no matched random control is at hand") == 4


def test_a_result_is_chosen_also_by_address_and_brings_its_other_side(shipped: Path) -> None:
    cola, sst2 = pair("wanda", accuracy=lambda amount: 0.7)
    alone = make_result(method="attribution", scope=None, accuracy=lambda amount: 0.6)  # there is none for CoLA
    ship(shipped, *pair("magnitude"), cola, sst2, alone)
    app = open_page(PAGE)
    assert accuracies(app) == [0.9, 0.9]
    for result, wanted in ((sst2, [0.7, 0.7]), (alone, [0.6])):
        app.selectbox(key="choose-result").set_value(result.key).run()
        assert accuracies(app) == wanted
        assert address(app)["result"] == result.key
        assert accuracies(open_page(PAGE, result=result.key)) == wanted


def test_the_finding_follows_the_reduction(shipped: Path) -> None:
    results = pair("magnitude")
    ship(shipped, *results)
    app = open_page(PAGE)
    for reduction in ("cls", "tokens", "mean"):
        app.button_group(key="choose-reduction").set_value(reduction).run()
        for result in results:
            first, last = (falls_at(shipped / f"{result.key}.json", reduction, layer) for layer in (0, 5))
            assert f"(similarity ≥ 0.9) up to {first}, layer 6 only up to {last}, " in told(app)


def test_an_amount_in_the_address_is_shown_first(shipped: Path) -> None:
    ship(shipped, *pair("magnitude"))
    assert player(open_page(PAGE, amount="0.5"))["start"] == 0.5


@pytest.mark.parametrize("parameter", ["result", "task", "reduction", "amount"])
def test_what_the_address_asks_for_in_vain_is_told_and_the_default_shown(shipped: Path, parameter: str) -> None:
    ship(shipped, *pair("magnitude"))
    app = open_page(PAGE, **{parameter: "<b>other</b>"})
    (note,) = app.info
    assert "The link asks for" in note.value
    assert "<b>" not in note.value
    assert accuracies(app) == [0.9, 0.9]
    assert player(app)["start"] is None


def test_one_result_alone_is_shown_alone(shipped: Path) -> None:
    result = make_result()
    ship(shipped, result)
    app = open_page(PAGE)
    assert player(app)["layout"]["name"] == "single"
    assert told(app).count("Under magnitude pruning of the encoder, layer 1 stays intact") == 1


def test_a_damaged_side_is_told_and_the_other_one_shown(shipped: Path) -> None:
    cola, sst2 = pair("magnitude")
    ship(shipped, cola, sst2)
    path = shipped / f"{cola.key}.json"
    path.write_text(path.read_text().replace("0.9", "0.8", 1))
    app = open_page(PAGE)
    (error,) = app.error
    assert "checksum" in error.value
    assert player(app)["layout"]["name"] == "single"
    assert "200 examples of SST-2 validation, GLUE; mean over tokens" in told(app)
    assert "CoLA" not in told(app)


def test_isolated_pruning_is_not_called_cumulative(shipped: Path) -> None:
    ship(shipped, make_result(scope="layer:1"))
    app = open_page(PAGE)
    assert "cumulative" not in told(app)
    assert "Under magnitude pruning of layer 2 alone" in told(app)


def test_without_a_result_it_says_how_to_make_one(shipped: Path) -> None:
    app = open_page(PAGE)
    assert "nothing to show yet" in app.info[0].value
    assert app.code[0].value.startswith("python -m core.precompute --checkpoint embedded:sst2")
    assert not app.get("bidi_component")
