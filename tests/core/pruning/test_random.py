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
    values = [weight.detach() for weight in plan.parameters]
    return [~keep for keep in plan.keep_masks(amount, values)]


def control(
    model: nn.Module,
    controls: str,
    seed: int = 0,
    amounts: Sequence[float] = AMOUNTS,
) -> Plan:
    method = module_of(METHODS[controls].control)
    baseline = Baseline(
        model,
        amounts,
        scope="encoder",
        seed=seed,
        controls=controls,
    )
    return method.plan(baseline)


def positions(mask: Tensor) -> tuple[int, ...]:
    (places,) = mask.flatten().nonzero(as_tuple=True)
    return tuple(places.tolist())


def test_all_choices_in_matrices_and_in_rows_are_equally_likely() -> None:
    # Magnitude pruning removes round(0.5 · 6) = 3 weights: 0.2 and 0.3 of the first matrix, 0.1 of
    # the second.
    weights = [
        nn.Parameter(torch.tensor([[0.5, -0.2], [0.3, 2.0]])),
        nn.Parameter(torch.tensor([[-0.1, 0.6]])),
    ]
    controlled = MagnitudePlan([weights], {0.5: [3]})
    in_matrices = Counter[object]()
    in_rows = Counter[object]()

    for seed in range(1200):
        plan = MatrixPlan(controlled, draws(weights, seed))
        chosen = map(positions, removed(plan, 0.5))
        in_matrices[tuple(chosen)] += 1
    for seed in range(400):
        plan = RowPlan(weights, draws(weights, seed))
        rows = torch.cat(removed(plan, 0.5))
        in_rows[tuple(map(positions, rows))] += 1

    either = [(0,), (1,)]
    pairs = combinations(range(4), 2)
    assert set(in_matrices) == set(product(pairs, either)), "2 of 4 go, and 1 of 2"
    assert set(in_rows) == set(product(either, repeat=3)), "int(0.5 · 2) = 1 goes in each row"
    for counts in (in_matrices, in_rows):
        assert chisquare(list(counts.values())).pvalue > 0.01


@pytest.mark.parametrize("controls", CONTROLLED)
def test_draws_depend_on_the_seed_alone(model: nn.Module, controls: str) -> None:
    plan = control(model, controls, 3)
    masks = removed(plan, 0.5)
    others = removed(control(model, controls, 4), 0.5)
    alone = removed(control(model, controls, 3, amounts=(0.5,)), 0.5)
    assert not any(map(torch.equal, masks, others))
    assert all(map(torch.equal, masks, alone)), "other amounts of a sweep do not matter"
    for smaller, larger in zip(removed(plan, 0.29), removed(plan, 0.9), strict=True):
        assert not (smaller & ~larger).any(), "a larger amount removes all that a smaller one does"
        assert smaller.sum() < larger.sum()


def test_units_are_drawn_as_in_the_shipped_results(model: nn.Module) -> None:
    """tests/core/test_shipped.py recomputes results of the control of weights."""
    plan = control(model, "attribution", seed=3)
    masks = dict(zip(map(id, plan.parameters), removed(plan, 0.25), strict=True))
    for k, layer in enumerate(model.bert.encoder.layer):
        makers = layer.attention.self.value, layer.intermediate.dense
        for kind, maker in enumerate(makers):
            units = masks[id(maker.bias)]
            random = np.random.default_rng([3, k, kind])
            ranks = random.permutation(len(units))
            expected = ranks < len(units) // 4
            assert units.tolist() == expected.tolist()
