"""One rule says which results belong beside each other; where it says no, no page draws a conclusion."""

import pytest

from core.findings.comparable import controls_of, is_matched, isolated_of, obstacle, own_sweeps
from core.results.schema import SweepResult
from tests.builders import make_result


def result(**settings: object) -> SweepResult:
    return make_result(**{"num_layers": 4, "amounts": (0.0, 0.3, 0.6, 0.9), **settings})


RANDOM = result(method="random")
ELSEWHERE = [
    {"num_examples": 100},
    {"points": "layer"},
    {"scope": "all-linear"},
]  # changes that keep results apart


@pytest.mark.parametrize(
    "removed", [(0.9,) * 4, (0.9, 0.9, 0.91, 0.89), (0.9, 0.9, 0.911, 0.9), (0.95, 0.85, 0.9, 0.9)]
)
def test_equal_totals_are_not_enough_for_a_control(removed: tuple[float, ...]) -> None:
    """At the largest amount each layer has lost another share of its weights; a hundredth is tolerated."""
    *frames, last = RANDOM.frames
    control = RANDOM.model_copy(
        update={"frames": (*frames, last.model_copy(update={"layer_sparsity": removed}))}
    )
    assert obstacle(result(), control) is None, "at equal damage"
    assert is_matched(control, result()) == (max(removed) <= 0.91)


@pytest.mark.parametrize(
    ("change", "reason"), zip(ELSEWHERE, ("other examples", "other points", None), strict=True)
)
def test_results_measured_differently_are_refused_with_the_reason(
    change: dict[str, object], reason: str
) -> None:
    assert obstacle(result(), result(**change)) == obstacle(result(**change), result()) == reason
    assert obstacle(result(), result(scope="layer:1")) == "some layers alone"


def test_only_a_matched_result_is_a_control_and_of_several_sweeps_of_a_seed_the_longest_is_drawn() -> (
    None
):
    foreign = [
        result(),
        *(result(method="random", **change) for change in ELSEWHERE),
        result(method="random", controls="wanda"),
        result(method="random-neuron", scope=None),
        result(method="random", prunable_sparsity=lambda amount: amount * 5 / 6),
        RANDOM.model_copy(
            update={"checkpoint": RANDOM.checkpoint.model_copy(update={"revision": "1" * 64})}
        ),
        RANDOM.model_copy(
            update={"task": RANDOM.task.model_copy(update={"examples": RANDOM.task.examples[::-1]})}
        ),
    ]
    fine, other = (
        result(method="random", amounts=(0.0, 0.1, 0.2), until_damage=0.3),
        result(method="random", seed=1),
    )
    assert controls_of(result(), [*foreign, other, fine, RANDOM]) == [RANDOM, other]
    assert controls_of(result(), [fine]) == [fine]
    # What is removed is compared where both were measured.
    fewer = result(
        method="random", amounts=(0.0, 0.6, 0.7), prunable_sparsity=lambda a: 0.1 if a == 0.7 else a
    )
    assert is_matched(fewer, result())
    own = result(amounts=(0.0, 0.1, 0.2), until_damage=0.3)
    others = [result(method="wanda"), *(result(**change) for change in ELSEWHERE)]
    assert own_sweeps(result(), [*others, own, result()]) == [result(), own], (
        "sweeps differ in their steps alone"
    )


def alone(layer: int, **settings: object) -> SweepResult:
    return result(**{"num_layers": 2, "scope": f"layer:{layer}", "points": "layer", **settings})


@pytest.mark.parametrize("points", ["attention", "layer", "both"])
def test_only_the_same_method_on_one_layer_is_isolated_whatever_the_points(points: str) -> None:
    isolated, whole = [alone(layer) for layer in range(2)], result(num_layers=2, points=points)
    assert isolated_of(whole, [whole, *reversed(isolated)]) == {
        "layer:0": isolated[0],
        "layer:1": isolated[1],
    }
    for other in ({"method": "wanda"}, {"num_examples": 100}, {"seed": 1}):
        assert isolated_of(result(num_layers=2, **other), isolated) == {}
    assert isolated_of(whole, [alone(layer, points="attention") for layer in range(2)]) == {}, (
        "its FFN comes later"
    )
