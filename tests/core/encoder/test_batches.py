"""Texts are tokenised some at a time, each time within a deadline, and the result is that of all at once."""

from contextlib import nullcontext

import pytest

from core.encoder import batches
from core.encoder.batches import TOKENISED_AT_ONCE, TOKENISING_SECONDS, encode
from tests.tiny import make_texts


def test_some_texts_at_a_time_have_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    deadlines: list[float] = []
    seen: list[int] = []

    def tokenizer(first: list[str], second: list[str], **options: object) -> dict[str, list[list[int]]]:
        seen.append(len(first))
        assert deadlines == [TOKENISING_SECONDS] * len(seen)
        return {"input_ids": [[len(a), len(b)] for a, b in zip(first, second, strict=True)]}

    monkeypatch.setattr(batches, "within", lambda seconds: nullcontext(deadlines.append(seconds)))
    texts = [(text, text * 2) for text in make_texts(2 * TOKENISED_AT_ONCE + 3)]
    features = encode(tokenizer, texts)
    assert seen == [TOKENISED_AT_ONCE, TOKENISED_AT_ONCE, 3]
    assert [feature["input_ids"] for feature in features] == [[len(a), len(b)] for a, b in texts]
