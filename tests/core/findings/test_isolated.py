"""Layers pruned alone: effects and orders follow the numbers, and a reversed order must be the method's own."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import t

from core.findings.isolated import isolated_orders
from core.findings.tables import isolated_table
from core.results.choices import is_isolated, isolated
from core.results.library import entry_of
from core.results.schema import SweepResult
from tests.builders import make_result

AMOUNTS = (0.0, 0.3, 0.5, 0.7, 0.9)
REVERSED, LEVEL, ORDINARY = (0.4, 0.3, 0.1, 0.05), (0.2, 0.2, 0.2, 0.2), (0.05, 0.1, 0.3, 0.4)


def alone(*effects: float | None, amounts: Sequence[float] = AMOUNTS, **settings: object) -> list[SweepResult]:
    """Each layer pruned alone: 1 - own CKA of its output at amount 0.5, in proportion elsewhere."""

    def result(layer: int) -> SweepResult:
        effect = effects[layer]
        return make_result(
            **{
                "num_layers": len(effects),
                "amounts": tuple(amounts),
                "scope": f"layer:{layer}",
                "points": "layer",
                "own_cka": lambda amount, point, size: (
                    None if effect is None and amount else 1 - (effect or 0) * 2 * amount * (point >= layer)
                ),
                **settings,
            }
        )

    return [result(layer) for layer in range(len(effects))]


def at_random(*effects: float, seeds: int = 3) -> list[SweepResult]:
    return [layer for seed in range(seeds) for layer in alone(*effects, method="random", seed=seed)]


WHOLE = make_result(num_layers=4)


def test_effects_are_those_of_each_layers_own_output_with_intervals() -> None:
    results = alone(*REVERSED)
    orders = isolated_orders(WHOLE, "mean", results)
    assert [order.amount for order in orders] == [0.3, 0.5, 0.7, 0.9]
    assert [effect.value for effect in orders[1].effects] == pytest.approx(REVERSED)
    for layer, (effect, result) in enumerate(zip(orders[1].effects, results, strict=True)):
        own = (result.statistics or {})["cka"]["mean"].own
        assert own
        low, high = own[2][layer] or (np.nan, np.nan)
        assert (effect.low, effect.high) == pytest.approx((1 - high, 1 - low), abs=1e-6)


def test_the_difference_of_the_halves_is_paired_by_example() -> None:
    results = alone(*REVERSED)
    order = isolated_orders(WHOLE, "mean", results)[1]
    without = np.array([((r.statistics or {})["cka"]["mean"].own_replicates or ())[2] for r in results])  # (layers, n)
    gaps = without[:2].mean(0) - without[2:].mean(0)  # (n,)
    n = len(gaps)
    assert order.gap.value == pytest.approx(-(0.35 - 0.075))
    assert order.gap.high - order.gap.value == pytest.approx(t.ppf(0.975, n - 1) * np.sqrt(n - 1) * gaps.std())


@pytest.mark.parametrize(
    ("effects", "control", "seeds", "state"),
    [
        (REVERSED, LEVEL, 3, "reversed"),
        (REVERSED, LEVEL, 2, "lower layers more, few seeds"),
        (REVERSED, LEVEL, 1, "lower layers more, few seeds"),
        (REVERSED, REVERSED, 3, "lower layers more, as at random"),
        (REVERSED, ORDINARY, 3, "lower layers more, at random upper"),
        (REVERSED, LEVEL, 0, "lower layers more, no control"),
        (ORDINARY, LEVEL, 3, "upper layers more"),
        (LEVEL, LEVEL, 3, "no order shown"),
    ],
)
def test_an_order_is_reversed_only_if_chance_has_none(
    effects: tuple[float, ...], control: tuple[float, ...], seeds: int, state: str
) -> None:
    orders = isolated_orders(WHOLE, "mean", [*alone(*effects), *at_random(*control, seeds=seeds)])
    assert {order.state for order in orders} == {state}
    *rows, last = isolated_table(WHOLE, orders)
    assert list(last.values()) == ["Order", *[state] * 4]
    assert len(rows) == 4


def test_an_order_that_seeds_of_chance_show_as_well_is_not_reversed() -> None:
    """Their mean is not shown to differ from 0, for they vary; but the method does no more than they do."""
    spread = [layer for seed, by in enumerate((0.0, 0.1, 0.25)) for layer in seed_of(seed, by)]
    orders = isolated_orders(WHOLE, "mean", [*alone(0.35, 0.3, 0.2, 0.15), *spread])
    (order,) = (order for order in orders if order.amount == 0.5)
    assert order.control_gap
    assert order.control_gap.low < 0 < order.control_gap.high
    half = (order.control_gap.high - order.control_gap.low) / 2
    assert half == pytest.approx(4.303 * np.std([0.0, 0.1, 0.25], ddof=1) / 3**0.5, rel=0.05), "t of 2 degrees"
    assert order.state == "lower layers more, not beyond random"


def seed_of(seed: int, by: float) -> list[SweepResult]:
    """A seed of chance that changes the lower half of the layers by so much more."""
    return alone(0.2 + by, 0.2 + by, 0.2, 0.2, method="random", seed=seed)


def test_of_two_results_of_one_layer_that_with_more_amounts_counts() -> None:
    results = alone(*REVERSED)
    (short, *_) = alone(*REVERSED, amounts=(0.0, 0.33))
    assert isolated_orders(WHOLE, "mean", [*results, short]) == isolated_orders(WHOLE, "mean", results)


def test_single_layers_of_a_control_belong_to_it_and_it_has_no_control_to_lack() -> None:
    entries = [entry_of(result) for result in at_random(*REVERSED)]
    kinds = ("magnitude", "wanda")
    controls = [entry_of(make_result(method="random", controls=kind, num_layers=4)) for kind in kinds]
    found = [[entry for entry in isolated(control, entries) if is_isolated(entry, control)] for control in controls]
    assert list(map(len, found)) == [4, 0], "magnitude's seed of chance, not Wanda's"
    control = make_result(method="random", controls="magnitude", num_layers=4)
    orders = isolated_orders(control, "mean", at_random(*REVERSED))
    assert [row["Layer"] for row in isolated_table(control, orders)] == ["1", "2", "3", "4"], "its order is not judged"


def test_it_takes_every_layer_at_the_same_amounts_with_intervals() -> None:
    some = alone(*REVERSED)
    lacking: list[list[SweepResult]] = [
        some[1:],  # a layer is missing
        [],
        alone(*REVERSED, statistics=False),
        alone(0.4, None, 0.1, 0.05),  # undefined
        [*some[:3], alone(*REVERSED, amounts=(0.0, 0.4))[3]],
        alone(*REVERSED, points="attention"),
    ]
    assert [isolated_orders(WHOLE, "mean", companions) for companions in lacking] == [[]] * 6
    assert isolated_orders(WHOLE, "tokens", some) == []
