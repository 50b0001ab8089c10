"""`python -m core.finetune`: fine-tunes a checkpoint as the embedded ones were fine-tuned.

There are five steps, of which the first and the third may be left out. The syntax stage has the encoder find the words
at fault in corrupted sentences. Training writes float32 weights with the full vocabulary to `--work`; it resumes after
a save. Averaging trains on at a constant rate and averages the weights along the way, which evens out the last steps'
noise. Mixing takes a point between the two. Export cuts the word embeddings to what the data needs, stores float16,
scores the *stored file* on the validation split and writes the model card, so the card's scores are those of the file
itself.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from torch.optim.swa_utils import AveragedModel
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertTokenizerFast,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.trainer_utils import get_last_checkpoint

from core.encoder.loading import borrow
from core.errors import PrunescopeError
from core.inputs.checkpoint_files import TRAINING_EXAMPLES
from core.inputs.glue_files import read_split
from core.inputs.prepare import prepare
from core.inputs.training_overlap import example_digests
from core.inputs.written_examples import EVALUATION, TRAINING, read_written
from core.request.catalog import MAX_LENGTH, TASKS, Task
from core.request.sweep_request import SweepRequest, checked
from core.results.schema import SweepResult
from core.sweep.sweep import sweep
from core.training.model_card import AVERAGE_EVERY, BASE_ID, model_card
from core.training.syntax import learn_syntax

WRITTEN = Path("written")  # in place of a folder: the examples written for this project
MOST_FREQUENT = "the"  # in BERT's vocabulary; special tokens, unused ones and single characters come before it

# Single characters that every cut vocabulary keeps: Latin-1 and what word processors type (dashes, quotes, …, €).
CHARACTERS = [chr(code) for code in (*range(0x21, 0x100), *range(0x2010, 0x2028), 0x20AC)]


def read_examples(data: Path, task: Task, split: str) -> Dataset:
    """Read the training or the validation split of a task.

    Args:
        data: A folder in the Hub's GLUE layout, or `written`, whose evaluation examples serve as the validation split.
        task: The task.
        split: `train`, or the task's own.

    Raises:
        PrunescopeError: There is none, or it is malformed.
    """
    if data != WRITTEN:
        return read_split(data, task, split)
    table = read_written(task, TRAINING if split == "train" else EVALUATION)
    columns = {name: table.column(name) for name in task.text_columns}
    return Dataset.from_dict({**columns, "label": [int(label) for label in table.column("label")]})


def tokenise_split(tokenizer: Any, task: Task, source: Path, split: str) -> Dataset:
    """Read one split and tokenise it for the Trainer.

    Returns:
        A data set with `input_ids`, `attention_mask`, `token_type_ids`, `label` and `length`.
    """
    data = read_examples(source, task, split)

    def encode(batch: dict[str, list[Any]]) -> dict[str, Any]:
        encoded = tokenizer(*(batch[c] for c in task.text_columns), truncation=True, max_length=MAX_LENGTH)
        return {**encoded, "length": [len(ids) for ids in encoded["input_ids"]]}

    return data.map(encode, batched=True, remove_columns=[c for c in data.column_names if c != "label"])


def train(task: Task, options: argparse.Namespace) -> None:
    """Fine-tune the base checkpoint into `WORK/final`; an interrupted run resumes from its last save."""
    settings = {
        "num_train_epochs": options.epochs,
        "learning_rate": options.learning_rate,
        "warmup_steps": options.warmup,
        "save_steps": 250,
        "save_total_limit": 1,
        "seed": options.seed,
    }
    base = options.work / "syntax" / "final" if options.syntax_steps else options.base
    trainer = make_trainer(task, options, base, options.work, settings)
    last = get_last_checkpoint(str(options.work)) if options.work.is_dir() else None
    trainer.train(resume_from_checkpoint=last)
    trainer.save_model(str(options.work / "final"))


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
    averaged.save_pretrained(options.work / "averaged")
    trainer.processing_class.save_pretrained(options.work / "averaged")


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


def make_trainer(task: Task, options: argparse.Namespace, base: Path, work: Path, settings: dict[str, Any]) -> Trainer:
    """Prepare a trainer on the task's training split.

    Args:
        task: The task.
        options: The command line.
        base: The folder of the checkpoint to start from.
        work: The folder of the trainer's state.
        settings: The settings that differ between the two stages.
    """
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(
        base,
        id2label=dict(enumerate(task.label_names)),
        label2id={name: label for label, name in enumerate(task.label_names)},
        hidden_dropout_prob=options.dropout,
        attention_probs_dropout_prob=options.dropout,
        attn_implementation="eager",  # on a processor the fused one is slow to go back through in bfloat16
        local_files_only=True,
        dtype=torch.float32,
    )
    arguments = TrainingArguments(
        output_dir=str(work),
        per_device_train_batch_size=options.batch_size,
        weight_decay=0.01,
        train_sampling_strategy="group_by_length",
        logging_steps=50,
        report_to="none",
        use_cpu=True,
        bf16=options.bf16,
        **settings,
    )
    data_set = tokenise_split(tokenizer, task, options.data, "train")
    return Trainer(model=model, args=arguments, train_dataset=data_set, processing_class=tokenizer)


def kept_ids(tokenizer: Any, texts: Iterable[tuple[str, ...]], frequent: int = 0) -> list[int]:
    """Return the word pieces to keep: those in use, the special ones, single characters and their ## forms.

    Args:
        tokenizer: The full tokenizer, BERT's, whose vocabulary has the frequent word pieces first.
        texts: Every example of the data, untruncated.
        frequent: How many of the most frequent word pieces are kept as well.

    Returns:
        Token ids of the full vocabulary, ascending.
    """
    vocabulary = tokenizer.get_vocab()
    encoded = tokenizer([text for example in texts for text in example])["input_ids"]
    used = {token for ids in encoded for token in ids}
    characters = {vocabulary[form] for c in CHARACTERS for form in (c, f"##{c}") if form in vocabulary}
    words = vocabulary.get(MOST_FREQUENT, 0)
    often = range(words, min(words + frequent, len(vocabulary)))
    return sorted({*used, *characters, *often, *tokenizer.all_special_ids})


def cut_vocabulary(folder: Path, keep: Sequence[int], output: Path) -> None:
    """Write the checkpoint of `folder` with only the word pieces `keep`, in float16.

    A word whose pieces are all kept is cut into the same pieces as before: WordPiece takes the longest
    match, and a smaller vocabulary offers no longer one.

    Args:
        folder: A trained BERT with its full WordPiece vocabulary.
        keep: Token ids to keep, ascending; the new id of `keep[i]` is `i`.
        output: The folder to write in the Hub's format.
    """
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True)
    full = model.get_input_embeddings().weight.data.clone()  # (full vocabulary, hidden)
    model.resize_token_embeddings(len(keep), mean_resizing=False)
    model.get_input_embeddings().weight.data.copy_(full[list(keep)])  # (kept, hidden)
    model.half().save_pretrained(output)
    with TemporaryDirectory() as temporary:
        vocabulary = Path(temporary) / "vocab.txt"
        vocabulary.write_text("\n".join(tokenizer.convert_ids_to_tokens(list(keep))) + "\n", encoding="utf-8")
        BertTokenizerFast(vocab=str(vocabulary), do_lower_case=True, model_max_length=512).save_pretrained(output)


def score(folder: Path, task: Task, data: Path) -> SweepResult:
    """Evaluate a stored checkpoint on the whole validation split of `data`, unpruned."""
    count = len(read_examples(data, task, task.split))
    request = SweepRequest(str(folder), task.name, amounts=(0.0,), num_examples=count, data=str(data))
    inputs = prepare(checked(request))
    with borrow(inputs.resolved) as checkpoint:
        *_, result = sweep(checkpoint, inputs, request)
    assert isinstance(result, SweepResult)  # the last event of a sweep
    return result


def export(task: Task, options: argparse.Namespace, trained: Path) -> None:
    """Cut, store, score and describe the weights in the folder `trained`."""
    splits = {split: list(texts(read_examples(options.data, task, split), task)) for split in ("train", task.split)}
    written = [example for path in options.extra for example in texts(Dataset.from_json(str(path)), task)]
    tokenizer = AutoTokenizer.from_pretrained(trained, local_files_only=True)
    keep = kept_ids(tokenizer, chain(*splits.values(), written), options.frequent)
    cut_vocabulary(trained, keep, options.output)
    np.save(options.output / TRAINING_EXAMPLES, example_digests(iter(splits["train"])))
    scored = score(options.output, task, options.data)
    train_size, validation_size = (len(split) for split in splits.values())
    sizes = {"train": train_size, "validation": validation_size, "kept": len(keep), "full": len(tokenizer)}
    config = AutoConfig.from_pretrained(options.output, local_files_only=True)
    (options.output / "README.md").write_text(model_card(task, options, config, scored, sizes), encoding="utf-8")


def texts(data: Dataset, task: Task) -> Iterator[tuple[str, ...]]:
    """Yield the one or two texts of each example."""
    return zip(*(data[column] for column in task.text_columns), strict=True)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m core.finetune", description=__doc__)
    parser.add_argument("--task", required=True, choices=sorted(TASKS))
    parser.add_argument("--data", required=True, type=Path, help="folder in the Hub's GLUE layout, or written")
    parser.add_argument("--base", required=True, type=Path, help="folder of the pretrained checkpoint")
    parser.add_argument("--base-id", default=BASE_ID, help="its id on the Hub, for the model card")
    parser.add_argument("--output", required=True, type=Path, help="folder to write the checkpoint to")
    parser.add_argument("--work", required=True, type=Path, help="folder for the resumable training state")
    parser.add_argument("--extra", type=Path, nargs="*", default=[], help="JSON lines whose words are kept too")
    parser.add_argument("--frequent", type=int, default=0, help="keep this many of the most frequent word pieces too")
    parser.add_argument("--syntax-steps", type=int, default=0, help="steps of the syntax stage before fine-tuning")
    parser.add_argument("--bf16", action="store_true", help="train in bfloat16 where the processor has it")
    parser.add_argument("--dropout", type=float, default=0.1, help="dropout in fine-tuning and averaging")
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--warmup", type=float, default=0.06, help="fraction of all steps")
    parser.add_argument(
        "--average-epochs", type=float, default=1, help="further epochs to average weights over; 0: none"
    )
    parser.add_argument("--average-rate", type=float, default=3e-5, help="their constant learning rate")
    parser.add_argument("--mix", type=float, default=0.5, help="share of the averaged weights in what is stored")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train where there are no trained weights yet, then export."""
    options = parse(arguments)
    task = TASKS[options.task]
    try:
        if options.syntax_steps and not (options.work / "syntax" / "final").is_dir():
            learn_syntax(options.base, options.data, options.work / "syntax", options.syntax_steps, options.seed)
        if not (options.work / "final").is_dir():
            train(task, options)
        if options.average_epochs and not (options.work / "averaged").is_dir():
            average(task, options)
        if options.average_epochs:
            mix(options)
        export(task, options, options.work / ("mixed" if options.average_epochs else "final"))
    except PrunescopeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
