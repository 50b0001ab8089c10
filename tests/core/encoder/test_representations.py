"""Forward passes: windows and padding have no influence, and PyTorch serves where oneDNN does not.

`tests/independent` computes what a pass gives, one sentence at a time.
"""

import shutil
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from strangers import changed
from torch import nn

from core.encoder import batches, representations
from core.encoder.representations import fast_linear
from core.request.catalog import REDUCTIONS
from tests.core.sweep.test_sweep import run


def test_neither_windows_nor_a_tokenizer_without_masks_change_results(
    tiny_bert: Path, glue_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run(tiny_bert, glue_folder)
    maskless = shutil.copytree(tiny_bert, tmp_path / "maskless")
    changed("tokenizer_config.json", model_input_names=["input_ids"])(maskless)
    assert run(maskless, glue_folder).frames == expected.frames, "padding is never read"
    monkeypatch.setattr(batches, "WINDOW_BYTES", 1)
    for frame, expected_frame in zip(run(tiny_bert, glue_folder).frames, expected.frames, strict=True):
        assert frame.predictions == expected_frame.predictions
        for reduction in REDUCTIONS:
            matrices = (torch.tensor(each.matrix(reduction)) for each in (frame, expected_frame))
            torch.testing.assert_close(*matrices, rtol=0, atol=1e-5)


@torch.inference_mode()
def test_without_onednn_pytorch_runs_linear_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(representations, "_linear", Mock(side_effect=AttributeError("mkldnn has no such attribute")))
    monkeypatch.setattr(representations, "_has_onednn", representations._has_onednn.__wrapped__)
    layer, values = nn.Linear(33, 9), torch.randn(3, 5, 33)
    with fast_linear():
        product = layer(values)
    assert torch.equal(product, layer(values))
