"""What is said of twelve layers: halves are layers 1 to 6 and 7 to 12, and lists of layers do not name each."""

import pytest

from core.findings.claim import verdict
from core.findings.lab import key_figures
from core.findings.layers import control_finding, floor_note, gaps_note, order_finding, title_finding
from core.findings.overview import finding, holding_finding
from core.results.schema import SweepResult, WorkingRangeRecord
from tests.builders import make_result, with_own_key

AMOUNTS = tuple(k / 20 for k in range(20))


def only_from(layer: int, amount: float, point: int, size: int) -> float:
    """Own CKA falls by the amount from one layer on, counted from 1, and not before it."""
    return 1 - amount * (point >= layer - 1)


def upper(amount: float, point: int, size: int) -> float:
    """The seventh layer and those above it change."""
    return only_from(7, amount, point, size)


def tenth(amount: float, point: int, size: int) -> float:
    """The tenth layer and those above it change."""
    return only_from(10, amount, point, size)


def twelve(**settings: object) -> SweepResult:
    return make_result(**{"num_layers": 12, "amounts": AMOUNTS, **settings})


def test_the_halves_are_six_layers_each() -> None:
    assert verdict(twelve(own_cka=upper), []).share == pytest.approx(1)
    seventh = verdict(twelve(own_cka=lambda amount, point, size: 1 - amount * (point == 6)), [])
    sixth = verdict(twelve(own_cka=lambda amount, point, size: 1 - amount * (point == 5)), [])
    assert (seventh.share, sixth.share) == pytest.approx((1, 0))


def test_layers_that_follow_each_other_are_named_by_their_ends() -> None:
    result = twelve(own_cka=tenth)
    assert title_finding(result, "mean").startswith("Layers 10 to 12 change first: they fall below 0.9 at 10 %")
    assert order_finding(result, "mean").startswith("Layers 1 to 9 stay intact longest")
    assert "layers 10 to 12 fall first" in finding(twelve(own_cka=_tenth_and_first), "mean")
    assert "one of layers 10 to 12 first" in control_finding(result, "mean", [result])
    assert floor_note(result, "mean", 0.7).startswith("Layers 1 to 4 are above 0.7")
    first, longest, _ = key_figures(result, "mean")
    assert (first.value, longest.value) == ("Layers 10 to 12, at 10 %", "Layers 1 to 9, beyond 95 %")
    working = WorkingRangeRecord(
        to=0.5, metric="accuracy", examples=200, shown_broken_from=None, smallest_drop=0.1, lead=0.4, reason=None
    )
    held = holding_finding(with_own_key(result, working_range=working), "mean")
    assert "though layers 10 to 12 have fallen below 0.9 by then" in held


def test_gaps_in_a_row_of_layers_stay_visible() -> None:
    holes = tuple((amount, layer - 1, layer - 1) for amount in AMOUNTS[1:] for layer in (2, 4, 5, 6, 7, 11, 12))
    assert "(layers 2, 4 to 7, 11 and 12)" in gaps_note(twelve(holes=holes), "mean")


def _tenth_and_first(amount: float, point: int, size: int) -> float:
    """As `tenth`, and the first layer changes a little less than these."""
    return 1 - 0.9 * amount if point == 0 else tenth(amount, point, size)
