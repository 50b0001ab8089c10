"""The controls of weight and unit methods: their counts in every part, drawn by the seed alone."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations, product
from types import ModuleType

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor, nn

from core.pruning import Baseline, Plan, module_of
from core.pruning.magnitude import ranked_together, scoped_weights
from core.pruning.random import MatrixPlan, draws
from core.pruning.rows import RowPlan
from core.request.catalog import METHODS

AMOUNTS = (0.0, 0.05, 0.29, 0.5, 0.9)
CONTROLLED = [name for name, method in METHODS.items() if method.control]


def removed(plan: Plan, amount: float) -> list[Tensor]:
    return [~keep for keep in plan.keep_masks(amount, [weight.detach() for weight in plan.parameters])]


def control(
    model: nn.Module, controls: str, seed: int = 0, scope: str = "encoder", amounts: Sequence[float] = AMOUNTS
) -> Plan:
    method = METHODS[controls].control if controls in METHODS else "random"
    return module_of(method).plan(Baseline(model, amounts, scope, seed, controls=controls))


def places(mask: Tensor) -> tuple[int, ...]:
    return tuple(mask.flatten().nonzero().flatten().tolist())


def test_every_choice_in_the_matrices_is_as_likely_as_any_other() -> None:
    # Magnitude pruning removes round(0.5 · 6) = 3 weights: 0.2 and 0.3 of the first matrix, 0.1 of the second.
    weights = [nn.Parameter(torch.tensor([[0.5, -0.2], [0.3, 2.0]])), nn.Parameter(torch.tensor([[-0.1, 0.6]]))]
    plans = [MatrixPlan(ranked_together(weights, [0.5]), draws(weights, seed)) for seed in range(1200)]
    drawn = Counter(tuple(map(places, removed(plan, 0.5))) for plan in plans)
    pairs = combinations(range(4), 2)
    assert set(drawn) == {(pair, (single,)) for pair in pairs for single in range(2)}, "2 of 4 go, and 1 of 2"
    assert chisquare(list(drawn.values())).pvalue > 0.01, "each of the 12 choices is drawn about 100 times"


def test_every_choice_in_the_rows_is_as_likely_as_any_other() -> None:
    weights = [nn.Parameter(torch.tensor([[9.0, 0.1, 5.0], [0.2, 8.0, 0.3]]))]
    plans = [RowPlan(weights, draws(weights, seed)) for seed in range(900)]
    drawn = Counter(tuple(map(places, removed(plan, 0.5)[0])) for plan in plans)
    assert set(drawn) == set(product([(0,), (1,), (2,)], repeat=2)), "int(0.5 · 3) = 1 goes in each row"
    assert chisquare(list(drawn.values())).pvalue > 0.01, "each of the 9 choices is drawn about 100 times"


@pytest.mark.parametrize("controls", CONTROLLED)
def test_the_seed_decides_and_nothing_else(model: nn.Module, controls: str) -> None:
    plan = control(model, controls, 3)
    first, again, other = (removed(of, 0.5) for of in (plan, control(model, controls, 3), control(model, controls, 4)))
    assert all(map(torch.equal, first, again))
    assert not any(map(torch.equal, first, other))
    alone = removed(control(model, controls, 3, amounts=(0.5,)), 0.5)
    assert all(map(torch.equal, first, alone)), "the other amounts of a sweep must not matter"
    for smaller, larger in zip(removed(plan, 0.29), removed(plan, 0.9), strict=True):
        assert not (smaller & ~larger).any(), "a larger amount removes all that a smaller one does"
        assert smaller.sum() < larger.sum()


def test_the_lowest_draws_go_as_in_the_shipped_results(model: nn.Module) -> None:
    for index, mask in enumerate(removed(control(model, "magnitude", seed=3), 0.5)):
        numbers = np.random.default_rng([3, index]).random(mask.numel(), dtype=np.float32)
        lowest = numbers.argsort(kind="stable")[: int(mask.sum())]
        assert places(mask) == tuple(sorted(lowest.tolist()))
    plan = control(model, "attribution", seed=3)
    masks = dict(zip(map(id, plan.parameters), removed(plan, 0.25), strict=True))
    for k, layer in enumerate(model.bert.encoder.layer):
        for kind, maker in enumerate((layer.attention.self.value, layer.intermediate.dense)):
            units = masks[id(maker.bias)]
            ranks = np.random.default_rng([3, k, kind]).permutation(len(units))
            assert units.tolist() == (ranks < len(units) // 4).tolist()


def test_a_new_method_has_a_control_without_a_word_about_it(model: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file and one row: what removes whole matrices is controlled by as many weights of each of them."""

    class RowsOut:
        parameters, reliability = scoped_weights(model, "encoder"), ()

        def keep_masks(self, amount: float, values: Sequence[Tensor]) -> Iterator[Tensor]:
            for weight in values:
                keep = torch.ones_like(weight, dtype=torch.bool)
                keep[1::2] = False
                yield keep

    monkeypatch.setitem(sys.modules, "core.pruning.toy_method", ModuleType("toy"))
    sys.modules["core.pruning.toy_method"].plan = lambda baseline: RowsOut()
    drawn = removed(control(model, "toy-method"), 0.5)
    assert [int(mask.sum()) for mask in drawn] == [mask.shape[1] * (mask.shape[0] // 2) for mask in drawn]
    assert not any(mask[1::2].all() for mask in drawn)
