"""One rule says which results belong beside each other; where it says no, no page concludes."""

import pytest

from core.findings.comparable import (
    controls_of,
    is_matched,
    isolated_of,
    obstacle,
    own_sweeps,
)
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.core.findings.made import with_task

AMOUNTS = (0.0, 0.3, 0.6, 0.9)


def result(**settings: object) -> SweepResult:
    return make_result(**{"num_layers": 4, "amounts": AMOUNTS, **settings})


RANDOM = result(method="random")
# Changes that keep results apart.
ELSEWHERE = [
    {"num_examples": 100},
    {"points": "layer"},
    {"scope": "all-linear"},
]


@pytest.mark.parametrize(
    "removed",
    [
        (0.9, 0.9, 0.9, 0.9),
        (0.9, 0.9, 0.91, 0.89),
        (0.9, 0.9, 0.911, 0.9),
        (0.95, 0.85, 0.9, 0.9),
    ],
)
def test_equal_totals_are_not_enough_for_a_control(
    removed: tuple[float, ...],
) -> None:
    """At the largest amount each layer has lost another share; a hundredth is tolerated."""
    *frames, last = RANDOM.frames
    last = last.model_copy(update={"layer_sparsity": removed})
    control = RANDOM.model_copy(update={"frames": (*frames, last)})

    assert obstacle(result(), control) is None, "at equal damage"
    assert is_matched(control, result()) == (max(removed) <= 0.91)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"num_examples": 100}, "other examples"),
        ({"points": "layer"}, "other points"),
        ({"scope": "all-linear"}, None),
        ({"scope": "layer:1"}, "some layers alone"),
    ],
)
def test_results_measured_differently_are_refused_with_the_reason(
    change: dict[str, object], reason: str | None
) -> None:
    assert obstacle(result(), result(**change)) == reason
    assert obstacle(result(**change), result()) == reason


@pytest.mark.parametrize(
    "foreign",
    [
        *(result(method="random", **change) for change in ELSEWHERE),
        result(method="random", controls="wanda"),
        RANDOM.model_copy(
            update={"checkpoint": RANDOM.checkpoint.model_copy(update={"revision": "1" * 64})}
        ),
        with_task(RANDOM, examples=RANDOM.task.examples[::-1]),
    ],
)
def test_only_a_matched_result_is_a_control(foreign: SweepResult) -> None:
    assert controls_of(result(), [foreign]) == []


FINE = {"amounts": (0.0, 0.1, 0.2), "until_damage": 0.3}


def test_of_several_sweeps_of_a_seed_the_longest_is_drawn() -> None:
    fine = result(method="random", **FINE)
    other_seed = result(method="random", seed=1)

    assert controls_of(result(), [other_seed, fine, RANDOM]) == [
        RANDOM,
        other_seed,
    ]
    assert controls_of(result(), [fine]) == [fine]


def test_what_is_removed_is_compared_where_both_were_measured() -> None:
    def removed(amount: float) -> float:
        return 0.1 if amount == 0.7 else amount

    fewer = result(method="random", amounts=(0.0, 0.6, 0.7), prunable_sparsity=removed)

    assert is_matched(fewer, result())


def test_sweeps_of_one_pruning_differ_in_their_steps_alone() -> None:
    own = result(**FINE)
    others = [result(**change) for change in ({"method": "wanda"}, *ELSEWHERE)]

    assert own_sweeps(result(), [*others, own, result()]) == [result(), own]


# ---------------------------------------------------------------- some layers alone


def alone(layer: int, points: str = "layer") -> SweepResult:
    return result(num_layers=2, scope=f"layer:{layer}", points=points)


ISOLATED = {"layer:0": alone(0), "layer:1": alone(1)}


@pytest.mark.parametrize("points", ["attention", "layer", "both"])
def test_layers_alone_stand_beside_the_same_method_whatever_the_points(
    points: str,
) -> None:
    whole = result(num_layers=2, points=points)

    assert isolated_of(whole, [whole, alone(1), alone(0)]) == ISOLATED
    elsewhere = [
        alone(0, "attention"),
        alone(1, "attention"),
    ]  # where their FFN comes later
    assert isolated_of(whole, elsewhere) == {}


@pytest.mark.parametrize("change", [{"method": "wanda"}, {"num_examples": 100}, {"seed": 1}])
def test_layers_alone_do_not_stand_beside_another_pruning(
    change: dict[str, object],
) -> None:
    assert isolated_of(result(num_layers=2, **change), ISOLATED.values()) == {}
