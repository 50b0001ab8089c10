"""The parts of a recipe: corrupted sentences, and a smaller vocabulary."""

from pathlib import Path

import torch
from tiny import make_texts
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from core.results.key import digest
from recipes.corruption import make_examples, split_words, word_forms
from recipes.export import cut_vocabulary, kept_ids


def test_words_are_split_at_punctuation_and_have_forms() -> None:
    words = split_words("They've left, haven’t they?")
    assert words == ["they've", "left", ",", "haven’t", "they", "?"]
    assert set(word_forms({"walk", "walks", "walked", "film"})["walk"]) == {
        "walks",
        "walked",
    }


def test_a_seed_gives_the_examples_that_the_shipped_weights_learnt_from() -> None:
    sentences = [split_words(text) for text in make_texts(100)]

    examples = list(make_examples(sentences, 1000, 0))

    assert digest(examples) == "f6dc5863810997e74c8f2110f4edaec28937ca910f52bce0313ab30109ae4494"


def test_a_smaller_vocabulary_splits_words_into_the_same_pieces(
    tiny_bert: Path,
) -> None:
    full = AutoTokenizer.from_pretrained(tiny_bert)
    model = AutoModelForSequenceClassification.from_pretrained(tiny_bert)
    before = model.get_input_embeddings().weight.detach().clone()
    texts = make_texts(3)

    keep = kept_ids(full, [(text,) for text in texts])
    cut = cut_vocabulary(model, full, keep)

    assert len(cut) == len(keep) < len(full)
    assert {"z", "##z", "[CLS]", "[PAD]"} <= set(full.convert_ids_to_tokens(keep))
    assert torch.equal(model.get_input_embeddings().weight, before[keep])
    for text in texts:
        assert full.tokenize(text) == cut.tokenize(text)
    for text in ("Zyx FILM", "Жz film", "a 漢 b", "film's - 42!"):
        words = full.tokenize(text)
        pieces = cut.tokenize(text)
        assert ("[UNK]" in words) == ("[UNK]" in pieces), text
        assert "".join(words).replace("##", "") == "".join(pieces).replace("##", ""), text


def test_a_smaller_vocabulary_keeps_the_most_frequent_words(
    tiny_bert: Path,
) -> None:
    full = AutoTokenizer.from_pretrained(tiny_bert)
    first = full.convert_tokens_to_ids("the")

    plain, more = (set(kept_ids(full, [("film",)], frequent)) for frequent in (0, 3))

    assert more - plain == {first, first + 1, first + 2} - plain
