"""Two results where both have changed equally much: stored frames, what lies between them, and who is correct."""

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
FIRST = make_result(amounts=TWENTIETHS)


def result(**settings: object) -> SweepResult:
    return make_result(**{"num_layers": 4, "amounts": QUARTERS, "num_examples": 40, **settings})


def depth(one: SweepResult, other: SweepResult, *rest: Any) -> Any:
    return depth_of((one, other), *rest)


# ---------------------------------------------------------------- between two frames


def test_a_frame_between_two_lies_on_the_line_between_them() -> None:
    known = make_result(num_layers=3, amounts=TWENTIETHS, holes=((0.25, 0, 2),))
    low, high = known.frames[4:6]
    target = np.dot((0.75, 0.25), damages_of(known, "mean")[4:6])
    frame = frame_at([known], "mean", target)
    assert frame.amount == pytest.approx(0.75 * low.amount + 0.25 * high.amount)
    ends = [np.array(end.matrix("tokens"), dtype=float) for end in (low, high)]
    expected = 0.75 * ends[0] + 0.25 * ends[1]  # NaN where one of them is
    np.testing.assert_allclose(np.array(frame.matrix("tokens"), dtype=float), expected, atol=1e-9)
    bare = high.model_copy(update={"changed": None})
    lacking = known.model_copy(update={"frames": (*known.frames[:5], bare, *known.frames[6:])})
    assert (frame_at([lacking], "mean", target).changed, frame.predictions) == (None, ()), (
        "what one lacks is missing"
    )


def test_both_results_have_the_value_of_the_grid_up_to_what_is_undefined() -> None:
    second = make_result(
        amounts=TWENTIETHS,
        method="random",
        own_cka=lambda a, p, n: 1 - 0.8 * a * (0.5 + p / (n - 1)),
    )
    together = shown_together((FIRST, second), "damage", "mean")
    assert (together.places[0], len(together.places) > 2) == (0, True)
    for frames in zip(*together.pairs, strict=True):
        damages = [1 - np.mean(frame.own("mean") or ()) for frame in frames]
        assert damages == pytest.approx(together.places, abs=1e-9)
    holed = make_result(amounts=TWENTIETHS, holes=((0.5, 3, 3),))
    assert largest_damage(holed, "mean") == damages_of(holed, "mean")[:10].max()


# ---------------------------------------------------------------- where in depth they change


def test_shares_of_the_change_and_their_paired_difference() -> None:
    steps = {"amounts": (0.0, 0.02, 0.04, 0.06, 0.3)}
    one, other = (
        result(**steps, own_cka=declining(0.7)),
        result(**steps, own_cka=declining(0.9), method="wanda"),
    )
    found, back = depth(one, other, "mean"), depth(other, one, "mean")
    gaps = [known.statistics.cka["mean"].gap_at_damage["0.05"] for known in (one, other)]
    half = (
        t.ppf(0.975, 39)
        * np.sqrt(39)
        * np.std(np.subtract(*(gap.replicates for gap in gaps)))
        / (4 * 0.05)
    )
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


# ---------------------------------------------------------------- accuracy


def test_accuracy_is_tested_where_equally_much_is_removed_whoever_is_asked_first() -> None:
    one = correct_on(result(), {0.3: range(0, 10), 0.6: range(0, 20), 0.9: range(0, 6)})
    other = correct_on(result(method="wanda"), {0.3: range(8, 30), 0.6: range(0, 20)})
    tests, back = (
        [test for *_, test in paired_comparisons(pair, "accuracy")]
        for pair in ((one, other), (other, one))
    )
    assert [test.values for test in tests] == [(0.25, 0.55), (0.5, 0.5), (0.15, 0)]
    assert tests[2].adjusted == pytest.approx(3 * 2 / 2**6), "the smallest of three"
    assert [(test.values[::-1], test.adjusted) for test in back] == [
        (test.values, test.adjusted) for test in tests
    ]
    row = paired_table(paired_comparisons((one, other), "accuracy"), "accuracy", ("a", "b"))[0]
    assert list(row.values()) == ["30 %", "30 %", "0.25", "0.55", "0.036", "0.094"]
    units = {
        "prunable_sparsity": lambda amount: amount * 5 / 6,
        "amounts": (0.0, 0.1, 0.36, 0.5, 0.72),
    }
    pairs = paired_comparisons(
        (result(), result(method="attribution", scope=None, **units)), "accuracy"
    )
    assert [amounts for amounts, _, _ in pairs] == [(0.3, 0.36), (0.6, 0.72)]
