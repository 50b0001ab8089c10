"""SweepResult, the file that a sweep leaves: its schema, its key and its checksum.

The file format is schema version 1. A file is named by its key, a digest of everything that decides the numbers. Its
checksum covers everything but itself and reveals damage.
"""

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.request.amounts import amount_text
from core.request.catalog import ENGINE_VERSION
from core.request.points import points_of

SCHEMA_VERSION: Literal[1] = 1

Matrix = tuple[tuple[float | None, ...], ...]  # rows: baseline points, columns: pruned points; None: undefined


class _Record(BaseModel):
    """A part of the file: immutable, no unknown fields, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class CheckpointRecord(_Record):
    """The model: its id, a digest of its content, its size."""

    id: str
    revision: str
    source: Literal["hub", "folder", "embedded"]
    architecture: str
    num_layers: int = Field(ge=1)
    hidden_size: int = Field(ge=1)
    num_parameters: int = Field(ge=1)
    num_prunable: int = Field(ge=1)


class TaskRecord(_Record):
    """The examples: row numbers and gold labels in evaluation order, no texts."""

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
    """The labelled examples that a method scored on.

    `reliability` holds one value per layer: how well the scores of the two halves of these examples agree.
    """

    source_name: str
    num_examples: int
    fingerprint: str
    reliability: tuple[float | None, ...]


class PruningRecord(_Record):
    """The method and its settings."""

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
    """One pruning amount: what was removed, how well the model classifies, how similar its layers are.

    `sparsity` is weights removed by pruning / all parameters, `prunable_sparsity` is removed / all encoder matrix
    weights, `layer_sparsity` is the same per layer. Every metric has a 95 % interval or null. `cka` maps a reduction to
    its matrix.
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

    `censored`: it never fell below within the amounts measured. `high` at the largest amount means "or beyond".
    """

    value: float
    low: float
    high: float
    censored: bool


class DepthGapRecord(_Record):
    """How much more similarity the lower half of the points keeps than the upper half, with its 95 % interval.

    `replicates` holds the value without each example, in evaluation order. They pair two results on the same examples.
    """

    value: float
    low: float
    high: float
    replicates: tuple[float, ...]


class LayerStatistics(_Record):
    """Statistics of the points under one reduction; no depth gap if CKA is undefined."""

    survival: tuple[SurvivalRecord, ...]
    depth_gap: DepthGapRecord | None


class Header(_Record):
    """The part of a result that is known before the first frame."""

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
        size, examples = len(self.cka.points), len(self.task.examples)
        if len(self.task.gold) != examples or len(self.cka.length_control) != size:
            raise ValueError("gold labels or length control do not match the examples or points")
        amounts = self.amounts
        if amounts != tuple(sorted(set(amounts))) or (amounts and amounts[0] != 0):
            raise ValueError("frames must ascend from amount 0")
        for frame in self.frames:
            self._check_frame(frame)
        for name, known in (self.statistics or {}).items():
            if len(known.survival) != size or (known.depth_gap and len(known.depth_gap.replicates) != examples):
                raise ValueError(f"statistics of '{name}' do not match the points or examples")
        return self

    def _check_frame(self, frame: Frame) -> None:
        size = len(self.cka.points)
        if len(frame.predictions) != len(self.task.examples) or len(frame.layer_sparsity) != self.checkpoint.num_layers:
            raise ValueError(f"frame {frame.amount}: predictions or layer sparsity of the wrong length")
        if set(frame.metrics) != set(self.frames[0].metrics):
            raise ValueError(f"frame {frame.amount}: its metrics are not those of amount 0")
        if set(frame.intervals) != set(frame.metrics):
            raise ValueError(f"frame {frame.amount}: its intervals are not those of {', '.join(frame.metrics)}")
        for matrix in frame.cka.values():
            if len(matrix) != size or any(len(row) != size for row in matrix):
                raise ValueError(f"frame {frame.amount}: CKA is not {size} × {size}")
            if any(value is not None and abs(value) > 1 + 1e-6 for row in matrix for value in row):
                raise ValueError(f"frame {frame.amount}: a CKA value lies outside [-1, 1]")

    @property
    def amounts(self) -> tuple[float, ...]:
        """The pruning amounts of the frames, ascending."""
        return tuple(frame.amount for frame in self.frames)


def canonical_json(value: Any) -> bytes:
    """Serialise plain JSON values in the one canonical form: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def result_key(
    revision: str,
    task: TaskRecord,
    pruning: PruningRecord,
    points: str,
    amounts: tuple[float, ...],
    dtype: str,
    engine: str = ENGINE_VERSION,
) -> str:
    """Compute a result's key: a digest of everything that decides its numbers (not threads, environment or time).

    Args:
        revision: The digest of the checkpoint's content.
        task: The examples.
        pruning: The method and its settings.
        points: A name from POINTS.
        amounts: The pruning amounts, ascending.
        dtype: The dtype of the computation, such as `float32`.
        engine: The engine version that computed the numbers.
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
            "engine": engine,
        }
    )


def key_of(result: SweepResult) -> str:
    """Compute the key of a whole result from its content.

    Raises:
        ValueError: The content lacks something that the key depends on.
    """
    checkpoint = result.checkpoint
    points = points_of(result.cka.points, checkpoint.num_layers)
    if points is None:
        raise ValueError(f"its points are not those of {checkpoint.num_layers} layers")
    dtype, engine = result.environment.get("dtype"), result.environment.get("engine")
    if not dtype or not engine:
        raise ValueError("its environment names no dtype or engine")
    if not result.frames:
        raise ValueError("it has no frames")
    return result_key(checkpoint.revision, result.task, result.pruning, points, result.amounts, str(dtype), str(engine))


def sealed(result: SweepResult) -> SweepResult:
    """Return the result with its checksum."""
    content = result.model_dump(mode="json", exclude={"checksum"})
    return result.model_copy(update={"checksum": digest(content)})
