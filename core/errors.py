"""The project's exception: a command line prints its message, a page shows it."""

import re
from collections.abc import Sequence

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")  # among them all that begins a new line
_EMPTY = re.compile(r"(?<!\w)''(?!\w)")  # a quoted value that is not there
_HEAD_CHARS, _TAIL_CHARS = 2_000, 500  # of a message; a command in one has a thousand


class PrunescopeError(Exception):
    """A request cannot be carried out.

    The message is one line for a reader: it names the value, the bound it breaks and the remedy. A quoted value cannot
    break the line, or make it endless: its middle is left out then.
    """

    def __init__(self, message: str) -> None:
        if len(message) > _HEAD_CHARS + _TAIL_CHARS:
            message = f"{message[:_HEAD_CHARS]} … {message[-_TAIL_CHARS:]}"
        super().__init__(_EMPTY.sub("(empty)", _CONTROL.sub(" ", message)))

    def _render_traceback_(self) -> list[str]:
        """Show the message alone in a notebook, where IPython asks an exception for this."""
        return [f"{type(self).__name__}: {self}"]


class BusyError(PrunescopeError):
    """Something shared is busy, or was too slow this time: no property of what was asked, so no cache keeps it."""


def first_few(names: Sequence[str], most: int = 6, chars: int = 40) -> str:
    """List names in a message: at most so many of them, their first characters, and an ellipsis for the others."""
    shown = [" ".join(name.split())[:chars] for name in names[:most]]
    return ", ".join([*shown, "…"] if len(names) > most else shown)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is full, in Python's own way or in PyTorch's."""
    return isinstance(error, MemoryError) or "DefaultCPUAllocator" in str(error)


OUT_OF_MEMORY = "there is not enough memory for this: try fewer examples or a smaller checkpoint"
