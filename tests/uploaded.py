"""A stranger's result file, read as the limited process reads it."""

from pathlib import Path
from tempfile import TemporaryDirectory

from core.results.schema import SweepResult
from core.results.showable import load_showable


def read_upload(content: bytes, name: str) -> SweepResult:
    """Reads what a visitor has uploaded under a name."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "upload.json"
        path.write_bytes(content)
        return load_showable(path, name)
