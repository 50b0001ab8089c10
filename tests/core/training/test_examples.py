"""The sentences to learn syntax from come from training splits; about half of them are corrupted."""

from collections import Counter
from pathlib import Path

import pytest
from datasets import Dataset
from tiny import make_texts

from core.request.catalog import TASKS
from core.training.corruption import split_words
from core.training.examples import COLA_REPEATS, MAX_TOKENS, make_examples, read_sentences

SENTENCES = [split_words(text) for text in make_texts(100)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with one short and one long text of eight words or more in each column of each split and label."""
    for name in ("cola", "sst2", "qnli", "qqp"):
        for split in ("train", TASKS[name].split):
            columns = {
                column: [f"{name} {column} {split} {label} a b c d{' e' * more}" for label in (0, 1) for more in (0, 9)]
                for column in TASKS[name].text_columns
            }
            path = tmp_path / name / f"{split}-00000-of-00001.parquet"
            path.parent.mkdir(exist_ok=True)
            Dataset.from_dict({**columns, "label": [0, 0, 1, 1]}).to_parquet(str(path))
    return tmp_path


def test_short_sentences_of_training_splits_are_read_and_of_cola_the_acceptable_ones(data: Path) -> None:
    found = Counter((words[0], words[1], words[2], words[3]) for words in read_sentences(data))
    assert found == {
        ("cola", "sentence", "train", "1"): COLA_REPEATS,
        **{
            (name, column, "train", label): 1
            for name in ("sst2", "qnli", "qqp")
            for column in TASKS[name].text_columns
            for label in "01"
        },
    }
    assert all(len(words) <= MAX_TOKENS for words in read_sentences(data))


def test_the_same_seed_makes_the_same_examples() -> None:
    first, again, other = (list(make_examples(SENTENCES, 150, seed)) for seed in (0, 0, 1))
    assert first == again != other
    assert len(first) == 150


def test_about_half_of_the_examples_are_corrupted_and_the_others_are_the_sentences() -> None:
    examples = list(make_examples(SENTENCES, 1000, 0))
    corrupted = sum(any(at_fault for _, at_fault in example) for example in examples)
    assert 430 < corrupted < 550
    for example in examples:
        if not any(at_fault for _, at_fault in example):
            assert [word for word, _ in example] in SENTENCES


def test_all_sentences_are_used_before_one_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.training.examples.corrupt", lambda *_: None)
    examples = [tuple(word for word, _ in example) for example in make_examples(SENTENCES, 250, 0)]
    assert Counter(examples[:100]) == Counter(examples[100:200]) == Counter(map(tuple, SENTENCES))
