"""Whether a second measure confirms CKA: on results whose truth is known."""

import numpy as np
import pytest

from core.findings.methods import agreement, agreement_finding, agreement_table
from core.findings.verdict_table import verdict_table
from tests.builders import declining, make_result, with_neighbours

AMOUNTS = (*(k / 100 for k in range(12)), 0.21, 0.31)  # the damage, for `declining`
CHECKED = make_result(num_layers=4, amounts=AMOUNTS, own_cka=declining(0.7))


def test_a_measure_that_falls_twice_as_far_in_the_same_layers_confirms() -> None:
    found = agreement(with_neighbours(CHECKED, lambda amount, point, size: declining(0.7)(2 * amount, point, size)))
    assert found
    assert [reading.damage for reading in found.readings] == [0.05, 0.1, 0.2, 0.3]
    for reading in found.readings:
        assert reading.shares == pytest.approx((0.7, 0.7))
        np.testing.assert_allclose(1 - reading.neighbours, 2 * (1 - reading.cka))
        assert reading.same_half
    assert found.correlation == pytest.approx(1, abs=0.01), "but for layers that fall alike"
    sentence = agreement_finding(found)
    assert "confirm in which half of the layers most of the change lies." in sentence
    assert (
        "the upper half holds 70 % of it by CKA and 70 % by neighbours, which have changed by 0.10 altogether"
        in sentence
    )


def test_a_measure_that_changes_in_the_other_half_does_not() -> None:
    found = agreement(with_neighbours(CHECKED, declining(0.4)))
    assert found
    assert found.readings[0].shares == pytest.approx((0.7, 0.4))
    assert not any(reading.same_half for reading in found.readings)
    assert "do not confirm" in agreement_finding(found)
    assert "layer 3 has changed most by CKA, layer 1 by neighbours" in agreement_finding(found)


def test_where_they_agree_at_some_damages_these_are_named() -> None:
    found = agreement(
        with_neighbours(CHECKED, lambda amount, *rest: declining(0.7 if amount < 0.15 else 0.4)(amount, *rest))
    )
    assert found
    assert [reading.same_half for reading in found.readings] == [True, True, False, False]
    assert "at an overall change of 0.05 and 0.10, not at the others" in agreement_finding(found)


def test_the_table_has_a_row_per_layer_and_the_shares() -> None:
    found = agreement(with_neighbours(CHECKED, declining(0.4)))
    assert found
    rows = agreement_table(found)
    assert [row["Layer"] for row in rows] == ["1", "2", "3", "4", "In the upper half"]
    assert rows[0]["at 0.05"] == "0.97 / 0.94"
    assert rows[-1]["at 0.05"] == "70 % / 40 %"


def test_a_result_by_a_further_measure_has_no_second_row_among_the_verdicts() -> None:
    again = with_neighbours(CHECKED, declining(0.7))
    assert again.key != CHECKED.key
    assert [row.result.key for row in verdict_table([CHECKED, again], [])] == [CHECKED.key]


def test_without_both_measures_or_any_damage_nothing_is_said() -> None:
    assert agreement(CHECKED) is None
    assert agreement(with_neighbours(CHECKED, lambda *_: None)) is None
    slight = make_result(num_layers=4, amounts=(0.0, 0.01, 0.02), own_cka=declining(0.7))
    assert agreement(with_neighbours(slight, declining(0.7))) is None
