"""What is said about single layers follows the numbers."""

from core.findings.layers import layer_finding, order_finding, undefined_finding
from core.results.schema import SweepResult
from tests.builders import make_result

AMOUNTS = (0.0, 0.2, 0.4, 0.6, 0.8)


def with_falls(*at: float) -> SweepResult:
    """Layers that keep 1 up to an amount and have 0.5 from the next one on; they survive a fifth of a step longer."""
    return make_result(
        num_layers=len(at), amounts=AMOUNTS, own_cka=lambda amount, point, size: 1.0 if amount <= at[point] else 0.5
    )


def test_the_first_and_the_last_to_fall() -> None:
    assert order_finding(with_falls(0.6, 0.4, 0.2), "mean") == (
        "At similarity ≥ 0.9, layer 3 falls first, at 24 %, and layer 1 lasts longest, up to 64 %. Kendall's "
        "tau-b of that amount with depth is −1.00."
    )


def test_ties_and_layers_that_outlast_the_sweep() -> None:
    said = order_finding(with_falls(0.9, 0.2, 0.2, 0.9), "mean", 0.8)
    assert said.startswith(
        "At similarity ≥ 0.8, layers 2 and 3 fall first, at 28 %, and layers 1 and 4 last longest, up to the last "
        "amount measured, 80 %."
    )
    assert "is 0.00" in said


def test_layers_that_read_alike_are_ties() -> None:
    result = make_result(num_layers=3, amounts=AMOUNTS, own_cka=lambda a, p, n: 1 - a * (0.1, 0.2, 0.201)[p] / 0.6)
    said = order_finding(result, "mean")
    assert "layers 2 and 3 fall first, at 30 %, and layer 1 lasts longest, up to 60 %" in said
    assert said.endswith("with depth is −0.82."), "2 pairs of 3, of √(2 · 3)"


def test_equal_layers_have_no_order() -> None:
    assert order_finding(with_falls(0.4, 0.4), "mean") == "At similarity ≥ 0.9, every layer survives up to 44 %."
    assert order_finding(with_falls(0.9, 0.9), "cls").endswith(
        "every layer survives up to the last amount measured, 80 %."
    )


def with_an_undefined_layer(*at: float) -> SweepResult:
    """The same, above a first layer whose similarity is undefined at every amount."""

    def own(amount: float, point: int, size: int) -> float | None:
        return None if point == 0 else 1.0 if amount <= at[point - 1] else 0.5

    return make_result(num_layers=1 + len(at), amounts=AMOUNTS, own_cka=own)


def test_an_undefined_layer_neither_falls_first_nor_is_ordered() -> None:
    assert order_finding(with_an_undefined_layer(0.6, 0.4, 0.2), "mean") == (
        "At similarity ≥ 0.9, layer 4 falls first, at 24 %, and layer 2 lasts longest, up to 64 %. Kendall's "
        "tau-b of that amount with depth is −1.00. Layer 1 is left out: similarity is undefined there, "
        "even without pruning."
    )
    assert order_finding(with_an_undefined_layer(0.4, 0.4), "mean") == (
        "At similarity ≥ 0.9, every other layer survives up to 44 %. Layer 1 is left out: similarity is undefined "
        "there, even without pruning."
    )
    chosen = layer_finding(with_an_undefined_layer(0.6, 0.4), "mean", "1")
    assert chosen == "Layer 1, attention block: similarity is undefined, even without pruning."
    assert layer_finding(with_an_undefined_layer(0.6, 0.4), "mean", "2").endswith("all others fall before it.")


def test_a_measure_that_is_undefined_in_every_layer_says_why() -> None:
    result = make_result(num_layers=2)
    assert undefined_finding(result, "cls", "partial_cka") == (
        "CKA given the emptied model is undefined by the first token: in the emptied model [CLS] is the same for every "
        "sentence."
    )
    assert undefined_finding(result, "mean", "partial_cka") == undefined_finding(result, "cls", "cka") == ""
    assert undefined_finding(with_an_undefined_layer(0.4), "mean", "cka") == ""
    nothing = make_result(num_layers=2, own_cka=lambda amount, point, size: None)
    assert undefined_finding(nothing, "mean", "cka").endswith("mean over tokens, even without pruning.")


def test_one_layer_with_its_interval() -> None:
    result = with_falls(0.6, 0.4, 0.2)
    known = (result.statistics or {})["cka"]["mean"].survival[1]
    assert layer_finding(result, "mean", "2") == (
        "Layer 2, attention block, keeps similarity ≥ 0.9 up to 44 % (95 % interval "
        f"{100 * known.low:.0f} to {100 * known.high:.0f} %); 1 of 2 others falls before it."
    )
    assert layer_finding(result, "tokens", "3").endswith("up to 24 %; none falls before it.")
    assert "interval" not in layer_finding(result, "mean", "2", 0.95)


def test_an_interval_that_reaches_the_end_says_so() -> None:
    surely = layer_finding(with_falls(0.9, 0.2), "mean", "1")
    assert surely.endswith(
        "the last amount measured, 80 % (95 % interval cannot be estimated: leaving out any one example changes "
        "nothing); all others fall before it."
    )
    result = make_result(num_layers=2, amounts=AMOUNTS)
    known = (result.statistics or {})["cka"]["mean"]
    first, *rest = known.survival
    wide = known.model_copy(update={"survival": (first.model_copy(update={"low": 0.5, "high": 0.8}), *rest)})
    said = layer_finding(result.model_copy(update={"statistics": {"cka": {"mean": wide}}}), "mean", "1")
    assert "(95 % interval 50 % to the last amount measured or beyond)" in said
