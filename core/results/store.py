"""Result files on disk: atomic save, load, and look-up by key."""

import gzip
import json
import os
import re
import tempfile
import time
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path
from pydantic import ValidationError

from core.errors import PrunescopeError
from core.request.catalog import SHIPPED
from core.request.limits import is_hosted
from core.results.digest import digest
from core.results.key import key_of, sealed
from core.results.schema import SCHEMA_VERSION, SweepResult

SHIPPED_RESULTS = SHIPPED / "results"
PLAIN, COMPRESSED = ENDINGS = (".json", ".json.gz")  # `gzip -9n` compresses large ones before they are shipped
MAX_BYTES = 64 * 2**20  # of a file, decompressed; one of 24 layers and 100 amounts has some 20
PART, OLD_SECONDS = ".part", 3600.0  # a file that is being written, and how long that never takes
_KEY = re.compile(r"[0-9a-f]{64}")


def user_folder() -> Path:
    """Return the folder of live results: `$PRUNESCOPE_RESULTS`, else one in the user's cache directory."""
    chosen = os.environ.get("PRUNESCOPE_RESULTS")
    return Path(chosen) if chosen else user_cache_path("prunescope") / "results"


def result_files(folder: Path) -> list[Path]:
    """Return the files of results in a folder, by name; not those of amounts that a grid has yet to put together."""
    return sorted(path for path in folder.glob("*.json*") if path.name.endswith(ENDINGS))


def check_writable(output: Path | None) -> None:
    """Refuse an output that cannot be written, before a sweep runs for nothing.

    Args:
        output: See `save`.

    Raises:
        PrunescopeError: Its folder cannot be created or written.
    """
    folder = _folder_of(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        remove_parts(folder, f".*{PART}")
    except OSError as error:
        raise _not_writable(folder, error) from error


def remove_parts(folder: Path, pattern: str) -> None:
    """Delete what processes that were killed while writing have left; what is written now is younger.

    Args:
        folder: Where it lies.
        pattern: Of its names.

    Raises:
        OSError: It cannot be deleted.
    """
    for part in folder.glob(pattern):
        with suppress(FileNotFoundError):  # its writer has just finished
            if time.time() - part.stat().st_mtime > OLD_SECONDS:
                part.unlink()


def save(result: SweepResult, output: Path | None = None) -> Path:
    """Write a whole result atomically: a reader sees the whole file or none.

    Args:
        result: A finished result.
        output: A file ending in .json or .json.gz, or a folder, whose file of this result it replaces; None for the
            user's folder.

    Returns:
        The file's path.

    Raises:
        PrunescopeError: The folder cannot be written.
    """
    folder = _folder_of(output)
    path = output if output is not None and output != folder else place_in(folder, result.key)
    text = json.dumps(
        sealed(result).model_dump(mode="json"), allow_nan=False, ensure_ascii=False, separators=(",", ":")
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, gzip.compress(text.encode(), mtime=0) if path.suffix == ".gz" else text)
    except OSError as error:
        raise _not_writable(path, error) from error
    return path


def _folder_of(output: Path | None) -> Path:
    if output is None:
        return user_folder()
    return output.parent if output.name.endswith(ENDINGS) else output


def _not_writable(path: Path, error: OSError) -> PrunescopeError:
    if is_hosted():  # nothing of the server's folders
        return PrunescopeError(f"this server cannot store results now ({error.strerror}): try again later")
    return PrunescopeError(f"cannot write {path} ({error.strerror}): choose another folder or PRUNESCOPE_RESULTS")


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file through a temporary file in the same folder; text as UTF-8.

    Raises:
        OSError: It cannot be written; no partial file stays behind.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem[:20]}-", suffix=PART)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load(path: Path) -> SweepResult:
    """Read and check a result file, also one that is compressed.

    Raises:
        PrunescopeError: It is missing, of another schema version, malformed or damaged, or named by another key.
    """
    try:
        if not path.is_file():  # a pipe would be read forever
            raise PrunescopeError(_no_file(path))
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise PrunescopeError(f"{path.name} holds more than {MAX_BYTES // 2**20} MiB: choose a smaller result")
        values = json.loads(content)
    except (ValueError, RecursionError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise PrunescopeError(f"{path.name} is not readable as JSON: recompute it") from error
    except OSError as error:
        raise PrunescopeError(f"{path.name} cannot be read ({error.strerror}): recompute it") from error
    result = parse(values, path.name)
    named = path.name.removesuffix(".gz").removesuffix(PLAIN)
    if _KEY.fullmatch(named) and named != result.key:
        raise PrunescopeError(f"{path.name} holds the result {result.key[:12]}…: name it by its own key")
    return result


def _no_file(path: Path) -> str:
    if os.path.lexists(path):
        return f"{path.name} is not a regular file, or is a link that leads nowhere: remove it"
    return f"no result file {path}: make it with python -m core.precompute"


def parse(values: Any, name: str) -> SweepResult:
    """Check the values of a result file: schema, shapes, checksum, key.

    Args:
        values: The parsed JSON.
        name: The file's name, for messages.

    Raises:
        PrunescopeError: An unknown schema version, a malformed field, a wrong checksum or a wrong key.
    """
    version = values.get("schema_version") if isinstance(values, dict) else None
    if version != SCHEMA_VERSION:
        raise PrunescopeError(
            f"{name} has schema version {version!r:.20}, this program reads {SCHEMA_VERSION}: compute it again in the "
            "Lab or with python -m core.precompute"
        )
    try:
        result = SweepResult.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise PrunescopeError(f"{name} is not a valid result: {place}: {first['msg']}; recompute it") from error
    try:
        checksum, key = digest({key: value for key, value in values.items() if key != "checksum"}), key_of(result)
    except ValueError as error:  # half of a character, written as an escape
        raise PrunescopeError(f"{name} is not a valid result: {error}; recompute it") from error
    if checksum != result.checksum:
        raise PrunescopeError(f"{name} does not match its checksum: it was edited or damaged, recompute it")
    if result.key != key:  # it would take another result's place
        given = f"{result.key[:12]}…" if result.key else "empty"
        raise PrunescopeError(f"{name} was edited: its key is {given}, its content's {key[:12]}…; recompute it")
    return result


def find(key: str) -> Path | None:
    """Look a result up by its key: shipped results, which nothing replaces, come before those in the user's folder."""
    if not _KEY.fullmatch(key):
        return None
    candidates = (place_in(folder, key) for folder in (SHIPPED_RESULTS, user_folder()))
    return next((path for path in candidates if path.is_file()), None)


def place_in(folder: Path, key: str) -> Path:
    """Return where a folder has the result with this key, compressed or not, or would have it."""
    compressed = folder / f"{key}{COMPRESSED}"
    return compressed if compressed.is_file() else folder / f"{key}{PLAIN}"


def own_is_shipped() -> bool:
    """Whether the user's folder is that of the shipped results, as it is where these are made."""
    return user_folder().resolve() == SHIPPED_RESULTS.resolve()


def is_shipped(key: str) -> bool:
    """Whether the result with this key is a shipped one."""
    path = find(key)
    return path is not None and path.parent == SHIPPED_RESULTS
