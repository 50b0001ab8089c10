"""One rule says which results belong beside each other; where it says no, no page draws a conclusion."""

import pytest

from core.findings.comparable import (
    controls_of,
    isolated_controls_of,
    isolated_of,
    obstacle,
    obstacle_to_control,
    obstacle_to_controls,
    own_sweeps,
)
from core.results.schema import SweepResult
from tests.builders import make_result

AMOUNTS = (0.0, 0.3, 0.6, 0.9)
UNEVEN = "other shares of the layers removed"


def result(**settings: object) -> SweepResult:
    return make_result(**{"num_layers": 4, "amounts": AMOUNTS, **settings})


def with_layer_sparsity(whole: SweepResult, *removed: float) -> SweepResult:
    """The same result, but at the largest amount each layer has lost another share of its weights."""
    *frames, last = whole.frames
    return whole.model_copy(update={"frames": (*frames, last.model_copy(update={"layer_sparsity": removed}))})


# ---------------------------------------------------------------- the rule


def test_equal_totals_are_not_enough_for_a_control() -> None:
    method, uneven = result(), with_layer_sparsity(result(method="random"), 0.95, 0.85, 0.9, 0.9)
    assert obstacle(method, uneven) is None, "at equal damage"
    assert obstacle_to_control(method, result(method="random")) is None
    assert obstacle_to_control(method, uneven) == obstacle_to_controls(method, [uneven]) == UNEVEN
    assert obstacle_to_controls(method, [uneven, result(method="random", seed=1)]) is None


@pytest.mark.parametrize(("share", "allowed"), [(0.91, True), (0.911, False), (0.89, True), (0.889, False)])
def test_a_difference_of_a_hundredth_is_tolerated(share: float, allowed: bool) -> None:
    found = obstacle_to_control(result(), with_layer_sparsity(result(), 0.9, 0.9, share, 0.9))
    assert found == (None if allowed else UNEVEN)


def test_what_is_removed_is_compared_where_both_were_measured() -> None:
    fewer = result(method="random", amounts=(0.0, 0.6, 0.7), prunable_sparsity=lambda a: 0.1 if a == 0.7 else a)
    assert obstacle_to_control(result(), fewer) is None


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (result(num_examples=100), "other examples"),
        (result(points="layer"), "other points"),
        (result(scope="layer:1"), "one layer alone"),
    ],
)
def test_results_measured_differently_are_refused_with_the_reason(other: SweepResult, reason: str) -> None:
    assert obstacle(result(), other) == obstacle(other, result()) == reason


# ---------------------------------------------------------------- what a result is judged beside


def test_only_a_matched_result_is_a_control() -> None:
    controls = [result(method="random", seed=seed) for seed in range(2)]
    elsewhere = controls[0].checkpoint.model_copy(update={"revision": "1" * 64})
    shuffled = controls[0].task.model_copy(update={"examples": tuple(reversed(controls[0].task.examples))})
    foreign = [
        result(),
        result(method="random", scope="all-linear"),
        result(method="random", controls="wanda"),
        result(method="random", num_examples=100),
        result(method="random", points="layer"),
        result(method="random-neuron", scope=None),
        result(method="random", prunable_sparsity=lambda amount: amount * 5 / 6),
        controls[0].model_copy(update={"checkpoint": elsewhere}),
        controls[0].model_copy(update={"task": shuffled}),
    ]
    assert controls_of(result(), foreign) == []
    assert controls_of(result(), [*foreign, *reversed(controls)]) == controls


def test_of_several_sweeps_of_a_seed_the_longest_is_drawn() -> None:
    fine = result(method="random", amounts=(0.0, 0.1, 0.2), until_damage=0.3)
    full = result(method="random")
    assert controls_of(result(), [fine, full]) == controls_of(result(), [full, fine]) == [full]
    assert controls_of(result(), [fine]) == [fine]


def test_sweeps_of_one_pruning_differ_in_their_steps_alone() -> None:
    fine = result(amounts=(0.0, 0.1, 0.2), until_damage=0.3)
    others = [result(method="wanda"), result(scope="all-linear"), result(num_examples=100), result(points="layer")]
    assert own_sweeps(result(), [*others, fine, result()]) == [result(), fine]
    assert own_sweeps(fine, [*others, fine, result()]) == [fine, result()]


# ---------------------------------------------------------------- each layer alone


def alone(layer: int, **settings: object) -> SweepResult:
    return result(**{"num_layers": 2, "scope": f"layer:{layer}", "points": "layer", **settings})


@pytest.mark.parametrize("points", ["attention", "layer", "both"])
def test_only_the_same_method_on_one_layer_is_isolated_whatever_the_points(points: str) -> None:
    isolated = [alone(layer) for layer in range(2)]
    whole = result(num_layers=2, points=points)
    assert isolated_of(whole, [whole, *reversed(isolated)]) == {1: isolated[0], 2: isolated[1]}
    assert isolated_of(result(num_layers=2, method="wanda"), isolated) == {}
    assert isolated_of(result(num_layers=2, num_examples=100), isolated) == {}
    assert isolated_of(result(num_layers=2, seed=1), isolated) == {}
    assert isolated_of(whole, [alone(layer, points="attention") for layer in range(2)]) == {}, "its FFN comes later"


def test_isolated_controls_go_by_seed() -> None:
    random = [alone(layer, method="random", seed=seed) for seed in (1, 0) for layer in (1, 0)]
    found = isolated_controls_of(result(num_layers=2), random)
    assert [list(seed) for seed in found] == [[1, 2], [1, 2]]
    assert [seed[1].pruning.seed for seed in found] == [0, 1]
    assert isolated_controls_of(result(num_layers=2, method="wanda"), random) == []
