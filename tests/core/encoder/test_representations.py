"""Windows and padding have no influence, and texts are tokenised some at a time, each time within a deadline.

`tests/independent` has what a pass computes, one sentence at a time.
"""

import shutil
from contextlib import nullcontext
from pathlib import Path

import pytest
from strangers import changed

from core.encoder import batches
from core.encoder.batches import TOKENISED_AT_ONCE, TOKENISING_SECONDS, encode, minibatches
from core.request.catalog import REDUCTIONS
from tests.core.sweep.test_sweep import run
from tests.tiny import make_texts


def test_a_shorter_last_minibatch_joins_the_one_before() -> None:
    for count, expected in ((4, [4]), (32, [32]), (63, [63]), (64, [32, 32]), (70, [32, 38]), (128, [32] * 4)):
        cut = minibatches(count)
        assert [len(batch) for batch in cut] == expected
        assert [i for batch in cut for i in batch] == list(range(count))


def test_windows_and_a_tokenizer_that_gives_no_mask_change_nothing(
    tiny_bert: Path, glue_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(tiny_bert, glue_folder)
    silent = shutil.copytree(tiny_bert, tmp_path / "silent")
    changed("tokenizer_config.json", model_input_names=["input_ids"])(silent)
    assert run(silent, glue_folder).frames == whole.frames, "padding is never read"
    monkeypatch.setattr(batches, "WINDOW_BYTES", 1)
    for ours, theirs in zip(run(tiny_bert, glue_folder).frames, whole.frames, strict=True):
        assert ours.predictions == theirs.predictions
        for reduction in REDUCTIONS:
            for row, expected in zip(ours.matrix(reduction), theirs.matrix(reduction), strict=True):
                assert row == pytest.approx(expected, abs=1e-5)


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
