"""A corrupted sentence differs from its source in one place, and that place is marked."""

from collections import Counter

import numpy as np
import pytest
from tiny import make_texts

from core.results.digest import digest
from recipes import corruption
from recipes.corruption import OPERATIONS, corrupt, make_examples, split_words, word_forms

SENTENCES = [split_words(text) for text in make_texts(100)]
FORMS = word_forms({word for words in SENTENCES for word in words})


def test_a_text_is_split_into_lower_case_words_and_punctuation_marks() -> None:
    assert split_words("They've left, haven’t they?") == ["they've", "left", ",", "haven’t", "they", "?"]


def test_a_seed_makes_the_examples_that_the_shipped_weights_learnt_from() -> None:
    first, again, other = (list(make_examples(SENTENCES, 1000, seed)) for seed in (0, 0, 1))
    assert first == again != other
    assert digest(first) == "f6dc5863810997e74c8f2110f4edaec28937ca910f52bce0313ab30109ae4494"
    assert len(first) == 1000
    assert 430 < sum(any(at_fault for _, at_fault in example) for example in first) < 550
    for example in first:
        if not any(at_fault for _, at_fault in example):
            assert [word for word, _ in example] in SENTENCES


def test_all_sentences_are_used_before_one_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corruption, "corrupt", lambda *_: None)
    examples = [tuple(word for word, _ in example) for example in make_examples(SENTENCES, 250, 0)]
    assert Counter(examples[:100]) == Counter(examples[100:200]) == Counter(map(tuple, SENTENCES))


@pytest.mark.parametrize(
    ("name", "gone", "new"),
    [("swap", 0, 0), ("move", 0, 0), ("drop", 1, 0), ("repeat", 0, 1), ("replace", 1, 1), ("change_form", 1, 1)],
)
def test_an_operation_takes_and_adds_what_it_says_and_all_else_keeps_its_order(
    name: str, gone: int, new: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sum(OPERATIONS.values()) == pytest.approx(1)
    monkeypatch.setattr(corruption, "OPERATIONS", {getattr(corruption, name): 1.0})
    rng = np.random.default_rng(0)
    pairs = [(words, corrupt(words, FORMS, rng)) for words in SENTENCES if any(word in FORMS for word in words)]
    changed = [(words, found) for words, found in pairs if found]
    assert len(changed) > 50
    for words, found in changed:
        before, after = Counter(words), Counter(word for word, _ in found)
        assert ((before - after).total(), (after - before).total()) == (gone, new)
        assert [word for word, _ in found] != words
        assert any(at_fault for _, at_fault in found)
        source = iter(words)
        assert all(word in source for word, at_fault in found if not at_fault)  # `in` reads on to the word
        added = next(iter(after - before), None)
        if name in ("repeat", "replace"):
            assert added in words
        if name == "change_form":
            (removed,) = before - after
            assert added in FORMS[removed]


def test_a_sentence_in_which_no_word_has_another_form_is_corrupted_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corruption, "OPERATIONS", {corruption.change_form: 1.0})
    assert corrupt(["x", "y", "z"], FORMS, np.random.default_rng(0)) in (
        [("y", True), ("x", True), ("z", False)],
        [("x", False), ("z", True), ("y", True)],
    )


def test_a_word_is_never_its_own_form_and_forms_go_both_ways() -> None:
    forms = word_forms({"walk", "walks", "walked", "like", "liking", "film", "is"})
    assert set(forms["walk"]) == {"walks", "walked"}
    assert forms["liking"] == ["like"]
    assert "film" not in forms
    assert "are" in forms["is"]
    for word, others in forms.items():
        assert word not in others
        assert all(word in forms[other] for other in others)
