"""The device that runs models, and micro-batches on it as far as its memory goes.

Models and gradients are on the device. Masks, and whatever decides a number in float64 or by NumPy,
are on the processor, where `on_processor` hands over. So a device without float64, such as Apple's,
takes no path of its own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from core.encoder.batches import MicroBatch
from core.errors import OUT_OF_MEMORY, PrunescopeError, is_out_of_memory
from core.request.limits import device_asked


def chosen_device() -> torch.device:
    """Return the device that was asked for.

    `auto` means CUDA, else Apple's MPS, else the processor.

    Raises:
        PrunescopeError: It is not there.
    """
    present = list[str]()
    if torch.cuda.is_available():
        present += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        present.append("mps")
    present.append("cpu")
    requested = device_asked()
    name = {"auto": present[0], "cuda": "cuda:0"}.get(requested, requested)
    if name not in present:
        remedy = f"set PRUNESCOPE_DEVICE or --device to one of auto, {', '.join(present)}"
        raise PrunescopeError(f"there is no device '{requested[:40]}' here: {remedy}")
    return torch.device(name)


def device_of(model: nn.Module) -> torch.device:
    """Return the device that a model is on."""
    return next(model.parameters()).device


def device_name(device: torch.device) -> str:
    """Name a device, a GPU with its model: `cpu`, `cuda:0 (NVIDIA H100)`."""
    if device.type != "cuda":
        return str(device)
    return f"{device} ({torch.cuda.get_device_name(device)})"


def place(model: nn.Module) -> None:
    """Move a model to the chosen device, or to the processor if that has no memory left.

    Raises:
        PrunescopeError: There is no such device.
    """
    torch.set_float32_matmul_precision("highest")  # no TF32
    with if_memory_suffices():
        model.to(chosen_device())
        return
    model.to("cpu")


@contextmanager
def if_memory_suffices() -> Iterator[None]:
    """Leave the context early if memory is full."""
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise


def where(model: nn.Module) -> str:
    """Say in a stage's name where a model runs: empty on a processor that was meant to."""
    device = device_of(model)
    chosen = chosen_device()
    if device != chosen:
        return f", on the processor: {chosen} has too little memory"
    return "" if device.type == "cpu" else f", on {device_name(device)}"


def on_processor(values: Tensor) -> Tensor:
    """Hand values of any shape over to the processor, without their graph."""
    return values.detach().cpu()


def in_parts(model: nn.Module, batch: MicroBatch, work: Callable[[MicroBatch], None]) -> None:
    """Do some work on a micro-batch where the model is.

    If memory does not suffice, the micro-batch is halved; if not even for one example, the model
    moves to the processor and stays there until it is borrowed again.

    Args:
        model: The model.
        batch: The micro-batch.
        work: Runs the model on what it is given, and keeps nothing if it fails.

    Raises:
        PrunescopeError: Memory does not suffice for one example.
    """
    with if_memory_suffices():
        work(batch.on(device_of(model)))
        return
    if len(batch.examples) > 1:
        for half in batch.halves():
            in_parts(model, half, work)
    elif device_of(model).type != "cpu":
        model.to("cpu")
        in_parts(model, batch, work)
    else:
        raise PrunescopeError(OUT_OF_MEMORY)
