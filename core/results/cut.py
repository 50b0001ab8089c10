"""CutStudy, the file that a study of cuts has left: what a checkpoint still predicts with only some of its layers.

A file of its own kind in the store of sweeps: `kind` is "cut", which is absent in a sweep's file. Layers count from 0,
as the files of transformers do. No new studies are made; `core.results.store` leaves out what older files hold besides.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, TypeAdapter, model_validator

from core.errors import PrunescopeError
from core.request.catalog import MAX_LAYERS
from core.results import fields as f
from core.results.schema import CheckpointRecord, Computed, SweepResult, TaskRecord
from core.results.statistics import Estimate

Layers = Annotated[tuple[Annotated[int, Field(ge=0, lt=MAX_LAYERS)], ...], Field(max_length=MAX_LAYERS), f.FAST]


class Worth(f.Record):
    """The metrics of a smaller model on the judged examples, with their intervals."""

    metrics: f.Scores
    intervals: f.Intervals


class Size(f.Record):
    """A saved model, measured: bytes of its folder and parameters.

    `speeds` says by batch size how many times as fast as the full model it is: the median ratio of their forward
    passes' times. The full model has none.
    """

    bytes: f.Count
    parameters: f.Count
    speeds: Annotated[dict[f.Count, Estimate], f.FEW]


class SmallerModel(f.Record):
    """A smaller model: the layers that stay, and the labels that it predicts, as indices, for both kinds of examples.

    `size` is null where it was not measured.
    """

    layers: Layers
    calibration: f.Labels
    judged: f.Labels
    worth: Worth
    size: Size | None = None

    @property
    def speed(self) -> Estimate | None:
        """How many times as fast as the full model it is, at the largest batch that was measured."""
        speeds = self.size.speeds if self.size else {}
        return speeds[max(speeds)] if speeds else None


class CutStudy(Computed):
    """The best layers to keep, as many as there are and fewer, chosen on calibration examples and judged on others.

    `task` holds the judged examples, `calibration` the others, of the same task. `search` says whether all subsets of
    the layers were measured or those that a beam search looked at. `cuts` begin with the full model; each has one layer
    fewer than the one before, down to one.
    """

    kind: Literal["cut"] = "cut"
    checkpoint: CheckpointRecord
    task: TaskRecord
    calibration: TaskRecord
    search: Literal["all", "beam"]
    cuts: Annotated[tuple[SmallerModel, ...], Field(min_length=1, max_length=MAX_LAYERS), f.FAST]

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        depth = self.checkpoint.num_layers
        tables = [(task.source, task.source_name, task.split, task.data) for task in (self.task, self.calibration)]
        fit = (
            *map(self._fits, self.cuts),
            [len(cut.layers) for cut in self.cuts] == [*range(depth, 0, -1)],
            tables[0] != tables[1] or not {*self.task.examples} & {*self.calibration.examples},
        )
        if not all(fit):
            raise ValueError("its cuts and examples do not fit each other")
        return self

    def _fits(self, cut: SmallerModel) -> bool:
        rows = (self.calibration, cut.calibration), (self.task, cut.judged)
        return all({len(task.gold), len(task.examples)} == {len(labels)} for task, labels in rows) and (
            [*cut.layers] == sorted({*cut.layers} & {*range(self.checkpoint.num_layers)})
        )

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


def kind_of(values: Any) -> str:
    """Return the kind of a result, or of the values of its file; one that is unknown here counts as a sweep."""
    is_cut = values.get("kind") == CUT if isinstance(values, Mapping) else isinstance(values, CutStudy)
    return CUT if is_cut else SWEEP


ANY: TypeAdapter[Result] = TypeAdapter(
    Annotated[Annotated[SweepResult, Tag(SWEEP)] | Annotated[CutStudy, Tag(CUT)], Discriminator(kind_of)]
)


def sweep_in(found: Result, name: str) -> SweepResult:
    """Refuse a study of cuts where a sweep is meant; `name` is what the message calls it.

    Raises:
        PrunescopeError: It is one.
    """
    if isinstance(found, CutStudy):
        raise PrunescopeError(f"{name} is a study of cuts, and a sweep is needed: open it on the page Cut")
    return found


def study_in(found: Result, name: str) -> CutStudy:
    """Refuse a sweep where a study of cuts is meant; `name` is what the message calls it.

    Raises:
        PrunescopeError: It is one.
    """
    if isinstance(found, SweepResult):
        raise PrunescopeError(f"{name} is a sweep, and a study of cuts is needed: choose one, or open it on Layers")
    return found
