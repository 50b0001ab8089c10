"""What is said about the published claim must follow from intervals, controls and isolated results."""

import pytest

from core.findings.claim import verdict_finding, verdict_in_short
from core.results.schema import SweepResult
from tests.builders import make_result, with_depth_gap

AMOUNTS = (0.0, 0.3, 0.6, 0.9)


def gap(value: float, half_width: float, pattern: int = 0, **settings: object) -> SweepResult:
    """A result on four layers with a given depth gap; settings as `make_result` takes them."""
    return with_depth_gap(make_result(**{"num_layers": 4, "amounts": AMOUNTS, **settings}), value, half_width, pattern)


def chance(*values: float, pattern: int = 0, **settings: object) -> list[SweepResult]:
    """Random controls, one per seed."""
    return [
        gap(value, 0.03, pattern, **{"method": "random", "seed": seed, **settings}) for seed, value in enumerate(values)
    ]


# ---------------------------------------------------------------- the claim


def test_it_holds_above_the_bound() -> None:
    sentence = verdict_finding(gap(0.2, 0.04), "mean")
    assert sentence.startswith(
        'Under magnitude pruning of the encoder, the published claim, "lower layers survive longer", holds here: '
    )
    assert "averaged over amounts up to 0.90" in sentence
    assert "is 0.200 (95 % interval 0.160 to 0.240, above 0.05)" in sentence
    assert "(MiniLM-L6, fine-tuned on SST-2; 200 examples of SST-2 validation, GLUE; mean over tokens)" in sentence
    assert "Kendall's tau-b of survival with depth is −1.00." in sentence


@pytest.mark.parametrize(
    ("value", "half_width", "words"),
    [
        (0.03, 0.01, "95 % interval 0.020 to 0.040, below 0.05: there, but too small)"),
        (0.01, 0.03, "95 % interval −0.020 to 0.040, below 0.05)"),
        (-0.2, 0.1, "95 % interval −0.300 to −0.100, below 0.05: it is the upper half that keeps more)"),
    ],
)
def test_it_does_not_hold_below_the_bound(value: float, half_width: float, words: str) -> None:
    sentence = verdict_finding(gap(value, half_width), "cls")
    assert '"lower layers survive longer", does not hold here' in sentence
    assert words in sentence
    assert "holds here" not in sentence


def test_the_verdict_is_open_around_the_bound() -> None:
    sentence = verdict_finding(gap(0.06, 0.05), "mean")
    assert 'it cannot be told whether the published claim, "lower layers survive longer", holds here' in sentence
    assert "(95 % interval 0.010 to 0.110, which reaches to both sides of 0.05)" in sentence


def test_flattened_tokens_get_no_verdict() -> None:
    sentence = verdict_finding(gap(0.2, 0.04), "tokens", chance(0.5, 0.5, 0.5))
    assert "gets no verdict" in sentence
    assert "as published" in sentence
    assert "sentence length" in sentence
    assert "holds" not in sentence


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (make_result(num_layers=4, statistics=False), "no interval is known"),
        (make_result(num_layers=4, statistics=False).model_copy(update={"key": ""}), "the sweep is not finished"),
        (make_result(num_layers=1), "there is but one layer"),
        (make_result(num_layers=2, holes=((0.5, 1, 1),)), "CKA is undefined somewhere"),
        (make_result(num_layers=4, num_examples=4), "no interval is known"),
    ],
    ids=["older", "partial", "one layer", "undefined", "four examples"],
)
def test_without_an_interval_the_reason_is_given(result: SweepResult, reason: str) -> None:
    sentence = verdict_finding(result, "mean", chance(0.5))
    assert "cannot be told" in sentence
    assert reason in sentence


@pytest.mark.parametrize(
    ("value", "half_width", "controls", "words"),
    [
        (
            0.2,
            0.04,
            (0.47, 0.46),
            "holds (depth gap 0.200, 95 % interval 0.160 to 0.240); random pruning favours lower layers even more",
        ),
        (
            0.2,
            0.04,
            (0.1, 0.05),
            "holds (depth gap 0.200, 95 % interval 0.160 to 0.240); random pruning favours lower layers less",
        ),
        (
            0.01,
            0.02,
            (0.01, 0.47),
            "does not hold (depth gap 0.010, 95 % interval −0.010 to 0.030); no difference from "
            "random pruning is established",
        ),
        (
            0.05,
            0.02,
            (),
            "can be neither held nor rejected (depth gap 0.050, 95 % interval 0.030 to 0.070); no random "
            "control is at hand",
        ),
    ],
)
def test_in_short_it_says_the_same(value: float, half_width: float, controls: tuple[float, ...], words: str) -> None:
    assert verdict_in_short(gap(value, half_width), "mean", chance(*controls)) == words


def test_the_short_form_gives_no_verdict_either() -> None:
    assert verdict_in_short(gap(0.2, 0.04), "tokens") == (
        "gets no verdict with all tokens, which include sentence length"
    )
    assert verdict_in_short(gap(0.2, 0.04, scope="layer:2"), "mean") == "gets no verdict"
    control = gap(0.2, 0.04, method="random")
    assert verdict_in_short(control, "mean").endswith("; this is the random control itself")


def test_one_layer_alone_says_nothing_about_the_claim() -> None:
    sentence = verdict_finding(gap(0.2, 0.04, scope="layer:2"), "mean")
    assert sentence.startswith("Layer 3 alone is pruned here: this says nothing")


# ---------------------------------------------------------------- chance


def test_without_a_control_no_curve_means_much() -> None:
    assert "No random control on the same examples is at hand, and without one" in verdict_finding(
        gap(0.2, 0.04), "mean"
    )
    assert "No random control" in verdict_finding(gap(0.2, 0.04), "mean", [make_result(num_layers=4)])


def test_a_difference_of_one_sign_against_every_seed_is_said() -> None:
    sentence = verdict_finding(gap(0.2, 0.04), "mean", chance(0.47, 0.46, 0.49))
    assert "Its control, random pruning of the encoder, has a depth gap of 0.460 to 0.490" in sentence
    assert "D(method) − D(random) is −0.290 to −0.260, and its 95 % interval excludes 0 against each of 3 seeds" in (
        sentence
    )
    assert "favours the lower half less than random pruning does" in sentence
    assert "least to rely on" not in sentence
    assert "favours the lower half more than" in verdict_finding(gap(0.5, 0.04), "mean", chance(0.1, 0.2, 0.3))


def test_the_difference_is_paired_by_example() -> None:
    """0.20 ± 0.03 and 0.24 ± 0.03 differ if the same examples move both, not if different examples do."""
    alike = verdict_finding(gap(0.2, 0.03, pattern=0), "mean", chance(0.24, 0.24, 0.24, pattern=0))
    against = verdict_finding(gap(0.2, 0.03, pattern=0), "mean", chance(0.24, 0.24, 0.24, pattern=1))
    assert "excludes 0 against each of 3 seeds" in alike
    assert "includes 0 against each of 3 seeds: no difference from random pruning is shown" in against


def test_seeds_that_disagree_are_counted() -> None:
    sentence = verdict_finding(gap(0.2, 0.03, pattern=0), "mean", chance(0.3, 0.21, 0.1, pattern=2))
    assert "above 0 against 1, below 0 against 1 and on both sides against 1 of 3 seeds" in sentence
    assert "no difference from random pruning is established" in sentence
    assert "each of" not in sentence


def test_few_seeds_are_pointed_out() -> None:
    one = verdict_finding(gap(0.2, 0.03), "mean", chance(0.4))
    assert "has a depth gap of 0.400; D(method) − D(random) is −0.200" in one
    assert "against the one seed at hand (3 seeds are the least to rely on)" in one
    assert "against each of 2 seeds (3 seeds are the least" in verdict_finding(gap(0.2, 0.03), "mean", chance(0.4, 0.5))


def test_units_are_held_against_random_units() -> None:
    attribution = gap(0.2, 0.03, method="attribution", scope=None)
    units = chance(0.4, 0.4, 0.4, method="random-neuron", scope=None)
    assert "Its control, pruning of random units, has" in verdict_finding(attribution, "mean", units)
    assert "No random control" in verdict_finding(attribution, "mean", chance(0.4, 0.4, 0.4))


def test_a_control_that_removes_less_is_not_held_against_the_method() -> None:
    fewer = chance(0.4, 0.4, 0.4, prunable_sparsity=lambda amount: amount * 5 / 6)
    because = (
        "the two do not remove equally much of every layer, such as 0.90 and 0.75 of layer 1's weights at amount 0.90"
    )
    assert verdict_finding(gap(0.2, 0.03), "mean", fewer).endswith(
        f" Its control, random pruning of the encoder, cannot be compared with it: {because}. So nothing is said about "
        "chance here."
    )
    assert verdict_in_short(gap(0.2, 0.03), "mean", fewer) == (
        "holds (depth gap 0.200, 95 % interval 0.170 to 0.230); its random control cannot be compared with it: "
        f"{because}"
    )


def test_of_several_controls_those_that_can_be_compared_count() -> None:
    fewer = chance(0.9, prunable_sparsity=lambda amount: amount * 5 / 6)
    sentence = verdict_finding(gap(0.2, 0.03), "mean", [*fewer, *chance(0.4, 0.4, 0.4)[1:]])
    assert "against each of 2 seeds" in sentence
    assert "0.900" not in sentence


def test_the_control_has_no_control() -> None:
    (control,) = chance(0.4)
    assert "This is the random control itself" in verdict_finding(control, "mean", chance(0.1, 0.2, 0.3))


# ---------------------------------------------------------------- each layer alone


def alone(*values: float | None, amounts: tuple[float, ...] = (0.0, 0.5)) -> list[SweepResult]:
    """Results of each layer pruned alone, with its own CKA at amount 0.5."""

    def result(layer: int) -> SweepResult:
        own = values[layer]
        return make_result(
            num_layers=len(values),
            amounts=amounts,
            scope=f"layer:{layer}",
            own_cka=lambda amount, point, size: (
                None if own is None and amount else 1 - (1 - (own or 0)) * 2 * amount * (point == layer)
            ),
        )

    return [result(layer) for layer in range(len(values))]


def test_an_isolated_order_that_is_reversed_is_said_to_be() -> None:
    sentence = verdict_finding(gap(0.2, 0.03), "mean", alone(0.98, 0.99, 0.995, 0.999))
    assert "at amount 0.50, the layers keep, from the first to the last, a CKA of 0.980, 0.990, 0.995 and 0.999" in (
        sentence
    )
    assert sentence.endswith(
        "(attention block): deeper layers keep more (tau-b with depth 1.00), the reverse of the order when all layers "
        "are pruned (tau-b with depth −1.00)."
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((0.99, 0.97, 0.96, 0.9), "deeper layers keep less (tau-b with depth −1.00), the same order as when all"),
        ((0.9, 0.99, 0.9, 0.99), "depth does not order them (tau-b with depth 0.41), unlike when all"),
        ((0.9, 0.9, 0.9, 0.9), "depth does not order them (all equal), unlike when all"),
        (
            (0.9, None, 0.9, 0.9),
            "0.900, undefined, 0.900 and 0.900 with their own baseline (attention block): an order",
        ),
    ],
)
def test_other_orders_of_isolated_layers_are_stated(values: tuple[float | None, ...], words: str) -> None:
    assert words in verdict_finding(gap(0.2, 0.03), "mean", alone(*values))


def test_missing_layers_are_counted() -> None:
    some = alone(0.98, 0.99, 0.995, 0.999)[1:3]
    assert "known for 2 of 4 layers only" in verdict_finding(gap(0.2, 0.03), "mean", some)
    assert "alone" not in verdict_finding(gap(0.2, 0.03), "mean", [])


def test_the_amount_nearest_to_one_half_that_all_have_is_taken() -> None:
    results = [*alone(0.9, 0.9, 0.9, 0.9)[:3], alone(0.9, 0.9, 0.9, 0.9, amounts=(0.0, 0.3, 0.4))[3]]
    assert "alone" not in verdict_finding(gap(0.2, 0.03), "mean", results), "no amount in common"
    both = alone(0.9, 0.8, 0.7, 0.6, amounts=(0.0, 0.1, 0.4))
    assert "at amount 0.40" in verdict_finding(gap(0.2, 0.03), "mean", both)
    assert "a CKA of 0.920, 0.840, 0.760 and 0.680" in verdict_finding(gap(0.2, 0.03), "mean", both)
