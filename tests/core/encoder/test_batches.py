"""Texts are tokenised some at a time, each time within a deadline, and the result is that of all at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.encoder import batches, loading
from core.encoder.batches import TOKENISED_AT_ONCE, TOKENISING_SECONDS, encode
from core.encoder.loading import CONVERSION_SECONDS, TOKENIZER_SECONDS
from core.inputs.checkpoints import resolve
from tests.tiny import make_texts


@pytest.fixture
def deadlines(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The deadlines in force so far, in seconds."""
    found: list[float] = []

    @contextmanager
    def within(seconds: float) -> Iterator[None]:
        found.append(seconds)
        yield

    for module in (batches, loading):
        monkeypatch.setattr(module, "within", within)
    return found


def test_some_texts_at_a_time_have_a_deadline(deadlines: list[float]) -> None:
    def tokenizer(first: list[str], second: list[str], **options: object) -> dict[str, list[list[int]]]:
        assert options == {"truncation": True, "max_length": 9}
        assert len(first) <= TOKENISED_AT_ONCE
        assert len(deadlines) > len(seen)
        seen.extend([len(first)])
        return {"input_ids": [[len(a), len(b)] for a, b in zip(first, second, strict=True)]}

    seen: list[int] = []
    texts = [(text, text * 2) for text in make_texts(2 * TOKENISED_AT_ONCE + 3)]
    encoded = encode(tokenizer, texts, 9)
    assert seen == [TOKENISED_AT_ONCE, TOKENISED_AT_ONCE, 3]
    assert [feature["input_ids"] for feature in encoded.features] == [[len(a), len(b)] for a, b in texts]
    assert encoded.lengths.tolist() == [2] * len(texts)
    assert deadlines == [TOKENISING_SECONDS] * 3


@pytest.mark.parametrize(("present", "seconds"), [(True, TOKENIZER_SECONDS), (False, CONVERSION_SECONDS)])
def test_a_tokenizer_is_loaded_within_a_deadline(
    tiny_bert: Path,
    tmp_path: Path,
    deadlines: list[float],
    monkeypatch: pytest.MonkeyPatch,
    present: bool,
    seconds: float,
) -> None:
    resolved = resolve(str(tiny_bert))
    monkeypatch.setattr("transformers.AutoTokenizer", SimpleNamespace(from_pretrained=lambda *_, **__: len(deadlines)))
    folder = tiny_bert if present else tmp_path
    assert loading._load_tokenizer(loading.Resolved(**{**vars(resolved), "folder": folder})) == 1
    assert deadlines == [seconds]
