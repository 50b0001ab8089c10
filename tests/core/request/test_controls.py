"""The sweeps that a method is judged beside."""

from dataclasses import replace
from itertools import pairwise
from statistics import fmean

import pytest

from core.request.catalog import CONTROL_SEEDS, METHODS
from core.request.controls import (
    deciding,
    every_method,
    judged_beside,
    likely_amounts,
    small_steps,
)
from core.request.limits import HOSTED_LIMITS
from core.request.sweep_request import SweepRequest, checked
from core.results import library, store
from core.results.provenance import request_of

MAGNITUDE = SweepRequest(
    "embedded:sst2",
    "sst2",
    num_examples=64,
    points="both",
    data="written",
    range_examples="all",
)
UNITS = replace(MAGNITUDE, method="attribution", scope=None)
NAMES = [name for name, method in METHODS.items() if method.control]


@pytest.mark.parametrize("method", NAMES)
def test_every_method_is_judged_beside_its_own_seeds_in_small_steps(method):
    granularity = METHODS[method].granularity
    kind = MAGNITUDE if granularity == "weight" else UNITS

    beside = judged_beside(replace(kind, method=method))

    seeds = [request.seed for request in beside if request.control_of == method]
    assert seeds == [*range(CONTROL_SEEDS[granularity])]
    for request in beside:
        assert request.amounts == small_steps()
        assert request.amounts[1] == 0.01
        assert (request.until_damage, request.num_examples) == (0.3, 64)
        assert checked(request) == request
    itself = [request for request in beside if request.method == method]
    assert len(itself) == (granularity == "neuron"), "units damage a model soon"


def test_one_layer_alone_is_judged_at_its_own_amounts():
    alone = replace(MAGNITUDE, scope="layer:2", amounts=(0.0, 0.5))

    beside = judged_beside(alone)

    assert [request.seed for request in beside] == [0, 1, 2]
    for request in beside:
        assert (request.scope, request.amounts) == (alone.scope, alone.amounts)
        assert request.until_damage is None


def test_a_control_has_no_control():
    assert not judged_beside(replace(MAGNITUDE, method="random"))


def test_every_method_is_run_but_what_an_architecture_lacks():
    usual, normalising_first = (
        [sweep.method for sweep in every_method(MAGNITUDE, model_type)]
        for model_type in ("bert", "modernbert")
    )

    assert usual == NAMES
    assert {*usual} - {*normalising_first} == {"attribution-residual"}


def test_a_hosted_server_takes_as_many_coarser_steps_as_it_allows(monkeypatch):
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")

    amounts = small_steps()

    assert len(amounts) == HOSTED_LIMITS.amounts
    assert {round(after - before, 6) for before, after in pairwise(amounts)} == {0.01, 0.02}
    assert all(checked(request) for request in judged_beside(MAGNITUDE))
    more = deciding(replace(MAGNITUDE, num_examples=500), "more examples")
    assert more.num_examples == HOSTED_LIMITS.examples


FINER = tuple(sorted({*(step / 500 for step in range(11)), *small_steps()}))[:101]


@pytest.mark.parametrize(
    ("remedy", "changes"),
    [
        ("more examples", {"num_examples": 128}),
        ("smaller steps", {"amounts": FINER, "until_damage": 0.3}),
        (
            "larger amounts",
            {"amounts": tuple(round(step / 20, 2) for step in range(20))},
        ),
        ("random removal", {}),
        ("all seeds", {}),
    ],
)
def test_what_may_decide_a_verdict(remedy, changes):
    request = deciding(MAGNITUDE, remedy)

    assert request == replace(MAGNITUDE, **changes)
    assert checked(request)


def test_controls_of_smaller_steps_have_them_too():
    beside = judged_beside(deciding(UNITS, "smaller steps"))

    assert {request.amounts for request in beside} == {FINER}
    assert {request.control_of for request in beside} == {"attribution"}, "itself is there"


@pytest.mark.parametrize("method", ["magnitude", "wanda", "attribution", "attribution-residual"])
def test_controls_are_forecast_to_end_about_where_the_shipped_draws_did(method):
    draws = [
        store.load(store.file_of(entry.key))
        for entry in library.shipped(library.Entry)
        if entry.controls == method and entry.until_damage and entry.seed < 2
    ]

    ratios = [likely_amounts(request_of(draw)) / len(draw.amounts) for draw in draws]

    assert 2 / 3 < fmean(ratios) < 1.5
