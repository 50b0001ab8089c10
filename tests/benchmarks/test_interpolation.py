"""Interpolated profiles against measured ones: exact at an amount of the sweep, and off where the curve bends."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks import interpolation
from benchmarks.interpolation import Deviation, deviations, reached, rows
from core.inputs.prepare import prepare
from core.request.amounts import parse_amounts
from core.request.sweep_request import SweepRequest, checked
from core.results.schema import SweepResult
from core.sweep.sweep import sweep
from tests.builders import make_result
from tests.tiny import loaded

AMOUNTS = (0.1, 0.3, 0.5, 0.7, 0.9)


@pytest.fixture
def result(tiny_bert: Path, glue_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SweepResult]:
    """A sweep whose result is found again without naming the checkpoint's folder."""
    request = checked(
        SweepRequest(str(tiny_bert), "sst2", amounts=parse_amounts(AMOUNTS), num_examples=64, data=str(glue_folder))
    )
    inputs = prepare(request)
    *_, found = sweep(loaded(inputs.resolved), inputs, request)
    assert isinstance(found, SweepResult)
    monkeypatch.setattr(interpolation, "find_inputs", lambda *_: (request, inputs))
    return found


def test_the_profile_is_measured_at_the_interpolated_amount(result: SweepResult) -> None:
    measured = list(deviations(result, None))
    assert [one.damage for one in measured] == [*reached(result)]
    assert measured, "the sweep reaches a damage"
    for one in measured:
        at = reached(result)[one.damage]
        assert one.amount == pytest.approx(at.amount, abs=1e-6)
        assert 0 < one.largest < 0.1, "a straight line is not the curve"
        assert (np.array(at.value) + one.profile).mean() == pytest.approx(1 - float(one.damage), abs=0.05)


def test_between_equal_amounts_nothing_deviates(result: SweepResult) -> None:
    known = result.statistics["cka"]["mean"]
    k = 3  # the profile as measured at an amount of the sweep
    stored = next(iter(reached(result).values())).model_copy(
        update={"amount": result.amounts[k], "value": result.frames[k].own("mean")}
    )
    statistics = known.model_copy(update={"profile_at_damage": {"0.1": stored}})
    exact = result.model_copy(update={"statistics": {"cka": {"mean": statistics}}})
    (found,) = deviations(exact, None)
    assert found.largest < 1e-8


def test_a_single_pruned_layer_and_an_unknown_profile_are_left_out() -> None:
    assert not reached(make_result(scope="layer:1"))
    assert not reached(make_result(points="attention").model_copy(update={"statistics": None}))


def test_a_row_counts_seeds_and_names_the_layer_that_deviates_most() -> None:
    seeds = [make_result(method="random", seed=seed) for seed in (0, 1)]
    interpolated = np.array([0.98, 0.95, 0.92])  # damage 0.05, gap 0.04: 0.7 of it lies in the upper half
    deviations = (np.array([0.0, 0.001, -0.002]), np.array([0.0, -0.006, 0.004]))
    found = [
        Deviation(one, "0.05", 0.13, interpolated, interpolated + deviation)
        for one, deviation in zip(seeds, deviations, strict=True)
    ]
    (row,) = rows(found)
    assert (row["results"], row["largest deviation"], row["layer"], row["beyond the bound"]) == (
        "2",
        "0.0060",
        "2",
        "1",
    )
    assert row["between amounts"] == "0.1 and 0.15"
    assert row["the share deviates by"] == "0.016", "the second: 0.684 of a damage of 0.0507"
