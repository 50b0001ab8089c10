"""SweepResult: the one file that a sweep leaves; schema, key, atomic save, load and look-up.

The file format is schema version 1. Its name is its key, a digest of everything
that decides the numbers; its checksum covers everything but itself, so that a
damaged or edited file is noticed.
"""

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.request.amounts import amount_text
from core.request.catalog import ENGINE_VERSION

SCHEMA_VERSION: Literal[1] = 1

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
