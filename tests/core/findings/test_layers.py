"""What is said about single layers follows the numbers."""

from collections.abc import Sequence

import pytest

from core.findings.layers import (
    alone_note,
    control_finding,
    first_layer,
    first_to_change,
    floor_note,
    gaps_note,
    layer_finding,
    layer_table,
    order_finding,
    range_finding,
    title_finding,
    undefined_finding,
)
from core.results.schema import SurvivalRecord, SweepResult, WorkingRangeRecord
from tests.builders import make_result

AMOUNTS = (0.0, 0.2, 0.4, 0.6, 0.8)


def falling(*at: float, **settings: object) -> SweepResult:
    """Layers that keep 1 up to an amount and have 0.5 from the next one on; they last a fifth of a step longer."""

    def own(amount: float, point: int, size: int) -> float:
        return 1.0 if amount <= at[point] else 0.5

    return make_result(**{"num_layers": len(at), "amounts": AMOUNTS, "own_cka": own, "statistics": False, **settings})


def measured(*layers: tuple[float, float, float]) -> SweepResult:
    """Layers that stay intact up to an amount, each with its interval: low, value, high; 0.8 is "or beyond"."""
    at = [value for _, value, _ in layers]

    def own(amount: float, point: int, size: int) -> float:
        return 1 - 0.1 * amount / at[point] if at[point] < AMOUNTS[-1] else 1.0

    result = make_result(num_layers=len(at), amounts=AMOUNTS, own_cka=own)
    known = (result.statistics or {})["cka"]["mean"]
    records = tuple(
        SurvivalRecord(value=value, low=low, high=high, censored=value >= AMOUNTS[-1]) for low, value, high in layers
    )
    statistics = {"cka": {"mean": known.model_copy(update={"survival": records})}}
    return result.model_copy(update={"statistics": statistics})


# ---------------------------------------------------------------- the heading


def test_the_heading_names_the_first_layer_to_change_with_its_interval() -> None:
    result = measured((0.55, 0.6, 0.66), (0.47, 0.5, 0.53), (0.394, 0.432, 0.468))
    assert title_finding(result, "mean") == (
        "Layer 3 changes first: it falls below 0.9 at 43 % of weights removed (39 to 47 %)"
    )
    assert title_finding(result, "tokens").endswith("at 43 % of weights removed"), "its interval is unknown"
    assert title_finding(result, "mean", 0.95).endswith("below 0.95 at 22 % of weights removed")
    assert first_layer(result, "mean") == "3"


def test_layers_whose_intervals_reach_as_far_down_are_named_beside_it() -> None:
    one = measured((0.6, 0.65, 0.7), (0.46, 0.5, 0.54), (0.39, 0.43, 0.47))
    assert title_finding(one, "mean").endswith("(39 to 47 %); layer 2 may change as early")
    two = measured((0.47, 0.55, 0.7), (0.46, 0.5, 0.54), (0.39, 0.43, 0.47))
    assert title_finding(two, "mean").endswith("; layers 1 and 2 may change as early")
    assert "may change" not in title_finding(measured((0.48, 0.55, 0.7), (0.39, 0.43, 0.47)), "mean")


def test_a_layer_that_never_falls_may_still_change_as_early() -> None:
    result = measured((0.7, 0.8, 0.8), (0.68, 0.75, 0.8))
    assert title_finding(result, "mean").endswith(
        "at 75 % of weights removed (68 to beyond 80 %); layer 1 may change as early"
    )


def test_layers_that_read_alike_change_first_together() -> None:
    result = make_result(num_layers=3, amounts=AMOUNTS, own_cka=lambda a, p, n: 1 - a * (0.1, 0.2, 0.201)[p] / 0.6)
    assert title_finding(result, "tokens") == (
        "Layers 2 and 3 change first: they fall below 0.9 at 30 % of weights removed"
    )
    assert first_layer(result, "tokens") == "2"


def test_where_no_layer_falls_or_all_fall_together_none_is_first() -> None:
    never, together = falling(0.9, 0.9), falling(0.4, 0.4)
    assert title_finding(never, "mean") == "No layer falls below 0.9, even with 80 % of weights removed"
    assert (
        title_finding(together, "mean") == "All layers change together: they fall below 0.9 at 44 % of weights removed"
    )
    for result in (never, together):
        assert first_to_change(result, "mean") is None
    sinking = make_result(num_layers=3, amounts=AMOUNTS, own_cka=lambda a, p, n: 1 - a * (0.05, 0.1, 0.02)[p])
    assert first_layer(sinking, "mean") == "2", "the one that has changed most"
    assert title_finding(falling(0.4), "mean") == "Layer 1 falls below 0.9 at 44 % of weights removed", "the only one"


def test_another_measure_units_and_both_points_are_named() -> None:
    result = falling(0.4, 0.2)
    assert title_finding(result, "mean", measure="partial_cka") == (
        "Layer 2 changes first: it falls below 0.9 by partial CKA at 23 % of weights removed"
    )
    units = falling(0.4, 0.2, method="attribution", scope=None)
    assert title_finding(units, "mean").endswith("at 24 % of units removed")
    alone = falling(0.9, 0.2, scope="layer:1", points="layer")
    assert title_finding(alone, "mean").endswith("at 24 % of layer 2's weights removed")
    both = falling(0.4, 0.4, 0.4, 0.2, num_layers=2, points="both")
    assert title_finding(both, "mean").startswith("Layer 2 changes first")
    blocks = falling(0.4, 0.4, 0.2, 0.4, num_layers=2, points="both")
    assert title_finding(blocks, "mean").startswith("Layer 2a changes first")


def test_an_unfinished_or_undefined_result_has_a_heading() -> None:
    whole = falling(0.4, 0.2)
    assert title_finding(whole.model_copy(update={"frames": whole.frames[:1]}), "mean") == (
        "Only the unpruned model has been measured"
    )
    nothing = make_result(num_layers=2, own_cka=lambda amount, point, size: None)
    assert title_finding(nothing, "mean") == "CKA says nothing about these layers"
    assert first_layer(nothing, "mean") == "1"


def with_an_undefined_layer(*at: float) -> SweepResult:
    """The same as `falling`, above a first layer whose similarity is undefined at every amount."""

    def own(amount: float, point: int, size: int) -> float | None:
        return None if point == 0 else 1.0 if amount <= at[point - 1] else 0.5

    return make_result(num_layers=1 + len(at), amounts=AMOUNTS, own_cka=own)


def test_an_undefined_layer_neither_changes_first_nor_is_ordered() -> None:
    result = with_an_undefined_layer(0.6, 0.4, 0.2)
    assert title_finding(result, "tokens").startswith("Layer 4 changes first: it falls below 0.9 at 24 %")
    assert order_finding(result, "mean") == (
        "Layer 2 stays intact longest, up to 64 % of weights removed. Kendall's tau-b between that amount and depth is "
        "−1.00. Layer 1 is left out: similarity is undefined there, even without pruning."
    )
    assert title_finding(with_an_undefined_layer(0.4, 0.4), "mean").startswith("All other layers change together")
    assert order_finding(with_an_undefined_layer(0.4, 0.4), "mean").startswith(
        "Every other layer stays intact up to 44 %"
    )
    assert layer_finding(with_an_undefined_layer(0.6, 0.4), "mean", "1") == (
        "Layer 1, attention block: similarity is undefined, even without pruning."
    )
    assert layer_finding(with_an_undefined_layer(0.6, 0.4), "tokens", "2").endswith("; the other one falls before it.")


# ---------------------------------------------------------------- what the heading must be read with


def controls(*firsts: Sequence[float]) -> list[SweepResult]:
    return [falling(*at, method="random", seed=seed) for seed, at in enumerate(firsts)]


def test_what_random_removal_changes_first_is_counted_by_seed() -> None:
    result = falling(0.6, 0.4, 0.2)
    same, other, tied = (0.4, 0.2, 0.0), (0.2, 0.0, 0.2), (0.4, 0.2, 0.2)
    assert control_finding(result, "mean", controls(same, same, same, same, same)) == (
        "Random removal of as many weights also changes layer 3 first, with each of 5 seeds: chance alone gives the "
        "same answer."
    )
    assert control_finding(result, "mean", controls(same, tied, same, same, same)).endswith("with each of 5 seeds."), (
        "in one, layer 2 changes with it"
    )
    assert control_finding(result, "mean", controls(same, same)).endswith("with each of 2 seeds."), "too few"
    assert control_finding(result, "mean", controls(same, other, other)) == (
        "Random removal of as many weights also changes layer 3 first with 1 of 3 seeds."
    )
    assert control_finding(result, "mean", controls(other)) == (
        "Random removal of as many weights changes another layer first, with the one seed available."
    )
    several = falling(0.6, 0.2, 0.2)
    assert control_finding(several, "mean", controls(same)).startswith(
        "Random removal of as many weights also changes one of layers 2 and 3 first"
    )
    assert control_finding(several, "mean", controls((0.0, 0.2, 0.4))).startswith(
        "Random removal of as many weights changes other layers first"
    )
    some = control_finding(several, "mean", controls(same, same, same, same, (0.4, 0.2, 0.2)))
    assert some.endswith("one of layers 2 and 3 first, with each of 5 seeds."), "but not the same ones"
    assert "chance alone" in control_finding(several, "mean", controls(*[(0.4, 0.2, 0.2)] * 5))
    never = (0.9, 0.9, 0.9)
    assert control_finding(result, "mean", controls(same, never)).endswith("first, with the one seed available.")
    assert control_finding(result, "mean", controls(never)) == "", "nothing is known of where it falls"


def test_without_a_control_one_is_asked_for_and_a_control_has_none() -> None:
    assert control_finding(falling(0.4, 0.2), "mean", []).startswith("Add a random control")
    assert control_finding(controls((0.4, 0.2))[0], "mean", []) == ""
    assert control_finding(falling(0.9, 0.9), "mean", []) == "", "nothing changes first"
    assert control_finding(falling(0.4, 0.2, scope="layer:0"), "mean", []) == "", "its control would be refused"


def working(result: SweepResult, to: float | None) -> SweepResult:
    record = WorkingRangeRecord(
        to=to, metric="accuracy", examples=200, shown_broken_from=None, smallest_drop=0.1, lead=0.4, reason=None
    )
    return result.model_copy(update={"working_range": record})


@pytest.mark.parametrize(
    ("to", "said"),
    [
        (0.8, "The model still works there, and up to the last amount measured."),
        (0.4, "The model still works there: it keeps nine tenths of its lead over the majority class up to 40 %"),
        (
            0.2,
            "The model no longer works there: it keeps nine tenths of its lead over the majority class only up to 20 %",
        ),
        (0.0, "The model no longer works there: the first step already costs it more than a tenth"),
        (None, ""),
    ],
)
def test_whether_the_model_still_works_where_the_first_layer_falls(to: float | None, said: str) -> None:
    found = range_finding(working(falling(0.6, 0.2), to), "mean")
    assert found.startswith(said)
    assert bool(found) == bool(said)
    assert range_finding(falling(0.6, 0.2), "mean") == ""
    assert range_finding(working(falling(0.9, 0.9), 0.4), "mean") == ""


def test_the_model_works_where_both_amounts_read_alike() -> None:
    """The first layer falls at 25.4 %, which is shown as 25 %, up to which the model works."""
    result = working(falling(0.4, 0.25, amounts=(0.0, 0.2, 0.25, 0.27, 0.4)), 0.25)
    (first,) = first_to_change(result, "mean").first
    assert 0.25 < first.value < 0.255
    assert range_finding(result, "mean").startswith("The model still works there: it keeps")
    assert range_finding(working(result, 0.2), "mean").startswith("The model no longer works there")


def test_layers_above_the_threshold_with_everything_removed_are_named() -> None:
    result = make_result(num_layers=3)
    assert result.floor
    assert result.floor.cka["mean"] == pytest.approx((0.9, 0.9 - 0.8 / 3, 0.9 - 1.6 / 3))
    assert floor_note(result, "mean") == (
        "Layer 1 is above 0.9 even with everything removed, so staying intact says little there."
    )
    assert floor_note(result, "mean", 0.3).startswith("Layers 1 to 3 are above 0.3")
    assert floor_note(result, "mean", 0.95) == floor_note(result, "cls") == ""


def test_layers_below_the_only_one_that_is_pruned_cannot_change() -> None:
    said = [alone_note(falling(0.9, 0.9, 0.9, scope=scope)) for scope in ("encoder", "layer:0", "layer:1", "layer:2")]
    assert said == [
        "",
        "",
        "Only layer 2 is pruned: layer 1 lies below it and cannot change.",
        "Only layer 3 is pruned: layers 1 and 2 lie below it and cannot change.",
    ]


def test_layers_that_become_undefined_count_as_fallen_and_are_named() -> None:
    result = make_result(num_layers=3, amounts=AMOUNTS, holes=((0.2, 0, 0), (0.6, 2, 2)))
    assert title_finding(result, "tokens").startswith("Layer 1 changes first: it falls below 0.9 at 20 %")
    assert gaps_note(result, "mean") == "Where similarity is undefined (layers 1 and 3), a layer counts as fallen."
    assert gaps_note(make_result(num_layers=3), "mean") == ""
    assert gaps_note(with_an_undefined_layer(0.4), "mean") == "", "it never stood"


def test_a_measure_that_is_undefined_in_every_layer_says_why() -> None:
    result = make_result(num_layers=2)
    assert undefined_finding(result, "cls", "partial_cka") == (
        "CKA given the emptied model is undefined by the first token: in the emptied model [CLS] is the same for every "
        "sentence."
    )
    assert undefined_finding(result, "mean", "partial_cka") == undefined_finding(result, "cls", "cka") == ""
    assert undefined_finding(with_an_undefined_layer(0.4), "mean", "cka") == ""
    nothing = make_result(num_layers=2, own_cka=lambda amount, point, size: None)
    assert undefined_finding(nothing, "mean", "cka").endswith("mean over tokens, even without pruning.")


# ---------------------------------------------------------------- order, one layer, all of them


def test_the_last_layer_to_fall_and_the_order() -> None:
    assert order_finding(falling(0.6, 0.4, 0.2), "mean") == (
        "Layer 1 stays intact longest, up to 64 % of weights removed. Kendall's tau-b between that amount and depth is "
        "−1.00."
    )
    said = order_finding(falling(0.9, 0.2, 0.2, 0.9), "mean", 0.8)
    assert said.startswith(
        "Layers 1 and 4 stay intact longest, up to the last amount measured, 80 % of weights removed."
    )
    assert "is 0.00" in said
    assert order_finding(falling(0.4, 0.4), "mean") == "Every layer stays intact up to 44 % of weights removed."


def test_layers_that_read_alike_are_ties_in_the_order() -> None:
    result = make_result(num_layers=3, amounts=AMOUNTS, own_cka=lambda a, p, n: 1 - a * (0.1, 0.2, 0.201)[p] / 0.6)
    assert order_finding(result, "mean").endswith("and depth is −0.82."), "2 pairs of 3, of √(2 · 3)"


def test_one_layer_with_its_interval() -> None:
    result = measured((0.6, 0.65, 0.7), (0.46, 0.5, 0.54), (0.39, 0.43, 0.47))
    assert layer_finding(result, "mean", "2") == (
        "Layer 2, attention block, stays intact (at least 0.9) up to 50 % of weights removed (95 % interval "
        "46 to 54 %); 1 of 2 others falls before it."
    )
    assert layer_finding(result, "mean", "3").endswith("; none of the 2 others falls before it.")
    assert layer_finding(result, "mean", "1").endswith("; all 2 others fall before it.")
    assert "interval" not in layer_finding(result, "mean", "2", 0.95)


def test_all_layers_as_a_table() -> None:
    result = measured((0.7, 0.8, 0.8), (0.46, 0.5, 0.54))
    assert layer_table(result, "mean") == [
        {
            "Layer": "Layer 1, attention block",
            "Stays intact up to": "> 80 %",
            "95 % interval": "70 to beyond 80 %",
            "Similarity with everything removed": "0.90",
        },
        {
            "Layer": "Layer 2, attention block",
            "Stays intact up to": "50 %",
            "95 % interval": "46 to 54 %",
            "Similarity with everything removed": "0.50",
        },
    ]
    assert {row["95 % interval"] for row in layer_table(result, "mean", 0.8)} == {"unknown"}
    assert "Similarity with everything removed" not in layer_table(result.model_copy(update={"floor": None}), "mean")[0]
