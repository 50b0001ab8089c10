"""Result files on disk: atomic save, load with all checks, also of a stranger's, and look-up by key."""

import gzip
import json
import os
import re
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

from platformdirs import user_cache_path
from pydantic import ValidationError

from core.errors import PrunescopeError
from core.request.catalog import EMBEDDED, MEASURES, MIN_EXAMPLES, REMOVED_METHODS, SHIPPED, TASKS
from core.request.limits import LOCAL_LIMITS, is_hosted, limits
from core.request.sweep_request import MAX_LABELS, MIN_LABELS, check_scope
from core.results.cut import ANY, KINDS, CutStudy, Result, study_in, sweep_in
from core.results.digest import digest
from core.results.fields import values_in
from core.results.key import key_of, sealed
from core.results.schema import SCHEMA_VERSION, SweepResult
from core.wall.reading import read

SHIPPED_RESULTS = SHIPPED / "results"
PLAIN, COMPRESSED = ENDINGS = (".json", ".json.gz")  # `gzip -9n` compresses large ones before they are shipped
MOST_SIMILARITIES = 500_000  # of 48 points and 100 amounts it has half
MOST_VALUES = 5_000_000
MAX_BYTES = 64 * 2**20  # of a file, decompressed; one of 24 layers and 100 amounts has some 20
ROOM_BYTES = 2**20  # that must be left on a disk before work begins: twice what a result of 12 layers takes
PART, OLD_SECONDS = ".part", 3600.0  # a file that is being written, and how long that never takes
FORGOTTEN = (  # fields of older files, which are left out
    *("against", "pruning.allocation", "scores", "steps"),
    *("cuts.share", "cuts.kept", "cuts.read", "cuts.worth.changed"),
)
_KEY = re.compile(r"[0-9a-f]{64}")


class FileState(NamedTuple):
    """A file as it was seen; `modified` is in nanoseconds."""

    path: str
    size: int
    modified: int


def state_of(path: Path) -> FileState:
    """Look at a file; one that is gone, or a link that leads nowhere, has the state of an empty file."""
    with suppress(OSError):
        seen = path.stat()
        return FileState(os.fspath(path), seen.st_size, seen.st_mtime_ns)
    return FileState(os.fspath(path), 0, 0)


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


def save(result: Result, output: Path | None = None) -> Path:
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
    values = sealed(result).model_dump(mode="json")
    text = json.dumps(values, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    try:
        write_atomically(path, gzip.compress(text.encode(), mtime=0) if path.suffix == ".gz" else text)
    except OSError as error:
        raise _not_writable(path, error) from error
    return path


def _folder_of(output: Path | None) -> Path:
    if output is None:
        return user_folder()
    return output.parent if output.name.endswith(ENDINGS) else output


def _not_writable(path: Path, error: OSError) -> PrunescopeError:
    place = "the server's results" if is_hosted() else f"{path}"  # nothing of the server's folders
    return PrunescopeError(f"cannot write {place} ({error.strerror}): choose another folder, or try again later")


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file through a temporary file in the same folder, which is made if need be; text as UTF-8.

    Raises:
        OSError: It cannot be written; no partial file stays behind.
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


def load(path: Path, name: str = "") -> SweepResult:
    """Read and check a sweep's file, also one that is compressed or a stranger's.

    The schema, the key and the checksum find damage and accidents. A file can pass them and still be none that pages
    can show, such as one of a later version.

    Args:
        path: The file.
        name: What messages call it; empty for its own name.

    Raises:
        PrunescopeError: It is missing, damaged, of another schema version or key, no page can show it, or it is a
            study of cuts.
    """
    return sweep_in(load_any(path, name), name or path.name)


def load_cut(path: Path) -> CutStudy:
    """Read and check the file of a study of cuts; see `load`.

    Raises:
        PrunescopeError: As of `load`, or it is a sweep.
    """
    return study_in(load_any(path), path.name)


def load_any(path: Path, name: str = "") -> Result:
    """Read and check a result file of either kind; see `load`.

    Raises:
        PrunescopeError: It is missing, damaged, of another schema version or key, or no page can show it.
    """
    name = name or path.name
    if not path.is_file():  # a pipe would be read forever
        raise PrunescopeError(f"{name} is no file of a result: make one with python -m core.precompute")
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise PrunescopeError(f"{name} holds more than {MAX_BYTES // 2**20} MiB: choose a smaller result")
        values = json.loads(content)
    except (OSError, ValueError, RecursionError, EOFError, zlib.error) as error:
        raise PrunescopeError(f"{name} is not readable as JSON: recompute it") from error
    result = parse(values, name)
    named = path.name.removesuffix(".gz").removesuffix(PLAIN)
    if _KEY.fullmatch(named) and named != result.key:
        raise PrunescopeError(f"{name} holds the result {result.key[:12]}…: name it by its own key")
    return result


def parse(values: Any, name: str) -> Result:
    """Check the values of a result file: kind, schema, shapes, checksum, key, and whether pages can show it.

    Args:
        values: The parsed JSON.
        name: The file's name, for messages.

    Raises:
        PrunescopeError: An unknown schema version, a malformed field, a wrong checksum, a wrong key, or
            something that no page can show.
    """
    version = values.get("schema_version") if isinstance(values, dict) else None
    if version != SCHEMA_VERSION:
        fault = f"{name} has schema version {version!r:.20}, this program reads {SCHEMA_VERSION}"
        raise PrunescopeError(f"{fault}: compute it again in the Lab or with python -m core.precompute")
    _refuse_removed(values, name)
    try:
        result = ANY.validate_python(reduce(_without, FORGOTTEN, _with_choices_alone(values)))
        checksum, key = digest({key: value for key, value in values.items() if key != "checksum"}), key_of(result)
        fault = next(faults(result), "")
    except ValidationError as error:
        first = error.errors()[0]
        place = [part for part in first["loc"] if part not in KINDS]
        fault = f"{'.'.join(map(str, place)) or 'the whole'}: {first['msg']}"
    except (PrunescopeError, ValueError) as error:  # a name that is none here, or half of a character as an escape
        fault = str(error)
    if fault:
        raise PrunescopeError(f"{name} is not a valid result: {fault}; recompute it, or choose another one")
    if (result.checksum, result.key) != (checksum, key):  # under another key it would take another result's place
        raise PrunescopeError(f"{name} does not match its checksum or key: it was edited or damaged, recompute it")
    return result


def _refuse_removed(values: Mapping[str, Any], name: str) -> None:
    """Refuse a result of a method that was removed, or of its control, or against another checkpoint.

    Args:
        values: The values of the file.
        name: The file's name, for messages.

    Raises:
        PrunescopeError: It is one.
    """
    if values.get("against") is not None:
        fault = f"{name} compares a model with another checkpoint's layers, which results no longer do"
        raise PrunescopeError(f"{fault}: compute it again without --against, or choose another one")
    pruning = values.get("pruning")
    for field, verb in (("method", "was pruned by"), ("controls", "is the random control of")):
        if isinstance(pruning, dict) and pruning.get(field) in REMOVED_METHODS:
            raise PrunescopeError(f"{name} {verb} '{pruning[field]}', a method that was removed: choose another result")


def _with_choices_alone(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values of a file; of a study's cuts, those that it offers and that lack nothing but layers."""
    cuts = values.get("cuts")
    if not isinstance(cuts, list) or not all(isinstance(cut, dict) for cut in cuts):
        return values
    return {**values, "cuts": [cut for cut in cuts if cut.get("worth") and not cut.get("share")]}


def _without(values: Any, path: str) -> Any:
    """Return the values of a file without a field, named by its path; a list on the way stands for its items."""
    if isinstance(values, list):
        return [_without(item, path) for item in values]
    field, _, rest = path.partition(".")
    if not isinstance(values, dict) or field not in values:
        return values
    others = {name: value for name, value in values.items() if name != field}
    return {**others, field: _without(values[field], rest)} if rest else others


def faults(result: Result) -> Iterator[str]:
    """Say of a result whose schema fits what it names that does not exist here, and what is too much or missing.

    Raises:
        PrunescopeError: A sweep's scope does not fit its method or its depth.
    """
    task, labels = result.task, len(result.task.label_names)
    sweep = result if isinstance(result, SweepResult) else None
    checkpoint = result.checkpoint
    if checkpoint.source == "embedded" and checkpoint.id not in EMBEDDED:  # pages would look it up on the Hub
        yield f"no checkpoint {checkpoint.id} comes with this program"
    counts = ("examples", len(task.examples), LOCAL_LIMITS.examples), ("values", values_in(result), MOST_VALUES)
    for name, count, most in (*(_drawn(sweep) if sweep else ()), *counts):
        if count > most:
            yield f"it has {count:,} {name}, at most {most:,} can be drawn"
    fitting = [len(TASKS[task.name].label_names)] if task.name in TASKS else range(MIN_LABELS, MAX_LABELS + 1)
    if labels not in fitting or len(task.examples) < MIN_EXAMPLES:
        yield f"{labels} labels and {len(task.examples)} examples do not fit {task.name}"
    if any(not 0 <= label < labels for row in (task.gold, *result.predictions) for label in row):
        yield f"a label lies outside 0 to {labels - 1}"
    if sweep:
        yield from _sweep_faults(sweep)


def _drawn(sweep: SweepResult) -> Iterator[tuple[str, int, int]]:
    """Check a sweep's scope, and count what is drawn of it: the name, how much, and the most."""
    check_scope(sweep.pruning.scope, sweep.pruning.method, sweep.checkpoint.num_layers)
    points, amounts = len(sweep.points), len(sweep.frames)
    yield "points", points, limits().points
    yield "amounts", amounts, LOCAL_LIMITS.amounts
    yield "similarities of one kind", amounts * points**2, MOST_SIMILARITIES


def _sweep_faults(sweep: SweepResult) -> Iterator[str]:
    for frame in sweep.frames:
        if frame.metrics.get("accuracy") is None:
            yield "a frame lacks its accuracy"
        for measure, by_reduction in frame.similarity.items():
            if set(by_reduction) != set(MEASURES[measure]):
                yield "a frame lacks a reduction"
        cka = frame.similarity.get("cka", {"": ()}).values()
        if not all(values and isinstance(values[0], tuple) for values in cka):
            yield "a frame lacks its CKA"


def open_upload(content: bytes, name: str) -> Result:
    """Read an uploaded file of either kind.

    Args:
        content: The file.
        name: Its name, for messages.

    Raises:
        PrunescopeError: It is too large, takes too much memory or time, or is no result that pages can show.
    """
    if len(content) > limits().upload_bytes:
        raise PrunescopeError(f"{name} is larger than {limits().upload_bytes // 2**20} MB: choose a smaller result")
    with tempfile.TemporaryDirectory(prefix="prunescope-") as folder:
        path = Path(folder) / "upload.json"
        path.write_bytes(content)
        return load_confined(path, name)


def load_confined(path: Path, name: str, holder: str = "") -> Result:
    """Have `load_any` read a file in a limited child process.

    Args:
        path: The file.
        name: What messages call it.
        holder: The name under which the reader takes its turn.

    Raises:
        BusyError: It was not read in time, or too many others are being read.
        PrunescopeError: It is missing, takes too much memory, or is no result that pages can show.
    """
    return ANY.validate_json(read("upload", [(path, name)], holder=holder))


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
    return _KEY.fullmatch(key) is not None and place_in(SHIPPED_RESULTS, key).is_file()
