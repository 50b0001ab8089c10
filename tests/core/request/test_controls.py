"""The sweeps that a method is judged beside."""

from dataclasses import replace
from itertools import pairwise
from statistics import fmean

import pytest

from core.request.catalog import CONTROL_SEEDS, METHODS
from core.request.controls import deciding, every_method, judged_beside, likely_amounts, small_steps
from core.request.limits import HOSTED_LIMITS
from core.request.sweep_request import SweepRequest, checked
from core.results import library, store
from core.results.provenance import request_of

MAGNITUDE = SweepRequest(
    "embedded:sst2", "sst2", num_examples=64, points="both", data="written", range_examples="all"
)


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.control])
def test_every_method_is_judged_beside_its_own_seeds_in_small_steps(method):
    granularity = METHODS[method].granularity
    beside = judged_beside(
        replace(MAGNITUDE, method=method, scope="encoder" if granularity == "weight" else None)
    )
    seeds = [request.seed for request in beside if request.control_of == method]
    assert seeds == list(range(CONTROL_SEEDS[granularity]))
    assert {
        (request.amounts[1], request.until_damage, request.num_examples) for request in beside
    } == {(0.01, 0.3, 64)}
    assert all(checked(request) == request for request in beside)
    itself = [request.amounts for request in beside if request.method == method]
    assert itself == [small_steps()] * (granularity == "neuron"), "units damage a model soon"


def test_one_layer_alone_is_judged_at_its_own_amounts():
    beside = judged_beside(replace(MAGNITUDE, scope="layer:2", amounts=(0.0, 0.5)))
    assert {(sweep.scope, sweep.amounts, sweep.until_damage) for sweep in beside} == {
        ("layer:2", (0.0, 0.5), None)
    }
    assert [request.seed for request in beside] == [0, 1, 2]
    assert not judged_beside(replace(MAGNITUDE, method="random")), "a control has no control"


def test_every_method_is_run_but_what_an_architecture_lacks():
    sweeps = (every_method(MAGNITUDE, kind) for kind in ("bert", "modernbert"))
    usual, normalising_first = ({sweep.method for sweep in alike} for alike in sweeps)
    assert usual == {name for name, method in METHODS.items() if method.control}
    assert usual - normalising_first == {"attribution-residual"}


def test_a_hosted_server_takes_as_many_coarser_steps_as_it_allows(
    monkeypatch,
):
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    amounts = small_steps()
    assert len(amounts) == HOSTED_LIMITS.amounts
    assert {round(after - before, 6) for before, after in pairwise(amounts)} == {0.01, 0.02}
    assert all(checked(request) for request in judged_beside(MAGNITUDE))
    assert (
        deciding(replace(MAGNITUDE, num_examples=500), "more examples").num_examples
        == HOSTED_LIMITS.examples
    )


def test_what_may_decide_a_verdict():
    finer = tuple(sorted({*(k / 500 for k in range(11)), *small_steps()}))[:101]
    changed = {
        "more examples": {"num_examples": 128},
        "smaller steps": {"amounts": finer, "until_damage": 0.3},
        "larger amounts": {"amounts": tuple(round(k / 20, 2) for k in range(20))},
        "random removal": {},
        "all seeds": {},
    }
    for remedy, changes in changed.items():
        assert deciding(MAGNITUDE, remedy) == replace(MAGNITUDE, **changes)
        assert checked(deciding(MAGNITUDE, remedy))
    beside = judged_beside(
        deciding(replace(MAGNITUDE, method="attribution", scope=None), "smaller steps")
    )
    assert {(further.amounts, further.control_of) for further in beside} == {
        (finer, "attribution")
    }, "itself is there"


def test_controls_are_forecast_to_end_about_where_the_shipped_draws_did():
    draws = [
        entry for entry in library.shipped(library.Entry) if entry.until_damage and entry.seed < 2
    ]
    for method in ("magnitude", "wanda", "attribution", "attribution-residual"):
        ended = [
            store.load(store.file_of(entry.key)) for entry in draws if entry.controls == method
        ]
        assert (
            2 / 3
            < fmean(likely_amounts(request_of(draw)) / len(draw.amounts) for draw in ended)
            < 1.5
        ), method
