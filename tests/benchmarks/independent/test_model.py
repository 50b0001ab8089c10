"""The model written out in float64 against transformers' own."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import make_texts
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from benchmarks.independent.model import read_bert, see, token_vectors, tokenised, vectors
from core.errors import PrunescopeError

POINTS = ("layer.0.attention", "layer.0.output", "layer.1.attention", "layer.1.output")


@pytest.mark.parametrize(
    "texts",
    [[(text,) for text in make_texts(5)], list(zip(make_texts(5, 1), make_texts(5, 2), strict=True))],
    ids=["single", "pair"],
)
def test_forward_pass_is_that_of_transformers(tiny_bert: Path, texts: list[tuple[str, ...]]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    theirs = AutoModelForSequenceClassification.from_pretrained(tiny_bert, dtype=torch.float32).double().eval()
    seen = see(read_bert(tiny_bert), tokenised(tokenizer, texts, 128), POINTS)
    for example, states, logits in zip(texts, seen.states, seen.logits, strict=True):
        with torch.no_grad():
            expected = theirs(**tokenizer(*example, return_tensors="pt"), output_hidden_states=True)
        np.testing.assert_allclose(logits, expected.logits[0].numpy(), atol=1e-12)
        for layer in (1, 2):  # the first is the embeddings
            np.testing.assert_allclose(states[2 * layer - 1], expected.hidden_states[layer][0].numpy(), atol=1e-12)


def test_emptied_model_keeps_nothing_of_the_scope_but_biases(tiny_bert: Path) -> None:
    model = read_bert(tiny_bert)
    (example,) = tokenised(AutoTokenizer.from_pretrained(tiny_bert), [("a film",)], 128)
    emptied = model.emptied("layer:1").forward(example)
    assert torch.equal(emptied.states["layer.0.output"], model.forward(example).states["layer.0.output"])
    read = emptied.inputs["bert.encoder.layer.1.attention.output.dense"]
    assert torch.equal(read, model.weights["bert.encoder.layer.1.attention.self.value.bias"].expand_as(read))


def test_tokens_are_laid_end_to_end_in_minibatches_whose_last_takes_the_remainder() -> None:
    states = [np.full((1, 1 + i % 3, 2), float(i + 1)) for i in range(70)]
    batches = token_vectors(states)
    assert [batch.shape for batch in batches] == [(1, 32, 6), (1, 38, 6)]
    assert batches[0][0, 1].tolist() == [2, 2, 2, 2, 0, 0]
    assert vectors(states)["mean"].shape == (1, 70, 2)


def test_other_models_are_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert", "hidden_act": "relu"}')
    with pytest.raises(PrunescopeError, match="relu"):
        read_bert(tmp_path)
