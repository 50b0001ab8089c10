"""Fine-tune any encoder on a task, by transformers' Trainer."""

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    EarlyStoppingCallback,
    EvalPrediction,
    PretrainedConfig,
    Trainer,
    TrainingArguments,
    set_seed,
)
from transformers.trainer_pt_utils import LengthGroupedSampler
from transformers.trainer_utils import get_last_checkpoint

from core.request.catalog import Task
from core.training.splits import tokenise_split
from core.training.stages import finished

SAVE_EVERY = 250  # steps; with an early stop the validation split is scored as often

Score = Callable[[Any, Any], float]  # of gold and predicted labels, (examples,) each


def fine_tune(task: Task, options: argparse.Namespace, base: Path, score: Score) -> None:
    """Train into `WORK/final`; an interrupted run goes on from its last save, to the same weights.

    Args:
        task: The task.
        options: The command line.
        base: The folder of the checkpoint to start from.
        score: The task's main metric, which decides an early stop.
    """
    settings = {
        "num_train_epochs": options.epochs,
        "learning_rate": options.learning_rate,
        "warmup_steps": options.warmup,
        "save_steps": SAVE_EVERY,
        "save_total_limit": 1,
        "seed": options.seed,
    }
    trainer = make_trainer(task, options, base, options.work, settings, score if options.early_stop else None)
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(options.work)) if options.work.is_dir() else None)
    with finished(options.work / "final") as folder:
        trainer.save_model(str(folder))


def make_trainer(
    task: Task,
    options: argparse.Namespace,
    base: Path,
    work: Path,
    settings: Mapping[str, Any],
    score: Score | None = None,
) -> Trainer:
    """Prepare a trainer on the task's training split.

    Args:
        task: The task.
        options: The command line.
        base: The folder of the checkpoint to start from.
        work: The folder of the trainer's state.
        settings: What differs between fine-tuning and averaging, a seed among it.
        score: Scores the validation split at every save, for an early stop with the best weights; None: no stop.
    """
    set_seed(settings["seed"])  # before a new head is drawn
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(
        base,
        id2label=dict(enumerate(task.label_names)),
        label2id={name: label for label, name in enumerate(task.label_names)},
        **dropouts(AutoConfig.from_pretrained(base, local_files_only=True), options.dropout),
        attn_implementation="eager",  # on a processor the fused one is slow to go back through in bfloat16
        local_files_only=True,
        dtype=torch.float32,
    )
    arguments = TrainingArguments(
        output_dir=str(work),
        per_device_train_batch_size=options.batch_size,
        gradient_accumulation_steps=options.accumulate,
        weight_decay=0.01,
        logging_steps=50,
        report_to="none",
        use_cpu=True,
        bf16=options.bf16 and has_bfloat16(),
        **settings,
        **({"eval_steps": settings["save_steps"], **_EARLY_STOP} if score else {}),
    )
    splits = ("train", task.split) if score else ("train",)
    train, *validation = (tokenise_split(tokenizer, task, options.data, split) for split in splits)
    return _Trainer(
        model=model,
        args=arguments,
        train_dataset=train,
        processing_class=tokenizer,
        eval_dataset=validation[0] if score else None,
        compute_metrics=partial(_scored, score) if score else None,
        callbacks=[EarlyStoppingCallback(options.early_stop)] if score else None,
    )


_EARLY_STOP = {
    "eval_strategy": "steps",
    "per_device_eval_batch_size": 64,
    "metric_for_best_model": "score",
    "greater_is_better": True,
    "load_best_model_at_end": True,
    "restore_callback_states_from_checkpoint": True,  # how often the score has not risen
}


def _scored(score: Score, found: EvalPrediction) -> dict[str, float]:
    return {"score": float(score(found.label_ids, found.predictions.argmax(-1)))}  # (examples,) of (examples, labels)


def dropouts(config: PretrainedConfig, rate: float) -> dict[str, float]:
    """Set every dropout for which a configuration has a number, whatever its architecture calls it."""
    numbers = {name for name, value in config.to_dict().items() if isinstance(value, float | int)}
    return {name: rate for name in numbers if "dropout" in name}


def has_bfloat16() -> bool:
    """Whether this processor multiplies in bfloat16; others imitate it slowly."""
    known = torch.cpu.get_capabilities()
    return any(known.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


class _Trainer(Trainer):  # type: ignore[misc]
    """A Trainer that can be resumed in any epoch: the order of the examples does not depend on what came before."""

    def _get_train_sampler(self, train_dataset: Any = None) -> "EpochSampler":
        examples = self.train_dataset if train_dataset is None else train_dataset
        lengths = list(map(len, examples["input_ids"]))
        return EpochSampler(self.args.train_batch_size * self.args.gradient_accumulation_steps, lengths, self.args.seed)


class EpochSampler(LengthGroupedSampler):  # type: ignore[misc]
    """Groups examples by length, in an order that the seed and the epoch decide."""

    def __init__(self, batch_size: int, lengths: list[int], seed: int) -> None:
        """Start with the first epoch.

        Args:
            batch_size: Examples of about one length.
            lengths: Tokens of each example.
            seed: Of all epochs.
        """
        super().__init__(batch_size, lengths=lengths, generator=torch.Generator())
        self.seed = seed
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch, counted from 0."""
        (state,) = np.random.SeedSequence((self.seed, epoch)).generate_state(1)
        self.generator.manual_seed(int(state))
