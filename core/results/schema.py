"""SweepResult, the result file of a sweep, schema version 2.

The key, which names the file, is a digest of everything that decides its numbers. The checksum
covers everything but itself and reveals damage. `core.results.key` computes both.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self, cast

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from core.request.catalog import DTYPE, MAX_LAYERS
from core.request.limits import dataset_of
from core.request.scope import points_of
from core.results.fields import (
    Amount,
    ByName,
    Count,
    Few,
    Fraction,
    Intervals,
    Labels,
    Many,
    Matrix,
    MethodName,
    MetricName,
    Name,
    Record,
    Row,
    Scores,
    Seed,
    TaskName,
)
from core.results.statistics import (
    ChangedRecord,
    LayerStatistics,
    WorkingRangeRecord,
)

SCHEMA_VERSION: Literal[2] = 2
WHOLE = "all"  # the only split of a file
Point = Annotated[str, Field(pattern=r"^layer\.\d{1,2}\.(attention|output)$")]


class RecipeRecord(Record):
    """The recipe of weights that are not shipped; another seed makes a seed twin."""

    family: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)
    seed: Seed

    @property
    def command(self) -> str:
        """The command that makes the weights, with placeholders for folders."""
        return (
            f"python -m recipes {self.family} --seed {self.seed} "
            "--base ./BASE_FOLDER --data ./DATA_FOLDER"
        )

    @property
    def name(self) -> str:
        """The name of the weights."""
        return f"{self.family}-seed-{self.seed}"


class CheckpointRecord(Record):
    """The model: its id, a digest of its content, and its size.

    With a recipe, the id is `recipe:NAME`.
    """

    id: Name
    revision: Name
    source: Literal["hub", "folder", "embedded"]
    architecture: Name
    num_layers: int = Field(ge=1, le=MAX_LAYERS)
    hidden_size: int = Field(ge=1, le=10**6)
    num_parameters: int = Field(ge=1, le=10**12)
    num_prunable: int = Field(ge=1, le=10**12)
    recipe: RecipeRecord | None = None


class ColumnsRecord(Record):
    """The columns that hold the texts and the label."""

    text: Few[Name]
    label: Name


class FileRecord(Record):
    """A file that examples were drawn from, and the first and one past the last of its rows.

    Without `sha256` it is private: a visitor of a shared server uploaded it.
    """

    name: Name
    sha256: Name | None = None
    rows: tuple[Count, Count]


def _public(data: str) -> str:
    """Refuse data that others could not name: a path, or a visitor's upload."""
    dataset_of(data)
    return data


class TaskRecord(Record):
    """The examples: row numbers and gold labels in evaluation order, no texts.

    The fields after the fingerprint are null for GLUE and the written examples. `data` is the data
    set on the Hub with its commit, as a request names it; null for a file. `label_map` maps values
    of the label column that are no label's name to labels, or to null if their rows are left out.
    `guessed` lists the columns that the request did not name.
    """

    name: TaskName
    source: Literal["hub", "folder", "written", "file"]
    source_name: Name
    split: Name
    examples: Many[Count]
    gold: Labels
    label_names: Few[Name]
    main_metric: MetricName
    max_length: Count
    fingerprint: Name
    data: Annotated[Name, AfterValidator(_public)] | None = None
    columns: ColumnsRecord | None = None
    label_map: ByName[Name | None] | None = None
    files: Few[FileRecord] | None = None
    guessed: Few[Name] | None = None


class CalibrationRecord(Record):
    """The labelled examples that a method scored on."""

    source_name: Name
    num_examples: Count
    fingerprint: Name


class StopRecord(Record):
    """The stopping rule: the first of `amounts` whose damage reaches `damage` is the last run."""

    damage: float = Field(gt=0, lt=1)
    amounts: Few[Amount]


class Pruning(Record):
    """The pruning of a model; `controls` is the method that a random control follows."""

    method: MethodName
    scope: Name | None
    seed: Seed
    controls: MethodName | None = None


class PruningRecord(Pruning):
    """The pruning with all its settings."""

    granularity: Literal["weight", "neuron"]
    stop: StopRecord | None = None
    calibration: CalibrationRecord | None = None


class SimilarityRecord(Record):
    """The points where representations were taken.

    `measures` is of older files, which may also hold partial CKA. Its names decide their key.
    """

    points: Annotated[Many[Point], Field(max_length=2 * MAX_LAYERS)]
    measures: ByName[Any] | None = None


class FloorRecord(Record):
    """The emptied model: every matrix of the scope zero, biases kept.

    `cka` holds the own CKA of each point by reduction; null where it is undefined, or meaningless
    since the point comes before a layer that is pruned alone.
    """

    cka: ByName[Row]


class TrainingRecord(Record):
    """How every depth is trained: its last `layers` layers and its head.

    `targets` are gold labels or the full model's answers, which `temperature` softens; `steps` is
    the most.
    """

    layers: Count
    steps: Count
    batch: Count
    rate: Fraction
    targets: Literal["labels", "answers"]
    temperature: float = Field(gt=0, le=100)
    seed: Seed


class RefitRecord(Record):
    """The rows that refitted, which judge nothing, and how.

    `refit` rows are trained on, `stop` rows decide when training stops, `labelled` of both have
    labels. `fingerprint` is the digest of all of them, in order. `files` is null if they come from
    where the judged rows come from.
    """

    source_name: Name
    split: Name
    refit: Count
    stop: Count
    labelled: Count
    fingerprint: Name
    files: Few[FileRecord] | None = None
    training: TrainingRecord


class Similarities(Record):
    """CKA with the unpruned model by reduction: a matrix, or in extracts its diagonal."""

    cka: dict[Name, Matrix | Row]


class Statistics(Record):
    """The statistics of CKA by reduction; `tokens` has none."""

    cka: dict[Name, LayerStatistics]


class Worth(Record):
    """A judged model: its predicted labels, as indices, and its metrics.

    Every metric has a 95 % interval or null.
    """

    predictions: Labels
    metrics: Scores
    intervals: Intervals


class Measured(Worth):
    """A model beside the unpruned one.

    `read` is the CKA between what the classifier reads and the same of the unpruned model; null if
    it is undefined, and in older files.
    """

    similarity: Similarities
    changed: ChangedRecord | None = None
    read: Annotated[float, Field(ge=-1 - 1e-6, le=1 + 1e-6)] | None = None

    def matrix(self, reduction: str) -> Matrix:
        """Return the CKA of all pairs of points."""
        return cast(Matrix, self.similarity.cka[reduction])

    def own(self, reduction: str) -> Row | None:
        """Return each point's CKA with its own baseline; None if it is unknown."""
        values = self.similarity.cka.get(reduction)
        if not values or not isinstance(values[0], tuple):
            return cast(Row | None, values)
        return tuple(row[k] for k, row in enumerate(values))


def fit_together(frames: Sequence[Measured], points: int) -> bool:
    """Whether frames have the same metrics, and similarities of that many points.

    CKA is a matrix of points × points, or one value a point, between -1 and 1.

    Raises:
        ValueError: The rows of a matrix differ in length.
    """
    metrics = {frozenset(scores) for frame in frames for scores in (frame.metrics, frame.intervals)}
    if len(metrics) > 1:
        return False
    for frame in frames:
        for values in frame.similarity.cka.values():
            table = np.array(values, np.float64)  # None becomes NaN
            if table.shape not in ((points, points), (points,)):
                return False
            if (np.abs(table) > 1 + 1e-6).any():
                return False
    return True


class Frame(Measured):
    """The sparsity, the metrics and the similarities at one pruning amount.

    `sparsity` is weights removed by pruning / all parameters, `prunable_sparsity` is removed / all
    encoder matrix weights, `layer_sparsity` is the same per layer.
    """

    amount: Amount
    sparsity: Fraction
    prunable_sparsity: Fraction
    layer_sparsity: Many[Fraction]


class Header(Record):
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


class Computed(Record):
    """How the file of any result is found and checked, and how it was computed."""

    schema_version: Literal[2] = SCHEMA_VERSION
    key: Name = ""
    checksum: Name = ""
    environment: ByName[Name | Count] = Field(default={})
    seconds: float = Field(default=0.0, ge=0, le=1e9)
    created_at: Name = ""

    @property
    def dtype(self) -> str:
        """The dtype of forward passes."""
        return str(self.environment.get("dtype", DTYPE))


class SweepResult(Header, Computed):
    """A whole sweep, or the frames of one that is still running (then `key` is empty)."""

    frames: Many[Frame] = ()
    working_range: WorkingRangeRecord | None = None
    statistics: Statistics | None = None

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        amounts = self.amounts
        points = len(self.points)
        judged = self.working_range
        by_example = [self.task.gold, *self.predictions]
        floor = self.floor.cka.values() if self.floor else ()
        ends = {judged.to, judged.shown_broken_from} if judged else set()
        facts = (
            {*map(len, by_example)} == {len(self.task.examples)},
            {*map(len, floor)} <= {points},
            {len(frame.layer_sparsity) for frame in self.frames} <= {self.checkpoint.num_layers},
            not amounts or list(amounts) == sorted({0.0, *amounts}),
            ends <= {None, *amounts},
            fit_together(self.frames, points),
            bool(self.frames) or not self.key,
        )
        if not all(facts):
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
