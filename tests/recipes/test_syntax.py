"""Which sentences an encoder learns syntax from, and what it is taught about each."""

from collections import Counter
from pathlib import Path

import pytest
import torch
from datasets import Dataset
from torch.nn.functional import cross_entropy
from transformers import AutoModel, AutoTokenizer
from transformers.modeling_outputs import TokenClassifierOutput

from core.request.catalog import TASKS
from recipes import syntax
from recipes.syntax import COLA_REPEATS, IGNORED, MAX_TOKENS, WORDS_WEIGHT, labelled, learn_syntax, loss, read_sentences
from recipes.table import MINILM, Recipe


def test_short_sentences_of_training_splits_are_read_and_of_cola_the_acceptable_ones(tmp_path: Path) -> None:
    for name in ("cola", "sst2", "qnli", "qqp"):
        for split in ("train", TASKS[name].split):
            columns = {
                column: [f"{name} {column} {split} {label} a b c d{' e' * more}" for label in (0, 1) for more in (0, 9)]
                for column in TASKS[name].text_columns
            }
            path = tmp_path / name / f"{split}-00000-of-00001.parquet"
            path.parent.mkdir(exist_ok=True)
            Dataset.from_dict({**columns, "label": [0, 0, 1, 1]}).to_parquet(str(path))
    found = read_sentences(tmp_path)
    assert Counter(tuple(words[:4]) for words in found) == {
        ("cola", "sentence", "train", "1"): COLA_REPEATS,
        **{
            (name, column, "train", label): 1
            for name in ("sst2", "qnli", "qqp")
            for column in TASKS[name].text_columns
            for label in "01"
        },
    }
    assert all(len(words) <= MAX_TOKENS for words in found)


def test_all_pieces_of_a_word_at_fault_are_labelled_and_cls_where_there_is_one(tiny_bert: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    corrupted = [("the", False), ("xyz", True), ("film", False), (".", False)]
    data_set = labelled(tokenizer, [corrupted, [("a", False), ("film", False)]])
    assert tokenizer.convert_ids_to_tokens(data_set[0]["input_ids"])[2:5] == ["x", "##y", "##z"]
    assert data_set["labels"][:] == [[1, 0, 1, 1, 1, 0, 0, IGNORED], [0, 0, 0, IGNORED]]


def test_the_loss_weighs_the_mean_over_words_against_the_sentence() -> None:
    logits = torch.randn(2, 4, 2, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[1, 0, 1, IGNORED], [0, 0, IGNORED, IGNORED]])
    sentence = (cross_entropy(logits[0, 0], labels[0, 0]) + cross_entropy(logits[1, 0], labels[1, 0])) / 2
    places = [(0, 1), (0, 2), (1, 1)]
    words = torch.stack([cross_entropy(logits[place], labels[place]) for place in places]).mean()
    torch.testing.assert_close(loss(TokenClassifierOutput(logits=logits), labels), sentence + WORDS_WEIGHT * words)


def test_learning_changes_the_layers_and_not_the_words_alike_whatever_was_drawn_before(
    tiny_bert: Path, glue_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syntax, "NUM_EXAMPLES", 128)
    recipe = Recipe(MINILM, "cola", 1, 1e-3, dropout=0.0, syntax_steps=2)
    learnt = []
    for seed in (0, 0, 1):
        torch.seed()
        folder = learn_syntax(recipe, seed, tiny_bert, glue_folder, tmp_path / str(len(learnt)))
        learnt.append((folder / "model.safetensors").read_bytes())
    assert learnt[0] == learnt[1] != learnt[2]
    before, after = (AutoModel.from_pretrained(place) for place in (tiny_bert, folder))
    assert torch.equal(before.get_input_embeddings().weight, after.get_input_embeddings().weight)
    assert not torch.equal(*(model.encoder.layer[0].output.dense.weight for model in (before, after)))
