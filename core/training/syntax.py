"""Train an encoder to find the words at fault in corrupted sentences, before it is fine-tuned.

The signal per token is ELECTRA's (Clark et al. 2020, arXiv 2003.10555); the corrupted sentences are made by rules, so
there is no generator.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch.nn.functional import cross_entropy
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    Trainer,
    TrainingArguments,
)
from transformers.trainer_utils import get_last_checkpoint

from core.training.corruption import Marked
from core.training.examples import make_examples, read_sentences
from core.training.fine_tuning import has_bfloat16
from core.training.stages import finished

NUM_EXAMPLES = 400_000  # of which a run uses BATCH_SIZE a step
BATCH_SIZE = 64
LEARNING_RATE = 1.5e-4
WARMUP_STEPS = 200
WORDS_WEIGHT = 3.0  # most words are not at fault, so their mean loss is small beside the sentence's
IGNORED = -100  # PyTorch's label for tokens without a loss


def learn_syntax(base: Path, data: Path, work: Path, steps: int, seed: int, bf16: bool) -> None:
    """Train the checkpoint of `base` into `WORK/final`; an interrupted run resumes from its last save.

    Args:
        base: A pretrained BERT.
        data: A folder in the Hub's GLUE layout.
        work: The folder of the resumable state.
        steps: Number of optimiser steps.
        seed: Decides the examples and their order.
        bf16: Whether to train in bfloat16, where the processor has it.
    """
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    model = AutoModelForTokenClassification.from_pretrained(
        base, num_labels=2, local_files_only=True, dtype=torch.float32, attn_implementation="eager"
    )
    model.get_input_embeddings().weight.requires_grad_(False)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0  # no example comes twice
    arguments = TrainingArguments(
        output_dir=str(work),
        per_device_train_batch_size=BATCH_SIZE,
        max_steps=steps,
        learning_rate=LEARNING_RATE,
        warmup_steps=WARMUP_STEPS,
        lr_scheduler_type="constant_with_warmup",  # fine-tuning brings the rate down
        weight_decay=0.01,
        train_sampling_strategy="group_by_length",
        save_steps=500,
        save_total_limit=1,
        logging_steps=50,
        report_to="none",
        use_cpu=True,
        bf16=bf16 and has_bfloat16(),
        seed=seed,
    )
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=tokenise(tokenizer, make_examples(read_sentences(data), NUM_EXAMPLES, seed)),
        data_collator=DataCollatorForTokenClassification(tokenizer),
        processing_class=tokenizer,
        compute_loss_func=loss,
    )
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(work)) if work.is_dir() else None)
    with finished(work / "final") as folder:
        trainer.save_model(str(folder))


def tokenise(tokenizer: Any, examples: Iterable[Marked]) -> Dataset:
    """Tokenise examples for the Trainer.

    Returns:
        A data set whose `labels` are 1 on the pieces of words at fault and on [CLS] where there are any, else 0.
    """
    examples = list(examples)
    words = [[word for word, _ in example] for example in examples]
    encoded = tokenizer(words, is_split_into_words=True)
    labels = [label(encoded.word_ids(row), example) for row, example in enumerate(examples)]
    columns = {"input_ids": encoded["input_ids"], "attention_mask": encoded["attention_mask"]}
    return Dataset.from_dict({**columns, "labels": labels, "length": [len(ids) for ids in labels]})


def label(word_ids: list[int | None], example: Marked) -> list[int]:
    """Label the tokens of an example, given the word that each is a piece of."""
    pieces = [IGNORED if word is None else int(example[word][1]) for word in word_ids]
    return [int(any(at_fault for _, at_fault in example)), *pieces[1:]]


def loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
    """Return the cross-entropy of the sentence, read at [CLS], plus WORDS_WEIGHT times that of its words."""
    logits = outputs.logits.float()  # (batch, tokens, 2)
    words = cross_entropy(logits[:, 1:].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED)
    return cross_entropy(logits[:, 0], labels[:, 0]) + WORDS_WEIGHT * words
