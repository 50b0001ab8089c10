"""The one verdict on networks whose truth is known, and what keeps it from being told."""

import numpy as np
import pytest

from core.findings.claim import (
    Verdict,
    headline,
    headline_of,
    verdict,
    verdict_details,
    verdict_finding,
    verdict_in_short,
)
from core.results.schema import CalibrationRecord, Frame, SweepResult, WorkingRangeRecord
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
    assert found.reason == ("wide" if direction == "cannot be told" else None)


def test_what_both_do_alike_is_no_finding_however_steep() -> None:
    assert verdict(network(0.95), seeds(0.95, 0.95, 0.94, 0.96, 0.95)).direction == "as by chance"


def test_a_seed_in_the_methods_place_is_not_called_different() -> None:
    """Each of eight seeds is judged against the others as if it were the method."""
    shares = np.random.default_rng(0).normal(0.7, 0.01, 8)
    drawn = seeds(*shares)
    told = [verdict(network(share), [*drawn[:k], *drawn[k + 1 :]]).direction for k, share in enumerate(shares)]
    assert told == ["as by chance"] * 8


def test_seeds_that_vary_leave_it_open() -> None:
    found = verdict(network(0.9), seeds(0.5, 0.9, 0.7, 0.6, 0.8))
    assert (found.direction, found.reason) == ("cannot be told", "wide")


def test_what_is_judged_by_is_fixed_and_others_are_at_hand() -> None:
    assert (verdict(network(), SEEDS).damage, verdict(network(), SEEDS).reduction) == (0.05, "mean")
    steeper = network(0.9)
    assert verdict(steeper, SEEDS, damage=0.1).direction == "steeper"
    assert verdict(steeper, SEEDS, "cls").direction == "steeper"
    sentence = verdict_finding(steeper, SEEDS)
    assert sentence.count("steeper than chance") == 4
    assert "steeper than chance at an overall change of 0.20" in sentence
    assert "steeper than chance by the first token" in sentence


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


def test_random_removal_does_so_as_well_only_if_it_does() -> None:
    method, flat = network(0.56), seeds(0.49, 0.489, 0.491, 0.49, 0.49)
    assert verdict(method, flat).direction == "as by chance", "they differ too little to tell of"
    assert headline_of([method], [flat]) == (
        "Magnitude pruning changes the upper layers most; random removal does about the same."
    )
    assert headline_of([network(0.7)], [SEEDS]).endswith("and so does random removal, to about the same degree.")


# ---------------------------------------------------------------- which sweeps count


def test_the_sweep_with_the_smallest_steps_is_read() -> None:
    full, fine = network(0.7, amounts=COARSE), network(0.9, until_damage=0.3)
    assert verdict(full, SEEDS).reason == "coarse"
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


def test_another_seed_or_scope_is_no_finer_sweep() -> None:
    others = [network(0.9, scope="all-linear"), network(0.9, method="wanda"), network(0.9, num_examples=100)]
    assert verdict(network(amounts=COARSE), [*SEEDS, *others]).reason == "coarse"


def test_units_take_ten_seeds() -> None:
    units = {"method": "random-neuron", "scope": None}
    method = network(method="attribution", scope=None)
    ten = seeds(*SEED_SHARES, *SEED_SHARES, **units)
    assert verdict(method, ten).direction == "as by chance"
    assert verdict(method, ten[:9]).reason == "few seeds"
    assert "only 9 of the 10 required seeds" in verdict_in_short(method, ten[:9])
    assert verdict(network(method="attribution-residual", scope=None), ten).reason == "no control"


# ---------------------------------------------------------------- what keeps it from being told


@pytest.mark.parametrize(
    ("result", "companions", "reason", "words"),
    [
        (network(), [], "no control", "there is no matched random control yet"),
        (network(), SEEDS[:4], "few seeds", "only 4 of the 5 required seeds of random removal are available"),
        (network(), SEEDS[:1], "few seeds", "only 1 of the 5 required seeds of random removal is available"),
        (
            network(),
            [*SEEDS[:3], *seeds(*SEED_SHARES, amounts=COARSE)[3:]],
            "unusable seeds",
            "only 3 of the 5 required seeds of random removal were measured in small enough steps",
        ),
        (network(num_examples=60), seeds(*SEED_SHARES, num_examples=60), "few examples", "there are too few examples"),
        (network(amounts=COARSE), SEEDS, "coarse", "the steps of the amount are too large"),
        (network(amounts=(0.0, 0.01, 0.02)), SEEDS, "not reached", "the layers do not change that much at any amount"),
        (network(holes=((0.03, 1, 1),)), SEEDS, "undefined", "similarity is undefined somewhere"),
        (network(num_layers=1), [], "single point", "there is only one layer"),
        (
            working_to(network(), 0.04),
            SEEDS,
            "not working",
            "the layers change that much only beyond the model's working range",
        ),
        (
            working_to(network(), None, reason="no lead"),
            SEEDS,
            "no lead",
            "not shown to be better than always answering",
        ),
        (SEEDS[0], SEEDS[1:], "control", "this is the control"),
        (network(scope="layer:2"), SEEDS, "one layer", "one layer is pruned alone"),
        (
            network(points="layer"),
            seeds(*SEED_SHARES, points="layer"),
            "points",
            "verdicts are given for attention blocks only",
        ),
        (network(statistics=False), SEEDS, "earlier version", "measured by an earlier version"),
        (network(statistics=False).model_copy(update={"key": ""}), SEEDS, "unfinished", "the run is not finished"),
    ],
)
def test_a_reason_is_given(result: SweepResult, companions: list[SweepResult], reason: str, words: str) -> None:
    found = verdict(result, companions)
    assert (found.direction, found.reason) == ("cannot be told", reason)
    assert verdict_in_short(result, companions).startswith("Cannot be told, because ")
    assert words in verdict_in_short(result, companions)
    assert words in verdict_finding(result, companions)


def test_flattened_tokens_get_no_verdict() -> None:
    assert verdict(network(0.9), SEEDS, "tokens").reason == "tokens"


def test_a_control_that_no_longer_works_is_pointed_out() -> None:
    broken = [working_to(seed, 0.04) for seed in SEEDS]
    assert verdict(network(0.9), [*broken[:2], *SEEDS[2:]]).control_works
    found = verdict(network(0.9), [*broken[:3], *SEEDS[3:]])
    assert (found.direction, found.control_works) == ("steeper", False)
    assert "which leaves models outside their working range" in verdict_in_short(network(0.9), broken)
    assert "working range" not in verdict_in_short(network(0.9), SEEDS)


def test_the_working_range_judged_on_most_examples_counts() -> None:
    subset = working_to(network(amounts=COARSE), 0.3, examples=200)
    all_examples = working_to(network(until_damage=0.3), 0.04, examples=872)
    assert verdict(subset, [*SEEDS, all_examples]).reason == "not working"


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
    ("low", "high", "state", "words"),
    [
        (0.02, 0.10, "some is left", "stays higher in the lower half of the layers (difference 0.060"),
        (-0.10, -0.02, "reversed", "stays higher in the upper half of the layers (difference −0.060"),
        (-0.02, 0.04, "none shown", "is not shown to differ between the halves of the layers (difference 0.010"),
        (0.01, 0.53, "undefined", "cannot be estimated here"),
    ],
)
def test_similarity_beyond_the_emptied_model(low: float, high: float, state: str, words: str) -> None:
    result = with_partial_gap(network(), low, high)
    assert verdict(result, SEEDS).beyond.state == state
    assert words in verdict_finding(result, SEEDS)
    assert "floor" not in verdict_finding(result, SEEDS)


def test_without_an_emptied_model_nothing_is_said_about_it() -> None:
    result = network()
    result = with_own_key(result, statistics={"cka": (result.statistics or {})["cka"]})
    assert verdict(result, SEEDS).beyond.state == "undefined"
    assert verdict(result, SEEDS).direction == "as by chance"


# ---------------------------------------------------------------- in words


def test_the_short_form() -> None:
    assert verdict_in_short(network(0.9), SEEDS) == (
        "Judged alone, steeper than chance: under magnitude pruning of the encoder, 90 % of an overall change of 0.05 "
        "lies in the upper half of the layers, and 69 to 71 % under random removal at the same overall change "
        "(5 seeds)."
    )


def test_details_give_statistics_their_names() -> None:
    details = verdict_details(network(0.9), SEEDS)
    assert details.startswith("Gap of the depth profile at an overall change of 0.05: 0.080 (95 % interval ")
    assert "reached with 5 % removed. Difference from the mean of 5 seeds: 0.040 ± 0.0" in details
    assert "Depth gap D over the whole sweep: " in details
    assert "Difference from" not in verdict_details(network(0.9))


def judged(*shares: float) -> dict[str, Verdict]:
    return {f"Task {k}": verdict(network(share), SEEDS) for k, share in enumerate(shares, 1)}


@pytest.mark.parametrize(
    ("verdicts", "sentence"),
    [
        (
            judged(0.7, 0.71),
            "Wanda changes the upper layers most, and so does random removal, to about the same degree.",
        ),
        (judged(0.9, 0.9), "Wanda changes the upper layers most, more so than random removal."),
        (judged(0.57, 0.57), "Wanda changes the upper layers most, less so than random removal."),
        (judged(0.4, 0.4), "Wanda changes the lower layers most, more so than random removal."),
        (
            judged(0.78, 0.78),
            "Wanda changes the upper layers most; so does random removal, but whether to the same degree cannot be "
            "told here.",
        ),
        (
            judged(0.7, 0.9),
            "Wanda changes the upper layers most. Compared with random removal: Task 1, as by chance; Task 2, steeper "
            "than chance.",
        ),
        (
            judged(0.5, 0.5),
            "Neither half of the layers is shown to change more on every task under Wanda. Compared with random "
            "removal: Task 1, flatter than chance; Task 2, flatter than chance.",
        ),
        (
            judged(0.9, 0.4),
            "Neither half of the layers is shown to change more on every task under Wanda. Compared with random "
            "removal: Task 1, steeper than chance; Task 2, flatter than chance.",
        ),
    ],
)
def test_the_first_sentence_follows_from_the_facts(verdicts: dict[str, Verdict], sentence: str) -> None:
    assert headline(verdicts, "Wanda") == sentence


@pytest.mark.parametrize(
    ("share", "sentence"),
    [
        (0.70, "Wanda changes the upper layers most, and so does random removal, to about the same degree."),
        (0.90, "Wanda changes the upper layers most, and more so than random removal."),
        (0.55, "Wanda changes the upper layers most, but less so than random removal."),
        (0.30, "Wanda changes the lower layers most, and more so than random removal."),
        (
            0.78,
            "Wanda changes the upper layers most; so does random removal, but whether to the same degree cannot be "
            "told here.",
        ),
        (
            0.50,
            "Neither half of the layers is shown to change more under Wanda; the upper half changes less than under "
            "random removal.",
        ),
    ],
)
def test_the_sentence_on_one_model_follows_from_the_facts(share: float, sentence: str) -> None:
    assert headline({"": verdict(network(share), SEEDS)}, "Wanda") == sentence


@pytest.mark.parametrize(
    ("shares", "does_so"), [((0.7, 0.71, 0.69), True), ((0.9, 0.2, 0.7), False), ((0.9,), False), ((0.3, 0.31), False)]
)
def test_random_removal_is_said_to_do_the_same_only_where_its_seeds_show_it(
    shares: tuple[float, ...], does_so: bool
) -> None:
    heading = headline({"": verdict(network(0.9), seeds(*shares))}, "Wanda")
    assert ("so does random removal" in heading) == does_so
    assert heading.endswith("cannot be told here.")


def test_of_one_layer_alone_it_claims_what_holds_by_construction() -> None:
    alone = network(scope="layer:1")
    sentence = "Wanda of layer 2 alone can change only that layer and those above it."
    assert headline({"": verdict(alone, [])}, "Wanda of layer 2 alone", alone=True) == sentence


def test_of_one_model_alone_nothing_is_said_about_chance_where_chance_is_no_rival() -> None:
    control = verdict(SEEDS[0], [])
    for known, drawn in (
        ({"": control}, "this random draw"),
        ({"SST-2": control, "CoLA": control}, "these random draws"),
    ):
        assert headline(known, "Random pruning") == f"Random pruning changes the upper layers most in {drawn}."
    bare = network(statistics=False)
    assert headline({"": verdict(bare, SEEDS)}, "Wanda") == (
        "In which layers Wanda changes a model most cannot be told here, because this was measured by an earlier "
        "version."
    )


def test_a_profile_at_the_edge_is_not_rounded_into_a_verdict() -> None:
    """|Δ| + h just below and just above 0.02."""
    h = verdict(network(0.70), SEEDS)
    assert h.contrast
    width = h.contrast.half_width()
    inside, outside = (0.70 + (0.02 - width + step) / 0.2 for step in (-0.0005, 0.0005))
    assert verdict(network(inside), SEEDS).direction == "as by chance"
    assert verdict(network(outside), SEEDS).direction == "cannot be told"
    assert "too wide to say whether the difference from random removal exceeds the 10 percentage points that count" in (
        verdict_in_short(network(outside), SEEDS)
    )
    assert np.isclose(verdict(network(inside), SEEDS).share or 0, inside)


def test_against_another_checkpoint_the_headline_goes_by_the_vector_on_show_and_nothing_is_judged() -> None:
    other = against(network(0.7), 4, cell=lambda amount, row, column: 1 - abs(row - column))

    def halved_by_token(frame: Frame) -> Frame:
        mean = frame.similarity["cka"]["mean"]
        half = tuple(tuple(value / 2 for value in row) for row in mean)
        return frame.model_copy(update={"similarity": {"cka": {"mean": mean, "cls": half}}})

    by_token = other.model_copy(update={"frames": tuple(map(halved_by_token, other.frames))})
    headlines = {reduction: headline_of([by_token], [[]], reduction) for reduction in ("mean", "cls")}
    assert headlines["mean"] == headline_of([by_token], [[]])
    assert ("(1.00)" in headlines["mean"], "(0.50)" in headlines["cls"]) == (True, True)
    assert verdict_in_short(other) == verdict_finding(other) == verdict_details(other) == ""
