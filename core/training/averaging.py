"""Train on at a constant rate and average the weights along the way, which evens out the last steps' noise."""

import argparse
from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer, TrainerCallback

from core.request.catalog import Task
from core.training.fine_tuning import make_trainer
from core.training.stages import finished

AVERAGE_EVERY = 20  # steps


class Averaging(TrainerCallback):  # type: ignore[misc]
    """Average the weights along the way (stochastic weight averaging, Izmailov et al. 2018, arXiv 1803.05407)."""

    def __init__(self, model: torch.nn.Module) -> None:
        """Start the average with the weights as they are."""
        self.averaged = AveragedModel(model)
        self.averaged.update_parameters(model)

    def on_step_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Add the weights of every AVERAGE_EVERY-th step."""
        if state.global_step % AVERAGE_EVERY == 0:
            self.averaged.update_parameters(given["model"])


def average(task: Task, options: argparse.Namespace) -> None:
    """Train on from `WORK/final` at a constant rate and store the average of the weights in `WORK/averaged`."""
    settings = {
        "num_train_epochs": options.average_epochs,
        "learning_rate": options.average_rate,
        "lr_scheduler_type": "constant",
        "save_strategy": "no",
        "seed": options.seed + 1,  # a different order of the examples from the first epoch's
    }
    trainer = make_trainer(task, options, options.work / "final", options.work / "averaging", settings)
    averaging = Averaging(trainer.model)
    trainer.add_callback(averaging)
    trainer.train()
    averaged: Any = averaging.averaged.module
    with finished(options.work / "averaged") as folder:
        averaged.save_pretrained(folder)
        trainer.processing_class.save_pretrained(folder)


def mix(options: argparse.Namespace) -> None:
    """Store a point between both stages' weights in `WORK/mixed` (a soup, Wortsman et al. 2022, arXiv 2203.05482)."""
    first, second = (
        AutoModelForSequenceClassification.from_pretrained(options.work / name, local_files_only=True)
        for name in ("final", "averaged")
    )
    with torch.no_grad():
        for parameter, averaged in zip(first.parameters(), second.parameters(), strict=True):
            parameter.lerp_(averaged, options.mix)
    first.save_pretrained(options.work / "mixed")
    AutoTokenizer.from_pretrained(options.work / "final").save_pretrained(options.work / "mixed")
