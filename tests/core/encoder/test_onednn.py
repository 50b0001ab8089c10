"""Linear layers by oneDNN agree with PyTorch's own, in every shape that a model has, and only inside the context."""

import platform

import pytest
import torch
from torch import nn

from core.encoder import onednn
from core.encoder.onednn import fast_linear

is_x86 = platform.machine().lower() in ("x86_64", "amd64")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes that oneDNN was asked to multiply."""
    onednn._is_available()  # it tries a product, once in a process
    seen: list[tuple[int, ...]] = []
    original = onednn._linear

    def counted(input: torch.Tensor, *rest: object) -> torch.Tensor:
        seen.append(tuple(input.shape))
        return original(input, *rest)

    monkeypatch.setattr(onednn, "_linear", counted)
    return seen


@pytest.mark.parametrize("shape", [(7, 33), (3, 5, 33), (1, 33)])
@pytest.mark.parametrize("bias", [True, False])
@torch.inference_mode()
def test_agrees_with_the_product_in_float64(shape: tuple[int, ...], bias: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    layer = nn.Linear(33, 9, bias=bias)
    for parameter in layer.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=generator))
    values = torch.randn(shape, generator=generator)
    with fast_linear():
        found = layer(values)
    torch.testing.assert_close(found.double(), layer.double()(values.double()), rtol=1e-5, atol=1e-5)


@torch.inference_mode()
def test_reads_inputs_that_are_not_contiguous(calls: list[tuple[int, ...]]) -> None:
    layer, states = nn.Linear(8, 8), torch.randn(4, 6, 8)  # as a pooler reads the first token
    with fast_linear():
        found = layer(states[:, 0])
    torch.testing.assert_close(found, layer(states[:, 0]))
    assert calls == ([(4, 8)] if is_x86 else [])


@torch.inference_mode()
def test_leaves_other_functions_other_types_and_everything_outside_alone(calls: list[tuple[int, ...]]) -> None:
    layer = nn.Linear(8, 8)
    with fast_linear():
        layer.double()(torch.ones(2, 8, dtype=torch.float64))
        nn.LayerNorm(8)(torch.ones(2, 8))
    layer.float()(torch.ones(2, 8))
    assert not calls


@torch.inference_mode()
def test_without_the_operator_pytorch_multiplies(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> torch.Tensor:
        raise AttributeError("'_OpNamespace' 'mkldnn' object has no attribute '_linear_pointwise'")

    monkeypatch.setattr(onednn, "_linear", missing)
    onednn._is_available.cache_clear()
    try:
        with fast_linear():
            assert nn.Linear(3, 2)(torch.ones(1, 3)).shape == (1, 2)
    finally:
        onednn._is_available.cache_clear()
