"""The control of weight methods: their counts in every matrix or row, drawn by the seed alone."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations, product
from types import ModuleType

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from tiny import make_calibration, planned
from torch import Tensor, nn

from core.pruning import Baseline, Calibration, Plan, Planning, module_of
from core.pruning.magnitude import MagnitudePlan, scoped_weights
from core.pruning.random import MatrixPlan, draws
from core.pruning.rows import RowPlan

AMOUNTS = (0.0, 0.05, 0.29, 0.5, 0.9)
SCOPES = ("encoder", "all-linear", "layer:1")
CONTROLLED = ("magnitude", "wanda")


@pytest.fixture(scope="module")
def calibration(tokenizer: object) -> Calibration:
    return make_calibration(tokenizer, [0] * 16)


def removed(plan: Plan, amount: float) -> list[Tensor]:
    return [~keep for keep in plan.keep_masks(amount, [weight.detach() for weight in plan.parameters])]


def control(
    model: nn.Module,
    controls: str,
    seed: int = 0,
    scope: str = "encoder",
    amounts: Sequence[float] = AMOUNTS,
) -> Plan:
    return planned(module_of("random").plan(Baseline(model, amounts, scope, seed, controls=controls)))


def places(mask: Tensor) -> tuple[int, ...]:
    return tuple(mask.flatten().nonzero().flatten().tolist())


def test_every_choice_in_the_matrices_is_as_likely_as_any_other() -> None:
    # Magnitude pruning removes round(0.5 · 6) = 3 weights: 0.2 and 0.3 of the first matrix, 0.1 of the second.
    weights = [nn.Parameter(torch.tensor([[0.5, -0.2], [0.3, 2.0]])), nn.Parameter(torch.tensor([[-0.1, 0.6]]))]
    plans = [MatrixPlan(MagnitudePlan(weights, [0.5]), draws(weights, seed)) for seed in range(1200)]
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


@pytest.mark.parametrize("amount", AMOUNTS[1:])
@pytest.mark.parametrize("scope", SCOPES)
def test_as_many_go_in_every_matrix_as_under_magnitude_pruning(model: nn.Module, scope: str, amount: float) -> None:
    drawn = removed(control(model, "magnitude", scope=scope), amount)
    smallest = removed(planned(module_of("magnitude").plan(Baseline(model, AMOUNTS, scope))), amount)
    assert [int(mask.sum()) for mask in drawn] == [int(mask.sum()) for mask in smallest]
    assert not all(map(torch.equal, drawn, smallest))


@pytest.mark.parametrize("amount", AMOUNTS[1:])
@pytest.mark.parametrize("scope", SCOPES)
def test_as_many_go_in_every_row_as_under_wanda(
    model: nn.Module, calibration: Calibration, scope: str, amount: float
) -> None:
    drawn = removed(control(model, "wanda", scope=scope), amount)
    scored = removed(planned(module_of("wanda").plan(Baseline(model, AMOUNTS, scope, calibration=calibration))), amount)
    assert [mask.sum(1).tolist() for mask in drawn] == [mask.sum(1).tolist() for mask in scored]
    assert not all(map(torch.equal, drawn, scored))


def test_the_lowest_draws_of_a_matrix_go_as_in_the_shipped_results(model: nn.Module) -> None:
    for index, mask in enumerate(removed(control(model, "magnitude", seed=3), 0.5)):
        numbers = np.random.default_rng([3, index]).random(mask.numel(), dtype=np.float32)
        lowest = numbers.argsort(kind="stable")[: int(mask.sum())]
        assert places(mask) == tuple(sorted(lowest.tolist()))


@pytest.mark.parametrize("controls", CONTROLLED)
def test_the_seed_decides_and_nothing_else(model: nn.Module, controls: str) -> None:
    first, again, other = (removed(control(model, controls, seed), 0.5) for seed in (3, 3, 4))
    assert all(map(torch.equal, first, again))
    assert not any(map(torch.equal, first, other))
    alone = removed(control(model, controls, 3, amounts=(0.5,)), 0.5)
    assert all(map(torch.equal, first, alone)), "the other amounts of a sweep must not matter"


@pytest.mark.parametrize("controls", CONTROLLED)
def test_a_larger_amount_removes_everything_that_a_smaller_amount_removes(model: nn.Module, controls: str) -> None:
    plan = control(model, controls)
    for smaller, larger in zip(removed(plan, 0.29), removed(plan, 0.9), strict=True):
        assert not (smaller & ~larger).any()
        assert smaller.sum() < larger.sum()


def test_a_new_method_has_a_control_without_a_word_about_it(model: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file and one row: what removes whole matrices is controlled by as many weights of each of them."""
    monkeypatch.setitem(sys.modules, "core.pruning.toy_method", ModuleType("toy"))
    sys.modules["core.pruning.toy_method"].plan = every_second_row
    drawn = removed(control(model, "toy-method"), 0.5)
    assert [int(mask.sum()) for mask in drawn] == [mask.shape[1] * (mask.shape[0] // 2) for mask in drawn]
    assert not any(mask[1::2].all() for mask in drawn)


def every_second_row(baseline: Baseline) -> Planning:
    class RowsOut:
        parameters, reliability = scoped_weights(baseline.model, baseline.scope), ()

        def keep_masks(self, amount: float, values: Sequence[Tensor]) -> Iterator[Tensor]:
            for weight in values:
                keep = torch.ones_like(weight, dtype=torch.bool)
                keep[1::2] = False
                yield keep

    return RowsOut()
    yield
