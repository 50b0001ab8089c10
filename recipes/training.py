"""Train an encoder on a task with transformers' Trainer; an interrupted training continues to the same weights."""

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
from recipes.examples import read_examples, tokenise
from recipes.table import Recipe

SAVE_EVERY = 250  # steps; with an early stop, the validation split is scored as often
AVERAGE_EVERY = 20  # steps
AVERAGE_RATE = 3e-5
MIX = 0.5  # share of the average in the final weights


def fine_tune(recipe: Recipe, seed: int, base: Path, data: Path | None, work: Path) -> Path:
    """Train into `WORK/final`, unless that exists, and return it."""
    if not (work / "final").is_dir():
        early_stop: dict[str, Any] = {
            "eval_strategy": "steps",
            "eval_steps": SAVE_EVERY,
            "per_device_eval_batch_size": 64,
            "load_best_model_at_end": True,
            "metric_for_best_model": "score",
            "greater_is_better": True,
            "restore_callback_states_from_checkpoint": True,  # the number of scores without improvement
        }
        trainer = make_trainer(
            recipe,
            seed,
            base,
            data,
            work,
            learning_rate=recipe.learning_rate,
            warmup_steps=recipe.warmup,
            num_train_epochs=recipe.epochs,
            save_steps=SAVE_EVERY,
            **(early_stop if recipe.early_stop else {}),
        )
        if recipe.early_stop:
            trainer.add_callback(EarlyStoppingCallback(recipe.early_stop))
        run(trainer, work / "final")
    return work / "final"


def average(recipe: Recipe, seed: int, base: Path, data: Path | None, work: Path) -> Path:
    """Train for one more epoch at a constant rate and average the weights, which evens out the last steps' noise.

    After an interruption, this stage starts over.

    Returns:
        `WORK/mixed`, with weights between those of `base` and the average of those along the way (a soup, Wortsman et
        al. 2022, arXiv 2203.05482).
    """
    if not (work / "mixed").is_dir():
        settings = {"learning_rate": AVERAGE_RATE, "lr_scheduler_type": "constant", "save_strategy": "no"}
        trainer = make_trainer(recipe, seed + 1, base, data, work, num_train_epochs=1, **settings)  # in a new order
        averaging = Averaging(trainer.model)
        trainer.add_callback(averaging)
        trainer.train()
        mixed = Classifier.from_pretrained(base, local_files_only=True)
        mix(mixed, averaging.averaged.module)
        store(work / "mixed", mixed, trainer.processing_class)
    return work / "mixed"


class Averaging(TrainerCallback):  # type: ignore[misc]
    """Averages the weights along the way (stochastic weight averaging, Izmailov et al. 2018, arXiv 1803.05407)."""

    def __init__(self, model: torch.nn.Module) -> None:
        """Start the average with the current weights."""
        self.averaged = AveragedModel(model)
        self.averaged.update_parameters(model)

    def on_step_end(self, args: Any, state: Any, control: Any, **event: Any) -> None:
        """Add the weights of every AVERAGE_EVERY-th step."""
        if state.global_step % AVERAGE_EVERY == 0:
            self.averaged.update_parameters(event["model"])


@torch.no_grad()
def mix(model: torch.nn.Module, averaged: torch.nn.Module) -> None:
    """Move the weights of a model towards the averaged ones by the share MIX."""
    for parameter, average in zip(model.parameters(), averaged.parameters(), strict=True):
        parameter.lerp_(average, MIX)


def make_trainer(recipe: Recipe, seed: int, base: Path, data: Path | None, work: Path, **settings: Any) -> Trainer:
    """Prepare a trainer on the recipe's task, with the stage's own settings."""
    task = TASKS[recipe.task]
    names = dict(enumerate(task.label_names))
    label2id = {name: label for label, name in names.items()}
    model, tokenizer = load(Classifier, recipe, seed, base, id2label=names, label2id=label2id)
    train, validation = (tokenise(tokenizer, read_examples(data, task, s), task) for s in ("train", task.split))
    return _Trainer(
        model=model,
        args=arguments(recipe, seed, work, per_device_train_batch_size=recipe.batch_size, **settings),
        train_dataset=train,
        eval_dataset=validation,
        compute_metrics=lambda output: {  # gold labels (examples,) and logits (examples, labels)
            "score": float(SCORES[task.main_metric](output.label_ids, output.predictions.argmax(-1)))
        },
        processing_class=tokenizer,
    )


class _Trainer(Trainer):  # type: ignore[misc]
    """A Trainer that can resume in any epoch, because the order of examples does not depend on earlier epochs."""

    def _get_train_sampler(self, train_dataset: Any = None) -> "EpochSampler":
        examples = self.train_dataset if train_dataset is None else train_dataset
        return EpochSampler(self.args.train_batch_size, list(map(len, examples["input_ids"])), self.args.seed)


class EpochSampler(LengthGroupedSampler):  # type: ignore[misc]
    """Groups examples by length, in an order that depends only on the seed and the epoch."""

    def __init__(self, batch_size: int, lengths: list[int], seed: int) -> None:
        """Start with the first epoch, given each example's number of tokens."""
        super().__init__(batch_size, lengths=lengths, generator=torch.Generator())
        self.seed = seed
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch, counted from 0."""
        (state,) = np.random.SeedSequence((self.seed, epoch)).generate_state(1)
        self.generator.manual_seed(int(state))


def load(auto: Any, recipe: Recipe, seed: int, base: Path, **settings: Any) -> tuple[Any, Any]:
    """Load an encoder and its tokenizer; the seed draws the head if `base` has none."""
    set_seed(seed)
    model = auto.from_pretrained(
        base,
        hidden_dropout_prob=recipe.dropout,
        attention_probs_dropout_prob=recipe.dropout,
        local_files_only=True,
        dtype=torch.float32,
        attn_implementation="eager",  # on a CPU, the backward pass of the fused one is slow in bfloat16
        **settings,
    )
    return model, AutoTokenizer.from_pretrained(base, local_files_only=True)


def arguments(recipe: Recipe, seed: int, work: Path, **settings: Any) -> TrainingArguments:
    """Return the Trainer's settings: those of all stages, and the stage's own."""
    capabilities = torch.cpu.get_capabilities()  # without them, a processor emulates bfloat16 slowly
    return TrainingArguments(
        output_dir=str(work),
        seed=seed,
        bf16=recipe.bf16 and any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16")),
        weight_decay=0.01,
        use_cpu=True,
        save_total_limit=1,
        logging_steps=50,
        report_to="none",
        **settings,
    )


def run(trainer: Trainer, folder: Path) -> None:
    """Train from the last save, if there is one, and save the weights."""
    saves = Path(trainer.args.output_dir).glob("checkpoint-*/trainer_state.json")  # written last
    steps = {int(state.parent.name.removeprefix("checkpoint-")): str(state.parent) for state in saves}
    trainer.train(resume_from_checkpoint=steps[max(steps)] if steps else None)
    store(folder, trainer.model, trainer.processing_class)


def store(folder: Path, model: Any, tokenizer: Any) -> None:
    """Save the weights of a finished stage; the folder appears only once it is complete."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    model.save_pretrained(unfinished)
    tokenizer.save_pretrained(unfinished)
    unfinished.rename(folder)
