"""CutStudy, the file of a study of cuts: what a checkpoint still predicts with only some of its layers.

Studies and sweeps share a store; `kind`, which a sweep's file lacks, tells them apart. Layers count from 0, as in the
files of transformers. No new studies are made.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, TypeAdapter, model_validator

from core.errors import PrunescopeError
from core.request.catalog import MAX_LAYERS
from core.results import fields as f
from core.results.schema import CheckpointRecord, Computed, SweepResult, TaskRecord
from core.results.statistics import EstimateRecord

Layers = Annotated[tuple[Annotated[int, Field(ge=0, lt=MAX_LAYERS)], ...], Field(max_length=MAX_LAYERS), f.FAST]


class Worth(f.Record):
    """The metrics of a smaller model on the judged examples, with their intervals."""

    metrics: f.Scores
    intervals: f.Intervals


class Size(f.Record):
    """The measured size of a saved model: the bytes of its folder, and its parameters.

    `speeds` maps a batch size to the model's speed as a multiple of the full model's, the median ratio of their forward
    times. The full model has none.
    """

    bytes: f.Count
    parameters: f.Count
    speeds: Annotated[dict[f.Count, EstimateRecord], f.FEW]


class SmallerModel(f.Record):
    """A smaller model: the layers that stay, and its predicted labels, as indices, for both sets of examples.

    `size` is null if it was not measured.
    """

    layers: Layers
    calibration: f.Labels
    judged: f.Labels
    worth: Worth
    size: Size | None = None

    @property
    def speed(self) -> EstimateRecord | None:
        """The speed as a multiple of the full model's, at the largest batch measured."""
        speeds = self.size.speeds if self.size else {}
        return speeds[max(speeds)] if speeds else None


def _judged_cuts(cuts: Any) -> Any:
    """Drop the cuts of older studies that also narrow the layers that stay, or were never judged."""
    if not isinstance(cuts, list) or not all(isinstance(cut, Mapping) for cut in cuts):
        return cuts
    return [cut for cut in cuts if cut.get("worth") and not cut.get("share")]


class CutStudy(Computed):
    """The best layers to keep, for each number of layers, chosen on calibration examples and judged on others.

    `task` holds the judged examples, `calibration` those of the same task on which the layers were chosen. `search`
    says whether all subsets of layers were measured, or those that a beam search visited. `cuts` begin with the full
    model; each has one layer fewer than the one before, down to one.
    """

    kind: Literal["cut"] = "cut"
    checkpoint: CheckpointRecord
    task: TaskRecord
    calibration: TaskRecord
    search: Literal["all", "beam"]
    cuts: Annotated[
        tuple[SmallerModel, ...], Field(min_length=1, max_length=MAX_LAYERS), f.FAST, BeforeValidator(_judged_cuts)
    ]

    @model_validator(mode="after")
    def _holds_every_depth(self) -> Self:
        if [len(cut.layers) for cut in self.cuts] != [*range(self.checkpoint.num_layers, 0, -1)]:
            raise ValueError("its cuts do not lose one layer after another")
        return self

    @property
    def predictions(self) -> Iterator[tuple[int, ...]]:
        """All predictions, and the labels of the calibration examples."""
        yield self.calibration.gold
        for cut in self.cuts:
            yield from (cut.calibration, cut.judged)

    @property
    def full(self) -> SmallerModel:
        """The full model."""
        return self.cuts[0]


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
