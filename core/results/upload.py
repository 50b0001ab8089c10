"""Read a result file of unknown origin: the server in a limited child process (`open_upload`)."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from core.errors import PrunescopeError
from core.request.catalog import EMBEDDED
from core.request.limits import is_hosted
from core.results.schema import SweepResult
from core.results.showable import check_showable
from core.results.store import parse
from core.wall.reading import read

EMBEDDED_IDS = {known.id for known in EMBEDDED.values()}


def max_megabytes() -> int:
    """Return the size limit of an upload; reading a file holds up every visitor."""
    return 5 if is_hosted() else 20


def open_upload(content: bytes, name: str) -> SweepResult:
    """Have a result file of unknown origin read, as `read_upload` does, where it can take no memory from the server.

    Args:
        content: The file.
        name: Its name, for messages.

    Raises:
        PrunescopeError: It is too large, takes too much memory or time, or is no result that pages can show.
    """
    if len(content) > max_megabytes() * 1024**2:
        raise PrunescopeError(
            f"{name} is {len(content) / 1024**2:.1f} MB, more than the {max_megabytes()} MB that can be opened here: "
            "choose a smaller result"
        )
    with TemporaryDirectory(prefix="prunescope-") as folder:
        path = Path(folder) / "upload.json"
        path.write_bytes(content)
        return SweepResult.model_validate_json(read("upload", [(path, name)]))


def read_upload(content: bytes, name: str) -> SweepResult:
    """Read a result file of unknown origin.

    The checks of the file format find damage and accidents. A file can pass them and still name methods, tasks or
    labels that do not exist here.

    Args:
        content: The file.
        name: Its name, for messages.

    Raises:
        PrunescopeError: It is not a result, or a result that no page can show.
    """
    try:
        result = parse(json.loads(content), name)
    except (ValueError, RecursionError) as error:
        raise PrunescopeError(f"{name} is not readable as JSON: choose a result file of Prunescope") from error
    check_showable(result, name)
    for checkpoint in (result.checkpoint, result.against):  # a question about it would ask the Hub for another id
        if checkpoint and checkpoint.source == "embedded" and checkpoint.id not in EMBEDDED_IDS:
            raise PrunescopeError(
                f"{name} cannot be opened: no checkpoint {checkpoint.id} comes with this program; choose a result file "
                "that Prunescope wrote"
            )
    return result
