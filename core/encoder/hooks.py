"""Record what modules read or write with forward hooks, and remove the hooks afterwards."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn


class Catcher:
    """Records one tensor per module in every forward pass.

    A context manager: on exit every hook is removed.

    Attributes:
        states: The tensors of the last forward pass, in the order of the modules.
    """

    def __init__(self, modules: Sequence[nn.Module], side: Literal["input", "output"]) -> None:
        """Register one hook per module.

        Args:
            modules: Modules whose first input or output is a tensor.
            side: What to record.
        """
        self.states: list[Tensor] = [torch.empty(0)] * len(modules)
        self._handles = [
            module.register_forward_pre_hook(self._catch_input(index))
            if side == "input"
            else module.register_forward_hook(self._catch_output(index))
            for index, module in enumerate(modules)
        ]

    def _catch_input(self, index: int) -> Any:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            self.states[index] = inputs[0]

        return hook

    def _catch_output(self, index: int) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            self.states[index] = output if isinstance(output, Tensor) else output[0]  # some layers return tuples

        return hook

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()
