"""Result files on disk: atomic save, load, and look-up by key."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path
from pydantic import ValidationError

from core.errors import PrunescopeError
from core.request.catalog import SHIPPED
from core.results.schema import SCHEMA_VERSION, SweepResult, digest, sealed

SHIPPED_RESULTS = SHIPPED / "results"


def user_folder() -> Path:
    """Where live results go: `$PRUNESCOPE_RESULTS`, else a folder of the user's cache directory."""
    chosen = os.environ.get("PRUNESCOPE_RESULTS")
    return Path(chosen) if chosen else user_cache_path("prunescope") / "results"


def check_writable(output: Path | None) -> None:
    """Refuses an output that could not be written, before a sweep is spent on it.

    Args:
        output: As `save` takes it.

    Raises:
        PrunescopeError: Its folder cannot be made or written.
    """
    folder = _folder_of(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _not_writable(folder, error) from error


def save(result: SweepResult, output: Path | None = None) -> Path:
    """Writes a result atomically: a reader sees the whole file or none.

    Args:
        result: A finished result.
        output: A file ending in .json, or a folder; None is the user's folder.

    Returns:
        The file's path.

    Raises:
        PrunescopeError: The folder cannot be written.
    """
    folder = _folder_of(output)
    path = output if output is not None and output != folder else folder / f"{result.key}.json"
    text = json.dumps(sealed(result).model_dump(mode="json"), allow_nan=False, ensure_ascii=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    except OSError as error:
        raise _not_writable(path, error) from error
    return path


def _folder_of(output: Path | None) -> Path:
    if output is None:
        return user_folder()
    return output.parent if output.suffix == ".json" else output


def _not_writable(path: Path, error: OSError) -> PrunescopeError:
    return PrunescopeError(f"cannot write {path} ({error.strerror}): choose another --output or PRUNESCOPE_RESULTS")


def write_atomically(path: Path, text: str) -> None:
    """Writes a text file through a temporary one in the same folder.

    Args:
        path: The file to write or replace.
        text: Its content.

    Raises:
        OSError: It cannot be written; then nothing is left behind.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem[:20]}-", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load(path: Path) -> SweepResult:
    """Reads and checks a result file.

    Args:
        path: The file.

    Raises:
        PrunescopeError: It is missing, of another schema, malformed or damaged.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PrunescopeError(f"no result file {path}: make it with python -m core.precompute") from None
    except (OSError, ValueError) as error:
        raise PrunescopeError(f"{path.name} is not readable as JSON ({error}): recompute it") from error
    return parse(values, path.name)


def parse(values: Any, name: str) -> SweepResult:
    """Checks the values of a result file: schema, shapes, checksum.

    Args:
        values: What the JSON held.
        name: The file's name, for messages.

    Raises:
        PrunescopeError: Another schema version, a malformed field or a wrong checksum.
    """
    version = values.get("schema_version") if isinstance(values, dict) else None
    if version != SCHEMA_VERSION:
        raise PrunescopeError(
            f"{name} has schema version {version!r}, this program reads {SCHEMA_VERSION}: recompute it"
        )
    try:
        result = SweepResult.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise PrunescopeError(f"{name} is no valid result: {place}: {first['msg']}; recompute it") from error
    if digest({key: value for key, value in values.items() if key != "checksum"}) != result.checksum:
        raise PrunescopeError(f"{name} does not match its checksum: it was edited or damaged, recompute it")
    return result


def find(key: str) -> Path | None:
    """Looks a result up by its key, in the user's folder and among the shipped ones.

    Args:
        key: As `result_key` gives it.
    """
    if len(key) != 64 or not set(key) <= set("0123456789abcdef"):
        return None
    candidates = (folder / f"{key}.json" for folder in (user_folder(), SHIPPED_RESULTS))
    return next((path for path in candidates if path.is_file()), None)
