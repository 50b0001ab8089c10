"""One pass: order kept, padding without influence, hooks gone, windows without influence."""

from pathlib import Path

import pytest
import torch
from tiny import make_texts
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from core.encoder import batches
from core.encoder.batches import encode, minibatches, plan_windows
from core.encoder.representations import Recorder, Representations
from core.request.points import point_names

TEXTS = [(text,) for text in make_texts(70, seed=3)]


@pytest.fixture(scope="module")
def model(tiny_bert: Path) -> torch.nn.Module:
    return AutoModelForSequenceClassification.from_pretrained(tiny_bert).eval()


@pytest.fixture(scope="module")
def tokenizer(tiny_bert: Path) -> object:
    return AutoTokenizer.from_pretrained(tiny_bert)


def run_all(
    model: torch.nn.Module, tokenizer: object, points: tuple[str, ...]
) -> tuple[Representations, list[torch.Tensor]]:
    encoded = encode(tokenizer, TEXTS, 128)
    windows = plan_windows(encoded, tokenizer, len(points) * 32 * 4)
    buffers = Representations(len(TEXTS), 2, len(points), 32, max(window.num_tokens for window in windows))
    tokens = []
    with Recorder(model, points) as recorder:
        for window in windows:
            for batch in window.micro_batches:
                buffers.store(batch, recorder.run(batch), recorder.states)
            tokens += [minibatch.clone() for minibatch in buffers.tokens(window)]
    return buffers, tokens


def test_a_shorter_last_minibatch_joins_the_one_before() -> None:
    for count, expected in ((4, [4]), (32, [32]), (63, [63]), (64, [32, 32]), (70, [32, 38]), (128, [32] * 4)):
        cut = minibatches(count)
        assert [len(batch) for batch in cut] == expected
        assert [i for batch in cut for i in batch] == list(range(count))


def test_every_reduction_equals_one_sentence_at_a_time(model: torch.nn.Module, tokenizer: object) -> None:
    points = point_names("both", 2)
    buffers, tokens = run_all(model, tokenizer, points)
    cut = minibatches(len(TEXTS))
    for index, (text,) in enumerate(TEXTS):
        with torch.inference_mode(), Recorder(model, points) as recorder:
            inputs = tokenizer(text, return_tensors="pt")
            logits = model(**inputs).logits[0]
            alone = torch.stack([state[0] for state in recorder.states])  # (points, length, hidden)
        torch.testing.assert_close(buffers.logits[index], logits, rtol=0, atol=1e-5)
        torch.testing.assert_close(buffers.cls[:, index], alone[:, 0], rtol=0, atol=1e-5)
        torch.testing.assert_close(buffers.mean[:, index], alone.mean(1), rtol=0, atol=1e-5)
        which = next(k for k, batch in enumerate(cut) if index in batch)
        flat = tokens[which][:, index - cut[which].start]  # (points, longest · hidden)
        torch.testing.assert_close(flat[:, : alone[0].numel()], alone.flatten(1), rtol=0, atol=1e-5)
        assert not flat[:, alone[0].numel() :].any(), "padding must be zero"


def test_padding_is_never_read_though_a_tokenizer_gives_no_mask(model: torch.nn.Module, tiny_bert: Path) -> None:
    silent = AutoTokenizer.from_pretrained(tiny_bert, model_input_names=["input_ids"])
    assert "attention_mask" not in silent("good")
    points = point_names("both", 2)
    expected, _ = run_all(model, AutoTokenizer.from_pretrained(tiny_bert), points)
    found, _ = run_all(model, silent, points)
    assert torch.equal(found.logits, expected.logits)
    assert torch.equal(found.mean, expected.mean)


def test_windows_change_nothing(model: torch.nn.Module, tokenizer: object, monkeypatch: pytest.MonkeyPatch) -> None:
    points = point_names("attention", 2)
    whole, tokens = run_all(model, tokenizer, points)
    monkeypatch.setattr(batches, "WINDOW_BYTES", 1)
    encoded = encode(tokenizer, TEXTS, 128)
    assert len(plan_windows(encoded, tokenizer, 1)) == len(minibatches(len(TEXTS))) > 1
    windowed, windowed_tokens = run_all(model, tokenizer, points)
    torch.testing.assert_close(windowed.mean, whole.mean, rtol=0, atol=1e-5)
    for ours, theirs in zip(windowed_tokens, tokens, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
