"""Texts are tokenised some at a time, each time within a deadline, and the result is that of all at once."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from core.encoder import batches
from core.encoder.batches import TOKENISED_AT_ONCE, TOKENISING_SECONDS, encode
from tests.tiny import make_texts


def test_some_texts_at_a_time_and_a_tokenizer_have_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    deadlines: list[float] = []

    @contextmanager
    def within(seconds: float) -> Iterator[None]:
        deadlines.append(seconds)
        yield

    def tokenizer(first: list[str], second: list[str], **options: object) -> dict[str, list[list[int]]]:
        assert options == {"truncation": True, "max_length": 9}
        seen.append(len(first))
        assert deadlines == [TOKENISING_SECONDS] * len(seen)
        return {"input_ids": [[len(a), len(b)] for a, b in zip(first, second, strict=True)]}

    monkeypatch.setattr(batches, "within", within)
    seen: list[int] = []
    texts = [(text, text * 2) for text in make_texts(2 * TOKENISED_AT_ONCE + 3)]
    encoded = encode(tokenizer, texts, 9)
    assert seen == [TOKENISED_AT_ONCE, TOKENISED_AT_ONCE, 3]
    assert [feature["input_ids"] for feature in encoded.features] == [[len(a), len(b)] for a, b in texts]
    assert encoded.lengths.tolist() == [2] * len(texts)
