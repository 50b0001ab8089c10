"""How far layers survive, in tables: as the statistics say, with intervals and what lies beyond them."""

import numpy as np
import pytest

from core.findings.survival import interval_text, layer_survivals, own_similarity, survival_table
from core.request.catalog import REDUCTIONS
from core.results.schema import SweepResult
from tests.builders import FINE_AMOUNTS, OwnCka, make_result


def surviving(*amounts: float) -> OwnCka:
    """Own CKA that falls below 0.9 exactly at the given amount of each layer; beyond 1 it never does."""
    return lambda amount, point, size: 1 - 0.1 * amount / amounts[point]


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_the_table_says_what_the_statistics_say(reduction: str) -> None:
    result = make_result(num_layers=4)
    table = survival_table(result, reduction)
    last = own_similarity(result, reduction)[-1]
    for row, survival, value in zip(table, layer_survivals(result, reduction), last, strict=True):
        assert row["Layer"] == survival.title
        assert row["Intact (similarity ≥ 0.9) up to"] == (
            "> 95 %" if survival.censored else f"{100 * survival.value:.0f} %"
        )
        assert float(row["Similarity at 95 % removed"]) == pytest.approx(value, abs=0.00501)


def with_intervals(*intervals: tuple[float, float]) -> SweepResult:
    result = make_result(num_layers=len(intervals))
    assert result.statistics is not None
    survival = tuple(
        record.model_copy(update={"low": low, "high": high})
        for record, (low, high) in zip(result.statistics["cka"]["mean"].survival, intervals, strict=True)
    )
    mean = result.statistics["cka"]["mean"].model_copy(update={"survival": survival})
    return result.model_copy(update={"statistics": {"cka": {"mean": mean}}})


def test_the_table_shows_intervals_and_what_lies_beyond_them() -> None:
    table = survival_table(with_intervals((0.312, 0.449), (0.8, 0.95), (0.95, 0.95)), "mean")
    assert [row["95 % interval"] for row in table] == ["31 to 45 %", "80 to beyond 95 %", "beyond 95 %"]


def test_a_narrow_interval_is_no_single_amount() -> None:
    assert interval_text((0.391, 0.468), 0.8) == "39 to 47 %"
    assert interval_text((0.391, 0.394), 0.8) == "under 1 % wide"
    assert interval_text((0.798, 0.8), 0.8) == "80 to beyond 80 %"


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_without_intervals_the_table_has_no_column_for_them(reduction: str) -> None:
    old = make_result(num_layers=3, statistics=False)
    assert all("95 % interval" not in row for row in survival_table(old, reduction))
    known = make_result(num_layers=3)
    assert all(("95 % interval" in row) == (reduction != "tokens") for row in survival_table(known, reduction))


def test_the_table_shows_other_thresholds() -> None:
    table = survival_table(make_result(num_layers=3, own_cka=surviving(0.4, 0.6, 3)), "mean")  # 1 - amount / (4, 6, 30)
    assert [row["Intact (similarity ≥ 0.9) up to"] for row in table] == ["40 %", "60 %", "> 95 %"]
    assert [row["Similarity ≥ 0.8 up to"] for row in table] == ["80 %", "> 95 %", "> 95 %"]
    assert [row["Similarity ≥ 0.95 up to"] for row in table] == ["20 %", "30 %", "> 95 %"]


def test_survival_lies_between_the_frames_around_the_fall() -> None:
    result = make_result(num_layers=3)
    values = own_similarity(result, "cls")
    for layer, survival in enumerate(layer_survivals(result, "cls")):
        k = int(np.argmax(values[:, layer] < 0.9))
        assert FINE_AMOUNTS[k - 1] <= survival.value <= FINE_AMOUNTS[k]
