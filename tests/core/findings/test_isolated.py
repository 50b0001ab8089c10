"""Layers pruned alone: effects and orders follow the numbers, and a reversed order must be the method's own."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import t

from core.findings.isolated import isolated_orders
from core.findings.tables import isolated_table
from core.results.schema import SweepResult
from tests.builders import make_result

AMOUNTS = (0.0, 0.3, 0.5, 0.7, 0.9)
REVERSED, LEVEL, ORDINARY = (0.4, 0.3, 0.1, 0.05), (0.2, 0.2, 0.2, 0.2), (0.05, 0.1, 0.3, 0.4)
WHOLE = make_result(num_layers=4)


def alone(*effects: float | None, amounts: Sequence[float] = AMOUNTS, **settings: object) -> list[SweepResult]:
    """Each layer pruned alone: 1 - own CKA of its output at amount 0.5, in proportion elsewhere."""

    def result(layer: int, effect: float | None) -> SweepResult:
        def own(amount: float, point: int, size: int) -> float | None:
            return None if effect is None and amount else 1 - (effect or 0) * 2 * amount * (point >= layer)

        known = {"num_layers": len(effects), "amounts": tuple(amounts), "scope": f"layer:{layer}", "points": "layer"}
        return make_result(**{**known, "own_cka": own, **settings})

    return [result(layer, effect) for layer, effect in enumerate(effects)]


def at_random(*seeds: Sequence[float]) -> list[SweepResult]:
    return [layer for seed, effects in enumerate(seeds) for layer in alone(*effects, method="random", seed=seed)]


def test_effects_are_those_of_each_layers_own_output_and_the_halves_are_paired_by_example() -> None:
    results = alone(*REVERSED)
    (short, *_) = alone(*REVERSED, amounts=(0.0, 0.33))  # of two results of one layer that with more amounts counts
    orders = isolated_orders(WHOLE, "mean", [short, *results])
    assert [order.amount for order in orders] == [0.3, 0.5, 0.7, 0.9]
    assert [effect.value for effect in orders[1].effects] == pytest.approx(REVERSED)
    known = [(result.statistics or {})["cka"]["mean"] for result in results]
    for layer, (effect, statistics) in enumerate(zip(orders[1].effects, known, strict=True)):
        low, high = (statistics.own or ())[2][layer] or (np.nan, np.nan)
        assert (effect.low, effect.high) == pytest.approx((1 - high, 1 - low), abs=1e-6)
    without = np.array([(statistics.own_replicates or ())[2] for statistics in known])  # (layers, n)
    gaps = without[:2].mean(0) - without[2:].mean(0)  # (n,)
    half = t.ppf(0.975, len(gaps) - 1) * np.sqrt(len(gaps) - 1) * gaps.std()
    assert orders[1].gap.value == pytest.approx(-(0.35 - 0.075))
    assert orders[1].gap.high - orders[1].gap.value == pytest.approx(half)


# Their mean is not shown to differ from 0, for they vary; but the method does no more than they do.
VARIED = [(0.2 + by, 0.2 + by, 0.2, 0.2) for by in (0.0, 0.1, 0.25)]


@pytest.mark.parametrize(
    ("effects", "seeds", "state"),
    [
        (REVERSED, [LEVEL] * 3, "reversed"),
        (REVERSED, [LEVEL] * 2, "lower layers more, few seeds"),
        (REVERSED, [REVERSED] * 3, "lower layers more, as at random"),
        (REVERSED, [ORDINARY] * 3, "lower layers more, at random upper"),
        (REVERSED, [], "lower layers more, no control"),
        (ORDINARY, [LEVEL] * 3, "upper layers more"),
        (LEVEL, [LEVEL] * 3, "no order shown"),
        ((0.35, 0.3, 0.2, 0.15), VARIED, "lower layers more, not beyond random"),
    ],
)
def test_an_order_is_reversed_only_if_chance_has_none(
    effects: tuple[float, ...], seeds: Sequence[tuple[float, ...]], state: str
) -> None:
    orders = isolated_orders(WHOLE, "mean", [*alone(*effects), *at_random(*seeds)])
    assert orders[1].state == state
    *rows, last = isolated_table(WHOLE, orders)
    assert (list(last.values())[:3], len(rows)) == (["Order", orders[0].state, state], 4)


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
