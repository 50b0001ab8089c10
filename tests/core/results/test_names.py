"""Names for people, and what may be typed."""

import pytest

from core.errors import PrunescopeError
from core.request.catalog import TASKS
from core.results.names import data_name, point_names, pruning_name, small, spanned
from core.results.prediction import MAX_CHARACTERS, check_texts, question
from tests.builders import make_result


def test_points_amounts_data_and_prunings_are_named() -> None:
    assert [name.label for name in point_names(["layer.0.attention", "layer.11.attention"])] == ["1", "12"]
    assert [name.label for name in point_names(["layer.0.attention", "layer.0.output"])] == ["1a", "1"]
    assert [small(value) for value in (0.0, 0.021, 3.4e-7)] == ["0", "0.02", "3 × 10⁻⁷"]
    assert data_name(make_result(source="written")).startswith("200 SST-2-like examples, written")
    assert data_name(make_result(task="messages", source="written")).startswith("200 messages, written")
    depth = [label for layer in range(1, 13) for label in (f"{layer}a", f"{layer}")]
    assert spanned(["1a", "2a", "2", "3a", "12"], depth) == "1a, 2a to 3a and 12"
    for method, controls, scope, name in (
        ("random", "wanda", "encoder", "Random pruning of the encoder, as Wanda prunes (seed 4)"),
        ("random", None, "layer:1", "Random pruning of layer 2 alone, as magnitude prunes (seed 4)"),
        ("magnitude", None, "all-linear", "Magnitude pruning of all linear layers"),
        ("magnitude", None, "layers:0-2", "Magnitude pruning of layers 1 to 3 alone"),
        ("random-neuron", "attribution", None, "Pruning of random units, as attribution prunes (seed 4)"),
        ("attribution-residual", None, None, "Attribution pruning (as published)"),
    ):
        assert pruning_name(make_result(method=method, controls=controls, scope=scope, seed=4)) == name


def test_texts_are_stripped_and_counted() -> None:
    assert check_texts([" a film \n"], TASKS["sst2"]) == ("a film",)
    with pytest.raises(PrunescopeError, match="the second sentence has 0 characters"):
        check_texts(["a film", "\t "], TASKS["rte"])
    with pytest.raises(PrunescopeError, match="2,001 characters: type between 1 and 2,000"):
        check_texts(["x" * (MAX_CHARACTERS + 1)], TASKS["sst2"])


def test_the_question_names_the_pruning_of_the_result() -> None:
    result = make_result(method="random", scope="layer:2", seed=2, amounts=(0.0, 0.5))
    pruning = {"method": "random", "scope": "layer:2", "seed": 2, "control_of": "magnitude", "amounts": [0.0, 0.5]}
    model = {"checkpoint": "embedded:sst2", "revision": result.checkpoint.revision, "task": "sst2"}
    assert question(result, ("a film",)) == {**model, **pruning, "texts": ["a film"]}
