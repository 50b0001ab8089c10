"""Result files on disk: written atomically, read with every check, found by their key."""

import gzip
import json
import os
import re
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from platformdirs import user_cache_path
from pydantic import ValidationError

from core.errors import PrunescopeError
from core.request.catalog import (
    EMBEDDED,
    MIN_EXAMPLES,
    REDUCTIONS,
    SHIPPED,
    TASKS,
)
from core.request.limits import is_hosted
from core.request.sweep_request import MAX_LABELS, MIN_LABELS, check_scope
from core.results.cut import KINDS, RESULT, CutStudy, Result, of_kind
from core.results.key import digest, key_of, sealed
from core.results.recovery import Recovery
from core.results.schema import SCHEMA_VERSION, SweepResult
from core.wall.reading import read

SHIPPED_RESULTS = SHIPPED / "results"
PLAIN, COMPRESSED = ENDINGS = (".json", ".json.gz")  # `gzip -9n` compresses shipped ones
MOST_CELLS = 500_000  # in the matrices of one kind: twice as many as 48 points and 100 amounts have
MAX_BYTES = 64 * 2**20  # decompressed; 24 layers and 100 amounts take about 20 MiB
SMALL_BYTES = 2 * 2**20  # of a file of unknown origin that is read in any process
ROOM_BYTES = 2**20  # required before work begins: twice the size of a result of 12 layers
PART = ".part"  # ends the name of a file being written
OLD_SECONDS = 3600.0  # which never takes that long
_KEY = re.compile(r"[0-9a-f]{64}")


class FileState(NamedTuple):
    """A file's path, size and time of change; `modified` is in nanoseconds."""

    path: Path
    size: int
    modified: int


def state_of(path: Path) -> FileState:
    """Return a file's state; that of an empty file if it is gone or a broken link."""
    with suppress(OSError):
        status = path.stat()
        return FileState(path, status.st_size, status.st_mtime_ns)
    return FileState(path, 0, 0)


def user_folder() -> Path:
    """Return the folder of live results: `$PRUNESCOPE_RESULTS`, else one in the user's cache."""
    chosen = os.environ.get("PRUNESCOPE_RESULTS")
    return Path(chosen) if chosen else user_cache_path("prunescope") / "results"


def result_files(folder: Path) -> list[Path]:
    """Return a folder's result files by name."""
    return sorted(path for path in folder.glob("*.json*") if path.name.endswith(ENDINGS))


# ---------------------------------------------------------------- writing


def check_writable(output: Path | None) -> None:
    """Refuse an output that cannot be written, before a sweep runs in vain.

    Args:
        output: See `save`.

    Raises:
        PrunescopeError: Its folder cannot be created or written, or has no room for a result.
    """
    folder = _folder_of(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(ROOM_BYTES))
        remove_parts(folder, f".*{PART}")
    except OSError as error:
        raise _not_writable(folder, error) from error


def check_new(folder: Path | None) -> None:
    """Refuse a folder to save a model to that holds something, or that cannot be made.

    Raises:
        PrunescopeError: It does, or cannot.
    """
    if folder is None:
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PrunescopeError(
            f"--save {folder} exists and is not an empty folder: choose another one"
        )
    check_writable(folder.parent)


def remove_parts(folder: Path, pattern: str) -> None:
    """Delete partial files whose writers were killed; files still being written are younger.

    Args:
        folder: Their folder.
        pattern: The pattern of their names.

    Raises:
        OSError: One cannot be deleted.
    """
    for part in folder.glob(pattern):
        with suppress(FileNotFoundError):  # its writer has just finished
            if time.time() - part.stat().st_mtime > OLD_SECONDS:
                part.unlink()


def save(result: Result, output: Path | None = None) -> Path:
    """Write a whole result atomically: a reader sees the whole file or none.

    Args:
        result: A finished result.
        output: A file ending in .json or .json.gz, or a folder, where it replaces the file of the
            same key; None for the user's folder.

    Returns:
        The file's path.

    Raises:
        PrunescopeError: The folder cannot be written.
    """
    folder = _folder_of(output)
    path = place_in(folder, result.key) if output in (None, folder) else output
    content = sealed(result).model_dump_json().encode()
    if path.suffix == ".gz":
        content = gzip.compress(content, mtime=0)
    try:
        write_atomically(path, content)
    except OSError as error:
        raise _not_writable(path, error) from error
    return path


def _folder_of(output: Path | None) -> Path:
    if output is None:
        return user_folder()
    return output.parent if output.name.endswith(ENDINGS) else output


def _not_writable(path: Path, error: OSError) -> PrunescopeError:
    place = "the server's results" if is_hosted() else path  # a visitor learns no server path
    return PrunescopeError(
        f"cannot write {place} ({error.strerror}): choose another folder, or try again later"
    )


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file through a temporary file in the same folder, created if need be; text as UTF-8.

    Raises:
        OSError: It cannot be written; no partial file is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
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


# ---------------------------------------------------------------- reading


def load(path: Path, name: str = "") -> SweepResult:
    """Read and check a sweep's file; see `load_any`.

    Raises:
        PrunescopeError: See `load_any`; or it is no sweep.
    """
    return of_kind(SweepResult, load_any(path, name), name or path.name)


def load_any(path: Path, name: str = "") -> Result:
    """Read and check the file of a result of any kind, possibly compressed, possibly a stranger's.

    Args:
        path: The file.
        name: Its name in messages; by default its own.

    Raises:
        PrunescopeError: It is missing, damaged, of another schema version or under a wrong key, or
            no page can show it.
    """
    name = name or path.name
    if not path.is_file():  # reading a pipe would never end
        raise PrunescopeError(
            f"{name} is not a result file: make one with python -m core.precompute"
        )
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise PrunescopeError(
                f"{name} holds more than {MAX_BYTES // 2**20} MiB: choose a smaller result"
            )
        values = json.loads(content)
    except (OSError, ValueError, RecursionError, EOFError, zlib.error) as error:
        raise PrunescopeError(f"{name} is not readable as JSON: recompute it") from error
    result = parse(values, name)
    stem = path.name.partition(".")[0]
    if _KEY.fullmatch(stem) and stem != result.key:
        raise PrunescopeError(f"{name} holds the result {result.key[:12]}…: name it by its own key")
    return result


def parse(values: Any, name: str) -> Result:
    """Check the values of a result file: schema, checksum, key, and whether pages can show it.

    Fields that the schema lacks are ignored: older files have some that were removed. The checksum
    covers them.

    Args:
        values: The parsed JSON.
        name: The file's name in messages.

    Raises:
        PrunescopeError: An unknown schema version, a removed feature, a malformed field, a wrong
            checksum or key, or something that no page can show.
    """
    version = values.get("schema_version") if isinstance(values, dict) else None
    if version != SCHEMA_VERSION:
        raise PrunescopeError(
            f"{name} has schema version {version!r:.20}, this program reads {SCHEMA_VERSION}: "
            "compute it again in the Lab or with python -m core.precompute"
        )
    try:
        result = RESULT.validate_python(values, extra="ignore")
        checksum = digest({part: values[part] for part in values if part != "checksum"})
        key = key_of(result)
        fault = next(_faults(result), "")
    except ValidationError as error:
        first = error.errors()[0]
        field = [str(part) for part in first["loc"] if part not in KINDS]
        fault = f"{'.'.join(field) or 'the whole'}: {first['msg']}"
    except (PrunescopeError, ValueError) as error:
        fault = str(error)  # a wrong scope, or a lone surrogate, which has no digest
    if fault:
        raise PrunescopeError(
            f"{name} is not a valid result: {fault}; recompute it, or choose another one"
        )
    # Under another key it would replace another result.
    if result.checksum != checksum or result.key != key:
        raise PrunescopeError(
            f"{name} does not match its checksum or key: it was edited or damaged, or is of a "
            "former edition, recompute it"
        )
    return result


def _faults(result: Result) -> Iterator[str]:
    """Yield why no page could show a result whose schema fits.

    Raises:
        PrunescopeError: A scope does not fit its method or its depth.
    """
    task = result.task
    checkpoint = result.checkpoint
    labels = len(task.label_names)
    if checkpoint.source == "embedded" and checkpoint.id not in EMBEDDED:
        yield f"no checkpoint {checkpoint.id} comes with this program"
    preset = TASKS.get(task.name)
    allowed = [len(preset.label_names)] if preset else range(MIN_LABELS, MAX_LABELS + 1)
    if labels not in allowed or len(task.examples) < MIN_EXAMPLES:
        yield f"{labels} labels and {len(task.examples)} examples do not fit {task.name}"
    if max(map(max, (task.gold, *result.predictions))) >= labels:
        yield f"a label lies outside 0 to {labels - 1}"
    if isinstance(result, CutStudy):
        return
    check_scope(result.pruning.scope, result.pruning.method, checkpoint.num_layers)
    frames = result.all_frames if isinstance(result, Recovery) else result.frames
    for frame in frames:
        cka = frame.similarity.cka
        if {*cka} != {*REDUCTIONS} or not all(isinstance(rows[0], tuple) for rows in cka.values()):
            yield "a frame lacks its CKA or a reduction"
        if frame.metrics.get("accuracy") is None:
            yield "a frame lacks its accuracy"
    cells = len(frames) * len(result.points) ** 2
    if cells > MOST_CELLS:
        yield f"its matrices have {cells:,} cells, at most {MOST_CELLS:,} can be drawn"


def open_upload(content: bytes, name: str) -> Result:
    """Read an uploaded file; see `load_safely`."""
    with tempfile.TemporaryDirectory(prefix="prunescope-") as folder:
        path = Path(folder) / "upload.json"
        path.write_bytes(content)
        return load_safely(path, name)


def load_safely(path: Path, name: str = "", holder: str = "") -> Result:
    """Read a file by `load_any`, in a limited child process unless it is small or shipped.

    Args:
        path: The file.
        name: Its name in messages; by default its own.
        holder: The name under which the reader takes its turn.

    Raises:
        BusyError: It was not read in time, or too many others are being read.
        PrunescopeError: It takes too much memory; or see `load_any`.
    """
    is_small = path.suffix != ".gz" and state_of(path).size <= SMALL_BYTES
    if is_small or path.parent == SHIPPED_RESULTS:
        return load_any(path, name)
    return RESULT.validate_json(read("result", [(path, name or path.name)], holder=holder))


# ---------------------------------------------------------------- looking up


def find(key: str) -> Path | None:
    """Find a result's file by its key, a shipped one, which nothing replaces, first."""
    if _KEY.fullmatch(key):
        for folder in (SHIPPED_RESULTS, user_folder()):
            path = place_in(folder, key)
            if path.is_file():
                return path
    return None


def file_of(key: str) -> Path:
    """Return a stored result's file.

    Raises:
        PrunescopeError: It is not stored here.
    """
    path = find(key)
    if path is None:
        raise PrunescopeError(
            f"the result {key[:12]}… is not stored here: recompute it, or choose another one"
        )
    return path


def stored(key: str) -> Result | None:
    """Read a stored result; None if there is none, or a damaged one, which will be replaced."""
    path = find(key)
    try:
        return load_any(path) if path else None
    except PrunescopeError as error:
        print(error, file=sys.stderr)
        return None


def place_in(folder: Path, key: str) -> Path:
    """Return the path that a folder has or would have for a key; a compressed file comes first."""
    compressed = folder / f"{key}{COMPRESSED}"
    return compressed if compressed.is_file() else folder / f"{key}{PLAIN}"


def own_is_shipped() -> bool:
    """Whether the user's folder is that of the shipped results, as where these are made."""
    return user_folder().resolve() == SHIPPED_RESULTS.resolve()


def is_shipped(key: str) -> bool:
    """Whether a shipped result has this key."""
    return _KEY.fullmatch(key) is not None and place_in(SHIPPED_RESULTS, key).is_file()
