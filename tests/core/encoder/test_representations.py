"""Windows and padding have no influence; `tests/independent` has what a pass computes, one sentence at a time."""

import shutil
from pathlib import Path

import pytest
from strangers import changed

from core.encoder import batches
from core.encoder.batches import minibatches
from tests.core.sweep.test_sweep import run


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
        for reduction in whole.reductions:
            for row, expected in zip(ours.matrix(reduction), theirs.matrix(reduction), strict=True):
                assert row == pytest.approx(expected, abs=1e-5)
