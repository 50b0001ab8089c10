"""The control of magnitude: its counts in every matrix, drawn by the seed alone."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import pytest
import torch
from scipy.stats import chisquare
from tiny import planned
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification

from core.pruning import REGISTRY, Baseline
from core.pruning.random import RandomPlan

AMOUNTS = (0.0, 0.2, 0.5, 0.9)


@pytest.fixture
def model(tiny_bert: Path) -> nn.Module:
    return AutoModelForSequenceClassification.from_pretrained(tiny_bert).eval()


def removed(
    model: nn.Module, method: str, amount: float, seed: int = 0, amounts: Sequence[float] = AMOUNTS
) -> list[Tensor]:
    plan = planned(REGISTRY[method](Baseline(model, amounts, "encoder", seed)))
    return [~keep for keep in plan.keep_masks(amount, [weight.detach() for weight in plan.parameters])]


def test_every_choice_of_weights_is_as_likely_as_any_other() -> None:
    # Magnitude pruning removes round(0.5 · 6) = 3 weights: 0.2 and 0.3 of the first matrix, 0.1 of the second.
    weights = [nn.Parameter(torch.tensor([[0.5, -0.2], [0.3, 2.0]])), nn.Parameter(torch.tensor([[-0.1, 0.6]]))]
    drawn: Counter[tuple[tuple[int, ...], ...]] = Counter()
    for seed in range(1200):
        masks = RandomPlan(weights, [0.5], seed).keep_masks(0.5, weights)
        drawn[tuple(tuple((~keep).flatten().nonzero().flatten().tolist()) for keep in masks)] += 1
    pairs = combinations(range(4), 2)
    assert set(drawn) == {(pair, (single,)) for pair in pairs for single in range(2)}, "2 of 4 go, and 1 of 2"
    assert chisquare(list(drawn.values())).pvalue > 0.01, "each of the 12 choices is drawn about 100 times"


@pytest.mark.parametrize("amount", AMOUNTS[1:])
def test_as_many_go_in_every_matrix_as_under_magnitude_pruning(model: nn.Module, amount: float) -> None:
    drawn, smallest = removed(model, "random", amount), removed(model, "magnitude", amount)
    assert [int(mask.sum()) for mask in drawn] == [int(mask.sum()) for mask in smallest]
    assert not any(map(torch.equal, drawn, smallest))


def test_the_seed_decides_and_nothing_else(model: nn.Module) -> None:
    first, again, other = (removed(model, "random", 0.5, seed) for seed in (3, 3, 4))
    assert all(map(torch.equal, first, again))
    assert not any(map(torch.equal, first, other))
    alone = removed(model, "random", 0.5, 3, amounts=(0.5,))
    assert all(map(torch.equal, first, alone)), "the other amounts of a sweep must not matter"


def test_a_larger_amount_removes_everything_that_a_smaller_amount_removes(model: nn.Module) -> None:
    for smaller, larger in zip(removed(model, "random", 0.2), removed(model, "random", 0.9), strict=True):
        assert not (smaller & ~larger).any()
