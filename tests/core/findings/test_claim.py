"""The verdict on networks whose truth is known, what keeps it inconclusive, and several at once."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from core.findings.claim import corrected, verdict
from core.results.schema import SweepResult
from core.sweep.control_contrast import State
from tests.core.findings.made import (
    COARSE,
    SEED_SHARES,
    SEEDS,
    UNITS,
    around,
    network,
    seeds,
    working_to,
)


@pytest.mark.parametrize(
    ("share", "state"),
    [
        (0.70, "equivalent"),
        (0.90, "steeper"),
        (0.45, "flatter"),
        (0.795, "inconclusive"),
    ],
)
def test_the_truth_is_found(share: float, state: State) -> None:
    judged = verdict(network(share), SEEDS)

    assert judged.state == state
    assert judged.share == pytest.approx(share)
    assert judged.control_shares == pytest.approx(SEED_SHARES)
    assert judged.contrast.difference == pytest.approx(share - 0.70)


FEW = {"num_examples": 60}
COARSE_SEEDS = seeds(*SEED_SHARES, amounts=COARSE)
REASONS: list[tuple[SweepResult, list[SweepResult], str, str | None]] = [
    (
        network(**FEW),
        seeds(*SEED_SHARES, **FEW),
        "too few examples",
        "more examples",
    ),
    (
        network(holes=((0.03, 1, 1),)),
        SEEDS,
        "change not reached",
        "larger amounts",
    ),
    (network(amounts=(0.0,)), SEEDS, "change not reached", "larger amounts"),
    (network(amounts=COARSE), SEEDS, "steps too coarse", "smaller steps"),
    (network(), [], "no control", "random removal"),
    (network(), SEEDS[:4], "too few seeds", "all seeds"),
    (
        network(),
        [*SEEDS[:3], *COARSE_SEEDS[3:]],
        "too few seeds",
        "smaller steps",
    ),
    (network(0.9), seeds(0.5, 0.9, 0.7, 0.6, 0.8), "interval too wide", None),
    (network(0.7975), seeds(*[0.7] * 5), "interval too wide", "more examples"),
]


@pytest.mark.parametrize(("result", "companions", "reason", "remedy"), REASONS)
def test_a_reason_is_given_and_the_one_thing_that_may_decide_it(
    result: SweepResult,
    companions: list[SweepResult],
    reason: str,
    remedy: str | None,
) -> None:
    judged = verdict(result, companions)

    assert judged.state == "inconclusive"
    assert judged.reason == reason
    assert judged.remedy == remedy


def test_units_take_ten_seeds_and_all_tokens_have_no_verdict() -> None:
    ten = seeds(*SEED_SHARES, *SEED_SHARES, method="random-neuron", scope=None)

    assert verdict(network(**UNITS), ten).state == "equivalent"
    assert verdict(network(**UNITS), ten[:9]).reason == "too few seeds"
    assert verdict(network(), SEEDS, "tokens").state is None


BROKEN = [working_to(seed, 0.02) for seed in SEEDS]
BEYOND = "beyond working range"
STEPS = (0.0, 0.01, 0.02, 0.03, 0.04, 0.06, 0.31)
HIGH = seeds(*(share + 0.22 for share in SEED_SHARES))


@pytest.mark.parametrize(
    ("result", "companions", "flags"),
    [
        (working_to(network(), 0.1), SEEDS, ()),
        (working_to(network(), 0.04), SEEDS, (BEYOND,)),
        (working_to(network(), None), SEEDS, (BEYOND,)),
        (
            network(),
            [*BROKEN[:3], *SEEDS[3:]],
            ("random removal beyond its working range",),
        ),
        (network(), [*BROKEN[:2], *SEEDS[2:]], ()),
        (network(0.92), HIGH, ("at the ceiling",)),
        (network(amounts=STEPS), SEEDS, ("interpolated",)),
    ],
)
def test_flags_change_no_state(
    result: SweepResult, companions: list[SweepResult], flags: tuple[str, ...]
) -> None:
    judged = verdict(result, companions)

    assert judged.flags == flags
    assert judged.state == "equivalent"


# ---------------------------------------------------------------- several verdicts


def test_a_difference_must_survive_among_all_that_are_tested() -> None:
    """Holm's correction leaves some p-values below 0.05; verdicts not tested do not count."""
    drawn = around(0.7, spread=3)
    alone = [verdict(network(share), drawn) for share in np.linspace(0.8, 1.0, 6).tolist()]
    untested = verdict(network(0.7), drawn[:4])
    p_values = [judged.contrast.p_value for judged in alone]
    _, adjusted, *_ = multipletests(p_values, method="holm")

    together = corrected([*alone, *[untested] * 50])

    survive = [
        judged.state == "steeper" and p_value < 0.05
        for judged, p_value in zip(alone, adjusted, strict=True)
    ]
    assert set(survive) == {True, False}
    assert [judged.state == "steeper" for judged in together[: len(alone)]] == survive
    for judged, survives in zip(together, survive, strict=False):
        assert judged.reason == (None if survives else "interval too wide")
    for judged in alone:
        assert corrected([judged, untested]) == [judged, untested], "one alone needs none"
