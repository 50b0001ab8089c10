"""Whole units: what they consist of, that removing one is clean, scores equal to a direct computation."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from tiny import make_calibration, make_texts
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from core.pruning import Baseline, module_of
from core.pruning.calibration import Halves, reliability
from core.pruning.units import Entries, UnitPlan, Units

TEXTS = make_texts(40, seed=5)
GOLD = [k % 2 for k in range(len(TEXTS))]


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


def test_halves_that_do_not_vary_say_nothing_of_reliability() -> None:
    halves = Halves(3)
    halves.add(torch.arange(4), torch.ones(4, 3))
    assert reliability([[halves], []]) == (None, None)


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
    baseline = Baseline(model, (0.5,), calibration=make_calibration(tokenizer, GOLD, seed=5))
    plan, expected = module_of(method).plan(baseline), one_at_a_time(model, tokenizer, residual)
    for of_layer, references, agreement in zip(plan.scores, expected, plan.reliability, strict=True):
        for scores, attributions in zip(of_layer, references, strict=True):
            reference = scores_of(attributions, residual)
            torch.testing.assert_close(scores, reference, rtol=0, atol=1e-5 * float(reference.max()))
        halves = [(scores_of(a[::2], residual), scores_of(a[1::2], residual)) for a in references]
        assert agreement == pytest.approx(np.mean([spearmanr(*pair).statistic for pair in halves]), abs=5e-4)
