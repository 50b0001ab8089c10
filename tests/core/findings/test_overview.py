"""Sentences must agree with the numbers, whatever the numbers are."""

import re
from itertools import pairwise

import numpy as np
import pytest

from core.findings.accuracy import accuracy_finding
from core.findings.overview import caution, finding, holding_finding, is_cumulative, length_finding
from core.findings.survival import layer_survivals, survival_table
from core.results.schema import WorkingRangeRecord
from tests.builders import make_result, with_own_key
from tests.core.findings.test_survival import surviving


def said(*amounts: float) -> str:
    return finding(make_result(num_layers=len(amounts), own_cka=surviving(*amounts)), "mean")


def test_it_names_method_reduction_checkpoint_and_data() -> None:
    result = make_result(num_examples=200)
    for reduction, words in {"mean": "mean over tokens", "cls": "first token", "tokens": "as published"}.items():
        sentence = finding(result, reduction)
        assert sentence.startswith("Under magnitude pruning of the encoder, ")
        assert sentence.endswith(".")
        for expected in (words, "MiniLM-L6, fine-tuned on SST-2", "200 examples of SST-2 validation"):
            assert expected in sentence
    assert "sensitive to length" in finding(result, "tokens")


def test_a_decline_with_depth_is_described() -> None:
    sentence = said(0.8, 0.55, 0.3)
    assert "layer 1 stays intact (similarity ≥ 0.9) up to 80 %, layer 3 only up to 30 %" in sentence
    assert "each layer falls earlier than the one below it" in sentence


def test_a_reversed_order_is_said_to_be_reversed() -> None:
    sentence = said(0.3, 0.55, 0.8)
    assert "up to 30 %, layer 3 longer, up to 80 %" in sentence
    assert "each layer falls later than the one below it" in sentence
    assert "only" not in sentence


def test_a_mixed_order_is_not_called_a_trend() -> None:
    sentence = said(0.6, 0.8, 0.2, 0.3)
    assert "depth alone does not order the layers" in sentence
    assert "layer 2 lasts longest (80 %), layer 3 falls first (20 %)" in sentence
    assert "than the one below it" not in sentence


def test_equal_layers_are_said_to_be_equal() -> None:
    assert "every layer stays intact (similarity ≥ 0.9) up to 40 %" in said(0.4, 0.4, 0.4)
    sentence = said(0.4, 0.7, 0.4)
    assert "layer 1 and layer 3 each stay" in sentence
    assert "layer 2 lasts longest (70 %), layers 1 and 3 fall first (40 %)" in sentence


def test_values_that_look_equal_are_called_equal() -> None:
    assert "every layer stays" in said(0.401, 0.399, 0.4)  # all of them are shown as 0.40


def test_layers_that_never_fall_are_compared_with_those_that_do_only() -> None:
    sentence = said(5, 4, 0.3)
    assert (
        "layer 1 stays intact (similarity ≥ 0.9) up to the last amount measured, 95 %, layer 3 only up to" in sentence
    )
    assert "no layer outlasts the one below it" in sentence
    assert "each layer falls earlier" not in sentence  # layers 1 and 2 were not seen to fall
    assert "layer 3 longer, up to the last amount measured, 95 %" in said(0.3, 0.4, 9)
    assert "every layer stays intact (similarity ≥ 0.9) up to the last amount measured, 95 %" in said(7, 8, 9)


def test_an_undefined_value_counts_as_fallen_and_is_mentioned() -> None:
    result = make_result(
        num_layers=3, own_cka=lambda amount, point, size: None if point == 1 and amount > 0.5 else 1 - amount / 20
    )
    sentence = finding(result, "mean")
    assert "where similarity is undefined (layer 2), it counts as fallen" in sentence
    assert "layer 2 falls first (55 %)" in sentence
    assert survival_table(result, "mean")[1]["Similarity at 95 % removed"] == "undefined"


def test_a_layer_that_is_undefined_even_without_pruning_is_left_out() -> None:
    result = make_result(
        num_layers=3, own_cka=lambda amount, point, size: None if point == 1 else 1 - amount / 5 * point
    )
    sentence = finding(result, "mean")
    assert "layer 1 stays intact (similarity ≥ 0.9) up to the last amount measured, 95 %, layer 3 only" in sentence
    assert "; layer 2 is left out: similarity is undefined there, even without pruning (" in sentence
    assert "counts as fallen" not in sentence
    assert [layer.text for layer in layer_survivals(result, "mean")] == ["> 95 %", "undefined", "25 %"]
    rows = survival_table(result, "mean")
    assert [row["95 % interval"] == "unknown" for row in rows] == [False, True, False]
    assert len({tuple(row) for row in rows}) == 1, "a table has the same columns in every row"
    nowhere = make_result(num_layers=2, own_cka=lambda amount, point, size: None)
    assert finding(nowhere, "mean").startswith(
        "Similarity is undefined in every layer, even without pruning (MiniLM-L6"
    )


def test_a_sweep_that_has_just_begun_claims_nothing() -> None:
    whole = make_result()
    result = whole.model_copy(update={"frames": whole.frames[:1]})
    assert finding(result, "mean") == (
        "Only the unpruned model has been measured (MiniLM-L6, fine-tuned on SST-2; 200 examples of SST-2 validation, "
        "GLUE; mean over tokens)."
    )
    assert accuracy_finding(result) == "Accuracy is 0.90 unpruned."
    assert holding_finding(result, "mean") == "Accuracy is 0.90 unpruned."
    assert held(1, 1, 1, 1, to=0.0, amounts=(0.0,)) == "Accuracy is 0.90 unpruned.", "as stored sweeps have it"


def test_one_or_two_layers_need_no_order() -> None:
    assert "every layer stays" in said(0.4)
    assert said(0.8, 0.4).count("layer") == 2


@pytest.mark.parametrize("seed", range(40))
def test_whatever_the_numbers_the_order_that_is_claimed_is_there(seed: int) -> None:
    random = np.random.default_rng(seed)
    amounts = random.choice([0.2, 0.4, 0.6, 0.8, 3.0], size=random.integers(3, 6))
    if seed % 3:
        amounts = np.sort(amounts)[:: 1 if seed % 2 else -1]
    sentence = said(*amounts)
    shown = np.where(amounts > 0.95, np.inf, amounts)
    claims = {
        "each layer falls earlier": all(a > b for a, b in pairwise(shown)),
        "each layer falls later": all(a < b for a, b in pairwise(shown)),
        "every layer stays": len(set(shown)) == 1,
        "depth alone does not order": not (
            all(a >= b for a, b in pairwise(shown)) or all(a <= b for a, b in pairwise(shown))
        ),
    }
    for words, true in claims.items():
        assert (words in sentence) == true, (amounts, sentence)
    stated = [int(number) / 100 for number in re.findall(r"up to (?:the last amount measured, )?(\d+) %", sentence)]
    ends = [amounts[0]] if "every layer" in sentence or shown[0] == shown[-1] else [amounts[0], amounts[-1]]
    assert stated == pytest.approx([min(end, 0.95) for end in ends])


# ---------------------------------------------------------------- function beside form

HELD = {"num_layers": 4, "amounts": (0.0, 0.2, 0.4, 0.6), "accuracy": lambda amount: 0.9 - amount / 10}


def held(*own: float, to: float | None = 0.4, reason: str | None = None, **settings: object) -> str:
    """What is said of a model that works up to an amount, where its layers have these similarities."""
    result = make_result(
        **{**HELD, "own_cka": lambda amount, point, size: 1 - (1 - own[point]) * amount / 0.4, **settings}
    )
    working = WorkingRangeRecord(
        to=to, metric="accuracy", examples=200, shown_broken_from=None, smallest_drop=0.1, lead=0.4, reason=reason
    )
    return holding_finding(with_own_key(result, working_range=working), "mean")


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (
            (0.99, 0.95, 0.80, 0.70),
            ", though layers 3 and 4 have fallen below 0.9 by then (similarity 0.80 down to 0.70).",
        ),
        (
            (0.99, 0.85, 0.80, 0.70),
            ", though layers 2 to 4 have fallen below 0.9 by then (similarity 0.85 down to 0.70).",
        ),
        (
            (0.70, 0.95, 0.95, 0.80),
            ", though layers 1 and 4 have fallen below 0.9 by then (similarity 0.80 down to 0.70).",
        ),
        ((0.99, 0.95, 0.92, 0.70), ", though layer 4 has fallen below 0.9 by then (similarity 0.70)."),
        ((0.80, 0.80, 0.80, 0.80), ", though all layers have fallen below 0.9 by then (similarity 0.80)."),
        ((0.99, 0.95, 0.92, 0.91), "; every layer is still intact there (similarity 0.91 or more)."),
        ((0.99, 0.95, 0.92, 0.904), "; every layer is still intact there (similarity 0.90 or more)."),
        ((0.99, 0.95, 0.92, 0.896), ", though layer 4 has fallen below 0.9 by then (similarity just under 0.9)."),
        (
            (0.99, 0.95, 0.896, 0.7),
            ", though layers 3 and 4 have fallen below 0.9 by then (similarity just under 0.9 down to 0.70).",
        ),
        ((1.0, 1.0, 1.0, 1.0), "; every layer is still intact there (similarity 1.00)."),
    ],
)
def test_how_far_the_model_works_stands_beside_what_has_changed_by_then(own: tuple[float, ...], words: str) -> None:
    assert held(*own) == f"The model still works with 40 % of weights removed (accuracy 0.86, unpruned 0.90){words}"


def test_a_layer_that_has_fallen_before_is_not_called_intact_where_it_rises_again() -> None:
    again = {0.0: 1.0, 0.2: 0.8, 0.4: 0.92, 0.6: 0.5}
    assert held(1, 1, 1, 1, own_cka=lambda amount, point, size: again[amount] if point == 3 else 1.0).endswith(
        ", though layer 4 has fallen below 0.9 by then (similarity 0.80)."
    )


def test_a_model_that_fails_at_once_or_never_worked_is_said_to() -> None:
    assert held(1, 1, 1, 1, to=0.0) == (
        "The model fails at the first step: accuracy is 0.88 with 20 % of weights removed, and 0.90 unpruned."
    )
    assert held(1, 1, 1, 1, to=None, reason="no lead") == (
        "Unpruned, the model is not shown to be better than always answering the majority class, so pruning has "
        "nothing to break."
    )


def test_where_the_working_range_is_unknown_both_ends_are_told() -> None:
    assert holding_finding(make_result(**HELD), "mean") == (
        "Accuracy is 0.90 unpruned and 0.84 with 60 % of weights removed."
    )


def test_it_says_what_an_amount_is_a_share_of() -> None:
    assert "with 40 % of units removed" in held(1, 1, 1, 1, method="attribution", scope=None)
    assert "with 40 % of layer 2's weights removed" in held(1, 1, 1, 1, scope="layer:1")


def test_undefined_similarities_are_not_called_intact() -> None:
    whole = make_result(**HELD, own_cka=lambda amount, point, size: 1.0 if point else None)
    working = WorkingRangeRecord(
        to=0.4, metric="accuracy", examples=200, shown_broken_from=None, smallest_drop=0.1, lead=0.4, reason=None
    )
    assert "; every layer whose similarity is defined is still intact there (similarity 1.00)." in holding_finding(
        with_own_key(whole, working_range=working), "mean"
    )


# ---------------------------------------------------------------- what to be careful about


def test_pruning_is_cumulative_unless_one_layer_is_pruned_alone() -> None:
    assert [is_cumulative(make_result(scope=scope)) for scope in ("encoder", "layer:0")] == [True, False]


def test_the_effect_of_sentence_length_is_given_as_a_range() -> None:
    result = make_result(num_layers=2)
    cka = result.similarity.model_copy(update={"length_control": (0.81, 0.13)})
    assert "a similarity (CKA) of 0.13 to 0.81 with the unpruned layers" in length_finding(
        result.model_copy(update={"similarity": cka})
    )
    unknown = result.similarity.model_copy(update={"length_control": (None, None)})
    assert "not known" in length_finding(result.model_copy(update={"similarity": unknown}))


def test_few_examples_are_a_warning_and_enough_are_none() -> None:
    assert caution(make_result(num_examples=63)).startswith("63 examples are few: similarity is noisy below 64")
    assert caution(make_result(num_examples=64)) == ""


@pytest.mark.parametrize("name", ["embedded:qqp", "recipe:mpnet-l12-qqp-seed-0", "recipe:minilm-l6-qqp-seed-3"])
def test_a_checkpoint_that_may_have_seen_the_examples_is_said_to(name: str) -> None:
    result = make_result()
    assert caution(result) == ""
    checkpoint = result.checkpoint.model_copy(update={"id": name})
    assert "Quora" in caution(result.model_copy(update={"checkpoint": checkpoint}))
