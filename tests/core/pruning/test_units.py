"""Whole units: scores equal to a direct computation; tests/independent says what units are."""

import torch
from tiny import make_calibration, make_texts
from torch import nn
from torch.nn.functional import cross_entropy

from core.pruning.plan import Baseline, module_of

TEXTS = make_texts(40, seed=5)
GOLD = [k % 2 for k in range(len(TEXTS))]


def test_residual_scores_equal_autograd(model: nn.Module, tokenizer: object) -> None:
    """The scores of `attribution` have a reference in tests/independent."""
    calibration = make_calibration(tokenizer, GOLD, seed=5)
    sums = [torch.zeros(32, dtype=torch.float64) for _ in model.bert.encoder.layer]
    for text, label in zip(TEXTS, GOLD, strict=True):
        output = model(**tokenizer(text, return_tensors="pt"), output_hidden_states=True)
        states = output.hidden_states[1:]
        loss = cross_entropy(output.logits, torch.tensor([label]))
        gradients = torch.autograd.grad(loss, states)
        for total, state, gradient in zip(sums, states, gradients, strict=True):
            total += (state.detach()[0].double() * gradient[0].double()).sum(0)

    plan = module_of("attribution-residual").plan(Baseline(model, (0.5,), calibration=calibration))

    for (scores,), total in zip(plan.scores, sums, strict=True):
        reference = total.abs()
        torch.testing.assert_close(scores, reference, rtol=0, atol=1e-5 * float(reference.max()))
