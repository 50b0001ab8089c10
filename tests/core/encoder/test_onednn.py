"""Linear layers by oneDNN agree with PyTorch's own, in every shape that a model has, and only inside the context."""

import platform

import pytest
import torch
from torch import nn

from core.encoder import onednn
from core.encoder.onednn import fast_linear


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("bias", [True, False])
@torch.inference_mode()
def test_it_agrees_with_float64_and_leaves_the_rest(monkeypatch: pytest.MonkeyPatch, missing: bool, bias: bool) -> None:
    is_there = onednn._is_available()
    seen: list[tuple[int, ...]] = []
    real = onednn._linear

    def counted(input: torch.Tensor, *rest: torch.Tensor | None) -> torch.Tensor:
        if missing:
            raise AttributeError("'_OpNamespace' 'mkldnn' object has no attribute '_linear_pointwise'")
        seen.append(tuple(input.shape))
        return real(input, *rest)

    monkeypatch.setattr(onednn, "_linear", counted)
    onednn._is_available.cache_clear()
    assert onednn._is_available() == (is_there and not missing)
    seen.clear()
    torch.manual_seed(0)
    layer = nn.Linear(33, 9, bias=bias)
    inputs = [torch.randn(7, 33), torch.randn(3, 5, 33), torch.randn(4, 6, 33)[:, 0]]  # a pooler reads the first token
    with fast_linear():
        found = [layer(values) for values in inputs]
        nn.LayerNorm(8)(torch.ones(2, 8))
        nn.Linear(8, 8, dtype=torch.float64)(torch.ones(2, 8, dtype=torch.float64))
    layer(inputs[0])
    onednn._is_available.cache_clear()
    is_x86 = platform.machine().lower() in ("x86_64", "amd64")
    assert seen == ([(7, 33), (3, 5, 33), (4, 33)] if is_x86 and not missing else [])
    layer.double()
    for values, product in zip(inputs, found, strict=True):
        torch.testing.assert_close(product.double(), layer(values.double()), rtol=1e-5, atol=1e-5)
