"""Paired tests against values computed by hand."""

import pytest

from core.sweep.paired_tests import holm, paired_tests


def answers(*counts: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two models' answers to a gold label of 1: both right, only the one, only the other, both wrong."""
    pairs = [pair for pair, count in zip([(1, 1), (1, 0), (0, 1), (0, 0)], counts, strict=True) for _ in range(count)]
    return tuple(one for one, _ in pairs), tuple(other for _, other in pairs)


def test_mcnemar_is_exact_and_two_sided() -> None:
    one, other = answers(50, 8, 1, 41)
    (test,) = paired_tests((1,) * 100, (one,), (other,))
    assert (test.only_first, test.only_second) == (8, 1)
    assert test.p_value == pytest.approx(2 * (1 + 9) / 2**9)  # at most 1 of 9 coins, on either side
    assert test.adjusted == test.p_value
    (swapped,) = paired_tests((1,) * 100, (other,), (one,))
    assert (swapped.only_first, swapped.only_second, swapped.p_value) == (1, 8, test.p_value)


def test_holm_steps_down_over_the_amounts() -> None:
    cases = [answers(10, 6, 0, 4), answers(10, 5, 5, 0), answers(11, 9, 0, 0)]
    tests = paired_tests((1,) * 20, tuple(one for one, _ in cases), tuple(other for _, other in cases))
    assert [test.p_value for test in tests] == pytest.approx([2 / 2**6, 1.0, 2 / 2**9])
    assert [test.adjusted for test in tests] == pytest.approx([2 * 2 / 2**6, 1.0, 3 * 2 / 2**9])


def test_models_that_agree_do_not_differ() -> None:
    one, other = answers(7, 0, 0, 3)
    assert paired_tests((1,) * 10, (one,), (other,))[0].p_value == 1
    assert paired_tests((1,) * 10, (), ()) == ()
    assert holm((0.01, 0.04, 0.5)) == pytest.approx((0.03, 0.08, 0.5))
