"""CutStudy, the file that a study of cuts leaves: what a checkpoint still predicts with only some of its layers.

A file of its own kind in the store of sweeps: `kind` is "cut", which is absent in a sweep's file. Layers count from 0,
as the files of transformers do. What follows from the predictions of several models, such as differences and regrets,
is not in the file: see `core.findings.cut`.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Discriminator, Field, Tag, TypeAdapter, model_validator

from core.errors import PrunescopeError
from core.request.catalog import MAX_LAYERS
from core.request.criteria import CRITERIA, MEASURED
from core.request.sweep_request import known
from core.results import fields as f
from core.results.schema import CheckpointRecord, Computed, SweepResult, TaskRecord
from core.results.statistics import Estimate

ALL_UP_TO = 8  # layers: of so many, every subset is measured; of more, those that a search looks at
MOST_CUTS = 2**16
SHARES = (0.25, 0.5, 0.75)  # of the feed-forward units that are removed

Layers = Annotated[tuple[Annotated[int, Field(ge=0, lt=MAX_LAYERS)], ...], Field(max_length=MAX_LAYERS), f.FAST]
CriterionName = Annotated[str, known("criterion", CRITERIA)]
Bits = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]+={0,2}$", max_length=10_000)]


def packed(units: Sequence[int] | npt.NDArray[Any], size: int) -> Bits:
    """Write which of `size` units stay: base64 of a bit each, the first unit's the highest of the first byte."""
    return b64encode(np.packbits(np.isin(np.arange(size), units)).tobytes()).decode("ascii")


def unpacked(bits: Bits) -> npt.NDArray[np.int64]:
    """Read the positions of the units that stay, ascending."""
    return np.flatnonzero(np.unpackbits(np.frombuffer(b64decode(bits), np.uint8)))


class Worth(f.Record):
    """What a smaller model is worth on the judged examples; `changed` predictions are not the full model's (Wilson)."""

    metrics: f.Scores
    intervals: f.Intervals
    changed: Estimate


class Size(f.Record):
    """A saved model, measured: bytes of its folder and parameters.

    `speeds` says by batch size how many times as fast as the full model it is: the median ratio of their forward
    passes' times. The full model has none.
    """

    bytes: f.Count
    parameters: f.Count
    speeds: Annotated[dict[f.Count, Estimate], f.FEW]


class Cut(f.Record):
    """A smaller model: the layers that stay, and the labels that it predicts, as indices, for both kinds of examples.

    `share` of the feed-forward units of every layer that stays is removed, least attribution on the calibration
    examples first; `kept` says which are left, one text a layer that stays (`packed`), none where all are. `judged` is
    null where only a search on the calibration examples looked at it. `worth` is null where it is not offered: offered
    are the full model, and the measured choice of each size with each share. `read` is the CKA of what its classifier
    reads with what the full model's reads, on the calibration examples; null where it is undefined or was not asked
    for. `size` is null where it was not measured.
    """

    layers: Layers
    share: f.Fraction = 0.0
    kept: Annotated[tuple[Bits, ...], Field(max_length=MAX_LAYERS), f.FAST] = ()
    calibration: f.Labels
    judged: f.Labels | None = None
    worth: Worth | None = None
    read: f.Statistic | None = None
    size: Size | None = None

    @property
    def speed(self) -> Estimate | None:
        """How many times as fast as the full model it is, at the largest batch that was measured."""
        speeds = self.size.speeds if self.size else {}
        return speeds[max(speeds)] if speeds else None


class Step(f.Record):
    """One number of layers fewer: the layers that each criterion keeps, as far as it is defined, all judged.

    `drawn` are the subsets that stand for random removal: all of this size, or some drawn at random.
    """

    picks: Annotated[dict[CriterionName, Layers], f.FEW]
    drawn: Annotated[tuple[Layers, ...], Field(min_length=1), f.FAST]


class LayerScores(f.Record):
    """How similar each layer's output is to its input, on the calibration examples: one value a layer.

    `cosine` is the mean over real tokens, `cka` that of the mean over tokens; null where it is undefined.
    """

    cosine: f.Row
    cka: f.Row


class CutStudy(Computed):
    """What subsets of layers predict, chosen on calibration examples and judged on others.

    `steps` begin with one layer fewer and end with one layer left. `task` holds the judged examples, `calibration` the
    others, of the same task. `search` says whether all subsets were measured or those that a beam search looks at.
    `cuts` begin with the full model.
    """

    kind: Literal["cut"] = "cut"
    checkpoint: CheckpointRecord
    task: TaskRecord
    calibration: TaskRecord
    search: Literal["all", "beam"]
    scores: LayerScores
    cuts: Annotated[tuple[Cut, ...], Field(min_length=1, max_length=MOST_CUTS), f.FAST]
    steps: Annotated[tuple[Step, ...], f.FEW, f.FAST]

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        depth, judged = self.checkpoint.num_layers, {*self.judged}
        tables = [(task.source, task.source_name, task.split, task.data) for task in (self.task, self.calibration)]
        fit = (
            *map(self._fits, self.cuts),
            self.full.layers == tuple(range(max(depth, 2))),
            len({(cut.layers, cut.share) for cut in self.cuts}) == len(self.cuts),
            {len(self.scores.cosine), len(self.scores.cka), len(self.steps) + 1} == {depth},
            [cut.layers for cut in self.offered if not cut.share]
            == [self.full.layers, *(step.picks.get(MEASURED) for step in self.steps)],
            len({(len(cut.layers), cut.share) for cut in self.offered}) == len(self.offered),
            *(
                {*found} <= judged and {*map(len, found)} == {depth - fewer}
                for fewer, step in enumerate(self.steps, start=1)
                for found in ([*step.picks.values()], step.drawn)
            ),
            tables[0] != tables[1] or not {*self.task.examples} & {*self.calibration.examples},
        )
        if not all(fit):
            raise ValueError("its cuts, choices, scores and examples do not fit each other")
        return self

    def _fits(self, cut: Cut) -> bool:
        judged = self.task.gold if cut.judged is None else cut.judged
        rows = (self.calibration, cut.calibration), (self.task, judged)
        units = {len(unpacked(bits)) for bits in cut.kept}
        return (
            all({len(task.gold), len(task.examples)} == {len(found)} for task, found in rows)
            and [*cut.layers] == sorted({*cut.layers} & {*range(self.checkpoint.num_layers)})
            and len(cut.kept) == (len(cut.layers) if cut.share else 0)
            and len(units) == (cut.share > 0)
            and (cut.worth is None or cut.judged is not None)
        )

    @property
    def predictions(self) -> Iterator[tuple[int, ...]]:
        """All predictions, and the labels of the calibration examples."""
        yield self.calibration.gold
        for cut in self.cuts:
            yield from (cut.calibration, cut.judged or ())

    @property
    def full(self) -> Cut:
        """The full model."""
        return self.cuts[0]

    @property
    def judged(self) -> dict[Layers, tuple[int, ...]]:
        """What was predicted of the judged examples with only some layers, by these; none of their units is removed."""
        return {cut.layers: cut.judged for cut in self.cuts if cut.judged is not None and not cut.share}

    @property
    def offered(self) -> list[Cut]:
        """The full model, the measured choice of each size, and these with some of their units removed."""
        return [cut for cut in self.cuts if cut.worth]

    def choice(self, left: int, share: float = 0.0) -> Cut:
        """Return the measured choice of so many layers, less a share of their feed-forward units.

        Raises:
            PrunescopeError: The study offers none.
        """
        for cut in self.offered:
            if (len(cut.layers), cut.share) == (left, share):
                return cut
        units = f" without {share:g} of their units" if share else ""
        raise PrunescopeError(f"the study offers no model of {left} layers{units}: choose what it shows")


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
        raise PrunescopeError(f"{name} is a sweep, and a study of cuts is needed: make one with python -m core.cut")
    return found
