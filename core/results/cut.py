"""CutStudy, the file of a study of cuts: what a checkpoint still predicts with only its lowest layers, refitted.

Studies and sweeps share a store; `kind`, which a sweep's file lacks, tells them apart.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, TypeAdapter, model_validator

from core.errors import PrunescopeError
from core.request.catalog import MAX_LAYERS
from core.results import fields as f
from core.results.schema import CheckpointRecord, Computed, FileRecord, SweepResult, TaskRecord
from core.results.statistics import EstimateRecord


class Worth(f.Record):
    """A model's predicted labels of the judged rows, as indices, and their metrics with 95 % intervals."""

    predictions: f.Labels
    metrics: f.Scores
    intervals: f.Intervals


class Size(f.Record):
    """The measured size of a saved model: the bytes of its folder, and its parameters.

    `speeds` maps a batch size to the model's speed as a multiple of the full model's, the median ratio of their forward
    times. The full model has none.
    """

    bytes: f.Count
    parameters: f.Count
    speeds: Annotated[dict[f.Count, EstimateRecord], f.FEW] = Field(default={})


class Score(f.Record):
    """The worth of the lowest `layers` layers of a checkpoint, refitted.

    `held` is that of a linear probe on the mean of the tokens of the last of them, `saved` that of the model that is
    saved.
    """

    layers: int = Field(ge=1, lt=MAX_LAYERS)
    held: Worth
    saved: Worth


class Depth(Score):
    """The lowest layers of a checkpoint, refitted; `steps` is the step of training whose weights were kept."""

    size: Size
    steps: f.Count

    @property
    def speed(self) -> EstimateRecord:
        """The speed as a multiple of the full model's, at the largest batch measured."""
        return self.size.speeds[max(self.size.speeds)]


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


TRAINING = TrainingRecord(layers=2, steps=200, batch=16, rate=3e-4, targets="answers", temperature=2.0, seed=0)


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


class CutStudy(Computed):
    """A checkpoint without its upper layers, refitted, at several depths.

    `task` holds the judged rows, which took no part in refitting. `depths` begin with most layers.
    """

    kind: Literal["cut"] = "cut"
    checkpoint: CheckpointRecord
    task: TaskRecord
    refit: RefitRecord
    full: Worth
    full_size: Size
    depths: Annotated[tuple[Depth, ...], Field(min_length=1, max_length=MAX_LAYERS), f.FAST]

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        layers = [self.checkpoint.num_layers, *(depth.layers for depth in self.depths)]
        if layers != sorted({*layers}, reverse=True):
            raise ValueError("its depths do not lose one layer after another")
        if {*map(len, (self.task.gold, *self.predictions))} != {len(self.task.examples)}:
            raise ValueError("its predictions do not fit its examples")
        if not all(depth.size.speeds for depth in self.depths):
            raise ValueError("a depth has no speed")
        return self

    @property
    def predictions(self) -> Iterator[tuple[int, ...]]:
        """The predictions of the full model, and what is held and saved of each depth."""
        yield self.full.predictions
        for depth in self.depths:
            yield from (depth.held.predictions, depth.saved.predictions)


SWEEP, CUT = KINDS = ("sweep", "cut")
Result = SweepResult | CutStudy


def _kind(values: Any) -> str:
    """Return the kind of a result or of its file's values; an unknown kind counts as a sweep."""
    kind = values.get("kind") if isinstance(values, Mapping) else getattr(values, "kind", SWEEP)
    return CUT if kind == CUT else SWEEP


RESULT: TypeAdapter[Result] = TypeAdapter(
    Annotated[Annotated[SweepResult, Tag(SWEEP)] | Annotated[CutStudy, Tag(CUT)], Discriminator(_kind)]
)


def sweep_in(result: Result, name: str) -> SweepResult:
    """Return a result that is a sweep.

    Args:
        result: A result.
        name: Its name in messages.

    Raises:
        PrunescopeError: It is a study of cuts.
    """
    if isinstance(result, CutStudy):
        raise PrunescopeError(f"{name} is a study of cuts, and a sweep is needed: open it on the page Cut")
    return result


def study_in(result: Result, name: str) -> CutStudy:
    """Return a result that is a study of cuts; see `sweep_in`.

    Raises:
        PrunescopeError: It is a sweep.
    """
    if isinstance(result, SweepResult):
        raise PrunescopeError(f"{name} is a sweep, and a study of cuts is needed: choose one, or open it on Layers")
    return result
