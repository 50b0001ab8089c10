"""Run linear layers by oneDNN, which uses the full width of every x86 processor.

PyTorch multiplies float32 matrices by MKL. On processors of other makers than Intel, MKL leaves AVX-512 unused and
takes about twice as long (measured on an AMD EPYC: 110 against 240 GFLOPS a core). Both round in float32; their results
differ in the seventh digit, as those of two processors do.
"""

import platform
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode


class _OneDnn(TorchFunctionMode):
    """Replaces `torch.nn.functional.linear`; for inference, since oneDNN's operator has no gradient."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is functional.linear and args[0].dtype == torch.float32:
            return _linear(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(input, weight, bias, "none", [], "")


@cache
def _is_available() -> bool:
    """Whether this machine and this version of PyTorch have the operator, which is not part of PyTorch's public API."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False  # elsewhere PyTorch's own choice is the faster one
    try:
        found = _linear(torch.eye(2), torch.eye(2), torch.ones(2))
    except (AttributeError, RuntimeError, TypeError):
        return False
    return torch.equal(found, torch.eye(2) + 1)


def fast_linear() -> AbstractContextManager[object]:
    """Return a context in which linear layers run by oneDNN where it is available, without gradients."""
    return _OneDnn() if _is_available() else nullcontext()
