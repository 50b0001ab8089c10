"""One rule says which results may be compared; where it says no, no page draws a conclusion."""

from collections import Counter
from itertools import permutations

import pytest

from core.findings.claim import verdict_finding, verdict_in_short
from core.findings.comparable import comparable, controls_of, isolated_of
from core.findings.compare import depth_gap_finding
from core.results import library, store
from core.results.choices import is_control
from core.results.schema import SweepResult
from tests.builders import make_result

AMOUNTS = (0.0, 0.3, 0.6, 0.9)
CONCLUSIONS = ("random pruning favours", "favours the lower half", "no difference from random", "D(method)")


def result(**settings: object) -> SweepResult:
    return make_result(**{"num_layers": 4, "amounts": AMOUNTS, **settings})


def with_layer_sparsity(whole: SweepResult, *removed: float) -> SweepResult:
    """The same result, but at the largest amount each layer has lost another share of its weights."""
    *frames, last = whole.frames
    return whole.model_copy(update={"frames": (*frames, last.model_copy(update={"layer_sparsity": removed}))})


# ---------------------------------------------------------------- the rule


def test_equal_totals_are_not_enough() -> None:
    even, uneven = result(), with_layer_sparsity(result(method="wanda"), 0.95, 0.85, 0.9, 0.9)
    assert comparable(even, result(method="wanda"))
    comparability = comparable(even, uneven)
    assert not comparability
    assert comparability.reason == (
        "the two do not remove equally much of every layer, such as 0.90 and 0.95 of layer 1's weights at amount 0.90"
    )


@pytest.mark.parametrize(("share", "allowed"), [(0.91, True), (0.911, False), (0.89, True), (0.889, False)])
def test_a_difference_of_a_hundredth_is_tolerated(share: float, allowed: bool) -> None:
    assert bool(comparable(result(), with_layer_sparsity(result(), 0.9, 0.9, share, 0.9))) == allowed


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (result(num_examples=100), "the two come from different examples"),
        (result(points="layer"), "the two were measured at different points"),
        (result(amounts=(0.0, 0.3, 0.6)), "the two were measured over different amounts"),
        (result(scope="layer:1"), "a single layer's pruning says nothing about the order of layers"),
    ],
)
def test_results_measured_differently_are_refused_with_the_reason(other: SweepResult, reason: str) -> None:
    assert comparable(result(), other).reason == reason
    assert comparable(other, result()).reason == reason


# ---------------------------------------------------------------- what a result is judged beside


def test_only_a_comparable_result_is_a_control() -> None:
    controls = [result(method="random", seed=seed) for seed in range(2)]
    elsewhere = controls[0].checkpoint.model_copy(update={"revision": "1" * 64})
    shuffled = controls[0].task.model_copy(update={"examples": tuple(reversed(controls[0].task.examples))})
    foreign = [
        result(),
        result(method="random", scope="all-linear"),
        result(method="random", amounts=(0.0, 0.5, 0.9)),
        result(method="random", num_examples=100),
        result(method="random", points="layer"),
        result(method="random-neuron", scope=None),
        result(method="random", prunable_sparsity=lambda amount: amount * 5 / 6),
        controls[0].model_copy(update={"checkpoint": elsewhere}),
        controls[0].model_copy(update={"task": shuffled}),
    ]
    assert controls_of(result(), foreign) == []
    assert controls_of(result(), [*foreign, *reversed(controls), controls[0]]) == controls


def test_only_the_same_method_on_one_layer_is_isolated() -> None:
    isolated = [result(num_layers=2, scope=f"layer:{layer}") for layer in range(2)]
    whole = result(num_layers=2)
    assert isolated_of(whole, [whole, *reversed(isolated)]) == {1: isolated[0], 2: isolated[1]}
    assert isolated_of(result(num_layers=2, method="wanda"), isolated) == {}
    assert isolated_of(result(num_layers=2, num_examples=100), isolated) == {}
    assert isolated_of(result(num_layers=2, seed=1), isolated) == {}


# ---------------------------------------------------------------- the shipped results


@pytest.fixture(scope="module")
def shipped() -> dict[str, SweepResult]:
    """All shipped results, by key."""
    paths = {entry.key: store.find(entry.key) for entry in library.shipped()}
    return {key: store.load(path) for key, path in paths.items() if path}


def test_the_overview_draws_no_conclusion_from_a_pair_that_compare_refuses(shipped: dict[str, SweepResult]) -> None:
    """At amount 0.95 the published attribution removes 0.95 of the encoder's weights, its control 0.79."""
    sst2 = [
        shipped[entry.key]
        for entry in library.shipped()
        if (entry.task, entry.source, len(entry.points)) == ("sst2", "folder", 6)
    ]
    (method,) = [result for result in sst2 if result.pruning.method == "attribution-residual"]
    controls = [result for result in sst2 if result.pruning.method == "random-neuron"]
    assert len(controls) == 3
    assert [round(result.frames[-1].prunable_sparsity, 2) for result in (method, controls[0])] == [0.95, 0.79]
    for control in controls:
        assert depth_gap_finding(method, control, "mean").startswith("Depth gaps are not compared: ")
    for sentence in (verdict_in_short(method, "mean", controls), verdict_finding(method, "mean", controls)):
        assert not any(words in sentence for words in CONCLUSIONS), sentence
        assert "such as 0.95 and 0.79 of layer 1's weights at amount 0.95" in sentence


def test_wherever_compare_refuses_no_other_page_concludes(shipped: dict[str, SweepResult]) -> None:
    """Every pair on one checkpoint, both ways round; the Overview shows the short sentence, it and the Lab the long."""
    seen = Counter[tuple[bool, bool]]()
    for method, other in permutations(shipped.values(), 2):
        if method.checkpoint.revision != other.checkpoint.revision:
            continue
        refused = "not compared" in depth_gap_finding(method, other, "mean")
        sentences = verdict_in_short(method, "mean", [other]), verdict_finding(method, "mean", [other])
        concluded = {any(words in sentence for words in CONCLUSIONS) for sentence in sentences}
        names = [f"{result.task.name} {result.pruning}" for result in (method, other)]
        assert concluded == {is_control(other.pruning, method.pruning) and not refused}, names
        seen[refused, concluded.pop()] += 1
    assert seen[True, True] == 0
    assert seen[True, False] > 0
    assert seen[False, True] > 0
