"""Train an encoder to find the words at fault in corrupted sentences, before it is fine-tuned.

The signal per token is ELECTRA's (Clark et al. 2020, arXiv 2003.10555); the corrupted sentences are
made by rules, so there is no generator.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch.nn.functional import cross_entropy
from transformers import (
    AutoModelForTokenClassification,
    DataCollatorForTokenClassification,
    Trainer,
)

from core.request.catalog import TASKS
from recipes.corruption import Marked, is_word, make_examples, split_words
from recipes.table import Recipe
from recipes.training import arguments, load, read_examples, run

NUM_EXAMPLES = 400_000  # a run uses one batch of them per step
SAVE_EVERY = 500  # steps
MAX_TOKENS = 16  # words and punctuation marks; CoLA's sentences have 9 on average
MIN_WORDS = {"cola": 4, "sst2": 8, "qnli": 4, "qqp": 4}  # SST-2's short texts are phrases
COLA_REPEATS = 4  # CoLA is the task to be learnt
WORDS_WEIGHT = 3.0  # most words are not at fault, so their mean loss is small beside the sentence's
IGNORED = -100  # PyTorch's label for tokens without a loss


def learn_syntax(recipe: Recipe, seed: int, base: Path, data: Path | None, finished: Path) -> None:
    """Train into a folder, and save the state of training beside it."""
    model, tokenizer = load(AutoModelForTokenClassification, recipe, seed, base, num_labels=2)
    model.get_input_embeddings().weight.requires_grad_(False)
    settings = arguments(
        recipe,
        seed,
        finished.parent,
        max_steps=recipe.syntax_steps,
        per_device_train_batch_size=64,
        train_sampling_strategy="group_by_length",
        learning_rate=1.5e-4,
        warmup_steps=200,
        lr_scheduler_type="constant_with_warmup",  # fine-tuning lowers the rate
        save_steps=SAVE_EVERY,
    )
    trainer = Trainer(
        model=model,
        args=settings,
        train_dataset=labelled(tokenizer, make_examples(read_sentences(data), NUM_EXAMPLES, seed)),
        data_collator=DataCollatorForTokenClassification(tokenizer),
        processing_class=tokenizer,
        compute_loss_func=loss,
    )
    run(trainer, finished)


def read_sentences(data: Path | None) -> list[list[str]]:
    """Read the short sentences of four training splits, of CoLA's the acceptable ones."""
    cola, sst2, qnli, qqp = (read_examples(data, TASKS[name], "train") for name in MIN_WORDS)
    acceptable = [
        text for text, label in zip(cola["sentence"], cola["label"], strict=True) if label == 1
    ]
    questions = sorted({*qqp["question1"], *qqp["question2"]})  # a question occurs in several pairs
    sources = (
        acceptable * COLA_REPEATS,
        sst2["sentence"],
        qnli["sentence"] + qnli["question"],
        questions,
    )
    sentences = []
    for least, source in zip(MIN_WORDS.values(), sources, strict=True):
        for words in map(split_words, source):
            if len(words) <= MAX_TOKENS and sum(map(is_word, words)) >= least:
                sentences.append(words)
    return sentences


def labelled(tokenizer: Any, examples: Iterable[Marked]) -> Dataset:
    """Tokenise examples for the Trainer.

    Returns:
        A data set whose `labels` are 1 on the pieces of words at fault, and on [CLS] if there are
        any; else 0.
    """
    examples = list(examples)
    encoded = tokenizer(
        [[word for word, _ in example] for example in examples], is_split_into_words=True
    )
    labels = []
    for row, example in enumerate(examples):
        pieces = [
            IGNORED if word is None else int(example[word][1]) for word in encoded.word_ids(row)
        ]
        labels.append([int(any(at_fault for _, at_fault in example)), *pieces[1:]])
    columns = {"input_ids": encoded["input_ids"], "attention_mask": encoded["attention_mask"]}
    return Dataset.from_dict({**columns, "labels": labels, "length": list(map(len, labels))})


def loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
    """Compute the cross-entropy of [CLS], plus WORDS_WEIGHT times that of the words."""
    logits = outputs.logits.float()  # (batch, tokens, 2)
    words = cross_entropy(
        logits[:, 1:].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED
    )
    return cross_entropy(logits[:, 0], labels[:, 0]) + WORDS_WEIGHT * words
