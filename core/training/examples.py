"""Make the real and corrupted sentences that an encoder learns syntax from."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from core.inputs.glue_files import read_split
from core.request.catalog import TASKS
from core.training.corruption import Marked, corrupt, is_word, split_words, word_forms

MAX_TOKENS = 16  # words and punctuation marks; CoLA's sentences have 9 on average
MIN_WORDS = {"cola": 4, "sst2": 8, "qnli": 4, "qqp": 4}  # the short texts of SST-2 are phrases, not sentences
COLA_REPEATS = 4  # its sentences are the ones that matter


def read_sentences(data: Path) -> list[list[str]]:
    """Read the short sentences of four training splits, split into words; CoLA's only where acceptable."""
    rows = {name: read_split(data, TASKS[name], "train") for name in MIN_WORDS}
    acceptable = [row["sentence"] for row in rows["cola"] if row["label"] == 1]
    sources = {
        "cola": acceptable * COLA_REPEATS,
        "sst2": rows["sst2"]["sentence"],
        "qnli": chain(rows["qnli"]["sentence"], rows["qnli"]["question"]),
        "qqp": sorted({*rows["qqp"]["question1"], *rows["qqp"]["question2"]}),  # a question stands in several pairs
    }
    split = ((name, split_words(text)) for name, source in sources.items() for text in source)
    return [words for name, words in split if len(words) <= MAX_TOKENS and sum(map(is_word, words)) >= MIN_WORDS[name]]


def make_examples(sentences: Sequence[Sequence[str]], count: int, seed: int) -> Iterator[Marked]:
    """Yield sentences in random order, about half of them corrupted, each time anew.

    Args:
        sentences: Sentences as words, of at least three words each.
        count: Number of examples; all sentences are used before one is used again.
        seed: Decides the order and the corruptions.
    """
    forms = word_forms({word for words in sentences for word in words})
    rng = np.random.default_rng(seed)
    rounds = [rng.permutation(len(sentences)) for _ in range(0, count, len(sentences))]
    for index in np.concatenate(rounds)[:count]:
        words = sentences[index]
        corrupted = corrupt(words, forms, rng) if rng.random() < 0.5 else None
        yield corrupted or [(word, False) for word in words]
