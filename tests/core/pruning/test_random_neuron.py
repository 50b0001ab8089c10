"""The control of unit methods: their counts in every layer and type, drawn by the seed alone."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from tiny import make_calibration, planned
from torch import Tensor, nn
from transformers import AutoTokenizer

from core.pruning import Baseline, Plan, module_of

CONTROLLED = ("attribution", "attribution-residual")


def control(model: nn.Module, controls: str | None, seed: int = 0) -> Plan:
    return planned(module_of("random-neuron").plan(Baseline(model, (0.5,), seed=seed, controls=controls)))


def removed(model: nn.Module, plan: Plan, amount: float) -> dict[str, Tensor]:
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    masks = plan.keep_masks(amount, plan.parameters)
    return {names[id(parameter)]: ~keep for parameter, keep in zip(plan.parameters, masks, strict=True)}


@pytest.mark.parametrize("amount", [0.01, 0.05, 0.3, 0.5, 0.95])
@pytest.mark.parametrize("controls", CONTROLLED)
def test_as_many_entries_go_in_every_parameter_as_under_the_controlled_method(
    model: nn.Module, tiny_bert: Path, controls: str, amount: float
) -> None:
    calibration = make_calibration(AutoTokenizer.from_pretrained(tiny_bert), [k % 2 for k in range(16)])
    scored = removed(
        model, planned(module_of(controls).plan(Baseline(model, (amount,), calibration=calibration))), amount
    )
    drawn = removed(model, control(model, controls), amount)
    assert {name: int(mask.sum()) for name, mask in drawn.items()} == {
        name: int(mask.sum()) for name, mask in scored.items()
    }
    if round(amount * 32):
        assert any(not torch.equal(mask, scored[name]) for name, mask in drawn.items())


@pytest.mark.parametrize("controls", CONTROLLED)
def test_the_seed_decides_and_nothing_else(model: nn.Module, controls: str) -> None:
    first, again, other = (removed(model, control(model, controls, seed), 0.5) for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)


def test_the_lowest_ranks_of_a_type_go_as_in_the_shipped_results(model: nn.Module) -> None:
    drawn = removed(model, control(model, "attribution", seed=3), 0.25)
    for layer in range(2):
        for kind, maker in enumerate(("attention.self.value", "intermediate.dense")):
            units = drawn[f"bert.encoder.layer.{layer}.{maker}.bias"]
            ranks = np.random.default_rng([3, layer, kind]).permutation(len(units))
            assert units.tolist() == (ranks < len(units) // 4).tolist()


def test_every_hidden_unit_is_as_likely_as_any_other_in_every_layer(model: nn.Module) -> None:
    drawn: Counter[tuple[int, int]] = Counter()
    for seed in range(1280):
        masks = removed(model, control(model, "attribution-residual", seed), 1 / 32)
        for layer in range(2):
            (unit,) = masks[f"bert.encoder.layer.{layer}.output.dense.bias"].nonzero().flatten().tolist()
            drawn[layer, unit] += 1
    for layer in range(2):
        counts = [drawn[layer, unit] for unit in range(32)]
        assert chisquare(counts).pvalue > 0.01, "each of the 32 units goes first about 40 times"
