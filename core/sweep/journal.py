"""A sweep's finished amounts on disk: an interrupted sweep goes on in its middle, to the same bits.

One line of JSON describes the sweep and the software; each further line holds one amount, written as soon as it is
known. A line that a killed process left unfinished is cut off. A journal of another sweep, of another version or of
another number of threads, or without that description, is thrown away: its numbers could differ in their last bits.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.results.schema import Frame
from core.results.store import write_atomically
from core.similarity import Compared
from core.sweep.beside import AmountResult

Array = npt.NDArray[np.float64]
_DTYPE = np.dtype("<f8")


class Journal:
    """The finished amounts of one sweep.

    Args:
        path: The file; it need not exist.
        made_by: Plain JSON values that must agree for its amounts to be of use.
    """

    def __init__(self, path: Path, made_by: Mapping[str, Any]) -> None:
        self._path = path
        self._head = json.dumps(made_by, sort_keys=True).encode()

    def read(self) -> dict[float, AmountResult]:
        """Return the finished amounts, and make the file ready for further ones.

        Raises:
            OSError: It cannot be read or written.
        """
        head, *lines = (self._path.read_bytes() if self._path.is_file() else b"").split(b"\n")
        whole, found = [self._head], dict[float, AmountResult]()
        for line in lines[:-1] if head == self._head else ():
            try:
                result = _read(json.loads(line))
            except (ValueError, KeyError, TypeError):  # damaged, and what follows cannot be trusted
                break
            whole.append(line)
            found[result.frame.amount] = result
        write_atomically(self._path, b"\n".join([*whole, b""]))
        return found

    def add(self, result: AmountResult) -> None:
        """Append a finished amount.

        Raises:
            OSError: It cannot be written.
        """
        line = json.dumps(_written(result), separators=(",", ":")).encode() + b"\n"
        with self._path.open("ab") as file:
            file.write(line)

    def remove(self) -> None:
        """Delete the file: the whole result is stored."""
        self._path.unlink(missing_ok=True)


def _written(result: AmountResult) -> dict[str, Any]:
    return {
        "frame": result.frame.model_dump(mode="json"),
        "compared": {
            measure: {reduction: values and _similarity(values) for reduction, values in by_reduction.items()}
            for measure, by_reduction in result.compared.items()
        },
        "rest_predictions": list(result.rest_predictions),
    }


def _similarity(compared: Compared) -> dict[str, Any]:
    without = compared.without
    return {"values": _packed(compared.values), "without": None if without is None else _packed(without)}


def _packed(values: Array) -> dict[str, Any]:
    return {"shape": values.shape, "data": b64encode(values.astype(_DTYPE).tobytes()).decode()}


def _read(line: Mapping[str, Any]) -> AmountResult:
    return AmountResult(
        Frame.model_validate(line["frame"]),
        {
            measure: {reduction: values and _compared(values) for reduction, values in by_reduction.items()}
            for measure, by_reduction in line["compared"].items()
        },
        tuple(line["rest_predictions"]),
    )


def _compared(values: Mapping[str, Any]) -> Compared:
    without = values["without"]
    return Compared(_unpacked(values["values"]), None if without is None else _unpacked(without))


def _unpacked(packed: Mapping[str, Any]) -> Array:
    raw = np.frombuffer(b64decode(packed["data"], validate=True), _DTYPE)
    return raw.reshape(packed["shape"]).astype(np.float64)
