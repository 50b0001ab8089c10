"""Whole units.

Scores equal to a direct computation; tests/independent says what units consist of.
"""

import pytest
import torch
from scipy.stats import spearmanr
from tiny import make_calibration, make_texts
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from core.pruning import Baseline, module_of
from core.pruning.plan import Halves, reliability

TEXTS = make_texts(40, seed=5)
GOLD = [k % 2 for k in range(len(TEXTS))]


def test_constant_halves_have_no_reliability() -> None:
    halves = Halves(3)
    halves.add(torch.arange(4), torch.ones(4, 3))
    assert reliability([[halves], []]) == (None, None)


def residuals(model: nn.Module, tokenizer: object) -> list[Tensor]:
    """Compute the published attributions by plain autograd, one example at a time.

    By layer, (examples, units).
    """
    attributions: list[list[Tensor]] = [[] for _ in model.bert.encoder.layer]
    for text, label in zip(TEXTS, GOLD, strict=True):
        output = model(**tokenizer(text, return_tensors="pt"), output_hidden_states=True)
        states = output.hidden_states[1:]
        gradients = torch.autograd.grad(cross_entropy(output.logits, torch.tensor([label])), states)
        for rows, state, gradient in zip(attributions, states, gradients, strict=True):
            rows.append((state.detach()[0].double() * gradient[0].double()).sum(0))
    return [*map(torch.stack, attributions)]


def test_residual_scores_and_their_reliability_equal_autograd(
    model: nn.Module, tokenizer: object
) -> None:
    """The scores of `attribution` have a reference in tests/independent."""
    calibration = make_calibration(tokenizer, GOLD, seed=5)
    plan = module_of("attribution-residual").plan(Baseline(model, (0.5,), calibration=calibration))
    for (scores,), attributions, agreement in zip(
        plan.scores, residuals(model, tokenizer), plan.reliability, strict=True
    ):
        reference, *halves = (
            attributions[part].sum(0).abs()
            for part in (slice(None), slice(0, None, 2), slice(1, None, 2))
        )
        torch.testing.assert_close(scores, reference, rtol=0, atol=1e-5 * float(reference.max()))
        assert agreement == pytest.approx(spearmanr(*halves).statistic, abs=5e-4)
