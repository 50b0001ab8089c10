"""Forward passes: windows and padding have no influence, oneDNN agrees with PyTorch.

`tests/independent` computes what a pass gives, one sentence at a time.
"""

import platform
import shutil
from pathlib import Path

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


@pytest.mark.parametrize("is_missing", [False, True])
@torch.inference_mode()
def test_onednn_runs_float32_linear_layers_and_agrees_with_float64(
    monkeypatch: pytest.MonkeyPatch, is_missing: bool
) -> None:
    shapes: list[tuple[int, ...]] = []
    onednn_linear = representations._linear

    def linear(input: torch.Tensor, *rest: torch.Tensor | None) -> torch.Tensor:
        if is_missing:
            raise AttributeError("'_OpNamespace' 'mkldnn' object has no attribute '_linear_pointwise'")
        shapes.append(tuple(input.shape))
        return onednn_linear(input, *rest)

    monkeypatch.setattr(representations, "_linear", linear)
    has_onednn = platform.machine().lower() in ("x86_64", "amd64") and not is_missing
    monkeypatch.setattr(representations, "_has_onednn", representations._has_onednn.__wrapped__)
    inputs = [torch.randn(7, 33), torch.randn(3, 5, 33), torch.randn(4, 6, 33)[:, 0]]  # a pooler reads the first token
    for layer in (nn.Linear(33, 9), nn.Linear(33, 9, bias=False)):
        with fast_linear():
            shapes.clear()  # `fast_linear` has tried it
            products = [layer(values) for values in inputs]
            nn.Linear(8, 8, dtype=torch.float64)(torch.ones(2, 8, dtype=torch.float64))
        layer(inputs[0])
        assert shapes == ([(7, 33), (3, 5, 33), (4, 33)] if has_onednn else [])
        layer.double()
        for values, product in zip(inputs, products, strict=True):
            torch.testing.assert_close(product.double(), layer(values.double()), rtol=1e-5, atol=1e-5)
