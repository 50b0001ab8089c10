"""What layers and halves of layers pass on: by hand in small cases, and by naive computations."""

import numpy as np
import pytest
from scipy.stats import binomtest

from core.findings.comparable import by_scope, isolated_of
from core.findings.passed import harm_of, passed_on
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.core.findings.made import ALONE_STEPS, HARMS, OWN_LOSSES, alone, half

WHOLE = make_result(num_layers=4, amounts=ALONE_STEPS)
LAYERS = alone()
LOWER = "layers:0-1"
UPPER = "layers:2-3"


def test_every_number_is_that_of_the_layer_that_was_pruned() -> None:
    fewer_amounts = alone(amounts=(0.0, 0.5))[0]  # of two results of one scope, most count
    drawn = alone(HARMS[::-1], method="random")

    passed = passed_on(WHOLE, [fewer_amounts, *LAYERS, *drawn], "mean")

    assert list(passed.losses) == [0.3, 0.7]
    assert not passed.is_read
    faded, own, end = passed.losses[0.7].T  # each (layers,)
    assert faded == pytest.approx(1 - np.array(WHOLE.frames[2].own("mean")))
    assert own == pytest.approx(0.7 * np.array(OWN_LOSSES))
    handed_on = [*(harm / 2 for harm in HARMS[:3]), OWN_LOSSES[3]]
    assert end == pytest.approx(0.7 * np.array(handed_on))
    together, one_at_a_time = passed.upper_shares(0.7)
    assert together == pytest.approx(faded[2:].sum() / faded.sum())
    assert one_at_a_time == pytest.approx(0.7)


def test_halves_end_with_what_the_last_layer_loses() -> None:
    halves = [half(scope, 0.4, amounts=ALONE_STEPS) for scope in (LOWER, UPPER)]

    passed = passed_on(WHOLE, [*LAYERS, *halves], "mean")

    assert list(passed.halves) == [0.0, 0.3, 0.7]
    expected = [1 - sweep.frames[2].own("mean")[-1] for sweep in halves]
    assert passed.halves[0.7] == pytest.approx(expected)


def test_the_end_is_what_the_classifier_reads_if_every_result_holds_it() -> None:
    read = alone(read=0.6)

    passed = passed_on(WHOLE, read, "mean")

    assert passed.is_read
    assert passed.losses[0.3][:, 2] == pytest.approx([0.18] * 4)
    assert not passed_on(WHOLE, [*read[:3], LAYERS[3]], "mean").is_read


@pytest.mark.parametrize(
    "lacking",
    [
        LAYERS[:3],
        [],
        alone(amounts=(0.0,)),
        alone(num_examples=100),
        alone(method="wanda"),
    ],
)
def test_no_layer_may_be_lacking(lacking: list[SweepResult]) -> None:
    assert passed_on(WHOLE, lacking, "mean") is None


def test_amounts_where_a_loss_is_undefined_are_left_out() -> None:
    undefined = make_result(
        num_layers=4,
        scope="layer:3",
        points="layer",
        amounts=ALONE_STEPS,
        holes=((0.3, 3, 3),),
    )

    passed = passed_on(WHOLE, [*LAYERS[:3], undefined], "mean")

    assert list(passed.losses) == [0.7]


# ---------------------------------------------------------------- harm of halves

LOWER_HALF = half(LOWER, 0.4)
UPPER_HALF = half(UPPER, 0.1)
DRAWN = [half(scope, 0.2, method="random", seed=1) for scope in (UPPER, LOWER)]


def test_halves_are_compared_where_each_has_lost_the_share_nearest_to_40_percent() -> None:
    beside = [half("layers:0-2", 0.2), UPPER_HALF, *DRAWN, LOWER_HALF, *LAYERS]

    harm = harm_of(isolated_of(WHOLE, beside))

    assert harm[:3] == (0.6, 0.4, 0.1)
    # The 20 changed by both decide nothing.
    assert harm.p_value == pytest.approx(binomtest(60, 60).pvalue)
    assert harm_of(by_scope(WHOLE, DRAWN)).p_value == 1


def test_halves_that_never_lose_equally_much_are_not_compared() -> None:
    third = half(UPPER, 0.1, prunable_sparsity=lambda amount: amount / 3)

    for beside in ([LOWER_HALF], [LOWER_HALF, third], []):
        assert harm_of(isolated_of(WHOLE, beside)) is None
