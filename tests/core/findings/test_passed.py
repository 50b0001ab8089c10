"""What layers and halves of layers pass on: by hand in small cases, and against naive computations."""

import numpy as np
import pytest
from scipy.stats import binomtest

from core.findings.comparable import by_scope, isolated_of
from core.findings.passed import harm_of, passed_on
from tests.builders import make_result
from tests.core.findings.made import ALONE_STEPS, HARMS, OWN_LOSSES, alone, half

WHOLE = make_result(num_layers=4, amounts=ALONE_STEPS)


def test_every_number_is_that_of_the_layer_that_was_pruned() -> None:
    layers, short = (
        alone(),
        alone(amounts=(0.0, 0.5))[0],
    )  # of two results of one scope that with more amounts counts
    drawn = alone(HARMS[::-1], method="random")
    halves = [half(scope, 0.4, amounts=ALONE_STEPS) for scope in ("layers:0-1", "layers:2-3")]
    known = passed_on(WHOLE, [short, *layers, *drawn, *halves], "mean")
    assert (list(known.losses), known.is_read, list(known.halves)) == (
        [0.3, 0.7],
        False,
        [0.0, 0.3, 0.7],
    )
    assert known.halves[0.7] == pytest.approx([1 - one.frames[2].own("mean")[-1] for one in halves])
    faded, own, end = known.losses[0.7].T  # each (layers,)
    assert known.upper_shares(0.7) == pytest.approx((faded[2:].sum() / faded.sum(), 0.7))
    assert faded == pytest.approx(1 - np.array(WHOLE.frames[2].own("mean")))
    assert own == pytest.approx(0.7 * np.array(OWN_LOSSES))
    assert end == pytest.approx(0.7 * np.array([*np.array(HARMS[:3]) / 2, OWN_LOSSES[3]]))


def test_the_end_is_what_the_classifier_reads_only_where_every_result_holds_it_and_no_layer_may_lack() -> (
    None
):
    read, layers = alone(read=0.6), alone()
    known = passed_on(WHOLE, read, "mean")
    assert (known.is_read, known.losses[0.3][:, 2].tolist()) == (True, pytest.approx([0.18] * 4))
    assert not passed_on(WHOLE, [*read[:3], layers[3]], "mean").is_read
    lacking = [
        layers[:3],
        [],
        alone(amounts=(0.0,)),
        alone(num_examples=100),
        alone(method="wanda"),
    ]
    assert [passed_on(WHOLE, known, "mean") for known in lacking] == [None] * 5
    blind = make_result(
        num_layers=4, scope="layer:3", points="layer", amounts=ALONE_STEPS, holes=((0.3, 3, 3),)
    )
    assert list(passed_on(WHOLE, [*layers[:3], blind], "mean").losses) == [0.7], "undefined at 0.3"


def test_halves_are_compared_where_each_has_lost_the_share_of_its_weights_nearest_to_40_percent() -> (
    None
):
    lower, upper = half("layers:0-1", 0.4), half("layers:2-3", 0.1)
    drawn = [half(scope, 0.2, method="random", seed=1) for scope in ("layers:2-3", "layers:0-1")]
    beside = [half("layers:0-2", 0.2), upper, *drawn, lower, *alone()]
    harm = harm_of(isolated_of(WHOLE, beside))
    assert (harm.removed, harm.lower, harm.upper) == (0.6, 0.4, 0.1)
    assert harm.p_value == pytest.approx(binomtest(60, 60).pvalue), (
        "the 20 changed by both decide nothing"
    )
    assert harm_of(by_scope(WHOLE, drawn)).p_value == 1
    third = half("layers:2-3", 0.1, prunable_sparsity=lambda a: a / 3)
    assert [harm_of(isolated_of(WHOLE, known)) for known in ([lower], [lower, third], [])] == [
        None
    ] * 3
