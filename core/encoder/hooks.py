"""Record what modules read or write with forward hooks, and remove the hooks afterwards."""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, Literal, NamedTuple

from torch import Tensor, nn


class Tap(NamedTuple):
    """What to record: the tensor that a module reads (its first argument), or the one that it returns."""

    module: nn.Module
    side: Literal["input", "output"]


class Catcher(ExitStack):
    """Records one tensor per tap in every forward pass of a model, that of the module's first call.

    Some modules are called again in the same pass: DeBERTa's query and key matrices read the tokens first and the
    relative positions second. A context manager: on exit every hook is removed.
    """

    def __init__(self, model: nn.Module, taps: Sequence[Tap]) -> None:
        """Register one hook per tap, and one that marks the start of a pass.

        Args:
            model: The model that is run.
            taps: Modules of the model.
        """
        super().__init__()
        self._count = len(taps)
        self._caught: dict[int, Tensor] = {}
        self.callback(model.register_forward_pre_hook(lambda *_: self._caught.clear()).remove)
        for index, (module, side) in enumerate(taps):
            register = module.register_forward_pre_hook if side == "input" else module.register_forward_hook
            self.callback(register(partial(self._catch, index)).remove)

    @property
    def states(self) -> list[Tensor]:
        """The tensors of the last forward pass, in the order of the taps."""
        return [self._caught[index] for index in range(self._count)]

    def _catch(self, index: int, module: nn.Module, inputs: tuple[Tensor, ...], output: Any = None) -> None:
        values = inputs if output is None else output
        self._caught.setdefault(index, values if isinstance(values, Tensor) else values[0])  # most are tuples
