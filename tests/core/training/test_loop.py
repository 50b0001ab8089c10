"""The loop on a small linear model.

Tests/independent holds it against a plain loop of torch's own parts.
"""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from core.results.schema import TrainingRecord
from core.training.loop import (
    CHECK_EVERY,
    PATIENCE,
    Rows,
    loss_of,
    train,
)
from tests.refusals import refusal

HOW = TrainingRecord(
    layers=1,
    steps=60,
    batch=8,
    rate=1e-2,
    targets="answers",
    temperature=2.0,
    seed=0,
)
ROWS = np.arange(50)
STOP = np.arange(50, 80)
LENGTHS = np.random.RandomState(0).randint(3, 20, 80)


class Line:
    """A linear model of 80 rows, whose targets another one gives.

    The rows that stop may have targets of noise.
    """

    def __init__(self, noisy: bool = False) -> None:
        generator = torch.Generator().manual_seed(0)
        self.features = torch.randn(80, 5, generator=generator)
        self.model = nn.Linear(5, 3)
        self.model.load_state_dict({"weight": torch.zeros(3, 5), "bias": torch.zeros(3)})
        logits = self.features @ torch.randn(5, 3, generator=generator)
        if noisy:
            logits[STOP] = -logits[STOP]
        self.targets = (logits / HOW.temperature).softmax(-1)
        self.steps = list[int]()

    def answer(self, rows: Rows) -> torch.Tensor:
        return self.model(self.features[rows])

    def train(self, report: Any = None, **how: Any) -> int:
        weights = list(self.model.parameters())
        settings = HOW.model_copy(update=how)
        return train(
            weights,
            self.answer,
            self.targets,
            LENGTHS,
            (ROWS, STOP),
            settings,
            report or self.steps.append,
        )

    @property
    def loss(self) -> float:
        """The loss on the rows that stop."""
        return loss_of(self.answer(STOP), self.targets[STOP], HOW.temperature).item()


def test_the_best_weights_are_kept_and_training_ends_early() -> None:
    line = Line(noisy=True)  # what it learns only harms where it is stopped
    before = line.loss
    assert line.train(steps=400) == 0
    assert line.loss == before
    assert line.steps[-1] == PATIENCE * CHECK_EVERY


@pytest.mark.parametrize("steps", [0, 1, 30])
def test_the_kept_step_is_the_best_that_was_looked_at(steps: int) -> None:
    line = Line()
    losses = {0: Line().loss}

    def note(step: int) -> None:
        if step % CHECK_EVERY == 0 or step == steps:
            losses[step] = line.loss

    assert line.train(note, steps=steps) == min(losses, key=lambda step: losses[step])
    assert line.loss == min(losses.values())


def test_labels_are_targets_of_temperature_one() -> None:
    logits = torch.randn(9, 4)
    labels = torch.arange(9) % 4
    expected = nn.functional.cross_entropy(logits, labels)
    torch.testing.assert_close(
        loss_of(logits, nn.functional.one_hot(labels, 4).float(), 1.0), expected
    )


@pytest.mark.parametrize("when", [0, 3])
def test_a_loss_that_is_not_finite_is_refused_in_a_line(when: int) -> None:
    line = Line()

    def overflow(step: int) -> None:
        if step == when:
            line.features[:] = math.inf

    if not when:
        overflow(0)
    assert f"the loss is not finite after {when} steps" in refusal(line.train, overflow)
