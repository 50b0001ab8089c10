"""Two results where both have changed equally much: stored frames, what lies between them, and who is correct."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import t

from core.findings.claim import verdict
from core.findings.compare import depth_of, paired_comparisons, shown_together
from core.findings.matching import MOST_FRAMES, damages_of, frame_between, frames_at, grid_to, largest_damage
from core.findings.words.compare import compare_heading, paired_table
from core.results.schema import SweepResult
from core.sweep.equal_damage import between, damage, first_reached
from tests.builders import declining, make_result
from tests.core.findings.made import QUARTERS, SEEDS, correct_on, network, of_seed

TWENTIETHS = tuple(k / 20 for k in range(20))
FIRST = make_result(amounts=TWENTIETHS)


def result(**settings: object) -> SweepResult:
    return make_result(**{"num_layers": 4, "amounts": QUARTERS, "num_examples": 40, **settings})


def depth(one: SweepResult, other: SweepResult, *rest: Any) -> Any:
    return depth_of((one, other), *rest)


# ---------------------------------------------------------------- between two frames


def test_a_frame_between_two_lies_on_the_line_between_them() -> None:
    low, high = make_result(num_layers=3, amounts=TWENTIETHS, holes=((0.25, 0, 2),)).frames[4:6]
    frame = frame_between(low, high, 0.25)
    assert frame.amount == pytest.approx(0.75 * low.amount + 0.25 * high.amount)
    ends = [np.array(known.matrix("tokens"), dtype=float) for known in (low, high)]
    expected = 0.75 * ends[0] + 0.25 * ends[1]  # NaN where one of them is
    np.testing.assert_allclose(np.array(frame.matrix("tokens"), dtype=float), expected, atol=1e-12)
    bare = high.model_copy(update={"changed": None, "divergence": None})
    assert (frame_between(low, bare, 0.25).changed, frame.predictions) == (None, ()), "what one lacks is missing"


def test_the_frame_at_a_damage_is_where_the_statistics_find_it() -> None:
    own = np.array([frame.own("mean") for frame in FIRST.frames], dtype=np.float64)
    place = first_reached(damage(own), 0.2)
    expected = (between(values, *place) for values in (np.array(FIRST.amounts), own))
    frame = frames_at(FIRST, "mean", (0.0, 0.2))[1]
    assert (frame.amount, frame.own("mean")) == tuple(map(pytest.approx, expected))


def test_both_results_have_the_value_of_the_grid_up_to_what_is_undefined() -> None:
    second = make_result(amounts=TWENTIETHS, method="random", own_cka=lambda a, p, n: 1 - 0.8 * a * (0.5 + p / (n - 1)))
    together = shown_together((FIRST, second), "damage")
    assert (together.places[0], len(together.places) > 2) == (0, True)
    for frames in zip(*together.pairs, strict=True):
        damages = [1 - np.mean(frame.own("mean") or ()) for frame in frames]
        assert damages == pytest.approx(together.places, abs=1e-9)
    holed = make_result(amounts=TWENTIETHS, holes=((0.5, 3, 3),))
    assert largest_damage(holed, "mean") == damages_of(holed, "mean")[:10].max()


def test_the_grid_is_even_holds_what_is_judged_and_is_not_long() -> None:
    for largest in (0.0, 0.004, np.nextafter(0.3, 0), 0.55, 1.0):
        grid = grid_to(largest)
        assert (grid[0], grid[-1] <= largest, len(grid) <= MOST_FRAMES + 1) == (0, True, True)
        assert len(set(np.diff(grid).round(9))) <= 1
        assert all(damage in grid for damage in (0.05, 0.1, 0.2, 0.3) if damage <= largest)


# ---------------------------------------------------------------- where in depth they change


def test_shares_of_the_change_and_their_paired_difference() -> None:
    steps = {"amounts": (0.0, 0.02, 0.04, 0.06, 0.3)}
    one, other = result(**steps, own_cka=declining(0.7)), result(**steps, own_cka=declining(0.9), method="wanda")
    found, back = depth(one, other, "mean"), depth(other, one, "mean")
    gaps = [(known.statistics or {})["cka"]["mean"].gap_at_damage["0.05"] for known in (one, other)]
    half = t.ppf(0.975, 39) * np.sqrt(39) * np.std(np.subtract(*(gap.replicates for gap in gaps))) / (4 * 0.05)
    assert found.shares == pytest.approx((0.7, 0.9))
    assert (found.low, found.high) == pytest.approx((-0.2 - half, -0.2 + half))
    assert (back.shares, back.low) == (found.shares[::-1], pytest.approx(-found.high))


def test_what_does_not_measure_the_same_is_not_compared() -> None:
    for change, reason in (
        ({"amounts": (0.0, 0.04, 0.3)}, "steps too coarse"),
        ({"amounts": (0.0, 0.02, 0.04)}, "change not reached"),
        ({"points": "layer"}, "other points"),
    ):
        two = network(), network(**change)
        assert depth_of(two, "mean") == depth_of(two[::-1], "mean") == reason
        assert depth_of(two, "tokens") == "all tokens"


def test_the_sweeps_in_small_steps_are_read_and_a_control_gets_the_verdict_by_all_seeds() -> None:
    one, control = network(0.5, amounts=QUARTERS), network(0.5, amounts=QUARTERS, method="random")
    fine = [network(0.7, until_damage=0.3), network(0.9, method="random", until_damage=0.3)]
    assert depth_of((one, control), "mean", [fine[0], SEEDS[1]]) == "steps too coarse", "of another seed"
    assert depth(one, control, "mean", fine).shares == pytest.approx((0.7, 0.9))
    steep, elsewhere = network(0.9), network(method="random", controls="wanda")
    there, back = (depth(*pair, "mean", SEEDS).verdict for pair in ((steep, SEEDS[3]), (SEEDS[3], steep)))
    assert there == back == verdict(steep, SEEDS)
    assert depth(SEEDS[0], SEEDS[1], "mean", SEEDS).verdict is depth(steep, elsewhere, "mean", SEEDS).verdict is None


# ---------------------------------------------------------------- accuracy


def test_accuracy_is_tested_where_equally_much_is_removed_whoever_is_asked_first() -> None:
    one = correct_on(result(), {0.3: range(0, 10), 0.6: range(0, 20), 0.9: range(0, 6)})
    other = correct_on(result(method="wanda"), {0.3: range(8, 30), 0.6: range(0, 20)})
    tests, back = ([test for *_, test in paired_comparisons(pair, "accuracy")] for pair in ((one, other), (other, one)))
    assert [test.values for test in tests] == [(0.25, 0.55), (0.5, 0.5), (0.15, 0)]
    assert tests[2].adjusted == pytest.approx(3 * 2 / 2**6), "the smallest of three"
    assert [(test.values[::-1], test.adjusted) for test in back] == [(test.values, test.adjusted) for test in tests]
    row = paired_table(paired_comparisons((one, other), "accuracy"), "accuracy", ("a", "b"))[0]
    assert list(row.values()) == ["30 %", "30 %", "0.25", "0.55", "0.036", "0.094"]
    units = {"prunable_sparsity": lambda amount: amount * 5 / 6, "amounts": (0.0, 0.1, 0.36, 0.5, 0.72)}
    pairs = paired_comparisons((result(), result(method="attribution", scope=None, **units)), "accuracy")
    assert [amounts for amounts, _, _ in pairs] == [(0.3, 0.36), (0.6, 0.72)]


def test_a_heading_says_what_a_control_is_matched_to_only_where_nothing_else_tells_two_apart() -> None:
    twin, published = of_seed(1, network()), {"method": "random-neuron", "controls": "attribution-residual"}
    first, second = (
        "Random pruning (MiniLM-L6, fine-tuned on SST-2",
        "magnitude pruning (MiniLM-L6, fine-tuned on SST-2",
    )
    assert compare_heading((SEEDS[0], twin)) == f"{first}) beside {second}, seed 1)"
    units = [network(**published, scope=None, seed=seed) for seed in (0, 1)]
    assert compare_heading((network(), units[0])).endswith("beside pruning of random units")
    assert compare_heading((units[0], units[1])).count("matched to attribution (as published, seed") == 2
