"""Names for people."""

import pytest

from core.results.names import amount_name, data_name, in_sentence, listed, point_names, pruning_name, small, spanned
from tests.builders import make_result


def test_layers_count_from_one_and_blocks_are_marked_beside_outputs() -> None:
    assert [name.label for name in point_names(["layer.0.attention", "layer.11.attention"])] == ["1", "12"]
    assert [name.label for name in point_names(["layer.0.attention", "layer.0.output"])] == ["1a", "1"]
    assert point_names(["layer.4.output"])[0].title == "Layer 5, output"


@pytest.mark.parametrize(
    ("method", "scope", "expected"),
    [
        ("random:wanda", "encoder", "Random pruning of the encoder, as Wanda prunes (seed 4)"),
        ("random:magnitude", "layer:1", "Random pruning of layer 2 alone, as magnitude prunes (seed 4)"),
        (
            *("random-neuron:attribution-residual", None),
            "Pruning of random units, as attribution prunes (as published, seed 4)",
        ),
        ("magnitude", "encoder", "Magnitude pruning of the encoder"),
        ("magnitude", "all-linear", "Magnitude pruning of all linear layers"),
        ("wanda", "layer:2", "Wanda pruning of layer 3 alone"),
        ("random", "encoder", "Random pruning of the encoder, as magnitude prunes (seed 4)"),
        ("attribution", None, "Attribution pruning"),
        ("attribution-residual", None, "Attribution pruning (as published)"),
        ("random-neuron", None, "Pruning of random units, as attribution prunes (seed 4)"),
    ],
)
def test_a_pruning_is_named_by_method_scope_and_seed(method: str, scope: str | None, expected: str) -> None:
    method, _, controls = method.partition(":")
    assert pruning_name(make_result(method=method, controls=controls or None, scope=scope, seed=4)) == expected


def test_a_proper_noun_keeps_its_capital_in_a_sentence() -> None:
    assert in_sentence("Wanda pruning") == "Wanda pruning"
    assert in_sentence("Magnitude pruning") == "magnitude pruning"


def test_data_that_was_written_is_said_to_be() -> None:
    assert data_name(make_result(source="written")).startswith("200 SST-2-like examples, written")
    assert data_name(make_result(task="messages", source="written")).startswith("200 messages, written")
    assert data_name(make_result(num_examples=80)) == "80 examples of SST-2 validation, GLUE"


def test_amounts_are_percentages_with_as_many_decimals_as_they_have() -> None:
    assert [amount_name(amount) for amount in (0.5, 0.05, 0.125)] == ["50 %", "5 %", "12.5 %"]


def test_lists_read_as_sentences_do() -> None:
    assert [listed(words) for words in ([], ["1"], ["1", "2"], ["1", "2", "3"])] == ["", "1", "1 and 2", "1, 2 and 3"]


def test_small_numbers_are_written_without_a_hyphen() -> None:
    assert [small(value) for value in (0.0, 0.021, 3.4e-7)] == ["0", "0.02", "3 × 10⁻⁷"]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["4"], "4"),
        (["1", "2"], "1 and 2"),
        (["1a", "1", "2a"], "1a to 2a"),
        (["1", "2", "3"], "1, 2 and 3"),
        (["1a", "2a", "2", "3a", "12"], "1a, 2a to 3a and 12"),
    ],
)
def test_labels_that_follow_each_other_in_depth_are_spanned(labels: list[str], words: str) -> None:
    among = [label for layer in range(1, 13) for label in (f"{layer}a", f"{layer}")]
    assert spanned(labels, among) == words
