"""Whole units: what they consist of, that removing one is clean, scores equal to a direct computation."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from tiny import make_calibration, make_texts
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import AutoModelForSequenceClassification

from core.pruning import Baseline, PrunedModel, module_of
from core.pruning.units import Entries, UnitPlan, Units

TEXTS = make_texts(40, seed=5)
GOLD = [k % 2 for k in range(len(TEXTS))]


def unit_plan(
    model: nn.Module, tokenizer: object, method: str, amounts: Sequence[float], controls: str = "attribution"
) -> UnitPlan:
    calibration = make_calibration(tokenizer, GOLD, seed=5)
    plan = module_of(method).plan(Baseline(model, amounts, calibration=calibration, controls=controls))
    assert isinstance(plan, UnitPlan)
    return plan


def removed_entries(model: nn.Module, plan: UnitPlan, amount: float) -> dict[str, Tensor]:
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    masks = plan.keep_masks(amount, plan.parameters)
    return {names[id(parameter)]: ~keep for parameter, keep in zip(plan.parameters, masks, strict=True)}


def test_hand_computed_masks() -> None:
    maker, reader = nn.Linear(2, 5), nn.Linear(5, 3)
    units = Units(5, (Entries(maker.weight, 0), Entries(maker.bias, 0), Entries(reader.weight, 1)), reader)
    plan = UnitPlan([[units]], [[torch.tensor([3.0, 1.0, 2.0, 1.0, 1.0])]])
    made, bias, read = plan.keep_masks(0.5, plan.parameters)  # round(0.5 · 5) = 2: among the three ties units 1 and 3
    assert bias.tolist() == [True, False, True, False, True]
    assert made.tolist() == [[kept, kept] for kept in bias.tolist()]
    assert read.tolist() == [bias.tolist()] * 3
    assert [int(next(plan.keep_masks(amount, plan.parameters)).all(1).sum()) for amount in (0.09, 0.3, 0.99)] == [
        5,
        3,
        0,
    ]


@pytest.mark.parametrize("method", ["attribution", "random-neuron"])
def test_a_clean_unit_is_its_row_its_bias_and_the_column_that_reads_it(
    model: nn.Module, tokenizer: object, method: str
) -> None:
    plan = unit_plan(model, tokenizer, method, (0.25,))
    removed = removed_entries(model, plan, 0.25)
    prefix = "bert.encoder.layer"
    for layer in range(2):
        for maker, reader, count in (
            (f"{prefix}.{layer}.attention.self.value", f"{prefix}.{layer}.attention.output.dense", 8),
            (f"{prefix}.{layer}.intermediate.dense", f"{prefix}.{layer}.output.dense", 16),
        ):
            units = removed.pop(f"{maker}.bias")
            assert int(units.sum()) == count
            made, read = removed.pop(f"{maker}.weight"), removed.pop(f"{reader}.weight")
            assert torch.equal(made, units[:, None].expand_as(made))
            assert torch.equal(read, units[None].expand_as(read))
    assert not removed


@pytest.mark.parametrize("method", ["attribution-residual", "random-neuron"])
def test_a_hidden_unit_has_the_entries_that_the_published_procedure_zeroes(
    model: nn.Module, tokenizer: object, method: str
) -> None:
    controls = "attribution-residual" if method == "random-neuron" else None
    removed = removed_entries(model, unit_plan(model, tokenizer, method, (0.25,), controls), 0.25)
    for layer in range(2):
        prefix = f"bert.encoder.layer.{layer}"
        units = removed[f"{prefix}.output.dense.bias"]
        assert int(units.sum()) == 8
        columns = ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"]
        for name in (*columns, "intermediate.dense"):
            mask = removed.pop(f"{prefix}.{name}.weight")
            assert torch.equal(mask, units[None].expand_as(mask)), name
        vectors = [f"{name}.bias" for name in columns]
        norms = [f"{name}.LayerNorm.{kind}" for name in ("attention.output", "output") for kind in ("weight", "bias")]
        for name in (*vectors, *norms, "output.dense.bias"):
            assert torch.equal(removed.pop(f"{prefix}.{name}"), units), name
        mask = removed.pop(f"{prefix}.output.dense.weight")
        assert torch.equal(mask, units[:, None].expand_as(mask))
    assert not removed


@pytest.mark.parametrize("amount", [0.1, 0.5, 0.9])
def test_zeroing_by_hand_gives_the_same_logits(
    model: nn.Module, tokenizer: object, tiny_bert: Path, amount: float
) -> None:
    plan = unit_plan(model, tokenizer, "attribution", (amount,))
    by_hand = AutoModelForSequenceClassification.from_pretrained(tiny_bert).eval()
    for layer, (context, intermediate) in zip(by_hand.bert.encoder.layer, plan.scores, strict=True):
        for scores, maker, reader in (
            (context, layer.attention.self.value, layer.attention.output.dense),
            (intermediate, layer.intermediate.dense, layer.output.dense),
        ):
            for unit in sorted(range(len(scores)), key=lambda i: float(scores[i]))[: round(amount * len(scores))]:
                maker.weight.data[unit] = 0
                maker.bias.data[unit] = 0
                reader.weight.data[:, unit] = 0
    inputs = tokenizer(TEXTS[:8], padding=True, return_tensors="pt")
    with torch.inference_mode(), PrunedModel(model, plan) as pruned:
        pruned.prune(amount)
        assert torch.equal(model(**inputs).logits, by_hand(**inputs).logits)


def one_at_a_time(model: nn.Module, tokenizer: object, residual: bool) -> list[list[Tensor]]:
    """Computes attributions by plain autograd, one example at a time, without padding or hooks of ours.

    Returns:
        For each layer and type (examples, units) float64, signed.
    """
    found: list[list[list[Tensor]]] = [[[] for _ in range(1 if residual else 2)] for _ in model.bert.encoder.layer]
    for text, label in zip(TEXTS, GOLD, strict=True):
        caught: dict[tuple[int, int], Tensor] = {}
        handles = []
        for k, layer in enumerate(model.bert.encoder.layer):
            if residual:
                handles.append(layer.register_forward_hook(lambda m, i, o, k=k, c=caught: c.update({(k, 0): o})))
            else:
                for t, reader in enumerate((layer.attention.output.dense, layer.output.dense)):
                    handles.append(
                        reader.register_forward_pre_hook(lambda m, i, k=k, t=t, c=caught: c.update({(k, t): i[0]}))
                    )
        logits = model(**tokenizer(text, return_tensors="pt")).logits
        value = cross_entropy(logits, torch.tensor([label])) if residual else logits.softmax(-1)[0, label]
        for (k, t), gradient in zip(caught, torch.autograd.grad(value, list(caught.values())), strict=True):
            found[k][t].append((caught[k, t].detach()[0].double() * gradient[0].double()).sum(0))  # (units,)
        for handle in handles:
            handle.remove()
    return [[torch.stack(of_type) for of_type in of_layer] for of_layer in found]


def scores_of(attributions: Tensor, residual: bool) -> Tensor:
    """Scores units from attributions (examples, units), as the methods' formulas say."""
    return attributions.sum(0).abs() if residual else attributions.abs().mean(0)


@pytest.mark.parametrize("method", ["attribution", "attribution-residual"])
def test_scores_and_their_reliability_equal_autograd_one_example_at_a_time(
    model: nn.Module, tokenizer: object, method: str
) -> None:
    residual = method == "attribution-residual"
    plan, expected = unit_plan(model, tokenizer, method, (0.5,)), one_at_a_time(model, tokenizer, residual)
    for of_layer, references, reliability in zip(plan.scores, expected, plan.reliability, strict=True):
        for scores, attributions in zip(of_layer, references, strict=True):
            reference = scores_of(attributions, residual)
            torch.testing.assert_close(scores, reference, rtol=0, atol=1e-5 * float(reference.max()))
        halves = [(scores_of(a[::2], residual), scores_of(a[1::2], residual)) for a in references]
        assert reliability == pytest.approx(np.mean([spearmanr(*pair).statistic for pair in halves]), abs=5e-4)
