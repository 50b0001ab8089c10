"""The one verdict on networks whose truth is known, what keeps it inconclusive, and several of them at once."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from core.findings.claim import corrected, verdict
from core.findings.words.verdict import verdict_cell
from core.results.schema import SweepResult
from core.sweep.control_contrast import State
from tests.core.findings.made import COARSE, SEED_SHARES, SEEDS, around, network, seeds, working_to


@pytest.mark.parametrize(
    ("share", "state"),
    [(0.70, "equivalent"), (0.90, "steeper"), (0.45, "flatter"), (0.795, "inconclusive")],
)
def test_the_truth_is_found(share: float, state: State) -> None:
    found = verdict(network(share), SEEDS)
    assert found.state == state
    assert (found.share, found.control_shares) == (pytest.approx(share), pytest.approx(SEED_SHARES))
    assert found.contrast.difference == pytest.approx(share - 0.70)


BEYOND = "beyond working range"
UNITS = {"scope": None, "method": "attribution"}
TEN = seeds(*SEED_SHARES, *SEED_SHARES, method="random-neuron", scope=None)
REASONS: list[
    tuple[SweepResult, list[SweepResult], str | None, str | None]
] = [  # and what may decide it
    (
        network(num_examples=60),
        seeds(*SEED_SHARES, num_examples=60),
        "too few examples",
        "more examples",
    ),
    (network(holes=((0.03, 1, 1),)), SEEDS, "change not reached", "larger amounts"),
    (network(amounts=(0.0,)), SEEDS, "change not reached", "larger amounts"),
    (network(amounts=COARSE), SEEDS, "steps too coarse", "smaller steps"),
    (network(), [], "no control", "random removal"),
    (network(), SEEDS[:4], "too few seeds", "all seeds"),
    (
        network(),
        [*SEEDS[:3], *seeds(*SEED_SHARES, amounts=COARSE)[3:]],
        "too few seeds",
        "smaller steps",
    ),
    (network(**UNITS), TEN, None, None),
    (network(0.9), seeds(0.5, 0.9, 0.7, 0.6, 0.8), "interval too wide", None),
    (network(0.7975), seeds(*[0.7] * 5), "interval too wide", "more examples"),
]


@pytest.mark.parametrize(("result", "companions", "reason", "remedy"), REASONS)
def test_a_reason_is_given_and_the_one_thing_that_may_decide_it(
    result: SweepResult, companions: list[SweepResult], reason: str | None, remedy: str | None
) -> None:
    found = verdict(result, companions)
    assert (found.reason, found.state) == (reason, "inconclusive" if reason else "equivalent")
    assert found.remedy == remedy
    assert (f"; {remedy or 'more seeds'} may decide it)" in verdict_cell(found)) == bool(reason)
    assert verdict(result, companions, "tokens").state is None


def test_flags_change_no_state() -> None:
    steps = (*(k / 100 for k in range(5)), 0.06, 0.31)
    broken = [working_to(seed, 0.02) for seed in SEEDS]
    high = seeds(*(share + 0.22 for share in SEED_SHARES))
    flagged: list[tuple[SweepResult, list[SweepResult], tuple[str, ...]]] = [
        (working_to(network(), 0.1), SEEDS, ()),
        (working_to(network(), 0.04), SEEDS, (BEYOND,)),
        (working_to(network(), None, reason="no lead"), SEEDS, (BEYOND,)),
        (network(), [*broken[:3], *SEEDS[3:]], ("random removal beyond its working range",)),
        (network(), [*broken[:2], *SEEDS[2:]], ()),
        (network(0.92), high, ("at the ceiling",)),
        (network(amounts=steps), SEEDS, ("interpolated",)),
    ]
    for result, beside, flags in flagged:
        found = verdict(result, beside)
        assert (found.flags, found.state) == (flags, "equivalent")


# ---------------------------------------------------------------- several verdicts


def test_a_difference_must_survive_among_all_that_are_tested() -> None:
    """Of rows whose p-values are below and above 0.05 after Holm's correction; those not tested do not count."""
    drawn = around(0.7, spread=3)
    known = [verdict(network(float(share)), drawn) for share in np.linspace(0.8, 1.0, 6)]
    adjusted = multipletests(
        [found.contrast.p_value for found in known if found.contrast], method="holm"
    )[1]
    untested = verdict(network(0.7), drawn[:4])
    told = corrected([*known, *[untested] * 50])[: len(known)]
    assert {found.state for found in told} == {"steeper", "inconclusive"}
    for found, alone, p_value in zip(told, known, adjusted, strict=True):
        survives = p_value < 0.05 and alone.state == "steeper"
        assert (found.state, found.reason) == (
            ("steeper", None) if survives else ("inconclusive", "interval too wide")
        )
        assert corrected([alone, untested]) == [alone, untested], "one alone needs no correction"
