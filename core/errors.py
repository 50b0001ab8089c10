"""The project's exception, whose message a command line prints and a page shows."""

import re
from collections.abc import Sequence

# Everything that begins a new line, and half characters, which cannot be encoded.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_EMPTY = re.compile(r"(?<!\w)''(?!\w)")  # an empty quoted value
_HEAD_CHARS, _TAIL_CHARS = 2_000, 500  # kept of a long message; a command inside takes a thousand


class PrunescopeError(Exception):
    """A request cannot be carried out.

    The message is one line for a reader: it names the value, the bound it breaks and the remedy. A
    quoted value cannot break the line, and the middle of an overlong line is omitted.
    """

    def __init__(self, message: str) -> None:
        if len(message) > _HEAD_CHARS + _TAIL_CHARS:
            message = f"{message[:_HEAD_CHARS]} … {message[-_TAIL_CHARS:]}"
        line = _UNPRINTABLE.sub(" ", message)
        super().__init__(_EMPTY.sub("(empty)", line))

    def _render_traceback_(self) -> list[str]:
        """Show only the message in a notebook: IPython calls this method of an exception."""
        return [f"{type(self).__name__}: {self}"]


class BusyError(PrunescopeError):
    """Something shared is busy or too slow; the request may be sound, so no cache keeps this."""


def first_few(names: Sequence[str], most: int = 6, chars: int = 40) -> str:
    """List the first few names in a message, each shortened, with an ellipsis for the others."""
    first = [" ".join(name.split())[:chars] for name in names[:most]]
    if len(names) > most:
        first.append("…")
    return ", ".join(first)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of Python or PyTorch says that memory is full, also a device's."""
    if isinstance(error, MemoryError):
        return True
    words = str(error)
    return "DefaultCPUAllocator" in words or "out of memory" in words


OUT_OF_MEMORY = "there is not enough memory for this: try fewer examples or a smaller checkpoint"
