"""A stranger's result file, made from a good one and read as by the limited process."""

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import reduce
from operator import getitem
from pathlib import Path
from tempfile import TemporaryDirectory

from core.errors import PrunescopeError
from core.results.cut import RESULT, Result
from core.results.key import digest, key_of
from core.results.schema import SweepResult
from core.results.store import load


def read_upload(content: bytes, name: str) -> SweepResult:
    """Read what a visitor uploads under a name."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "upload.json"
        path.write_bytes(content)
        return load(path, name)


def rewritten(
    result: Result,
    changes: Mapping[str, object],
    with_key: bool = True,
    sealed: bool = True,
) -> bytes:
    """Change values of a result's file.

    Args:
        result: The result.
        changes: Values by their paths, such as `frames.1.metrics`.
        with_key: Whether to update the key, as anybody can.
        sealed: Whether to update the checksum.
    """
    values = json.loads(result.model_dump_json())
    for path, value in changes.items():
        *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
        reduce(getitem, steps, values)[last] = value
    if with_key:
        with suppress(PrunescopeError, ValueError):  # content of another format has no key
            values["key"] = key_of(RESULT.validate_python(values, extra="ignore"))
    if sealed:
        del values["checksum"]
        values["checksum"] = digest(values)
    return json.dumps(values).encode()
