"""CutStudy, the file that a study of cuts leaves: what a checkpoint still predicts with only some of its layers.

A file of its own kind in the store of sweeps: `kind` is "cut", which is absent in a sweep's file. Layers count from 0,
as the files of transformers do.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from core.errors import PrunescopeError
from core.request.catalog import MAX_LAYERS
from core.request.criteria import CRITERIA, MEASURED
from core.request.sweep_request import known
from core.results import fields as f
from core.results.schema import SCHEMA_VERSION, CheckpointRecord, TaskRecord
from core.results.statistics import ChangedRecord, Estimate

ALL_UP_TO = 8  # layers: of so many, every subset is measured; of more, those that a search looks at
MOST_CUTS = 2**16
SHARES = (0.25, 0.5, 0.75)  # of the feed-forward units that are removed

Layers = Annotated[tuple[Annotated[int, Field(ge=0, lt=MAX_LAYERS)], ...], Field(max_length=MAX_LAYERS), f.FAST]
CriterionName = Annotated[str, known("criterion", CRITERIA)]


def _labels_in(text: str | tuple[int, ...]) -> tuple[int, ...]:
    return tuple(ord(letter) - ord("0") for letter in text) if isinstance(text, str) else text


def _letters_of(labels: tuple[int, ...]) -> str:
    return "".join(chr(ord("0") + label) for label in labels)


Predictions = Annotated[f.Labels, BeforeValidator(_labels_in), PlainSerializer(_letters_of, when_used="json")]
"""Label indices in the order of the examples; in a file one letter each, from 0 on: `0110`."""

Bits = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]+={0,2}$", max_length=10_000)]


def packed(units: Sequence[int] | npt.NDArray[Any], size: int) -> Bits:
    """Write which of `size` units stay: base64 of a bit each, the first unit's the highest of the first byte."""
    return b64encode(np.packbits(np.isin(np.arange(size), units)).tobytes()).decode("ascii")


def unpacked(bits: Bits) -> npt.NDArray[np.int64]:
    """Read the positions of the units that stay, ascending."""
    return np.flatnonzero(np.unpackbits(np.frombuffer(b64decode(bits), np.uint8)))


class Worth(f.Record):
    """What a smaller model is worth on the judged examples.

    `difference` is the main metric minus that of the full model, with a paired 95 % interval.
    """

    metrics: f.Scores
    intervals: f.Intervals
    changed: ChangedRecord
    difference: Estimate


class Smaller(f.Record):
    """A smaller model: the layers that stay, what it predicts for both kinds of examples, and what it is worth.

    `judged` is null where only a search on the calibration examples looked at it, `worth` where nothing chose it.
    """

    layers: Layers
    calibration: Predictions
    judged: Predictions | None = None
    worth: Worth | None = None


class Cut(Smaller):
    """A model of which only some layers stay.

    `read` is the CKA of what its classifier reads with what the full model's reads, on the calibration examples; null
    where it is undefined.
    """

    read: f.Statistic | None = None


class Narrow(Smaller):
    """A cut whose feed-forward parts are narrower as well.

    `share` of the units of every layer that stays is removed, least attribution on the calibration examples first;
    `units` are left in each, and `kept` says which, one text a layer that stays (`packed`).
    """

    share: f.Fraction
    units: f.Count
    kept: Annotated[tuple[Bits, ...], Field(max_length=MAX_LAYERS), f.FAST]


def share_of(model: Smaller) -> float:
    """Return the share of the feed-forward units that is removed; 0 for none."""
    return model.share if isinstance(model, Narrow) else 0.0


class Pick(f.Record):
    """Which layers stay by a criterion.

    `regret` is the main metric of the measured choice minus that of this one on the judged examples, with a paired
    95 % interval; null for the measured choice itself.
    """

    layers: Layers
    regret: Estimate | None


class RandomRecord(f.Record):
    """The mean over `subsets` subsets of one size: all, or drawn at random where not all were measured.

    `value` is the mean of the main metric on the judged examples; `regret` is the measured choice's minus it.
    """

    subsets: f.Count
    value: Estimate
    regret: Estimate


class Step(f.Record):
    """One number of layers fewer: what each criterion chooses; one that is not defined there is missing."""

    picks: Annotated[dict[CriterionName, Pick], f.FEW]
    random: RandomRecord


class LayerScores(f.Record):
    """How similar each layer's output is to its input, on the calibration examples: one value a layer.

    `cosine` is the mean over real tokens, `cka` that of the mean over tokens; null where it is undefined.
    """

    cosine: f.Row
    cka: f.Row


class Speed(f.Record):
    """How many times as fast as the full model at a batch size: the median ratio of their forward passes' times."""

    batch: f.Count
    times: Estimate


class Size(f.Record):
    """A saved model, measured: bytes of its folder, parameters, speed; `share` of the units is removed, 0 for none."""

    layers: Layers
    share: f.Fraction
    bytes: f.Count
    parameters: f.Count
    speeds: Annotated[tuple[Speed, ...], f.FEW, f.FAST]


class MeasuredRecord(f.Record):
    """Sizes and speeds, and where they were measured."""

    threads: f.Count
    processor: f.Name
    models: Annotated[tuple[Size, ...], f.FEW, f.FAST]


class CutStudy(f.Record):
    """What every subset of layers predicts, chosen on calibration examples and judged on others.

    `steps` begin with one layer fewer and end with one layer left. `task` holds the judged examples, `calibration` the
    others, of the same task. `search` says whether all subsets were measured or those that a beam search looks at.
    """

    kind: Literal["cut"] = "cut"
    schema_version: Literal[2] = SCHEMA_VERSION
    key: f.Name = ""
    checksum: f.Name = ""
    checkpoint: CheckpointRecord
    task: TaskRecord
    calibration: TaskRecord
    search: Literal["all", "beam"]
    scores: LayerScores
    cuts: Annotated[tuple[Cut, ...], Field(min_length=1, max_length=MOST_CUTS), f.FAST]
    steps: Annotated[tuple[Step, ...], f.FEW, f.FAST]
    widths: Annotated[tuple[Narrow, ...], f.FEW, f.FAST] | None = None
    measured: MeasuredRecord | None = None
    environment: Annotated[dict[f.Name, f.Name | f.Count], f.FEW] = Field(default={})
    seconds: float = Field(default=0.0, ge=0, le=1e9)
    created_at: f.Name = ""

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if fault := next(self._faults(), ""):
            raise ValueError(f"{fault} not those of its layers and examples")
        return self

    def _faults(self) -> Iterator[str]:
        layers, known = self.checkpoint.num_layers, {cut.layers: cut for cut in self.cuts}
        if self.full.layers != tuple(range(max(layers, 2))) or not self.full.worth or len(known) < len(self.cuts):
            yield "its cuts are"
        if {len(self.scores.cosine), len(self.scores.cka), len(self.steps) + 1} != {layers}:
            yield "its scores or its steps are"
        tables = [(task.source, task.source_name, task.split, task.data) for task in (self.task, self.calibration)]
        if tables[0] == tables[1] and {*self.task.examples} & {*self.calibration.examples}:
            yield "its judged examples are also its calibration examples, and they are"
        for model in self.models:
            rows = (self.calibration, model.calibration), (self.task, model.judged or self.task.gold)
            fits = all({len(given.gold), len(given.examples)} == {len(found)} for given, found in rows)
            if not fits or [*model.layers] != sorted({*model.layers} & {*range(layers)}):
                yield f"the layers or predictions of the cut to {[*model.layers]} are"
            if model.worth and (model.judged is None or model.worth.metrics.get(self.task.main_metric) is None):
                yield f"the metrics of the cut to {[*model.layers]} are"
        for narrow in self.widths or ():
            if [*map(len, map(unpacked, narrow.kept))] != [narrow.units] * len(narrow.layers):
                yield f"the units of the cut to {[*narrow.layers]} are"
        for fewer, step in enumerate(self.steps, start=1):
            picked = [known.get(pick.layers) for pick in step.picks.values()]
            fits = all(cut and cut.worth and len(cut.layers) == layers - fewer for cut in picked)
            if MEASURED not in step.picks or not fits:
                yield f"the choices of {layers - fewer} layers are"

    @property
    def models(self) -> tuple[Smaller, ...]:
        """All models that were run, the full one first."""
        return (*self.cuts, *(self.widths or ()))

    @property
    def predictions(self) -> Iterator[tuple[int, ...]]:
        """All predictions, and the labels of the calibration examples."""
        yield self.calibration.gold
        for model in self.models:
            yield from (model.calibration, model.judged or ())

    @property
    def full(self) -> Cut:
        """The full model."""
        return self.cuts[0]

    @property
    def full_worth(self) -> Worth:
        """What the full model is worth."""
        assert self.full.worth is not None
        return self.full.worth

    def cut(self, layers: tuple[int, ...]) -> Cut:
        """Return the cut to some layers, which was measured."""
        return next(found for found in self.cuts if found.layers == layers)

    def judged_model(self, layers: Layers, share: float = 0.0) -> Smaller:
        """Return what was judged with only some layers, less a share of their feed-forward units.

        Raises:
            PrunescopeError: No layer stays, or that was not judged.
        """
        for model in self.models:
            if layers and (model.layers, share_of(model)) == (layers, share) and model.worth:
                return model
        units = f" and without {share:g} of their units" if share else ""
        raise PrunescopeError(f"the study has not judged the layers {[*layers]} (from 0){units}: choose what it shows")

    def size_of(self, model: Smaller) -> Size | None:
        """Return what was measured of a model; None where nothing was."""
        sizes = self.measured.models if self.measured else ()
        return next((size for size in sizes if (size.layers, size.share) == (model.layers, share_of(model))), None)

    def measured_choice(self, left: int) -> Cut:
        """Return the measured choice of so many layers, from 1 to all."""
        fewer = self.checkpoint.num_layers - left
        return self.cut(self.steps[fewer - 1].picks[MEASURED].layers) if fewer else self.full
