"""SweepResult, the file that a sweep leaves; `core.results.key` computes its key and its checksum.

The file format is schema version 2. A file is named by its key, a digest of everything that decides the numbers. Its
checksum covers everything but itself and reveals damage.
"""

import base64
from collections.abc import Sequence
from typing import Annotated, Literal, Self, cast

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)

from core.errors import PrunescopeError
from core.request.catalog import MAX_LAYERS, MAX_NAME_CHARS, RECIPE, REDUCTIONS, SINGLE_BATCH
from core.request.points import point_names, points_of
from core.request.sweep_request import dataset_of

SCHEMA_VERSION: Literal[2] = 2

# Results come from anywhere: every number and every name has a bound, and so has their number where no page counts
# them; a long row of faults ends at its first.
FAST = Field(fail_fast=True)
FEW = Field(max_length=1000)
Name = Annotated[str, Field(max_length=MAX_NAME_CHARS)]
Names = Annotated[tuple[Name, ...], FEW, FAST]
Statistic = Annotated[float, Field(ge=-1e6, le=1e6)]
Count = Annotated[int, Field(ge=0, le=10**12)]
Label = Annotated[int, Field(ge=0, lt=1000)]
Labels = Annotated[tuple[Label, ...], FAST]
Fraction = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0, lt=1)]
Row = Annotated[tuple[Statistic | None, ...], FAST]  # one value a point; None: undefined
Matrix = Annotated[tuple[Row, ...], FAST]  # rows: points of the unpruned model, columns: of the pruned one
Values = Annotated[tuple[Statistic, ...], FAST]
Bounds = tuple[Statistic, Statistic]  # of a 95 % interval


def _as_float32(values: str | Sequence[float]) -> tuple[float, ...]:
    """Read replicates from a file, or round computed ones to what a file holds."""
    if isinstance(values, str):
        return tuple(np.frombuffer(base64.b64decode(values, validate=True), "<f4").tolist())
    try:
        return tuple(np.asarray(values, "<f4").tolist())
    except TypeError as error:  # which pydantic would take for a fault of ours
        raise ValueError("replicates are text or a list of numbers") from error


def _as_base64(values: Sequence[float]) -> str:
    return base64.b64encode(np.asarray(values, "<f4").tobytes()).decode("ascii")


Replicates = Annotated[
    tuple[Statistic, ...],
    FAST,
    BeforeValidator(_as_float32),
    PlainSerializer(_as_base64, return_type=str, when_used="json"),
]
"""A value without each example, in evaluation order: float32, in a file base64 of its little-endian bytes."""


class _Record(BaseModel):
    """A part of the file: immutable, no unknown fields, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RecipeRecord(_Record):
    """How weights that are not shipped are made: the same family with another seed is a seed twin."""

    model_config = ConfigDict(extra="ignore")  # an earlier version wrote the command down

    family: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)
    seed: int = Field(ge=0, lt=2**32)

    @property
    def command(self) -> str:
        """What makes the weights, to be pasted; a result does not know where the folders are."""
        return f"python -m recipes {self.family} --seed {self.seed} --base ./BASE_FOLDER --data ./DATA_FOLDER"

    @property
    def name(self) -> str:
        """The name of the weights."""
        return seed_twin(self.family, self.seed)


def seed_twin(family: str, seed: int) -> str:
    """Name the weights of a family with a seed."""
    return f"{family}-seed-{seed}"


class CheckpointRecord(_Record):
    """The model: its id, a digest of its content, its size; with a recipe, the id is `recipe:NAME`."""

    id: Name
    revision: Name
    source: Literal["hub", "folder", "embedded"]
    architecture: Name
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


class ColumnsRecord(_Record):
    """The columns that hold the texts and the label."""

    text: Names
    label: Name


class FileRecord(_Record):
    """A file that examples were drawn from, and which rows of the split it holds: the first, and one past the last.

    Without `sha256` it is a visitor's of a shared server, whose name and digest are nobody else's concern.
    """

    name: Name
    sha256: Name | None = None
    rows: tuple[Count, Count]


def _public(data: str) -> str:
    """Refuse data that anybody but the one who has them could name: a path, or a visitor's upload."""
    try:
        dataset_of(data)
    except PrunescopeError as error:
        raise ValueError(str(error)) from error
    return data


class TaskRecord(_Record):
    """The examples: row numbers and gold labels in evaluation order, no texts.

    What follows the fingerprint is null for GLUE and the written examples. `data` is the data set on the Hub with its
    commit, as a request names it; null for a file. `label_map` holds the values of the label
    column that are no label's name, and the label that each means, null where its rows are left out. `guessed` names
    what was not asked for: `text`, `label`.
    """

    name: Name
    source: Literal["hub", "folder", "written", "file"]
    source_name: Name
    split: Name
    examples: Annotated[tuple[Count, ...], FAST]
    gold: Labels
    label_names: Names
    main_metric: Name
    max_length: Count
    fingerprint: Name
    data: Annotated[Name, AfterValidator(_public)] | None = None
    columns: ColumnsRecord | None = None
    label_map: Annotated[dict[Name, Name | None], FEW] | None = None
    files: Annotated[tuple[FileRecord, ...], FEW, FAST] | None = None
    guessed: Names | None = None


class CalibrationRecord(_Record):
    """The labelled examples that a method scored on.

    `reliability` holds one value per layer: how well the scores of the two halves of these examples agree.
    """

    source_name: Name
    num_examples: Count
    fingerprint: Name
    reliability: Annotated[Row, FEW]


class StopRecord(_Record):
    """Where a sweep stops: after the first amount whose damage reaches `damage`, of the `amounts` asked for."""

    damage: float = Field(gt=0, lt=1)
    amounts: Annotated[tuple[Amount, ...], FEW, FAST]


class PruningRecord(_Record):
    """The method and its settings.

    `controls` is the method whose allocation a random control follows.
    """

    method: Name
    granularity: Literal["weight", "neuron"]
    scope: Name | None
    seed: int = Field(ge=0, lt=2**32)
    controls: Name | None = None
    stop: StopRecord | None = None
    calibration: CalibrationRecord | None = None


class MeasureRecord(_Record):
    """How a measure was estimated, by reduction: over all examples (`full`), or summed over minibatches."""

    estimators: Annotated[dict[Name, Name], FEW]


class SimilarityRecord(_Record):
    """Where representations were taken and how they were compared.

    `length_control` is the CKA of the padding mask alone with each baseline point (flattened tokens); empty where two
    checkpoints are compared, which has no flattened tokens.
    """

    points: Annotated[
        tuple[Annotated[str, Field(pattern=r"^layer\.\d{1,2}\.(attention|output)$")], ...],
        Field(max_length=2 * MAX_LAYERS),
        FAST,
    ]
    measures: Annotated[dict[Name, MeasureRecord], FEW]
    length_control: Row


class FloorRecord(_Record):
    """The emptied model: every matrix of the scope zero, biases kept.

    `cka` holds the own CKA of each point by reduction, None where it is undefined or says nothing: before a layer that
    is pruned alone.
    """

    cka: Annotated[dict[Name, Row], FEW]
    predictions: Labels


class ChangedRecord(_Record):
    """The share of predictions that differ from the baseline's, with Wilson's 95 % interval."""

    share: Fraction
    interval: Bounds | None


class DivergenceRecord(_Record):
    """The mean Jensen-Shannon divergence from the baseline's output distributions, in bits, with its 95 % interval."""

    value: Fraction
    interval: Bounds | None


class Frame(_Record):
    """One pruning amount: what was removed, how well the model classifies, how similar its layers are.

    `sparsity` is weights removed by pruning / all parameters, `prunable_sparsity` is removed / all encoder matrix
    weights, `layer_sparsity` is the same per layer. Every metric has a 95 % interval or null. `similarity` maps a
    measure and a reduction to its matrix, or to one value a point where the measure compares a point with its own
    baseline alone; None where the measure is undefined for the method.
    """

    amount: Amount
    sparsity: Fraction
    prunable_sparsity: Fraction
    layer_sparsity: Annotated[tuple[Fraction, ...], FAST]
    metrics: dict[Name, Statistic | None]
    intervals: dict[Name, Bounds | None]
    similarity: dict[Name, dict[Name, Matrix | Row | None]]
    predictions: Labels
    changed: ChangedRecord | None = None
    divergence: DivergenceRecord | None = None

    def matrix(self, reduction: str, measure: str = "cka") -> Matrix:
        """Return a measure's matrix of all pairs of points.

        Raises:
            KeyError: The frame has no such matrix.
        """
        values = self.similarity[measure][reduction]
        if not values or not isinstance(values[0], tuple):
            raise KeyError(f"{measure} under {reduction} has no matrix")
        return values

    def own(self, reduction: str, measure: str = "cka") -> Row | None:
        """Return each point's similarity to its own baseline; None where it is undefined, unknown or has none."""
        values = self.similarity.get(measure, {}).get(reduction)
        if not values or not isinstance(values[0], tuple):
            return cast(Row | None, values)
        return tuple(row[k] for k, row in enumerate(values)) if len(values) == len(values[0]) else None


class WorkingRangeRecord(_Record):
    """Up to which amount the model works, and from which on it is shown not to.

    `smallest_drop` is the smallest drop of the metric that the `examples` could show. `reason` says why something is
    missing: "no lead" over the majority class is shown, or "too few examples" to show a drop of a tenth of the lead.
    """

    to: Amount | None
    metric: Name
    examples: Count
    shown_broken_from: Amount | None
    smallest_drop: Statistic
    lead: Statistic
    reason: Literal["no lead", "too few examples"] | None


class SurvivalRecord(_Record):
    """The amount at which a point's CKA with its own baseline first falls below 0.9, with its 95 % interval.

    `censored`: it never fell below within the amounts measured. `high` at the largest amount means "or beyond".
    """

    value: Statistic
    low: Statistic
    high: Statistic
    censored: bool


class DepthGapRecord(_Record):
    """How much more similarity the lower half of the points keeps than the upper half, with its 95 % interval.

    `replicates` holds the value without each example, in evaluation order. They pair two results on the same examples.
    """

    value: Statistic
    low: Statistic
    high: Statistic
    replicates: Replicates


class GapAtDamage(DepthGapRecord):
    """The gap of the depth profile at one damage; `coarse` where too few amounts lie before it for a verdict."""

    amount: Amount
    coarse: bool


class ProfileAtDamage(_Record):
    """Own similarity of every point at one damage, with 95 % intervals; for CKA also without each example."""

    value: Values
    low: Values
    high: Values
    amount: Amount
    replicates: Annotated[tuple[Replicates, ...], FAST] | None


class NotAtDamage(_Record):
    """Why there is nothing at a damage."""

    reason: Name


class LayerStatistics(_Record):
    """Statistics of one measure under one reduction.

    `own` holds the 95 % interval of each point's own similarity, by frame and point. `survival` is null for a point
    whose similarity is undefined even without pruning. `gap_at_damage` and `profile_at_damage` go by the damage, such
    as `0.05`. `own_replicates` holds, by frame, the own similarity of the only layer that was pruned without each
    example.
    """

    own: Annotated[tuple[Annotated[tuple[Bounds | None, ...], FAST], ...], FAST] | None = None
    survival: Annotated[tuple[SurvivalRecord | None, ...], FAST]
    depth_gap: DepthGapRecord | None
    gap_at_damage: Annotated[dict[Name, GapAtDamage | NotAtDamage], FEW] = {}
    profile_at_damage: Annotated[dict[Name, ProfileAtDamage | NotAtDamage], FEW] = {}
    own_replicates: Annotated[tuple[Replicates, ...], FAST] | None = None


class Header(_Record):
    """The part of a result that is known before the first frame.

    `against` is another checkpoint, whose unpruned layers the pruned ones are compared with; null where these are the
    checkpoint's own.
    """

    checkpoint: CheckpointRecord
    against: CheckpointRecord | None = None
    task: TaskRecord
    pruning: PruningRecord
    similarity: SimilarityRecord
    floor: FloorRecord | None = None

    @property
    def points(self) -> tuple[str, ...]:
        """The names of the points, in depth order."""
        return self.similarity.points

    @property
    def baseline_points(self) -> tuple[str, ...]:
        """The names of the unpruned model's points, in depth order: the rows of every matrix.

        Raises:
            ValueError: Two checkpoints are compared, and the points are not all of one kind.
        """
        if self.against is None:
            return self.points
        kind = points_of(self.points, self.checkpoint.num_layers)
        if kind is None:
            raise ValueError(f"its points are not those of {self.checkpoint.num_layers} layers")
        return point_names(kind, self.against.num_layers)

    @property
    def has_own(self) -> bool:
        """Whether every point has its own in the unpruned model: that model is no deeper and no shallower."""
        return self.points == self.baseline_points

    @property
    def reductions(self) -> tuple[str, ...]:
        """The reductions under which layers are compared; two checkpoints may cut a sentence into other tokens."""
        return tuple(REDUCTIONS) if self.against is None else SINGLE_BATCH


class SweepResult(Header):
    """A whole sweep, or the frames of one that is still running (then `key` is empty)."""

    schema_version: Literal[2] = SCHEMA_VERSION
    key: Name = ""
    checksum: Name = ""
    frames: Annotated[tuple[Frame, ...], FAST] = ()
    working_range: WorkingRangeRecord | None = None
    statistics: dict[Name, dict[Name, LayerStatistics]] | None = None  # by measure and reduction; `tokens` has none
    environment: Annotated[dict[Name, Name | Count], FEW] = {}
    seconds: float = Field(default=0.0, ge=0, le=1e9)
    created_at: Name = ""

    @model_validator(mode="after")
    def _shapes_agree(self) -> Self:
        size, examples = len(self.points), len(self.task.examples)
        length_control = size if self.against is None else 0
        if len(self.task.gold) != examples or len(self.similarity.length_control) != length_control:
            raise ValueError("gold labels or length control do not match the examples or points")
        if self.against and (self.floor or (self.statistics and not self.has_own)):
            raise ValueError("against another checkpoint there is no floor, and statistics only at equal depth")
        if self.floor and (
            len(self.floor.predictions) != examples or any(len(row) != size for row in self.floor.cka.values())
        ):
            raise ValueError("the floor does not match the points or examples")
        amounts = self.amounts
        if amounts != tuple(sorted(set(amounts))) or (amounts and amounts[0] != 0):
            raise ValueError("frames must ascend from amount 0")
        rows = len(self.baseline_points)
        for frame in self.frames:
            self._check_frame(frame, rows, size)
        for measure, by_reduction in (self.statistics or {}).items():
            for reduction, known in by_reduction.items():
                if not _fits(known, len(amounts), size, examples):
                    raise ValueError(f"statistics of '{measure}', '{reduction}' do not match the points or examples")
        return self

    def _check_frame(self, frame: Frame, rows: int, size: int) -> None:
        if len(frame.predictions) != len(self.task.examples) or len(frame.layer_sparsity) != self.checkpoint.num_layers:
            raise ValueError(f"frame {frame.amount}: predictions or layer sparsity of the wrong length")
        if set(frame.metrics) != set(self.frames[0].metrics):
            raise ValueError(f"frame {frame.amount}: its metrics are not those of amount 0")
        if set(frame.intervals) != set(frame.metrics):
            raise ValueError(f"frame {frame.amount}: its intervals are not those of {', '.join(frame.metrics)}")
        if set(frame.similarity) != set(self.similarity.measures):
            raise ValueError(f"frame {frame.amount}: its measures are not {', '.join(self.similarity.measures)}")
        for values in (known for by_reduction in frame.similarity.values() for known in by_reduction.values() if known):
            matrix = [row for row in values if isinstance(row, tuple)]
            known = matrix or [cast(Row, values)]
            if len(matrix) not in (rows, 0) or any(len(row) != size for row in known):
                raise ValueError(f"frame {frame.amount}: similarity is not {rows} × {size}, or {size} values")
            numbers = [value for row in known for value in row if value is not None]
            if numbers and (max(numbers) > 1 + 1e-6 or min(numbers) < -1 - 1e-6):
                raise ValueError(f"frame {frame.amount}: a similarity lies outside [-1, 1]")

    @property
    def amounts(self) -> tuple[float, ...]:
        """The pruning amounts of the frames, ascending."""
        return tuple(frame.amount for frame in self.frames)

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures of similarity."""
        return tuple(self.similarity.measures)

    def statistics_of(self, reduction: str, measure: str = "cka") -> LayerStatistics | None:
        """Return a measure's statistics under one reduction; None if they are unknown."""
        return (self.statistics or {}).get(measure, {}).get(reduction)


def _fits(known: LayerStatistics, frames: int, points: int, examples: int) -> bool:
    """Whether statistics have one value per frame, point and example."""
    profiles = [p for p in known.profile_at_damage.values() if isinstance(p, ProfileAtDamage)]
    gaps = [gap for gap in known.gap_at_damage.values() if isinstance(gap, GapAtDamage)]
    per_example = [
        *(gap.replicates for gap in (known.depth_gap, *gaps) if gap),
        *(row for profile in profiles for row in profile.replicates or ()),
        *(known.own_replicates or ()),
    ]
    per_point = [
        known.survival,
        *(known.own or ()),
        *(row for p in profiles for row in (p.value, p.low, p.high, p.replicates) if row is not None),
    ]
    per_frame = [rows for rows in (known.own, known.own_replicates) if rows is not None]
    return (
        all(len(row) == examples for row in per_example)
        and all(len(row) == points for row in per_point)
        and all(len(row) == frames for row in per_frame)
    )


VALUE_BYTES = 40  # of memory that one takes, with its place in a row


def values_in(part: object) -> int:
    """Count the numbers and names of a result, or of a part of it: they decide how much memory it takes."""
    if isinstance(part, BaseModel):
        return sum(map(values_in, vars(part).values()))
    if isinstance(part, dict):
        return sum(map(values_in, part.values()))
    if isinstance(part, tuple) and part and isinstance(part[0], tuple | BaseModel | dict):
        return sum(map(values_in, part))
    return len(part) if isinstance(part, tuple) else 1


def bytes_of(result: SweepResult) -> int:
    """Estimate the bytes of memory that a result takes."""
    return VALUE_BYTES * values_in(result)
