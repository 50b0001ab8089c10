"""`python -m core.finetune`: makes a fine-tuned checkpoint, as the embedded ones were made.

Two steps. Training writes float32 weights with the full vocabulary beside the
output (resumable after every save). Export cuts the word embeddings to what the
data needs, stores float16, scores *the stored file* on the validation split and
writes the model card, so that the card's numbers are those of what is shipped.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
)
from transformers.trainer_utils import get_last_checkpoint

from core.catalog import MAX_LENGTH, TASKS, Task
from core.errors import PrunescopeError
from core.eval_subset import read_split

LATIN1 = [chr(code) for code in range(0x21, 0x100) if chr(code).isprintable()]


def tokenise_split(tokenizer: PreTrainedTokenizerFast, task: Task, folder: Path, split: str) -> Dataset:
    """Reads one split and tokenises it for the Trainer.

    Args:
        tokenizer: The full tokenizer of the base checkpoint.
        task: The task whose columns are read.
        folder: A folder in the Hub's GLUE layout.
        split: The split's name, such as `train`.

    Returns:
        A data set with `input_ids`, `attention_mask`, `token_type_ids`, `label` and `length`.
    """
    data = read_split(folder, task, split)

    def encode(batch: dict[str, list[Any]]) -> dict[str, Any]:
        encoded = tokenizer(*(batch[c] for c in task.text_columns), truncation=True, max_length=MAX_LENGTH)
        return {**encoded, "length": [len(ids) for ids in encoded["input_ids"]]}

    return data.map(encode, batched=True, remove_columns=[c for c in data.column_names if c != "label"])


def train(task: Task, base: Path, data: Path, work: Path, options: argparse.Namespace) -> None:
    """Fine-tunes `base` on the task's training split into `work/final`.

    Args:
        task: The task.
        base: Folder of the pretrained checkpoint.
        data: A folder in the Hub's GLUE layout.
        work: Where intermediate checkpoints go; an interrupted run goes on from the last.
        options: `epochs`, `batch_size`, `learning_rate`, `warmup`, `seed`.
    """
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(
        base, num_labels=len(task.label_names), local_files_only=True, dtype=torch.float32
    )
    arguments = TrainingArguments(
        output_dir=str(work),
        num_train_epochs=options.epochs,
        per_device_train_batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        warmup_steps=options.warmup,
        weight_decay=0.01,
        train_sampling_strategy="group_by_length",
        save_steps=250,
        save_total_limit=1,
        logging_steps=50,
        report_to="none",
        use_cpu=True,
        seed=options.seed,
    )
    data_set = tokenise_split(tokenizer, task, data, "train")
    trainer = Trainer(model=model, args=arguments, train_dataset=data_set, processing_class=tokenizer)
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(work)) if work.is_dir() else None)
    trainer.save_model(str(work / "final"))


def texts_of(task: Task, data: Path, extra: Sequence[Path]) -> Iterable[str]:
    """Yields every text whose word pieces the shipped vocabulary must keep.

    Args:
        task: The task.
        data: A folder in the Hub's GLUE layout.
        extra: JSON-lines files with further examples (the written subset).
    """
    for split in ("train", task.split):
        split_data = read_split(data, task, split)
        for column in task.text_columns:
            yield from split_data[column]
    for path in extra:
        for line in path.read_text(encoding="utf-8").splitlines():
            yield from (str(json.loads(line)[column]) for column in task.text_columns)


def kept_ids(tokenizer: PreTrainedTokenizerFast, texts: Iterable[str]) -> list[int]:
    """Finds the word pieces to keep: those in use, the special ones, Latin-1 letters and their ## forms.

    Args:
        tokenizer: The full tokenizer.
        texts: Every text of the data.

    Returns:
        Token ids of the full vocabulary in ascending order.
    """
    vocabulary = tokenizer.get_vocab()
    used = {i for ids in tokenizer(list(texts), truncation=True, max_length=MAX_LENGTH)["input_ids"] for i in ids}
    letters = {vocabulary[form] for c in LATIN1 for form in (c, f"##{c}") if form in vocabulary}
    return sorted(used | letters | set(tokenizer.all_special_ids))


def cut_vocabulary(folder: Path, keep: Sequence[int], output: Path) -> None:
    """Writes the checkpoint of `folder` with only the word pieces `keep`, in float16.

    Args:
        folder: A trained checkpoint with its full vocabulary.
        keep: Token ids to keep, ascending; the new id of `keep[i]` is `i`.
        output: The folder to write in the Hub's format.
    """
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True)
    tokens = tokenizer.convert_ids_to_tokens(list(keep))

    full = model.get_input_embeddings().weight.data  # (full vocabulary, hidden)
    model.resize_token_embeddings(len(keep), mean_resizing=False)
    model.get_input_embeddings().weight.data.copy_(full[list(keep)])  # (kept, hidden)
    model.half().save_pretrained(output)

    tokenizer.save_pretrained(output)
    path = output / "tokenizer.json"
    description = json.loads(path.read_text(encoding="utf-8"))
    description["model"]["vocab"] = {token: i for i, token in enumerate(tokens)}
    for added in description["added_tokens"]:
        added["id"] = tokens.index(added["content"])
    post = description["post_processor"]
    for name, special in (post.get("special_tokens") or {}).items():
        special["ids"] = [tokens.index(name)]
    for side in ("sep", "cls"):
        if side in post:
            post[side][1] = tokens.index(post[side][0])
    padding = description.get("padding")
    if padding:
        padding["pad_id"] = tokens.index(padding["pad_token"])
    path.write_text(json.dumps(description, ensure_ascii=False), encoding="utf-8")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m core.finetune", description=__doc__)
    parser.add_argument("--task", required=True, choices=sorted(TASKS))
    parser.add_argument("--data", required=True, type=Path, help="folder in the Hub's GLUE layout")
    parser.add_argument("--base", required=True, type=Path, help="folder of the pretrained checkpoint")
    parser.add_argument("--output", required=True, type=Path, help="folder to write the checkpoint to")
    parser.add_argument("--work", required=True, type=Path, help="folder for the resumable training state")
    parser.add_argument("--extra", type=Path, nargs="*", default=[], help="JSON lines whose words are kept too")
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--warmup", type=float, default=0.06, help="fraction of all steps")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains where no trained weights are found, then exports."""
    options = parse(arguments)
    task = TASKS[options.task]
    try:
        final = options.work / "final"
        if not final.is_dir():
            train(task, options.base, options.data, options.work, options)
        tokenizer = AutoTokenizer.from_pretrained(final, local_files_only=True)
        keep = kept_ids(tokenizer, texts_of(task, options.data, options.extra))
        cut_vocabulary(final, keep, options.output)
    except PrunescopeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
