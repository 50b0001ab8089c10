"""A corrupted sentence differs from its source in one place, and that place is marked."""

from collections import Counter

import numpy as np
import pytest
from tiny import make_texts

from core.training import corruption
from core.training.corruption import OPERATIONS, corrupt, split_words, word_forms

SENTENCES = [split_words(text) for text in make_texts(100)]
FORMS = word_forms({word for words in SENTENCES for word in words})


def corrupted_by(name: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], list[tuple[str, bool]]]]:
    """Corrupts all sentences by one operation; gives those that it changed."""
    monkeypatch.setattr(corruption, "OPERATIONS", {getattr(corruption, name): 1.0})
    rng = np.random.default_rng(0)
    pairs = [(words, corrupt(words, FORMS, rng)) for words in SENTENCES if any(word in FORMS for word in words)]
    changed = [(words, found) for words, found in pairs if found]
    assert len(changed) > 50
    return changed


def test_the_shares_of_the_operations_sum_to_one() -> None:
    assert sum(OPERATIONS.values()) == pytest.approx(1)


def test_a_text_is_split_into_lower_case_words_and_punctuation_marks() -> None:
    assert split_words("They've left, haven’t they?") == ["they've", "left", ",", "haven’t", "they", "?"]


def test_the_same_seed_corrupts_alike_and_another_otherwise() -> None:
    first, again, other = (
        [corrupt(words, FORMS, rng) for words in SENTENCES] for rng in map(np.random.default_rng, (0, 0, 1))
    )
    assert first == again != other


def test_a_corrupted_sentence_differs_from_its_source_which_stays_as_it_was() -> None:
    rng = np.random.default_rng(0)
    for words in SENTENCES * 20:
        before = list(words)
        found = corrupt(words, FORMS, rng)
        assert words == before
        assert found is None or [word for word, _ in found] != words


@pytest.mark.parametrize("name", [operation.__name__ for operation in OPERATIONS])
def test_what_is_not_marked_stands_in_the_source_in_the_same_order(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for words, found in corrupted_by(name, monkeypatch):
        assert any(at_fault for _, at_fault in found)
        source = iter(words)
        assert all(word in source for word, at_fault in found if not at_fault)  # `in` reads on to the word


@pytest.mark.parametrize(
    ("name", "gone", "new"),
    [("swap", 0, 0), ("move", 0, 0), ("drop", 1, 0), ("repeat", 0, 1), ("replace", 1, 1), ("change_form", 1, 1)],
)
def test_each_operation_takes_and_adds_the_words_that_it_says(
    name: str, gone: int, new: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words, found in corrupted_by(name, monkeypatch):
        before, after = Counter(words), Counter(word for word, _ in found)
        assert (before - after).total() == gone
        assert (after - before).total() == new
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
