"""The parts of a recipe: corrupted sentences, what is taught about each, seeds, averages, and a smaller vocabulary."""

from collections import Counter
from itertools import chain, repeat
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset
from safetensors.torch import load_file
from tiny import make_texts
from torch.nn.functional import cross_entropy
from transformers import AutoModelForSequenceClassification, AutoTokenizer, TrainerState
from transformers.modeling_outputs import TokenClassifierOutput

from core.request.catalog import TASKS
from core.results.digest import digest
from recipes import corruption, syntax, training
from recipes.corruption import OPERATIONS, corrupt, make_examples, split_words, word_forms
from recipes.table import MINILM, Recipe
from recipes.vocabulary import cut_vocabulary, kept_ids

SENTENCES = [split_words(text) for text in make_texts(100)]
FORMS = word_forms({word for words in SENTENCES for word in words})

# ---------------------------------------------------------------- corrupted sentences


def test_a_seed_makes_the_examples_that_the_shipped_weights_learnt_from() -> None:
    assert split_words("They've left, haven’t they?") == ["they've", "left", ",", "haven’t", "they", "?"]
    assert set(word_forms({"walk", "walks", "walked", "film"})["walk"]) == {"walks", "walked"}
    examples = list(make_examples(SENTENCES, 1000, 0))
    assert digest(examples) == "f6dc5863810997e74c8f2110f4edaec28937ca910f52bce0313ab30109ae4494"
    sound = [[word for word, _ in example] for example in examples if not any(at_fault for _, at_fault in example)]
    assert 450 < len(sound) < 570
    assert all(words in SENTENCES for words in sound)


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
        assert any(at_fault for _, at_fault in found)
        source = iter(words)
        assert all(word in source for word, at_fault in found if not at_fault)  # `in` reads on to the word
        for added in after - before:
            assert added in (FORMS[next(iter(before - after))] if name == "change_form" else words)


# ---------------------------------------------------------------- learning syntax


def test_short_sentences_of_training_splits_are_read_and_of_cola_the_acceptable_ones(tmp_path: Path) -> None:
    for name in syntax.MIN_WORDS:
        columns = {
            column: [f"{name} {column} {label} a b c d e{' f' * more}" for label in (0, 1) for more in (0, 9)]
            for column in TASKS[name].text_columns
        }
        path = tmp_path / name / "train-00000-of-00001.parquet"
        path.parent.mkdir()
        Dataset.from_dict({**columns, "label": [0, 0, 1, 1]}).to_parquet(str(path))
    others = [(name, column) for name in ("sst2", "qnli", "qqp") for column in TASKS[name].text_columns]
    assert Counter(tuple(words[:3]) for words in syntax.read_sentences(tmp_path)) == {
        ("cola", "sentence", "1"): syntax.COLA_REPEATS,
        **{(*known, label): 1 for known in others for label in "01"},
    }


def test_all_pieces_of_a_word_at_fault_are_labelled_and_words_weigh_against_the_sentence(tiny_bert: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    corrupted = [("the", False), ("xyz", True), ("film", False), (".", False)]
    data_set = syntax.labelled(tokenizer, [corrupted, [("a", False), ("film", False)]])
    assert tokenizer.convert_ids_to_tokens(data_set[0]["input_ids"])[2:5] == ["x", "##y", "##z"]
    assert data_set["labels"][:] == [[1, 0, 1, 1, 1, 0, 0, syntax.IGNORED], [0, 0, 0, syntax.IGNORED]]
    logits = torch.randn(2, 4, 2, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[1, 0, 1, syntax.IGNORED], [0, 0, syntax.IGNORED, syntax.IGNORED]])
    sentence, words = (
        torch.stack([cross_entropy(logits[place], labels[place]) for place in places]).mean()
        for places in ([(0, 0), (1, 0)], [(0, 1), (0, 2), (1, 1)])
    )
    expected = sentence + syntax.WORDS_WEIGHT * words
    torch.testing.assert_close(syntax.loss(TokenClassifierOutput(logits=logits), labels), expected)


# ---------------------------------------------------------------- fine-tuning


def test_an_early_stop_keeps_the_weights_with_the_best_score(
    tiny_bert: Path, glue_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = chain([0.1, 0.5, 0.2, 0.5], repeat(0.9))
    monkeypatch.setattr(training, "SAVE_EVERY", 1)
    monkeypatch.setattr(training, "SCORES", {"matthews_correlation": lambda gold, found: next(scores)})
    recipe = Recipe(MINILM, "cola", 1, 1e-3, early_stop=2)
    kept = load_file(training.fine_tune(recipe, 0, tiny_bert, glue_folder, tmp_path) / "model.safetensors")
    assert not (tmp_path / "checkpoint-5").exists(), "two scores without a better one end it"
    best = load_file(tmp_path / "checkpoint-2" / "model.safetensors")
    assert all(torch.equal(weights, kept[name]) for name, weights in best.items())


def test_half_of_what_is_stored_is_the_average_from_the_start_on() -> None:
    model, before = (torch.nn.Linear(1, 1, bias=False) for _ in range(2))
    for module in (model, before):
        torch.nn.init.constant_(module.weight, 1.0)
    averaging = training.Averaging(model)
    for step in range(1, 2 * training.AVERAGE_EVERY + 1):
        torch.nn.init.constant_(model.weight, 1.0 + step)
        averaging.on_step_end(None, TrainerState(global_step=step), None, model=model)
    assert averaging.averaged.module.weight.item() == pytest.approx((1 + 21 + 41) / 3)
    training.mix(before, averaging.averaged.module)
    assert before.weight.item() == pytest.approx((1 + 21) / 2)


# ---------------------------------------------------------------- the vocabulary


def test_a_smaller_vocabulary_cuts_the_same_words_into_the_same_pieces(tiny_bert: Path) -> None:
    full, model = (kind.from_pretrained(tiny_bert) for kind in (AutoTokenizer, AutoModelForSequenceClassification))
    before = model.get_input_embeddings().weight.detach().clone()
    texts = make_texts(3)
    keep = kept_ids(full, [(text,) for text in texts])
    cut = cut_vocabulary(model, full, keep)
    assert len(cut) == len(keep) < len(full)
    assert {"z", "##z", "[CLS]", "[PAD]"} <= set(full.convert_ids_to_tokens(keep))
    assert torch.equal(model.get_input_embeddings().weight, before[keep])
    for text in (*texts, "Zyx FILM", "Жz film", "a 漢 b", "film's - 42!"):
        words, pieces = full.tokenize(text), cut.tokenize(text)
        assert ("[UNK]" in words, text) == ("[UNK]" in pieces, text)
        assert "".join(words).replace("##", "") == "".join(pieces).replace("##", ""), text
        assert words == pieces or text not in texts
    first = full.convert_tokens_to_ids("the")
    plain, more = (set(kept_ids(full, [("film",)], frequent)) for frequent in (0, 3))
    assert more - plain == {first, first + 1, first + 2} - plain
