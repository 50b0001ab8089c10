"""The sweeps that a method is judged beside."""

from dataclasses import replace
from itertools import pairwise

import pytest

from core.request.catalog import CONTROL_SEEDS, METHODS
from core.request.controls import judged_beside, small_steps
from core.request.limits import HOSTED_LIMITS
from core.request.sweep_request import SweepRequest, checked

MAGNITUDE = SweepRequest("embedded:sst2", "sst2", num_examples=64, points="both", data="written", range_examples="all")


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.control])
def test_every_method_is_judged_beside_its_own_seeds_in_small_steps(method: str) -> None:
    granularity = METHODS[method].granularity
    beside = judged_beside(replace(MAGNITUDE, method=method, scope="encoder" if granularity == "weight" else None))
    seeds = [request.seed for request in beside if request.control_of == method]
    assert seeds == list(range(CONTROL_SEEDS[granularity]))
    assert {(request.amounts[1], request.until_damage, request.num_examples) for request in beside} == {(0.01, 0.3, 64)}
    assert all(checked(request) == request for request in beside)
    itself = [request.amounts for request in beside if request.method == method]
    assert itself == [small_steps()] * (granularity == "neuron"), "units damage a model soon"


def test_one_layer_alone_is_judged_at_its_own_amounts() -> None:
    alone = replace(MAGNITUDE, scope="layer:2", amounts=(0.0, 0.5))
    beside = judged_beside(alone)
    assert {(request.scope, request.amounts, request.until_damage) for request in beside} == {
        ("layer:2", (0.0, 0.5), None)
    }
    assert [request.seed for request in beside] == [0, 1, 2]
    assert not judged_beside(replace(MAGNITUDE, method="random")), "a control has no control"


def test_a_hosted_server_takes_as_many_coarser_steps_as_it_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    amounts = small_steps()
    assert len(amounts) == HOSTED_LIMITS.amounts
    assert amounts[:7] == (0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06), "chance can do a damage of 0.05 by then"
    assert {round(after - before, 6) for before, after in pairwise(amounts[6:])} == {0.02}
    assert all(checked(request) for request in judged_beside(MAGNITUDE))
