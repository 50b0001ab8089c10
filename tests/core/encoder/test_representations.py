"""Forward passes: padding has no influence, and PyTorch serves where oneDNN does not.

`tests/independent` computes what a pass gives, one sentence at a time, core/test_verify.py in other
windows.
"""

import shutil
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from strangers import changed
from torch import nn

from core.encoder import representations
from core.encoder.representations import fast_linear
from tests.core.sweep.test_sweep import run


def test_a_tokenizer_without_masks_changes_no_result(
    tiny_bert: Path, glue_folder: Path, tmp_path: Path
) -> None:
    maskless = shutil.copytree(tiny_bert, tmp_path / "maskless")
    changed("tokenizer_config.json", model_input_names=["input_ids"])(maskless)
    frames = run(maskless, glue_folder).frames
    assert frames == run(tiny_bert, glue_folder).frames, "padding is never read"


@torch.inference_mode()
def test_without_onednn_pytorch_runs_linear_layers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        representations,
        "_onednn",
        Mock(side_effect=AttributeError("mkldnn has no such attribute")),
    )
    monkeypatch.setattr(representations, "_has_onednn", representations._has_onednn.__wrapped__)
    layer = nn.Linear(33, 9)
    values = torch.randn(3, 5, 33)
    with fast_linear():
        product = layer(values)
    assert torch.equal(product, layer(values))
