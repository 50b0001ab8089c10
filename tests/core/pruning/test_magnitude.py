"""Magnitude pruning and ranks in rows.

Ties by index, published counts. tests/independent checks what is removed.
"""

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertForSequenceClassification

from core.encoder.architectures import (
    encoder_layers,
    linear_weights,
    num_prunable,
)
from core.pruning import magnitude
from core.pruning.magnitude import MagnitudePlan, scoped_weights
from core.pruning.plan import Baseline, PrunedModel, module_of
from core.pruning.rows import ranks


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e30])
def test_ties_go_by_lowest_index_for_every_count(
    monkeypatch: pytest.MonkeyPatch, scale: float
) -> None:
    monkeypatch.setattr(magnitude, "_CHUNK", 10)  # several a matrix
    random = torch.Generator().manual_seed(0)
    weights = [
        scale * torch.randint(-4, 5, shape, generator=random).float() for shape in ((7, 9), (3, 11))
    ]
    order = torch.cat([weight.flatten().abs() for weight in weights]).sort(stable=True).indices
    amounts = [count / len(order) for count in range(len(order))]
    plan = MagnitudePlan(
        [[*map(nn.Parameter, weights)]],
        {amount: [k] for k, amount in enumerate(amounts)},
    )
    for count, amount in enumerate(amounts):
        keep = torch.cat([mask.flatten() for mask in plan.keep_masks(amount, plan.parameters)])
        assert torch.equal(
            keep,
            torch.ones(len(order), dtype=torch.bool).index_fill_(0, order[:count], False),
        )


def test_published_sparsities() -> None:
    with torch.device("meta"):
        model = BertForSequenceClassification(BertConfig())
    prunable = sum(weight.numel() for weight in scoped_weights(model, "all-linear"))
    total = sum(parameter.numel() for parameter in model.parameters())
    sparsities = [
        round(round(k / 10 * prunable) / total, 7) for k in range(1, 10)
    ]  # the number removed is tested elsewhere
    assert sparsities == [
        0.0781175, 0.1562350, 0.2343526, 0.3124701, 0.3905876,
        0.4687051, 0.5468227, 0.6249402, 0.7030577,
    ]  # fmt: skip


def test_sparsity_is_counted_from_what_was_removed(model: nn.Module) -> None:
    layers = [list(linear_weights(layer)) for layer in encoder_layers(model)]
    layers[0][0].data.zero_()  # a zero weight counts only once it is removed
    plan = module_of("magnitude").plan(Baseline(model, (0.0, 0.5), "layer:1"))
    with PrunedModel(model, plan) as pruned:
        nothing = pruned.prune(0.0)
        half = pruned.prune(0.5)
    assert nothing == (0.0, 0.0, (0.0, 0.0))
    in_layer = sum(weight.numel() for weight in layers[1])
    removed = round(0.5 * in_layer)
    total = sum(parameter.numel() for parameter in model.parameters())
    assert half == (
        removed / total,
        removed / num_prunable(model),
        (0.0, removed / in_layer),
    )


@pytest.mark.parametrize(
    ("columns", "kind"),
    [(7, torch.int16), (1 << 15, torch.int16), (40_000, torch.int32)],
)
def test_ranks_are_the_places_in_a_stable_sort(columns: int, kind: torch.dtype) -> None:
    scores = torch.rand(
        columns, 3, generator=torch.Generator().manual_seed(columns)
    ).T  # not contiguous
    scores[1] = scores[1].mul(4).floor()  # ties, zeros among them
    scores[2] *= 1e-42  # denormal
    places = ranks(scores)
    assert places.dtype == kind
    assert torch.equal(places.argsort(dim=1), scores.argsort(dim=1, stable=True))
