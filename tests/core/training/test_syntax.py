"""What an encoder is taught about corrupted sentences, and that teaching it leaves its words alone."""

from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModel, AutoTokenizer
from transformers.modeling_outputs import TokenClassifierOutput

from core.training import syntax
from core.training.syntax import IGNORED, WORDS_WEIGHT, learn_syntax, loss, tokenise


def test_all_pieces_of_a_word_at_fault_are_labelled_and_cls_where_there_is_one(tiny_bert: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    corrupted = [("the", False), ("xyz", True), ("film", False), (".", False)]
    data_set = tokenise(tokenizer, [corrupted, [("a", False), ("film", False)]])
    assert tokenizer.convert_ids_to_tokens(data_set[0]["input_ids"])[2:5] == ["x", "##y", "##z"]
    assert data_set[0]["labels"] == [1, 0, 1, 1, 1, 0, 0, IGNORED]
    assert data_set[1]["labels"] == [0, 0, 0, IGNORED]
    assert data_set["length"] == [8, 4]


def test_the_loss_weighs_the_mean_over_words_against_the_sentence() -> None:
    logits = torch.randn(2, 4, 2, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[1, 0, 1, IGNORED], [0, 0, IGNORED, IGNORED]])
    sentence = (cross_entropy(logits[0, 0], labels[0, 0]) + cross_entropy(logits[1, 0], labels[1, 0])) / 2
    places = [(0, 1), (0, 2), (1, 1)]
    words = torch.stack([cross_entropy(logits[place], labels[place]) for place in places]).mean()
    torch.testing.assert_close(loss(TokenClassifierOutput(logits=logits), labels), sentence + WORDS_WEIGHT * words)


def test_learning_changes_the_layers_and_neither_words_nor_configuration(
    tiny_bert: Path, glue_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syntax, "NUM_EXAMPLES", 128)
    learn_syntax(tiny_bert, glue_folder, tmp_path, steps=2, seed=0, bf16=False)
    before, after = (AutoModel.from_pretrained(folder) for folder in (tiny_bert, tmp_path / "final"))
    assert torch.equal(before.get_input_embeddings().weight, after.get_input_embeddings().weight)
    layers = [model.encoder.layer[0].output.dense.weight for model in (before, after)]
    assert not torch.equal(*layers)
    assert before.config.hidden_dropout_prob == after.config.hidden_dropout_prob > 0
