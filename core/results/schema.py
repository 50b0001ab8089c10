"""SweepResult, the file that a sweep leaves; `core.results.key` computes its key and its checksum.

The file format is schema version 2. A file is named by its key, a digest of everything that decides the numbers. Its
checksum covers everything but itself and reveals damage.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, Self, cast

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from core.request.catalog import MAX_LAYERS, MEASURES, RECIPE
from core.request.limits import dataset_of
from core.request.points import points_of
from core.results import fields as f
from core.results.statistics import ChangedRecord, DivergenceRecord, LayerStatistics, WorkingRangeRecord

SCHEMA_VERSION: Literal[2] = 2
Point = Annotated[str, Field(pattern=r"^layer\.\d{1,2}\.(attention|output)$")]


class RecipeRecord(f.Record):
    """How weights that are not shipped are made: the same family with another seed is a seed twin."""

    family: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)
    seed: int = Field(ge=0, lt=2**32)

    @property
    def command(self) -> str:
        """What makes the weights, to be pasted; a result does not know where the folders are."""
        return f"python -m recipes {self.family} --seed {self.seed} --base ./BASE_FOLDER --data ./DATA_FOLDER"

    @property
    def name(self) -> str:
        """The name of the weights."""
        return f"{self.family}-seed-{self.seed}"


class CheckpointRecord(f.Record):
    """The model: its id, a digest of its content, its size; with a recipe, the id is `recipe:NAME`."""

    id: f.Name
    revision: f.Name
    source: Literal["hub", "folder", "embedded"]
    architecture: f.Name
    num_layers: int = Field(ge=1, le=MAX_LAYERS)
    hidden_size: int = Field(ge=1, le=10**6)
    num_parameters: int = Field(ge=1, le=10**12)
    num_prunable: int = Field(ge=1, le=10**12)
    recipe: RecipeRecord | None = None

    @model_validator(mode="after")
    def _is_called_by_its_recipe(self) -> Self:
        if self.recipe and (self.id, self.source) != (f"{RECIPE}{self.recipe.name}", "folder"):
            raise ValueError(f"a checkpoint with the recipe {self.recipe.name} is not called by it")
        return self


class ColumnsRecord(f.Record):
    """The columns that hold the texts and the label."""

    text: f.Names
    label: f.Name


class FileRecord(f.Record):
    """A file that examples were drawn from, and which rows of the split it holds: the first, and one past the last.

    Without `sha256` it is a visitor's of a shared server, whose name and digest are nobody else's concern.
    """

    name: f.Name
    sha256: f.Name | None = None
    rows: tuple[f.Count, f.Count]


def _public(data: str) -> str:
    """Refuse data that nobody but the one who has them could name: a path, or a visitor's upload."""
    dataset_of(data)
    return data


class TaskRecord(f.Record):
    """The examples: row numbers and gold labels in evaluation order, no texts.

    What follows the fingerprint is null for GLUE and the written examples. `data` is the data set on the Hub with its
    commit, as a request names it; null for a file. `label_map` holds the values of the label column that are no label's
    name, and the label that each means, null where its rows are left out. `guessed`: what was not asked for.
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

    `reliability` holds one value per layer: how well the scores of the two halves of these examples agree.
    """

    source_name: f.Name
    num_examples: f.Count
    fingerprint: f.Name
    reliability: Annotated[f.Row, f.FEW]


class StopRecord(f.Record):
    """Where a sweep stops: after the first amount whose damage reaches `damage`, of the `amounts` asked for."""

    damage: float = Field(gt=0, lt=1)
    amounts: Annotated[tuple[f.Amount, ...], f.FEW, f.FAST]


class Pruning(f.Record):
    """How a model is pruned; `controls` is the method whose allocation a random control follows."""

    method: f.MethodName
    scope: f.Name | None
    seed: int = Field(ge=0, lt=2**32)
    controls: f.MethodName | None = None


class PruningRecord(Pruning):
    """The method and its settings."""

    granularity: Literal["weight", "neuron"]
    stop: StopRecord | None = None
    calibration: CalibrationRecord | None = None


class MeasureRecord(f.Record):
    """How a measure was estimated, by reduction: over all examples (`full`), or summed over minibatches."""

    estimators: Annotated[dict[f.Name, f.Name], f.FEW]


class SimilarityRecord(f.Record):
    """Where representations were taken and how they were compared.

    `length_control` is the CKA of the padding mask alone with each baseline point (flattened tokens).
    """

    points: Annotated[tuple[Point, ...], Field(max_length=2 * MAX_LAYERS), f.FAST]
    measures: Annotated[dict[f.MeasureName, MeasureRecord], f.FEW]
    length_control: f.Row


class FloorRecord(f.Record):
    """The emptied model: every matrix of the scope zero, biases kept.

    `cka` holds the own CKA of each point by reduction, None where it is undefined or says nothing: before a layer that
    is pruned alone.
    """

    cka: Annotated[dict[f.Name, f.Row], f.FEW]
    predictions: f.Labels


class Frame(f.Record):
    """One pruning amount: what was removed, how well the model classifies, how similar its layers are.

    `sparsity` is weights removed by pruning / all parameters, `prunable_sparsity` is removed / all encoder matrix
    weights, `layer_sparsity` is the same per layer. Every metric has a 95 % interval or null. `similarity` maps a
    measure and a reduction to its matrix, or to one value a point where the measure compares a point with its own
    baseline alone; None where the measure is undefined for the method. `read` is the CKA of what the classifier reads
    with the same of the unpruned model: None where it is undefined, and in older files.
    """

    amount: f.Amount
    sparsity: f.Fraction
    prunable_sparsity: f.Fraction
    layer_sparsity: Annotated[tuple[f.Fraction, ...], f.FAST]
    metrics: f.Scores
    intervals: f.Intervals
    similarity: dict[f.MeasureName, dict[f.Name, f.Matrix | f.Row | None]]
    predictions: f.Labels
    changed: ChangedRecord | None = None
    divergence: DivergenceRecord | None = None
    read: Annotated[float, Field(ge=-1 - 1e-6, le=1 + 1e-6)] | None = None

    def matrix(self, reduction: str) -> f.Matrix:
        """Return the CKA of all pairs of points."""
        return cast(f.Matrix, self.similarity["cka"][reduction])

    def own(self, reduction: str, measure: str = "cka") -> f.Row | None:
        """Return each point's similarity to its own baseline; None where it is undefined or unknown."""
        values = self.similarity.get(measure, {}).get(reduction)
        if not values or not isinstance(values[0], tuple):
            return cast(f.Row | None, values)
        return tuple(row[k] for k, row in enumerate(values))

    def fits(self, points: int) -> bool:
        """Whether every similarity is a matrix of points × points, or one value a point, between -1 and 1."""
        every = (values for by_reduction in self.similarity.values() for values in by_reduction.values() if values)
        tables = [np.array(values, np.float64) for values in every]  # ragged ones are refused; None becomes NaN
        fitting = (points, points), (points,)
        return all(table.shape in fitting and not (np.abs(table) > 1 + 1e-6).any() for table in tables)


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
    """What any result holds beside its content: how its file is found and checked, and how it was computed."""

    schema_version: Literal[2] = SCHEMA_VERSION
    key: f.Name = ""
    checksum: f.Name = ""
    environment: Annotated[dict[f.Name, f.Name | f.Count], f.FEW] = Field(default={})
    seconds: float = Field(default=0.0, ge=0, le=1e9)
    created_at: f.Name = ""


class SweepResult(Header, Computed):
    """A whole sweep, or the frames of one that is still running (then `key` is empty)."""

    frames: Annotated[tuple[Frame, ...], f.FAST] = ()
    working_range: WorkingRangeRecord | None = None
    statistics: dict[f.MeasureName, dict[f.Name, LayerStatistics]] | None = None  # by reduction; `tokens` has none

    @model_validator(mode="after")
    def _shapes_agree(self) -> Self:
        if fault := next(self._faults(), ""):
            raise ValueError(f"{fault} not those of its points, layers, examples and measures")
        return self

    def _faults(self) -> Iterator[str]:
        points, examples, amounts = len(self.points), len(self.task.examples), self.amounts
        layers = self.checkpoint.num_layers
        if (len(self.task.gold), len(self.similarity.length_control)) != (examples, points):
            yield "its gold labels or length control are"
        if self.floor and (len(self.floor.predictions) != examples or {*map(len, self.floor.cka.values())} - {points}):
            yield "its floor is"
        if amounts != tuple(sorted(set(amounts))) or (amounts and amounts[0] != 0):
            yield "its frames must ascend from amount 0: they are"
        if (judged := self.working_range) and not {judged.to, judged.shown_broken_from} <= {None, *amounts}:
            yield "its working range ends at amounts that are"
        for frame in self.frames:
            lengths = len(frame.predictions), len(frame.layer_sparsity)
            names = [set(known) for known in (frame.metrics, frame.intervals, frame.similarity)]
            metrics = set(self.frames[0].metrics)
            if lengths != (examples, layers) or names != [metrics, metrics, set(self.measures)]:
                yield f"frame {frame.amount}: its predictions, layer sparsity, metrics, intervals or measures are"
            if not frame.fits(points):
                yield f"frame {frame.amount}: its similarities lie outside [-1, 1], or are"
        for measure, by_reduction in (self.statistics or {}).items():
            for reduction, known in by_reduction.items():
                is_known = measure in self.measures and reduction in MEASURES[measure]
                if not is_known or not known.fits(len(amounts), points, examples):
                    yield f"its statistics of '{measure}', '{reduction}' are"

    @property
    def amounts(self) -> tuple[float, ...]:
        """The pruning amounts of the frames, ascending."""
        return tuple(frame.amount for frame in self.frames)

    @property
    def predictions(self) -> Iterator[tuple[int, ...]]:
        """The predictions of each frame."""
        return (frame.predictions for frame in self.frames)

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures of similarity."""
        return tuple(self.similarity.measures)

    def statistics_of(self, reduction: str, measure: str = "cka") -> LayerStatistics | None:
        """Return a measure's statistics under one reduction; None if they are unknown."""
        return (self.statistics or {}).get(measure, {}).get(reduction)
