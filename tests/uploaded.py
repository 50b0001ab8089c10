"""A stranger's result file, made from a good one and read as the limited process reads it."""

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import reduce
from operator import getitem
from pathlib import Path
from tempfile import TemporaryDirectory

from core.errors import PrunescopeError
from core.results.cut import ANY, Result
from core.results.digest import digest
from core.results.key import key_of
from core.results.schema import SweepResult
from core.results.store import load


def read_upload(content: bytes, name: str) -> SweepResult:
    """Reads what a visitor has uploaded under a name."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "upload.json"
        path.write_bytes(content)
        return load(path, name)


def rewritten(result: Result, changes: Mapping[str, object], with_key: bool = True, sealed: bool = True) -> bytes:
    """Changes values of a result's file.

    Args:
        result: The result.
        changes: Values by their places, such as `frames.1.metrics`.
        with_key: Whether its key fits, which anybody can compute.
        sealed: Whether its checksum fits.
    """
    values = json.loads(result.model_dump_json())
    for place, to in changes.items():
        *steps, last = (int(step) if step.isdigit() else step for step in place.split("."))
        reduce(getitem, steps, values)[last] = to
    if with_key:
        with suppress(PrunescopeError, ValueError):  # what the format itself refuses has no key
            values["key"] = key_of(ANY.validate_python(values))
    if sealed:
        del values["checksum"]
        values["checksum"] = digest(values)
    return json.dumps(values).encode()
