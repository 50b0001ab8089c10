"""The controls of weight and unit methods.

Their counts in every part, and draws that depend on the seed alone.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor, nn

from core.pruning.magnitude import MagnitudePlan
from core.pruning.plan import Baseline, Plan, module_of
from core.pruning.random import MatrixPlan, draws
from core.pruning.rows import RowPlan
from core.request.catalog import METHODS

AMOUNTS = (0.0, 0.05, 0.29, 0.5, 0.9)
CONTROLLED = [name for name, method in METHODS.items() if method.control]


def removed(plan: Plan, amount: float) -> list[Tensor]:
    return [
        ~keep for keep in plan.keep_masks(amount, [weight.detach() for weight in plan.parameters])
    ]


def control(
    model: nn.Module,
    controls: str,
    seed: int = 0,
    scope: str = "encoder",
    amounts: Sequence[float] = AMOUNTS,
) -> Plan:
    method = METHODS[controls].control if controls in METHODS else "random"
    return module_of(method).plan(Baseline(model, amounts, scope, seed, controls=controls))


def positions(mask: Tensor) -> tuple[int, ...]:
    return tuple(mask.flatten().nonzero().flatten().tolist())


def test_all_choices_in_matrices_and_in_rows_are_equally_likely() -> None:
    # Magnitude pruning removes round(0.5 · 6) = 3 weights: 0.2 and 0.3 of the first matrix, 0.1 of
    # the second.
    weights = [
        nn.Parameter(torch.tensor([[0.5, -0.2], [0.3, 2.0]])),
        nn.Parameter(torch.tensor([[-0.1, 0.6]])),
    ]
    plans = [
        MatrixPlan(MagnitudePlan([weights], {0.5: [3]}), draws(weights, seed))
        for seed in range(1200)
    ]
    in_matrices = Counter(tuple(map(positions, removed(plan, 0.5))) for plan in plans)
    assert set(in_matrices) == set(product(combinations(range(4), 2), [(0,), (1,)])), (
        "2 of 4 go, and 1 of 2"
    )
    row_plans = [
        RowPlan(weights, draws(weights, seed)) for seed in range(400)
    ]  # int(0.5 · 2) = 1 goes in each row
    in_rows = Counter(
        tuple(positions(row) for mask in removed(plan, 0.5) for row in mask) for plan in row_plans
    )
    assert set(in_rows) == set(product([(0,), (1,)], repeat=3))
    assert all(chisquare(list(counts.values())).pvalue > 0.01 for counts in (in_matrices, in_rows))


@pytest.mark.parametrize("controls", CONTROLLED)
def test_draws_depend_on_the_seed_alone(model: nn.Module, controls: str) -> None:
    plan = control(model, controls, 3)
    masks = removed(plan, 0.5)
    assert not any(map(torch.equal, masks, removed(control(model, controls, 4), 0.5)))
    alone = removed(control(model, controls, 3, amounts=(0.5,)), 0.5)
    assert all(map(torch.equal, masks, alone)), "other amounts of a sweep do not matter"
    for smaller, larger in zip(removed(plan, 0.29), removed(plan, 0.9), strict=True):
        assert not (smaller & ~larger).any(), "a larger amount removes all that a smaller one does"
        assert smaller.sum() < larger.sum()


def test_units_are_drawn_as_in_the_shipped_results(model: nn.Module) -> None:
    """tests/core/test_shipped.py recomputes results of the control of weights."""
    plan = control(model, "attribution", seed=3)
    masks = dict(zip(map(id, plan.parameters), removed(plan, 0.25), strict=True))
    for k, layer in enumerate(model.bert.encoder.layer):
        for kind, maker in enumerate((layer.attention.self.value, layer.intermediate.dense)):
            units = masks[id(maker.bias)]
            ranks = np.random.default_rng([3, k, kind]).permutation(len(units))
            assert units.tolist() == (ranks < len(units) // 4).tolist()
