"""The one verdict on networks whose truth is known, and what keeps it from being told."""

import numpy as np
import pytest

from core.findings.claim import verdict
from core.results.schema import CalibrationRecord, SweepResult, WorkingRangeRecord
from core.sweep.control_contrast import Direction
from tests.builders import against, declining, make_result, with_own_key

AMOUNTS = (*(k / 100 for k in range(12)), 0.21, 0.31)  # the damage, for `declining`
COARSE = (0.0, 0.1, 0.2, 0.3)
SEED_SHARES = (0.70, 0.71, 0.69, 0.70, 0.70)  # of the damage in the upper half, by seed


def network(share: float = 0.7, **settings: object) -> SweepResult:
    """Four layers that decline together, with a share of the damage in the upper half."""
    return make_result(**{"num_layers": 4, "amounts": AMOUNTS, "own_cka": declining(share), **settings})


def seeds(*shares: float, **settings: object) -> list[SweepResult]:
    """The matched random control, one result per seed."""
    settings = {"method": "random", **settings}
    return [network(share, seed=seed, **settings) for seed, share in enumerate(shares)]


SEEDS = seeds(*SEED_SHARES)


def working_to(result: SweepResult, to: float | None, **changes: object) -> SweepResult:
    record = {
        "to": to,
        "metric": "accuracy",
        "examples": 200,
        "shown_broken_from": None,
        "smallest_drop": 0.01,
        "lead": 0.4,
        "reason": None,
        **changes,
    }
    return with_own_key(result, working_range=WorkingRangeRecord(**record))


# ---------------------------------------------------------------- networks whose truth is known


@pytest.mark.parametrize(
    ("share", "direction"), [(0.70, "as by chance"), (0.90, "steeper"), (0.45, "flatter"), (0.78, "cannot be told")]
)
def test_the_truth_is_found(share: float, direction: Direction) -> None:
    found = verdict(network(share), SEEDS)
    assert found.direction == direction
    assert found.share == pytest.approx(share)
    assert found.control_shares == pytest.approx(SEED_SHARES)
    assert found.contrast
    assert found.contrast.difference == pytest.approx(4 * 0.05 * (share - 0.70))
    assert found.reason == ("wide interval" if direction == "cannot be told" else None)


def test_a_seed_in_the_methods_place_is_not_called_different() -> None:
    """Each of eight seeds is judged against the others as if it were the method."""
    shares = np.random.default_rng(0).normal(0.7, 0.01, 8)
    drawn = seeds(*shares)
    told = [verdict(network(share), [*drawn[:k], *drawn[k + 1 :]]).direction for k, share in enumerate(shares)]
    assert told == ["as by chance"] * 8


def test_seeds_that_vary_leave_it_open() -> None:
    found = verdict(network(0.9), seeds(0.5, 0.9, 0.7, 0.6, 0.8))
    assert (found.direction, found.reason) == ("cannot be told", "wide interval")


def test_what_is_judged_by_is_fixed_and_others_are_at_hand() -> None:
    assert (verdict(network(), SEEDS).damage, verdict(network(), SEEDS).reduction) == (0.05, "mean")
    steeper = network(0.9)
    assert verdict(steeper, SEEDS, damage=0.1).direction == "steeper"
    assert verdict(steeper, SEEDS, "cls").direction == "steeper"


def test_the_layer_that_differs_most_is_named() -> None:
    def own(amount: float, point: int, size: int) -> float | None:
        shift = (-0.2, 0.2, 0, 0)[point]  # within the lower half, so that the halves show nothing
        value = declining(0.7)(amount, point, size)
        return value and value + shift * amount

    found = verdict(network(own_cka=own), seeds(0.70, 0.701, 0.699, 0.70, 0.70))
    assert found.direction == "as by chance"
    assert found.layer
    assert found.layer.label == "1"
    assert found.layer.value == pytest.approx(-0.2 * 0.05)
    assert found.layer.beyond_seeds
    alike = verdict(network(0.70), SEEDS).layer
    assert alike
    assert not alike.beyond_seeds


# ---------------------------------------------------------------- which sweeps count


def test_the_sweep_with_the_smallest_steps_is_read() -> None:
    full, fine = network(0.7, amounts=COARSE), network(0.9, until_damage=0.3)
    assert verdict(full, SEEDS).reason == "coarse steps"
    assert verdict(full, [*SEEDS, fine]).direction == verdict(fine, [*SEEDS, full]).direction == "steeper"
    long = seeds(*SEED_SHARES[:3], amounts=COARSE)
    assert verdict(network(), [*long, *SEEDS]) == verdict(network(), [*SEEDS, *long]) == verdict(network(), SEEDS)


def test_a_finer_sweep_may_have_measured_its_calibration_on_another_machine() -> None:
    def scored(reliability: float, **settings: object) -> SweepResult:
        made = network(0.9, method="wanda", **settings)
        record = CalibrationRecord(
            source_name="written", num_examples=64, fingerprint="f" * 64, reliability=(reliability,) * 4
        )
        return with_own_key(made, pruning=made.pruning.model_copy(update={"calibration": record}))

    coarse, fine = scored(0.8, amounts=COARSE), scored(0.8 + 1e-9, until_damage=0.3)
    assert verdict(coarse, [*seeds(*SEED_SHARES, controls="wanda"), fine]).direction == "steeper"


def test_units_take_ten_seeds() -> None:
    units = {"method": "random-neuron", "scope": None}
    method = network(method="attribution", scope=None)
    ten = seeds(*SEED_SHARES, *SEED_SHARES, **units)
    assert verdict(method, ten).direction == "as by chance"
    assert verdict(method, ten[:9]).reason == "few seeds"
    assert verdict(network(method="attribution-residual", scope=None), ten).reason == "no control"


# ---------------------------------------------------------------- what keeps it from being told


@pytest.mark.parametrize(
    ("result", "companions", "reason"),
    [
        (network(), [], "no control"),
        (network(), SEEDS[:4], "few seeds"),
        (network(), [*SEEDS[:3], *seeds(*SEED_SHARES, amounts=COARSE)[3:]], "unusable seeds"),
        (network(num_examples=60), seeds(*SEED_SHARES, num_examples=60), "few examples"),
        (network(amounts=COARSE), SEEDS, "coarse steps"),
        (network(amounts=(0.0, 0.01, 0.02)), SEEDS, "change not reached"),
        (network(holes=((0.03, 1, 1),)), SEEDS, "similarity undefined"),
        (network(num_layers=1), [], "single layer"),
        (working_to(network(), 0.04), SEEDS, "beyond working range"),
        (working_to(network(), None, reason="no lead"), SEEDS, "no lead"),
        (SEEDS[0], SEEDS[1:], "random control"),
        (network(scope="layer:2"), SEEDS, "one layer alone"),
        (network(points="layer"), seeds(*SEED_SHARES, points="layer"), "not attention blocks"),
        (network(statistics=False), SEEDS, "earlier version"),
        (network(statistics=False).model_copy(update={"key": ""}), SEEDS, "unfinished run"),
        (network(amounts=(0.0,)), SEEDS, "only unpruned"),
        (against(network(), 4, cell=lambda amount, row, column: 1 - abs(row - column)), SEEDS, "another checkpoint"),
    ],
)
def test_a_reason_is_given(result: SweepResult, companions: list[SweepResult], reason: str) -> None:
    found = verdict(result, companions)
    assert (found.direction, found.reason) == ("cannot be told", reason)


def test_flattened_tokens_get_no_verdict() -> None:
    assert verdict(network(0.9), SEEDS, "tokens").reason == "all tokens"


def test_a_control_that_no_longer_works_is_pointed_out() -> None:
    broken = [working_to(seed, 0.04) for seed in SEEDS]
    assert verdict(network(0.9), [*broken[:2], *SEEDS[2:]]).control_works
    found = verdict(network(0.9), [*broken[:3], *SEEDS[3:]])
    assert (found.direction, found.control_works) == ("steeper", False)


def test_the_working_range_judged_on_most_examples_counts() -> None:
    subset = working_to(network(amounts=COARSE), 0.3, examples=200)
    all_examples = working_to(network(until_damage=0.3), 0.04, examples=872)
    assert verdict(subset, [*SEEDS, all_examples]).reason == "beyond working range"


def test_of_two_ranges_on_equal_examples_that_of_the_sweep_that_is_read_counts() -> None:
    in_large_steps, read = working_to(network(amounts=COARSE), 0.04), working_to(network(until_damage=0.3), 0.06)
    for sweep, other in ((in_large_steps, read), (read, in_large_steps)):
        assert verdict(sweep, [*SEEDS, other]).direction == "as by chance", "0.05 is below 0.06"


# ---------------------------------------------------------------- given the emptied model


def with_partial_gap(result: SweepResult, low: float, high: float) -> SweepResult:
    statistics = dict(result.statistics or {})
    known = statistics["partial_cka"]["mean"]
    gap = known.gap_at_damage["0.05"].model_copy(update={"value": (low + high) / 2, "low": low, "high": high})
    changed = known.model_copy(update={"gap_at_damage": {**known.gap_at_damage, "0.05": gap}})
    return with_own_key(result, statistics={**statistics, "partial_cka": {"mean": changed}})


@pytest.mark.parametrize(
    ("low", "high", "state"),
    [
        (0.02, 0.10, "some is left"),
        (-0.10, -0.02, "reversed"),
        (-0.02, 0.04, "none shown"),
        (0.01, 0.53, "undefined"),
    ],
)
def test_similarity_beyond_the_emptied_model(low: float, high: float, state: str) -> None:
    assert verdict(with_partial_gap(network(), low, high), SEEDS).beyond.state == state


def test_without_an_emptied_model_nothing_is_said_about_it() -> None:
    result = network()
    result = with_own_key(result, statistics={"cka": (result.statistics or {})["cka"]})
    assert verdict(result, SEEDS).beyond.state == "undefined"
    assert verdict(result, SEEDS).direction == "as by chance"


def test_a_profile_at_the_edge_is_not_rounded_into_a_verdict() -> None:
    """|Δ| + h just below and just above 0.02."""
    h = verdict(network(0.70), SEEDS)
    assert h.contrast
    width = h.contrast.half_width()
    inside, outside = (0.70 + (0.02 - width + step) / 0.2 for step in (-0.0005, 0.0005))
    assert verdict(network(inside), SEEDS).direction == "as by chance"
    assert verdict(network(outside), SEEDS).direction == "cannot be told"
    assert np.isclose(verdict(network(inside), SEEDS).share or 0, inside)
