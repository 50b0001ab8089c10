"""CutStudy, the file of a study of cuts: a checkpoint with only its lowest layers, refitted.

Results of all kinds share a store; `kind`, which a sweep's file lacks, tells them apart.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Discriminator, Field, Tag, TypeAdapter, model_validator

from core.errors import PrunescopeError
from core.request.catalog import MAX_LAYERS
from core.results.fields import FEW, Count, Many, Record
from core.results.recovery import Recovery
from core.results.schema import (
    CheckpointRecord,
    Computed,
    RefitRecord,
    SweepResult,
    TaskRecord,
    TrainingRecord,
    Worth,
)
from core.results.statistics import EstimateRecord


class Size(Record):
    """The measured size of a saved model: the bytes of its folder, and its parameters.

    `speeds` maps a batch size to the model's speed as a multiple of the full model's, the median
    ratio of their forward times. The full model has none.
    """

    bytes: Count
    parameters: Count
    speeds: Annotated[dict[Count, EstimateRecord], FEW] = Field(default={})


class Score(Record):
    """The worth of the lowest `layers` layers of a checkpoint, refitted.

    `held` is that of a linear probe on the mean of the tokens of the last of them, `saved` that of
    the model that is saved.
    """

    layers: int = Field(ge=1, lt=MAX_LAYERS)
    held: Worth
    saved: Worth


class Depth(Score):
    """The lowest layers of a checkpoint, refitted.

    `steps` is the step of training whose weights were kept.
    """

    size: Size
    steps: Count

    @property
    def speed(self) -> EstimateRecord:
        """The speed as a multiple of the full model's, at the largest batch measured."""
        return self.size.speeds[max(self.size.speeds)]


TRAINING = TrainingRecord(
    layers=2,
    steps=200,
    batch=16,
    rate=3e-4,
    targets="answers",
    temperature=2.0,
    seed=0,
)


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
    depths: Annotated[Many[Depth], Field(min_length=1, max_length=MAX_LAYERS)]

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        layers = [
            self.checkpoint.num_layers,
            *(depth.layers for depth in self.depths),
        ]
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


SWEEP, CUT, RECOVERED = KINDS = ("sweep", "cut", "recovery")
Trained = CutStudy | Recovery
Result = SweepResult | Trained
R = TypeVar("R", bound=Computed)
_NAMES: Mapping[type, str] = {
    SweepResult: "a sweep",
    CutStudy: "a study of cuts",
    Recovery: "a recovery",
}


def _kind(values: Mapping[str, Any]) -> str:
    """Return the kind of a file's values; an unknown kind counts as a sweep."""
    kind = values.get("kind")
    return kind if kind in KINDS else SWEEP


RESULT: TypeAdapter[Result] = TypeAdapter(
    Annotated[
        Annotated[SweepResult, Tag(SWEEP)]
        | Annotated[CutStudy, Tag(CUT)]
        | Annotated[Recovery, Tag(RECOVERED)],
        Discriminator(_kind),
    ]
)


def of_kind(kind: type[R], result: Result, name: str) -> R:
    """Return a result of the wanted kind.

    Args:
        kind: The kind.
        result: A result.
        name: Its name in messages.

    Raises:
        PrunescopeError: It is of another kind.
    """
    if isinstance(result, kind):
        return result
    raise PrunescopeError(
        f"{name} is {_NAMES[type(result)]}, and {_NAMES[kind]} is needed: "
        "choose one, or open it on its own page"
    )
