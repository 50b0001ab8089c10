"""Train an encoder on a task with transformers' Trainer, so that it can be interrupted."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from pyarrow.parquet import ParquetDataset
from torch.nn.utils import parameters_to_vector, vector_to_parameters
from torch.optim.swa_utils import AveragedModel
from transformers import AutoModelForSequenceClassification as Classifier
from transformers import (
    AutoTokenizer,
    EarlyStoppingCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)
from transformers.trainer_pt_utils import LengthGroupedSampler

from core.errors import PrunescopeError
from core.inputs.texts import EVALUATION, TRAINING_PART, read_written
from core.request.catalog import MAX_LENGTH, TASKS, Task
from core.sweep.scores import SCORES
from recipes.table import Recipe

SAVE_EVERY = 250  # steps; with an early stop, the validation split is scored as often
AVERAGE_EVERY = 20  # steps
AVERAGE_RATE = 3e-5
MIX = 0.5  # share of the average in the final weights

Columns = Mapping[str, Any]  # the task's text columns and `label`, a list or tuple each

# ---------------------------------------------------------------- a task's examples


def read_examples(data: Path | None, task: Task, split: str) -> Columns:
    """Read the training or the validation split of a task.

    Args:
        data: Folder in the Hub's GLUE layout; not used for examples written for this project.
        task: The task.
        split: `train`, or the task's evaluation split.

    Raises:
        PrunescopeError: The folder has no such split.
    """
    if not task.dataset_id:
        columns = read_written(task, TRAINING_PART if split == "train" else EVALUATION).cells
        return {**columns, "label": list(map(int, columns["label"]))}
    files = sorted(data.glob(f"{task.name}/{split}-*.parquet")) if data else []
    if not files:
        fault = f"no {task.name}/{split}-….parquet"
        raise PrunescopeError(f"{fault}: give --data, a folder in the layout of {task.dataset_id}")
    return dict(ParquetDataset(files).read([*task.text_columns, "label"]).to_pydict())


def texts(examples: Columns, task: Task) -> Iterator[tuple[str, ...]]:
    """Yield the one or two texts of each example."""
    return zip(*(examples[column] for column in task.text_columns), strict=True)


def tokenise(tokenizer: Any, examples: Columns, task: Task) -> Dataset:
    """Make a data set with the model's inputs, such as `input_ids`, and with `label`."""
    columns = (list(examples[column]) for column in task.text_columns)
    encoded = tokenizer(*columns, truncation=True, max_length=MAX_LENGTH)
    return Dataset.from_dict({**encoded, "label": examples["label"]})


# ---------------------------------------------------------------- the stages on a task


def fine_tune(recipe: Recipe, seed: int, base: Path, data: Path | None, finished: Path) -> None:
    """Train into a folder, and save the state of training beside it."""
    settings: dict[str, Any] = {
        "learning_rate": recipe.learning_rate,
        "warmup_steps": recipe.warmup,
        "num_train_epochs": recipe.epochs,
        "save_steps": SAVE_EVERY,
        "eval_steps": SAVE_EVERY,
        "per_device_eval_batch_size": 64,
    }
    if recipe.early_stop:
        settings |= {
            "eval_strategy": "steps",
            "load_best_model_at_end": True,
            "metric_for_best_model": "score",
            # The number of scores without improvement:
            "restore_callback_states_from_checkpoint": True,
        }
    trainer = make_trainer(recipe, seed, base, data, finished.parent, **settings)
    if recipe.early_stop:
        trainer.add_callback(EarlyStoppingCallback(recipe.early_stop))
    run(trainer, finished)


def average(recipe: Recipe, seed: int, base: Path, data: Path | None, finished: Path) -> None:
    """Train for one more epoch at a constant rate and average the weights.

    The weights in the folder lie between those of `base` and the average of those along the way (a
    soup, Wortsman et al. 2022, arXiv 2203.05482). After an interruption, this stage starts over.
    """
    trainer = make_trainer(
        recipe,
        seed + 1,  # a new order
        base,
        data,
        finished.parent,
        num_train_epochs=1,
        learning_rate=AVERAGE_RATE,
        lr_scheduler_type="constant",
        save_strategy="no",
    )
    averaging = Averaging(trainer.model)
    trainer.add_callback(averaging)
    trainer.train()
    mixed = Classifier.from_pretrained(base, local_files_only=True)
    before = parameters_to_vector(mixed.parameters())
    averaged = parameters_to_vector(averaging.averaged.parameters())
    vector_to_parameters(before.lerp(averaged, MIX), mixed.parameters())
    store(finished, mixed, trainer.processing_class)


class Averaging(TrainerCallback):  # type: ignore[misc]
    """Averages the weights along the way (Izmailov et al. 2018, arXiv 1803.05407)."""

    def __init__(self, model: torch.nn.Module) -> None:
        """Start the average with the current weights."""
        self.averaged = AveragedModel(model)
        self.averaged.update_parameters(model)

    def on_step_end(self, args: Any, state: Any, control: Any, **event: Any) -> None:
        """Add the weights of every AVERAGE_EVERY-th step."""
        if state.global_step % AVERAGE_EVERY == 0:
            self.averaged.update_parameters(event["model"])


def make_trainer(
    recipe: Recipe, seed: int, base: Path, data: Path | None, work: Path, **settings: Any
) -> Trainer:
    """Prepare a trainer on the recipe's task, with the stage's own settings."""
    task = TASKS[recipe.task]
    names = dict(enumerate(task.label_names))
    label2id = {name: label for label, name in names.items()}
    model, tokenizer = load(Classifier, recipe, seed, base, id2label=names, label2id=label2id)
    settings["per_device_train_batch_size"] = recipe.batch_size

    def score(output: Any) -> dict[str, float]:  # gold (examples,), logits (examples, labels)
        value = SCORES[task.main_metric](output.label_ids, output.predictions.argmax(-1))
        return {"score": float(value)}

    return _Trainer(
        model=model,
        args=arguments(recipe, seed, work, **settings),
        train_dataset=tokenise(tokenizer, read_examples(data, task, "train"), task),
        eval_dataset=tokenise(tokenizer, read_examples(data, task, task.split), task),
        compute_metrics=score,
        processing_class=tokenizer,
    )


class _Trainer(Trainer):  # type: ignore[misc]
    """A Trainer that can resume in any epoch: none depends on the order of earlier ones."""

    def _get_train_sampler(self, train_dataset: Any = None) -> "EpochSampler":
        lengths = list(map(len, train_dataset["input_ids"]))
        return EpochSampler(self.args.train_batch_size, lengths, self.args.seed)


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


# ---------------------------------------------------------------- what all stages share


def load(auto: Any, recipe: Recipe, seed: int, base: Path, **settings: Any) -> tuple[Any, Any]:
    """Load an encoder and its tokenizer; the seed draws the head if `base` has none."""
    set_seed(seed)
    dropout = dict.fromkeys(("hidden_dropout_prob", "attention_probs_dropout_prob"), recipe.dropout)
    # On a CPU, the backward pass of fused attention is slow in bfloat16.
    model = auto.from_pretrained(
        base,
        dtype=torch.float32,
        attn_implementation="eager",
        local_files_only=True,
        **dropout,
        **settings,
    )
    return model, AutoTokenizer.from_pretrained(base, local_files_only=True)


def arguments(recipe: Recipe, seed: int, work: Path, **settings: Any) -> TrainingArguments:
    """Return the Trainer's settings: those of all stages, and the stage's own."""
    capabilities = torch.cpu.get_capabilities()
    # A processor without one of these emulates bfloat16 slowly.
    has_bf16 = any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    return TrainingArguments(
        output_dir=str(work),
        seed=seed,
        bf16=recipe.bf16 and has_bf16,
        weight_decay=0.01,
        use_cpu=True,
        save_total_limit=1,
        logging_steps=50,
        report_to="none",
        **settings,
    )


def run(trainer: Trainer, finished: Path) -> None:
    """Train from the last save, if there is one, and save the weights."""
    states = Path(trainer.args.output_dir).glob("checkpoint-*/trainer_state.json")  # written last
    saves = [state.parent for state in states]
    last = max(saves, key=lambda folder: int(folder.name.rpartition("-")[2]), default=None)
    trainer.train(resume_from_checkpoint=last and str(last))
    store(finished, trainer.model, trainer.processing_class)


def store(finished: Path, model: Any, tokenizer: Any) -> None:
    """Save the weights of a finished stage; the folder appears only once it is complete."""
    unfinished = finished.with_name(f"{finished.name}.unfinished")
    model.save_pretrained(unfinished)
    tokenizer.save_pretrained(unfinished)
    unfinished.rename(finished)
