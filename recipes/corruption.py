"""Corrupt sentences word by word: move, drop, repeat or replace a word, or change its form.

Learning to tell real sentences from fake ones, before acceptable from unacceptable ones, is an idea
of CoLA's own paper (Warstadt, Singh and Bowman 2019, arXiv 1805.12471). The corruptions here follow
rules and need no language model.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

Marked = list[tuple[str, bool]]  # words, and whether each is at fault
Forms = Mapping[str, Sequence[str]]  # a word -> words that may wrongly replace it

WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")  # a word with its apostrophes, or a punctuation mark

# On each line, words that can replace each other: forms of a verb or pronoun, or function words of
# one kind.
GROUPS = Path(__file__).with_name("word_groups.txt").read_text(encoding="utf-8")
SUFFIXES = ("", "s", "es", "ed", "d", "ing", "er", "ly")
OPERATIONS = {
    "swap": 0.15,
    "move": 0.15,
    "drop": 0.15,
    "repeat": 0.08,
    "replace": 0.09,
    "form": 0.38,
}  # probabilities


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
    """Find the words that may wrongly replace a word: its group's, or those of its stem.

    Args:
        vocabulary: All words of the texts; only endings that occur there count.
    """
    groups = [[word.replace("_", " ") for word in group.split()] for group in GROUPS.splitlines()]
    grouped = {word for group in groups for word in group}
    for stem in sorted({*vocabulary} - grouped):
        if len(stem) >= 3 and stem.isalpha():
            endings = [stem + suffix for suffix in SUFFIXES]
            if stem.endswith("e"):
                endings.append(stem[:-1] + "ing")
            groups.append([word for word in endings if word in vocabulary and word not in grouped])
    forms: dict[str, list[str]] = defaultdict(list)
    for group in groups:
        for word, relative in permutations(group, 2):
            if relative not in forms[word]:
                forms[word].append(relative)
    return forms


def corrupt(words: Sequence[str], forms: Forms, rng: np.random.Generator) -> Marked | None:
    """Corrupt a sentence in one place and mark what is at fault.

    Where a word was dropped, the token after it is marked.

    Args:
        words: At least three words, and punctuation marks.
        forms: The words that may wrongly replace a word.
        rng: Draws the operation and the words.

    Returns:
        The corrupted sentence, which differs from `words`; None if the words drawn allow no change.
    """
    marked = [(word, False) for word in words]

    def draw(items: Sequence[Any]) -> Any:
        return items[int(rng.integers(len(items)))]

    def positions() -> list[int]:  # of the words, without punctuation marks
        return [position for position, (token, _) in enumerate(marked) if is_word(token)]

    operation = str(rng.choice([*OPERATIONS], p=[*OPERATIONS.values()]))
    if operation == "form" and not any(word in forms for word in words):
        operation = "swap"
    match operation:
        case "swap":  # two neighbours, unless there is a punctuation mark between them
            k = int(rng.integers(len(positions()) - 1))
            first, second = positions()[k : k + 2]
            if second == first + 1:
                marked[first] = (words[second], True)
                marked[second] = (words[first], True)
        case "move":
            word, _ = marked.pop(draw(positions()))
            marked.insert(draw(positions()), (word, True))
        case "drop":
            position = draw(positions())
            del marked[position]
            after = min(position, len(marked) - 1)
            word, _ = marked[after]
            marked[after] = (word, True)
        case "repeat":  # at the position of any word
            word = words[draw(positions())]
            marked.insert(draw(positions()), (word, True))
        case "replace":  # by any word of the sentence
            position = draw(positions())
            word = words[draw(positions())]
            marked[position] = (word, True)
        case "form":  # by another form, or another word of its group
            position = draw([position for position in positions() if words[position] in forms])
            form = draw(forms[words[position]])
            marked[position] = (form, True)
    is_same = [word for word, _ in marked] == list(words)
    return None if is_same else marked
