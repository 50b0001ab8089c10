"""Whole units: scores equal to a direct computation; tests/independent says what units are."""

import torch
from tiny import make_calibration, make_texts
from torch import nn
from torch.nn.functional import cross_entropy

from core.pruning import attribution_residual
from core.pruning.plan import Baseline

TEXTS = make_texts(40, seed=5)
GOLD = [k % 2 for k in range(len(TEXTS))]


def test_residual_scores_equal_autograd(model: nn.Module, tokenizer: object) -> None:
    """The scores of `attribution` have a reference in tests/independent."""
    calibration = make_calibration(tokenizer, GOLD, seed=5)
    baseline = Baseline(model, (0.5,), calibration=calibration)
    layers = len(model.bert.encoder.layer)
    sums = torch.zeros(layers, 32, dtype=torch.float64)
    for text, label in zip(TEXTS, GOLD, strict=True):
        inputs = tokenizer(text, return_tensors="pt")
        output = model(**inputs, output_hidden_states=True)
        states = output.hidden_states[1:]
        loss = cross_entropy(output.logits, torch.tensor([label]))
        gradients = torch.autograd.grad(loss, states)
        for layer, (state, gradient) in enumerate(zip(states, gradients, strict=True)):
            product = state.detach().double() * gradient.double()  # (1, tokens, hidden)
            sums[layer] += product.sum((0, 1))

    plan = attribution_residual.plan(baseline)

    for (scores,), total in zip(plan.scores, sums, strict=True):
        reference = total.abs()
        bound = 1e-5 * float(reference.max())
        torch.testing.assert_close(
            scores,
            reference,
            rtol=0,
            atol=bound,
        )
