"""Names that no page of tests/core/findings/said.txt has."""

from core.results.names import amount_name, pruning_name, removed_name
from tests.builders import make_result


def test_prunings_are_named() -> None:
    for method, controls, scope, name in (
        (
            "random",
            "wanda",
            "encoder",
            "Random pruning, matched to Wanda (seed 4)",
        ),
        (
            "random",
            None,
            "layer:1",
            "Random pruning of layer 2 alone, matched to magnitude (seed 4)",
        ),
        (
            "magnitude",
            None,
            "layers:0-2",
            "Magnitude pruning of layers 1 to 3 alone",
        ),
        (
            "random-neuron",
            "attribution",
            None,
            "Pruning of random units, matched to attribution (seed 4)",
        ),
    ):
        assert (
            pruning_name(make_result(method=method, controls=controls, scope=scope, seed=4)) == name
        )
    assert (
        removed_name(0.5, make_result(scope="layers:0-1"))
        == "50 % of the weights of layers 1 to 2 removed"
    )


def test_amounts_are_named_by_as_many_decimals_as_tell_them_apart() -> None:
    for amount, name in (
        (0.5, "50 %"),
        (0.125, "12.5 %"),
        (0.0125, "1.25 %"),
        (0.9999, "99.99 %"),
        (0.0004, "0.04 %"),
    ):
        assert amount_name(amount) == name
