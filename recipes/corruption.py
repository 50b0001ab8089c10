"""Corrupt sentences word by word: move, drop, repeat or replace a word, or change its form.

Learning to tell real sentences from fake ones, before acceptable from unacceptable ones, is an idea of CoLA's own paper
(Warstadt, Singh and Bowman 2019, arXiv 1805.12471). The corruptions here follow rules and need no language model.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

Marked = list[tuple[str, bool]]  # words, and whether each is at fault
Forms = Mapping[str, Sequence[str]]  # a word -> words that may wrongly replace it

WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")  # a word with its apostrophes, or a punctuation mark

# On each line, words that can replace each other: forms of a verb or pronoun, or function words of one kind.
GROUPS = Path(__file__).with_name("word_groups.txt").read_text(encoding="utf-8")
SUFFIXES = ("", "s", "es", "ed", "d", "ing", "er", "ly")


def split_words(text: str) -> list[str]:
    """Split a text into lower-case words and punctuation marks."""
    return WORD.findall(text.lower())


def is_word(token: str) -> bool:
    """Whether a token is a word, not a punctuation mark."""
    return token[0].isalnum()


def make_examples(sentences: Sequence[Sequence[str]], count: int, seed: int) -> Iterator[Marked]:
    """Yield sentences in random order, about half of them corrupted, differently each time.

    Args:
        sentences: Sentences as words, of at least three words each.
        count: Number of examples; all sentences are used before any is used again.
        seed: Seed of the order and the corruptions.
    """
    forms = word_forms({word for words in sentences for word in words})
    rng = np.random.default_rng(seed)
    rounds = [rng.permutation(len(sentences)) for _ in range(0, count, len(sentences))]
    for index in np.concatenate(rounds)[:count]:
        words = sentences[index]
        corrupted = corrupt(words, forms, rng) if rng.random() < 0.5 else None
        yield corrupted or [(word, False) for word in words]


def word_forms(vocabulary: Collection[str]) -> Forms:
    """Find the words that may wrongly replace a word: those of its group, or its stem with another ending.

    Args:
        vocabulary: All words of the texts; only endings that occur there count.
    """
    forms: dict[str, list[str]] = {}
    for group in GROUPS.splitlines():
        for word, relative in permutations((word.replace("_", " ") for word in group.split()), 2):
            forms.setdefault(word, []).append(relative)
    grouped = set(forms)
    for stem in sorted(vocabulary):
        if len(stem) < 3 or not stem.isalpha() or stem in grouped:
            continue
        endings = [stem + suffix for suffix in SUFFIXES]
        endings += [stem[:-1] + "ing"] if stem.endswith("e") else []
        family = [word for word in endings if word in vocabulary and word not in grouped]
        for word, relative in permutations(family, 2):
            if relative not in forms.setdefault(word, []):
                forms[word].append(relative)
    return forms


def corrupt(words: Sequence[str], forms: Forms, rng: np.random.Generator) -> Marked | None:
    """Corrupt a sentence in one place.

    Args:
        words: At least three words, and punctuation marks.
        forms: The words that may wrongly replace a word.
        rng: Draws the operation and the words.

    Returns:
        The corrupted sentence, which differs from `words`; None if the words drawn allow no change.
    """
    operation = list(OPERATIONS)[rng.choice(len(OPERATIONS), p=list(OPERATIONS.values()))]
    if operation is change_form and not any(word in forms for word in words):
        operation = swap
    corrupted = operation([(word, False) for word in words], forms, rng)
    return None if [word for word, _ in corrupted] == list(words) else corrupted


def swap(words: Marked, forms: Forms, rng: np.random.Generator) -> Marked:
    """Swap two neighbouring words."""
    positions = word_positions(words)
    k = int(rng.integers(len(positions) - 1))
    first, second = positions[k : k + 2]
    if second == first + 1:  # no punctuation mark between them
        words[first : second + 1] = [(words[second][0], True), (words[first][0], True)]
    return words


def move(words: Marked, forms: Forms, rng: np.random.Generator) -> Marked:
    """Move a word to the position of another word."""
    word, _ = words.pop(draw(word_positions(words), rng))
    words.insert(draw(word_positions(words), rng), (word, True))
    return words


def drop(words: Marked, forms: Forms, rng: np.random.Generator) -> Marked:
    """Drop a word; the token after it is marked."""
    position = draw(word_positions(words), rng)
    words.pop(position)
    after = min(position, len(words) - 1)
    words[after] = (words[after][0], True)
    return words


def repeat(words: Marked, forms: Forms, rng: np.random.Generator) -> Marked:
    """Insert a word of the sentence a second time."""
    word, _ = words[draw(word_positions(words), rng)]
    words.insert(draw(word_positions(words), rng), (word, True))
    return words


def replace(words: Marked, forms: Forms, rng: np.random.Generator) -> Marked:
    """Replace a word by another word of the sentence."""
    position = draw(word_positions(words), rng)
    words[position] = (words[draw(word_positions(words), rng)][0], True)
    return words


def change_form(words: Marked, forms: Forms, rng: np.random.Generator) -> Marked:
    """Replace a word by another form of it, or by another word of its group."""
    position = draw([position for position in word_positions(words) if words[position][0] in forms], rng)
    words[position] = (draw(forms[words[position][0]], rng), True)
    return words


def word_positions(words: Marked) -> list[int]:
    """Return the positions of the words, without punctuation marks."""
    return [position for position, (token, _) in enumerate(words) if is_word(token)]


def draw(items: Sequence[Any], rng: np.random.Generator) -> Any:
    """Draw one of the items."""
    return items[int(rng.integers(len(items)))]


OPERATIONS = {
    swap: 0.15,
    move: 0.15,
    drop: 0.15,
    repeat: 0.08,
    replace: 0.09,
    change_form: 0.38,
}  # with their probabilities
