"""A smaller vocabulary cuts the same words into the same pieces, and knows no fewer characters."""

from pathlib import Path

import torch
from tiny import make_texts
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from recipes.vocabulary import cut_vocabulary, kept_ids


def test_what_is_unknown_was_unknown_and_what_is_known_has_the_same_embedding(tiny_bert: Path) -> None:
    full, model = (
        AutoTokenizer.from_pretrained(tiny_bert),
        AutoModelForSequenceClassification.from_pretrained(tiny_bert),
    )
    before = model.get_input_embeddings().weight.detach().clone()
    data = [(text,) for text in make_texts(3)]
    keep = kept_ids(full, data)
    cut = cut_vocabulary(model, full, keep)
    assert len(cut) == len(keep) < len(full)
    assert torch.equal(model.get_input_embeddings().weight, before[keep])
    for text in (*(text for (text,) in data), "Zyx FILM", "Жz film", "a 漢 b", "film's - 42!"):
        words, pieces = full.tokenize(text), cut.tokenize(text)
        assert ("[UNK]" in words) == ("[UNK]" in pieces), text
        assert "".join(words).replace("##", "") == "".join(pieces).replace("##", ""), text
    assert all(full.tokenize(text) == cut.tokenize(text) for (text,) in data)


def test_unused_words_go_and_characters_and_frequent_word_pieces_stay(tiny_bert: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    kept = tokenizer.convert_ids_to_tokens(kept_ids(tokenizer, [("a film",)]))
    assert {"a", "film", "z", "##z", "[CLS]", "[PAD]"} <= set(kept)
    assert "scene" not in kept
    first = tokenizer.convert_tokens_to_ids("the")
    plain, more = (set(kept_ids(tokenizer, [("film",)], frequent)) for frequent in (0, 3))
    assert more - plain == {first, first + 1, first + 2} - plain
    assert max(kept_ids(tokenizer, [("film",)], 10**6)) == len(tokenizer) - 1
