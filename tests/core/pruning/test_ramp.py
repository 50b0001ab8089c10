"""Magnitude pruning along a ramp: what each layer loses, and that the total is exact."""

import pytest
import torch
from torch import nn

from core.encoder.architectures import encoder_layers, linear_weights
from core.pruning.magnitude import scoped_weights
from core.pruning.plan import Baseline, module_of
from core.pruning.ramp import shared_out
from core.request.amounts import stepped_amounts

SIX = [0.5, 0.7, 0.9, 1.1, 1.3, 1.5]


@pytest.mark.parametrize(
    ("sizes", "slopes", "total", "expected"),
    [
        ([100] * 6, SIX, 300, [25, 35, 45, 55, 65, 75]),
        (
            [100] * 6,
            SIX,
            480,
            [44, 61, 79, 96, 100, 100],
        ),  # 280 are left for the first four, as 5 to 7 to 9 to 11
        (
            [100] * 6,
            SIX,
            570,
            [71, 99, 100, 100, 100, 100],
        ),  # 170 are left for the first two, as 5 to 7
        ([100] * 6, SIX, 0, [0] * 6),
        ([100], [0.7], 30, [30]),
        (
            [100, 100],
            [0.5, 0.7],
            60,
            [25, 35],
        ),  # only two of six layers are pruned
        ([100] * 6 + [20], [*SIX, 1.0], 310, [25, 35, 45, 55, 65, 75, 10]),
        ([7, 7], [0.5, 1.5], 14, [7, 7]),
    ],
)
def test_counts_by_hand(
    sizes: list[int], slopes: list[float], total: int, expected: list[int]
) -> None:
    assert shared_out(total, sizes, slopes) == expected


def test_the_total_is_exact_and_no_layer_loses_more_than_it_has() -> None:
    sizes = [1769472] * 5 + [1769471, 147841]
    for amount in stepped_amounts(0.001, 0.999):
        total = round(amount * sum(sizes))
        lost = shared_out(total, sizes, [*SIX, 1.0])
        assert sum(lost) == total
        assert all(0 <= count <= size for count, size in zip(lost, sizes, strict=True))


@pytest.mark.parametrize("scope", ["encoder", "all-linear", "layer:1"])
def test_every_layer_loses_its_smallest_weights_and_the_control_removes_as_many(
    model: nn.Module, scope: str
) -> None:
    weights = scoped_weights(model, scope)
    amounts = (0.13, 0.5, 0.97)
    ramp = module_of("ramp").plan(Baseline(model, amounts, scope))
    control = module_of("random").plan(Baseline(model, amounts, scope, controls="ramp"))
    assert [*map(id, ramp.parameters)] == [*map(id, weights)]
    values = dict(
        zip(
            map(id, weights),
            (weight.detach() for weight in weights),
            strict=True,
        )
    )
    for amount in amounts:
        kept = dict(zip(values, ramp.keep_masks(amount, [*values.values()]), strict=True))
        drawn = control.keep_masks(amount, [*values.values()])
        assert [int(mask.sum()) for mask in drawn] == [int(mask.sum()) for mask in kept.values()]
        assert sum(int((~mask).sum()) for mask in kept.values()) == round(
            amount * sum(map(torch.numel, weights))
        )
        for layer in encoder_layers(model):
            inside = [id(weight) for weight in linear_weights(layer) if id(weight) in values]
            lost = torch.cat([values[key].abs()[~kept[key]] for key in inside] or [torch.zeros(0)])
            stay = torch.cat([values[key].abs()[kept[key]] for key in inside] or [torch.zeros(0)])
            assert not len(lost) or not len(stay) or lost.max() <= stay.min()
