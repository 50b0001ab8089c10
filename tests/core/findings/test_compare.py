"""Two results where both have changed equally much: frames, what lies between, who is correct."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import t

from core.findings.compare import depth_of, paired_comparisons, shown_together
from core.findings.matching import damages_of, frame_at, largest_damage
from core.findings.words.compare import paired_table
from core.results.schema import SweepResult
from tests.builders import declining, make_result
from tests.core.findings.made import QUARTERS, correct_on, network

TWENTIETHS = tuple(k / 20 for k in range(20))


def result(**settings: object) -> SweepResult:
    usual = {
        "num_layers": 4,
        "amounts": QUARTERS,
        "num_examples": 40,
    }
    return make_result(**{**usual, **settings})


# ---------------------------------------------------------------- between two frames

HOLED = make_result(num_layers=3, amounts=TWENTIETHS, holes=((0.25, 0, 2),))
BETWEEN = np.dot((0.75, 0.25), damages_of(HOLED, "mean")[4:6])  # a damage


def test_a_frame_between_two_lies_on_the_line_between_them() -> None:
    low, high = HOLED.frames[4:6]
    frame = frame_at([HOLED], "mean", BETWEEN)

    assert frame.amount == pytest.approx(0.75 * low.amount + 0.25 * high.amount)
    before = np.array(low.matrix("tokens"), dtype=float)
    after = np.array(high.matrix("tokens"), dtype=float)
    between = np.array(frame.matrix("tokens"), dtype=float)
    expected = 0.75 * before + 0.25 * after  # NaN where one of them is
    np.testing.assert_allclose(between, expected, atol=1e-9)


def test_a_frame_lacks_what_a_neighbour_lacks_and_predictions() -> None:
    frames = list(HOLED.frames)
    frames[5] = frames[5].model_copy(update={"changed": None})
    bare = HOLED.model_copy(update={"frames": tuple(frames)})

    frame = frame_at([bare], "mean", BETWEEN)

    assert frame.changed is None
    assert frame.predictions == ()


def test_both_results_have_the_value_of_the_grid() -> None:
    first = make_result(amounts=TWENTIETHS)
    second = make_result(
        amounts=TWENTIETHS,
        method="random",
        own_cka=lambda amount, point, size: 1 - 0.8 * amount * (0.5 + point / (size - 1)),
    )
    together = shown_together((first, second), "damage", "mean")

    assert len(together.places) > 2
    assert together.places[0] == 0
    sides = zip(*together.pairs, strict=True)
    for frames in sides:
        damages = [1 - np.mean(frame.own("mean")) for frame in frames]
        assert damages == pytest.approx(together.places, abs=1e-9)


def test_the_largest_damage_comes_before_one_that_is_undefined() -> None:
    holed = make_result(amounts=TWENTIETHS, holes=((0.5, 3, 3),))

    assert largest_damage(holed, "mean") == damages_of(holed, "mean")[:10].max()


# ---------------------------------------------------------------- where in depth they change


def test_shares_of_the_change_and_their_paired_difference() -> None:
    steps = (0.0, 0.02, 0.04, 0.06, 0.3)
    first = result(amounts=steps, own_cka=declining(0.7))
    second = result(amounts=steps, own_cka=declining(0.9), method="wanda")
    replicates = []
    for each in (first, second):
        gaps = each.statistics.cka["mean"].gap_at_damage
        replicates.append(gaps["0.05"].replicates)
    deviation = np.std(np.subtract(*replicates))
    error = np.sqrt(39) * deviation / (4 * 0.05)
    half = t.ppf(0.975, 39) * error

    depth = depth_of((first, second), "mean")
    reverse = depth_of((second, first), "mean")

    assert depth.shares == pytest.approx((0.7, 0.9))
    assert (depth.low, depth.high) == pytest.approx((-0.2 - half, -0.2 + half))
    assert reverse.shares == depth.shares[::-1]
    assert reverse.low == pytest.approx(-depth.high)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"amounts": (0.0, 0.04, 0.3)}, "steps too coarse"),
        ({"amounts": (0.0, 0.02, 0.04)}, "change not reached"),
        ({"points": "layer"}, "other points"),
    ],
)
def test_what_does_not_measure_the_same_is_not_compared(
    change: dict[str, Any], reason: str
) -> None:
    first = network()
    second = network(**change)

    assert depth_of((first, second), "mean") == reason
    assert depth_of((second, first), "mean") == reason
    assert depth_of((first, second), "tokens") == "all tokens"


# ---------------------------------------------------------------- accuracy

FIRST = correct_on(
    result(),
    {0.3: range(10), 0.6: range(20), 0.9: range(6)},
)
SECOND = correct_on(
    result(method="wanda"),
    {0.3: range(8, 30), 0.6: range(20)},
)


def test_accuracy_is_tested_where_equally_much_is_removed_whoever_is_first() -> None:
    tests = paired_comparisons((FIRST, SECOND), "accuracy")
    reverse = paired_comparisons((SECOND, FIRST), "accuracy")

    values = [test.values for *_, test in tests]
    assert values == [(0.25, 0.55), (0.5, 0.5), (0.15, 0)]
    *_, last = tests[-1]
    assert last.adjusted == pytest.approx(3 * 2 / 2**6), "the smallest of three"
    for (*_, test), (*_, back) in zip(tests, reverse, strict=True):
        assert back.values == test.values[::-1]
        assert back.adjusted == test.adjusted
    row = paired_table(tests, "accuracy", ("a", "b"))[0]
    assert " | ".join(row.values()) == "30 % | 30 % | 0.25 | 0.55 | 0.036 | 0.094"


def test_weights_and_units_are_paired_by_the_share_of_weights() -> None:
    units = result(
        method="attribution",
        scope=None,
        amounts=(0.0, 0.1, 0.36, 0.5, 0.72),
        prunable_sparsity=lambda amount: amount * 5 / 6,
    )
    pairs = paired_comparisons((result(), units), "accuracy")

    assert [amounts for amounts, *_ in pairs] == [(0.3, 0.36), (0.6, 0.72)]
