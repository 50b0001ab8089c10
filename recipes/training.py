"""Train an encoder on a task with transformers' Trainer; what was interrupted goes on to the same weights."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel
from transformers import AutoModelForSequenceClassification as Classifier
from transformers import AutoTokenizer, EarlyStoppingCallback, Trainer, TrainerCallback, TrainingArguments, set_seed
from transformers.trainer_pt_utils import LengthGroupedSampler

from core.request.catalog import TASKS
from core.sweep.scores import SCORES
from recipes.examples import read_examples, tokenised
from recipes.table import Recipe

SAVE_EVERY = 250  # steps; with an early stop the validation split is scored as often
AVERAGE_EVERY = 20  # steps
AVERAGE_RATE = 3e-5
MIX = 0.5  # the share of the average in the weights that are taken


def fine_tune(recipe: Recipe, seed: int, base: Path, data: Path | None, work: Path) -> Path:
    """Train into `WORK/final`, unless it is there, and return that folder."""
    if not (work / "final").is_dir():
        settings: dict[str, Any] = {"learning_rate": recipe.learning_rate, "warmup_steps": recipe.warmup}
        settings |= {"num_train_epochs": recipe.epochs, "save_steps": SAVE_EVERY}
        if recipe.early_stop:
            settings |= {"eval_strategy": "steps", "eval_steps": SAVE_EVERY, "per_device_eval_batch_size": 64}
            settings |= {"load_best_model_at_end": True, "metric_for_best_model": "score", "greater_is_better": True}
            settings |= {"restore_callback_states_from_checkpoint": True}  # how often the score has not risen
        trainer = make_trainer(recipe, seed, base, data, work, **settings)
        if recipe.early_stop:
            trainer.add_callback(EarlyStoppingCallback(recipe.early_stop))
        run(trainer, work / "final")
    return work / "final"


def average(recipe: Recipe, seed: int, base: Path, data: Path | None, work: Path) -> Path:
    """Train on at a constant rate, which evens out the last steps' noise; interrupted, this begins again.

    Returns:
        `WORK/mixed`, with weights between those of `base` and the average of those along the way (a soup, Wortsman et
        al. 2022, arXiv 2203.05482).
    """
    if not (work / "mixed").is_dir():
        settings = {"learning_rate": AVERAGE_RATE, "lr_scheduler_type": "constant", "save_strategy": "no"}
        trainer = make_trainer(recipe, seed + 1, base, data, work, num_train_epochs=1, **settings)  # another order
        averaging = Averaging(trainer.model)
        trainer.add_callback(averaging)
        trainer.train()
        mixed = Classifier.from_pretrained(base, local_files_only=True)
        mix(mixed, averaging.averaged.module)
        store(work / "mixed", mixed, trainer.processing_class)
    return work / "mixed"


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


@torch.no_grad()
def mix(model: torch.nn.Module, averaged: torch.nn.Module) -> None:
    """Move the weights of a model towards averaged ones, by MIX of the way."""
    for parameter, average in zip(model.parameters(), averaged.parameters(), strict=True):
        parameter.lerp_(average, MIX)


def make_trainer(recipe: Recipe, seed: int, base: Path, data: Path | None, work: Path, **settings: Any) -> Trainer:
    """Prepare a trainer on the recipe's task; `settings` are the stage's own."""
    task = TASKS[recipe.task]
    labels = {name: label for label, name in enumerate(task.label_names)}
    named = {"label2id": labels, "id2label": {label: name for name, label in labels.items()}}
    model, tokenizer = load(Classifier, recipe, seed, base, **named)
    train, validation = (tokenised(tokenizer, read_examples(data, task, s), task) for s in ("train", task.split))
    return _Trainer(
        model=model,
        args=arguments(recipe, seed, work, per_device_train_batch_size=recipe.batch_size, **settings),
        train_dataset=train,
        eval_dataset=validation,
        compute_metrics=lambda found: {  # of gold labels, (examples,), and logits, (examples, labels)
            "score": float(SCORES[task.main_metric](found.label_ids, found.predictions.argmax(-1)))
        },
        processing_class=tokenizer,
    )


class _Trainer(Trainer):  # type: ignore[misc]
    """A Trainer that can be resumed in any epoch: the order of the examples does not depend on what came before."""

    def _get_train_sampler(self, train_dataset: Any = None) -> "EpochSampler":
        examples = self.train_dataset if train_dataset is None else train_dataset
        return EpochSampler(self.args.train_batch_size, list(map(len, examples["input_ids"])), self.args.seed)


class EpochSampler(LengthGroupedSampler):  # type: ignore[misc]
    """Groups examples by length, in an order that the seed and the epoch decide."""

    def __init__(self, batch_size: int, lengths: list[int], seed: int) -> None:
        """Start with the first epoch, given the tokens of each example."""
        super().__init__(batch_size, lengths=lengths, generator=torch.Generator())
        self.seed = seed
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch, counted from 0."""
        (state,) = np.random.SeedSequence((self.seed, epoch)).generate_state(1)
        self.generator.manual_seed(int(state))


def load(auto: Any, recipe: Recipe, seed: int, base: Path, **settings: Any) -> tuple[Any, Any]:
    """Load an encoder under a head that the seed draws, where `base` has none, and its tokenizer."""
    set_seed(seed)
    dropout = {"hidden_dropout_prob": recipe.dropout, "attention_probs_dropout_prob": recipe.dropout}
    how = {"local_files_only": True, "dtype": torch.float32}
    how |= {"attn_implementation": "eager"}  # on a processor the fused one is slow to go back through in bfloat16
    model = auto.from_pretrained(base, **settings, **dropout, **how)
    return model, AutoTokenizer.from_pretrained(base, local_files_only=True)


def arguments(recipe: Recipe, seed: int, work: Path, **settings: Any) -> TrainingArguments:
    """Return the Trainer's settings: those of all stages, and the stage's own."""
    known = torch.cpu.get_capabilities()  # a processor that cannot multiply in bfloat16 imitates it slowly
    settings |= {"bf16": recipe.bf16 and any(known.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))}
    settings |= {"weight_decay": 0.01, "use_cpu": True, "save_total_limit": 1, "logging_steps": 50, "report_to": "none"}
    return TrainingArguments(output_dir=str(work), seed=seed, **settings)


def run(trainer: Trainer, folder: Path) -> None:
    """Train from the last save on, if there is one, and store the weights."""
    saves = Path(trainer.args.output_dir).glob("checkpoint-*/trainer_state.json")  # which is written last
    steps = {int(state.parent.name.removeprefix("checkpoint-")): str(state.parent) for state in saves}
    trainer.train(resume_from_checkpoint=steps[max(steps)] if steps else None)
    store(folder, trainer.model, trainer.processing_class)


def store(folder: Path, model: Any, tokenizer: Any) -> None:
    """Store the weights of a finished stage: the folder is there when all of them are."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    model.save_pretrained(unfinished)
    tokenizer.save_pretrained(unfinished)
    unfinished.rename(folder)
