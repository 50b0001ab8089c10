"""Corrupt sentences word by word: put words in the wrong place, drop, repeat or replace them, or change their form.

To tell real sentences from fake ones, before acceptable from unacceptable, is the idea of CoLA's own paper (Warstadt,
Singh and Bowman 2019, arXiv 1805.12471). The corruptions here are made by rules and need no language model.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

Marked = list[tuple[str, bool]]  # words, and whether each is at fault
Forms = Mapping[str, Sequence[str]]  # a word -> what may wrongly stand in its place

WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")  # a word with its apostrophes, or one punctuation mark

# One a line, words that take each other's place: forms of one verb or pronoun, and function words of one kind.
GROUPS = Path(__file__).with_name("word_groups.txt").read_text(encoding="utf-8")
SUFFIXES = ("", "s", "es", "ed", "d", "ing", "er", "ly")


def split_words(text: str) -> list[str]:
    """Split a text into lower-case words and punctuation marks."""
    return WORD.findall(text.lower())


def is_word(token: str) -> bool:
    """Whether a token is a word, not a punctuation mark."""
    return token[0].isalnum()


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


def word_forms(vocabulary: Collection[str]) -> Forms:
    """Find what may wrongly stand in a word's place: a word of its group, or its stem with another ending.

    Args:
        vocabulary: All words of the texts; a stem with an ending counts if it occurs there.
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
        words: At least three words, with punctuation marks among them.
        forms: What may wrongly stand in a word's place.
        rng: Decides what is done, and where.

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
    found = places(words)
    k = int(rng.integers(len(found) - 1))
    first, second = found[k : k + 2]
    if second == first + 1:  # no punctuation mark between them
        words[first : second + 1] = [(words[second][0], True), (words[first][0], True)]
    return words


def move(words: Marked, forms: Forms, rng: np.random.Generator) -> Marked:
    """Move a word to any other word's place."""
    word, _ = words.pop(draw(places(words), rng))
    words.insert(draw(places(words), rng), (word, True))
    return words


def drop(words: Marked, forms: Forms, rng: np.random.Generator) -> Marked:
    """Drop a word; the token after it is marked."""
    place = draw(places(words), rng)
    words.pop(place)
    after = min(place, len(words) - 1)
    words[after] = (words[after][0], True)
    return words


def repeat(words: Marked, forms: Forms, rng: np.random.Generator) -> Marked:
    """Insert a word of the sentence once more."""
    word, _ = words[draw(places(words), rng)]
    words.insert(draw(places(words), rng), (word, True))
    return words


def replace(words: Marked, forms: Forms, rng: np.random.Generator) -> Marked:
    """Replace a word by another of the sentence."""
    place = draw(places(words), rng)
    words[place] = (words[draw(places(words), rng)][0], True)
    return words


def change_form(words: Marked, forms: Forms, rng: np.random.Generator) -> Marked:
    """Change a word to another form, or put another of its group in its place."""
    chosen = draw([place for place in places(words) if words[place][0] in forms], rng)
    words[chosen] = (draw(forms[words[chosen][0]], rng), True)
    return words


def places(words: Marked) -> list[int]:
    """Return where the words are, punctuation marks left out."""
    return [place for place, (token, _) in enumerate(words) if is_word(token)]


def draw(items: Sequence[Any], rng: np.random.Generator) -> Any:
    """Draw one of the items."""
    return items[int(rng.integers(len(items)))]


OPERATIONS = {swap: 0.15, move: 0.15, drop: 0.15, repeat: 0.08, replace: 0.09, change_form: 0.38}  # and their shares
