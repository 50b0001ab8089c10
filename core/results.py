"""SweepResult: the one file that a sweep leaves; schema, key, atomic save, load and look-up.

The file format is schema version 1. Its name is its key, a digest of everything
that decides the numbers; its checksum covers everything but itself, so that a
damaged or edited file is noticed.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from platformdirs import user_cache_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.catalog import ENGINE_VERSION, SHIPPED, amount_text
from core.errors import PrunescopeError

SCHEMA_VERSION: Literal[1] = 1
SHIPPED_RESULTS = SHIPPED / "results"

Matrix = tuple[tuple[float | None, ...], ...]  # rows: baseline points, columns: pruned points; None: undefined


class _Record(BaseModel):
    """A part of the file: immutable, no unknown fields, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class CheckpointRecord(_Record):
    """Which model: its id, the content it had, and its size."""

    id: str
    revision: str
    source: Literal["hub", "folder", "embedded"]
    architecture: str
    num_layers: int = Field(ge=1)
    hidden_size: int = Field(ge=1)
    num_parameters: int = Field(ge=1)
    num_prunable: int = Field(ge=1)


class TaskRecord(_Record):
    """Which examples: row numbers and gold labels in evaluation order."""

    name: str
    source: Literal["hub", "folder", "written"]
    source_name: str
    split: str
    examples: tuple[int, ...]
    gold: tuple[int, ...]
    label_names: tuple[str, ...]
    max_length: int
    fingerprint: str


class CalibrationRecord(_Record):
    """Which labelled examples scores were computed on, and how well their halves agree per layer."""

    source_name: str
    num_examples: int
    fingerprint: str
    reliability: tuple[float | None, ...]


class PruningRecord(_Record):
    """How the model was pruned."""

    method: str
    granularity: Literal["weight", "neuron"]
    scope: str | None
    seed: int
    calibration: CalibrationRecord | None = None


class CkaRecord(_Record):
    """Where representations were taken and how CKA was estimated.

    `length_control` is the CKA of the padding mask alone with each baseline point (flattened tokens).
    """

    points: tuple[Annotated[str, Field(pattern=r"^layer\.\d+\.(attention|output)$")], ...]
    estimators: dict[str, str]
    length_control: tuple[float | None, ...]


class Frame(_Record):
    """One pruning amount: what was removed, how well it classifies, how similar its layers are.

    `sparsity` is removed by pruning / all parameters, `prunable_sparsity` removed / all encoder matrix
    weights, `layer_sparsity` the same per layer. `cka` maps a reduction to its matrix.
    """

    amount: float = Field(ge=0, lt=1)
    sparsity: float = Field(ge=0, le=1)
    prunable_sparsity: float = Field(ge=0, le=1)
    layer_sparsity: tuple[float, ...]
    metrics: dict[str, float | None]
    intervals: dict[str, tuple[float, float] | None]
    cka: dict[str, Matrix]
    predictions: tuple[int, ...]


class SurvivalRecord(_Record):
    """The amount at which a point's CKA with its own baseline first falls below 0.9, with its 95 % interval.

    Within the amounts measured: censored, it never fell; `high` at the largest amount means "or beyond".
    """

    value: float
    low: float
    high: float
    censored: bool


class DepthGapRecord(_Record):
    """How much more similarity the lower half of the points keeps than the upper half, with its 95 % interval.

    `replicates` holds the same without each example, in evaluation order: two results on the same examples are
    compared pairwise by them.
    """

    value: float
    low: float
    high: float
    replicates: tuple[float, ...]


class LayerStatistics(_Record):
    """What one reduction's CKA says about the points; without a depth gap where CKA is undefined."""

    survival: tuple[SurvivalRecord, ...]
    depth_gap: DepthGapRecord | None


class Header(_Record):
    """What is known before the first frame; it decides the key."""

    checkpoint: CheckpointRecord
    task: TaskRecord
    pruning: PruningRecord
    cka: CkaRecord


class SweepResult(Header):
    """A whole sweep, or the frames of one that is still running (then `key` is empty)."""

    schema_version: Literal[1] = SCHEMA_VERSION
    key: str = ""
    checksum: str = ""
    frames: tuple[Frame, ...] = ()
    statistics: dict[str, LayerStatistics] | None = None  # by reduction; `tokens` has none
    environment: dict[str, str | int] = {}
    seconds: float = 0.0
    created_at: str = ""

    @model_validator(mode="after")
    def _shapes_agree(self) -> Self:
        size, layers, examples = len(self.cka.points), self.checkpoint.num_layers, len(self.task.examples)
        if len(self.task.gold) != examples or len(self.cka.length_control) != size:
            raise ValueError("gold labels or length control do not match the examples or points")
        amounts = [frame.amount for frame in self.frames]
        if amounts != sorted(set(amounts)) or (amounts and amounts[0] != 0):
            raise ValueError("frames must ascend from amount 0")
        for frame in self.frames:
            if len(frame.predictions) != examples or len(frame.layer_sparsity) != layers:
                raise ValueError(f"frame {frame.amount}: predictions or layer sparsity of the wrong length")
            for matrix in frame.cka.values():
                if len(matrix) != size or any(len(row) != size for row in matrix):
                    raise ValueError(f"frame {frame.amount}: CKA is not {size} × {size}")
                if any(value is not None and abs(value) > 1 + 1e-6 for row in matrix for value in row):
                    raise ValueError(f"frame {frame.amount}: a CKA value lies outside [-1, 1]")
        for name, of in (self.statistics or {}).items():
            if len(of.survival) != size or (of.depth_gap and len(of.depth_gap.replicates) != examples):
                raise ValueError(f"statistics of '{name}' do not match the points or examples")
        return self

    @property
    def amounts(self) -> tuple[float, ...]:
        """The pruning amounts of the frames, ascending."""
        return tuple(frame.amount for frame in self.frames)


def canonical_json(value: Any) -> bytes:
    """Serialises plain JSON values in one way only: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def result_key(
    revision: str, task: TaskRecord, pruning: PruningRecord, points: str, amounts: tuple[float, ...], dtype: str
) -> str:
    """Names a result by what decides its numbers (not by threads, environment or time).

    Args:
        revision: The checkpoint's content.
        task: The examples.
        pruning: The method and its settings.
        points: A name from POINTS.
        amounts: The pruning amounts, ascending.
        dtype: The computation's dtype, such as `float32`.
    """
    calibration = pruning.calibration
    return digest(
        {
            "checkpoint": revision,
            "task": [task.fingerprint, task.examples],
            "pruning": {
                **pruning.model_dump(mode="json", exclude={"calibration"}),
                "calibration": calibration and calibration.fingerprint,
            },
            "points": points,
            "amounts": [amount_text(amount) for amount in amounts],
            "max_length": task.max_length,
            "dtype": dtype,
            "engine": ENGINE_VERSION,
        }
    )


def sealed(result: SweepResult) -> SweepResult:
    """Returns the result with its checksum computed."""
    content = result.model_dump(mode="json", exclude={"checksum"})
    return result.model_copy(update={"checksum": digest(content)})


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


def stored() -> Iterator[Path]:
    """Yields the files of all results at hand, the user's newest first, then the shipped ones."""
    own = sorted(user_folder().glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    yield from own
    yield from sorted(SHIPPED_RESULTS.glob("*.json"))
