"""SweepResult, the result file of a sweep, schema version 2; `core.results.key` computes its key and checksum.

The key, which names the file, is a digest of everything that decides its numbers. The checksum covers everything but
itself and reveals damage.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self, cast

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from core.request.catalog import DTYPE, MAX_LAYERS
from core.request.limits import dataset_of
from core.request.scope import points_of
from core.results import fields as f
from core.results.statistics import (
    ChangedRecord,
    LayerStatistics,
    WorkingRangeRecord,
)

SCHEMA_VERSION: Literal[2] = 2
WHOLE = "all"  # the only split of a file
Point = Annotated[str, Field(pattern=r"^layer\.\d{1,2}\.(attention|output)$")]


class RecipeRecord(f.Record):
    """The recipe of weights that are not shipped; the same family with another seed is a seed twin."""

    family: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)
    seed: int = Field(ge=0, lt=2**32)

    @property
    def command(self) -> str:
        """The command that makes the weights, with placeholders for folders, which a result does not know."""
        return f"python -m recipes {self.family} --seed {self.seed} --base ./BASE_FOLDER --data ./DATA_FOLDER"

    @property
    def name(self) -> str:
        """The name of the weights."""
        return f"{self.family}-seed-{self.seed}"


class CheckpointRecord(f.Record):
    """The model: its id, a digest of its content, and its size; with a recipe, the id is `recipe:NAME`."""

    id: f.Name
    revision: f.Name
    source: Literal["hub", "folder", "embedded"]
    architecture: f.Name
    num_layers: int = Field(ge=1, le=MAX_LAYERS)
    hidden_size: int = Field(ge=1, le=10**6)
    num_parameters: int = Field(ge=1, le=10**12)
    num_prunable: int = Field(ge=1, le=10**12)
    recipe: RecipeRecord | None = None


class ColumnsRecord(f.Record):
    """The columns that hold the texts and the label."""

    text: f.Names
    label: f.Name


class FileRecord(f.Record):
    """A file that examples were drawn from, and its rows of the split: the first, and one past the last.

    Without `sha256` it is private: a visitor of a shared server uploaded it.
    """

    name: f.Name
    sha256: f.Name | None = None
    rows: tuple[f.Count, f.Count]


def _public(data: str) -> str:
    """Refuse data that others could not name: a path, or a visitor's upload."""
    dataset_of(data)
    return data


class TaskRecord(f.Record):
    """The examples: row numbers and gold labels in evaluation order, no texts.

    The fields after the fingerprint are null for GLUE and the written examples. `data` is the data set on the Hub with
    its commit, as a request names it; null for a file. `label_map` maps values of the label column that are no label's
    name to labels, or to null if their rows are left out. `guessed` lists the columns that the request did not name.
    """

    name: f.TaskName
    source: Literal["hub", "folder", "written", "file"]
    source_name: f.Name
    split: f.Name
    examples: Annotated[tuple[f.Count, ...], f.FAST]
    gold: f.Labels
    label_names: f.Names
    main_metric: f.MetricName
    max_length: f.Count
    fingerprint: f.Name
    data: Annotated[f.Name, AfterValidator(_public)] | None = None
    columns: ColumnsRecord | None = None
    label_map: Annotated[dict[f.Name, f.Name | None], f.FEW] | None = None
    files: Annotated[tuple[FileRecord, ...], f.FEW, f.FAST] | None = None
    guessed: f.Names | None = None


class CalibrationRecord(f.Record):
    """The labelled examples that a method scored on.

    `reliability` is the agreement between the scores of the two halves of these examples, one value per layer.
    """

    source_name: f.Name
    num_examples: f.Count
    fingerprint: f.Name
    reliability: Annotated[f.Row, f.FEW]


class StopRecord(f.Record):
    """The stopping rule: of the requested `amounts`, the first whose damage reaches `damage` is the last one run."""

    damage: float = Field(gt=0, lt=1)
    amounts: Annotated[tuple[f.Amount, ...], f.FEW, f.FAST]


class Pruning(f.Record):
    """The pruning of a model; `controls` is the method whose allocation a random control follows."""

    method: f.MethodName
    scope: f.Name | None
    seed: int = Field(ge=0, lt=2**32)
    controls: f.MethodName | None = None


class PruningRecord(Pruning):
    """The pruning with all its settings."""

    granularity: Literal["weight", "neuron"]
    stop: StopRecord | None = None
    calibration: CalibrationRecord | None = None


class SimilarityRecord(f.Record):
    """The points where representations were taken.

    `measures` is of older files, which may also hold partial CKA. Its names decide their key.
    """

    points: Annotated[tuple[Point, ...], Field(max_length=2 * MAX_LAYERS), f.FAST]
    measures: Annotated[dict[f.Name, Any], f.FEW] | None = None


class FloorRecord(f.Record):
    """The emptied model: every matrix of the scope zero, biases kept.

    `cka` holds the own CKA of each point by reduction; null where it is undefined, or meaningless since the point
    comes before a layer that is pruned alone.
    """

    cka: Annotated[dict[f.Name, f.Row], f.FEW]


class TrainingRecord(f.Record):
    """How every depth is trained: its last `layers` layers and its head.

    `targets` are gold labels or the full model's answers, which `temperature` softens; `steps` is the most.
    """

    layers: f.Count
    steps: f.Count
    batch: f.Count
    rate: f.Fraction
    targets: Literal["labels", "answers"]
    temperature: float = Field(gt=0, le=100)
    seed: int = Field(ge=0, lt=2**32)


class RefitRecord(f.Record):
    """The rows that refitted, which judge nothing, and how.

    `refit` rows are trained on, `stop` rows decide when training stops, `labelled` of both have labels. `fingerprint`
    is the digest of all of them, in order. `files` is null if they come from where the judged rows come from.
    """

    source_name: f.Name
    split: f.Name
    refit: f.Count
    stop: f.Count
    labelled: f.Count
    fingerprint: f.Name
    files: Annotated[tuple[FileRecord, ...], f.FEW, f.FAST] | None = None
    training: TrainingRecord


class Similarities(f.Record):
    """CKA with the unpruned model by reduction: a matrix, or in extracts each point with its own."""

    cka: dict[f.Name, f.Matrix | f.Row]


class Statistics(f.Record):
    """The statistics of CKA by reduction; `tokens` has none."""

    cka: dict[f.Name, LayerStatistics]


class Measured(f.Record):
    """The metrics of a model, and its similarities to the unpruned one.

    Every metric has a 95 % interval or null. `read` is the CKA between what the classifier reads
    and the same of the unpruned model; null if it is undefined, and in older files.
    """

    metrics: f.Scores
    intervals: f.Intervals
    similarity: Similarities
    predictions: f.Labels
    changed: ChangedRecord | None = None
    read: Annotated[float, Field(ge=-1 - 1e-6, le=1 + 1e-6)] | None = None

    def matrix(self, reduction: str) -> f.Matrix:
        """Return the CKA of all pairs of points."""
        return cast(f.Matrix, self.similarity.cka[reduction])

    def own(self, reduction: str) -> f.Row | None:
        """Return each point's CKA with its own baseline; None if it is unknown."""
        values = self.similarity.cka.get(reduction)
        if not values or not isinstance(values[0], tuple):
            return cast(f.Row | None, values)
        return tuple(row[k] for k, row in enumerate(values))

    def fits(self, points: int) -> bool:
        """Whether all CKA is a matrix of points × points, or a value a point, between -1 and 1."""
        for values in self.similarity.cka.values():
            table = np.array(values, np.float64)  # raises ValueError if ragged; None becomes NaN
            if table.shape not in ((points, points), (points,)):
                return False
            if (np.abs(table) > 1 + 1e-6).any():
                return False
        return True


class Frame(Measured):
    """The sparsity, the metrics and the similarities at one pruning amount.

    `sparsity` is weights removed by pruning / all parameters, `prunable_sparsity` is removed / all encoder matrix
    weights, `layer_sparsity` is the same per layer.
    """

    amount: f.Amount
    sparsity: f.Fraction
    prunable_sparsity: f.Fraction
    layer_sparsity: Annotated[tuple[f.Fraction, ...], f.FAST]


class Header(f.Record):
    """The part of a result that is known before the first frame."""

    checkpoint: CheckpointRecord
    task: TaskRecord
    pruning: PruningRecord
    similarity: SimilarityRecord
    floor: FloorRecord | None = None

    @property
    def points(self) -> tuple[str, ...]:
        """The names of the points, in depth order."""
        return self.similarity.points

    @property
    def points_kind(self) -> str:
        """The kind of the points, a name from POINTS."""
        return points_of(self.points, self.checkpoint.num_layers) or ""

    @model_validator(mode="after")
    def _has_known_points(self) -> Self:
        if not self.points_kind:
            raise ValueError(f"its points are not those of {self.checkpoint.num_layers} layers")
        return self


class Computed(f.Record):
    """The part of any result that says how its file is found and checked, and how it was computed."""

    schema_version: Literal[2] = SCHEMA_VERSION
    key: f.Name = ""
    checksum: f.Name = ""
    environment: Annotated[dict[f.Name, f.Name | f.Count], f.FEW] = Field(default={})
    seconds: float = Field(default=0.0, ge=0, le=1e9)
    created_at: f.Name = ""

    @property
    def dtype(self) -> str:
        """The dtype of forward passes."""
        return str(self.environment.get("dtype", DTYPE))


class SweepResult(Header, Computed):
    """A whole sweep, or the frames of one that is still running (then `key` is empty)."""

    frames: Annotated[tuple[Frame, ...], f.FAST] = ()
    working_range: WorkingRangeRecord | None = None
    statistics: Statistics | None = None

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        amounts, frames, judged = self.amounts, self.frames, self.working_range
        by_example = [self.task.gold, *(frame.predictions for frame in frames)]
        floor = self.floor.cka.values() if self.floor else ()
        names = {
            frozenset(values) for frame in frames for values in (frame.metrics, frame.intervals)
        }
        if not (
            {*map(len, by_example)} == {len(self.task.examples)}
            and {*map(len, floor)} <= {len(self.points)}
            and {len(frame.layer_sparsity) for frame in frames} <= {self.checkpoint.num_layers}
            and (not amounts or [*amounts] == sorted({0.0, *amounts}))
            and (judged is None or {judged.to, judged.shown_broken_from} <= {None, *amounts})
            and len(names) <= 1
            and all(frame.fits(len(self.points)) for frame in frames)
        ):
            raise ValueError(
                "its points, layers, examples, amounts and metrics do not fit each other"
            )
        return self

    @property
    def amounts(self) -> tuple[float, ...]:
        """The pruning amounts of the frames, ascending."""
        return tuple(frame.amount for frame in self.frames)

    @property
    def predictions(self) -> Iterator[tuple[int, ...]]:
        """The predictions of each frame."""
        return (frame.predictions for frame in self.frames)

    def statistics_of(self, reduction: str) -> LayerStatistics | None:
        """Return the statistics under one reduction; None if they are unknown."""
        return self.statistics.cka.get(reduction) if self.statistics else None
