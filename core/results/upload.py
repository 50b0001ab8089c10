"""Have a result file of unknown origin read, in a limited child process."""

from pathlib import Path
from tempfile import TemporaryDirectory

from core.errors import PrunescopeError
from core.request.catalog import EMBEDDED
from core.request.limits import is_hosted
from core.results.schema import SweepResult
from core.wall.reading import read

EMBEDDED_IDS = {known.id for known in EMBEDDED.values()}


def max_megabytes() -> int:
    """Return the size limit of an upload; reading a file holds up every visitor."""
    return 5 if is_hosted() else 20


def open_upload(content: bytes, name: str) -> SweepResult:
    """Have `core.results.showable.load_showable` read a file where it can take no memory from the server.

    Args:
        content: The file.
        name: Its name, for messages.

    Raises:
        PrunescopeError: It is too large, takes too much memory or time, or is no result that pages can show.
    """
    if len(content) > max_megabytes() * 1024**2:
        raise PrunescopeError(f"{name} is larger than {max_megabytes()} MB: choose a smaller result")
    with TemporaryDirectory(prefix="prunescope-") as folder:
        path = Path(folder) / "upload.json"
        path.write_bytes(content)
        result = SweepResult.model_validate_json(read("upload", [(path, name)]))
    for known in (result.checkpoint, result.against):  # a question about it would ask the Hub for another id
        if known and known.source == "embedded" and known.id not in EMBEDDED_IDS:
            raise PrunescopeError(f"{name} cannot be opened: no checkpoint {known.id} comes with this program")
    return result
