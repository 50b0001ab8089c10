"""The types of the fields of a result file.

Results come from anywhere, so every number and every name is bounded, and so is every collection
whose size no page checks. A long sequence is refused at its first fault.
"""

import base64
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
)

from core.request.catalog import MAX_NAME_CHARS, METHODS, METRICS
from core.request.sweep_request import TASK_NAMES, one_of

T = TypeVar("T")

FAST = Field(fail_fast=True)
FEW = Field(max_length=1000)

Name = Annotated[str, Field(max_length=MAX_NAME_CHARS)]
TaskName = Annotated[str, one_of("task", TASK_NAMES)]
MethodName = Annotated[str, one_of("method", METHODS)]
MetricName = Annotated[str, one_of("metric", METRICS)]

Statistic = Annotated[float, Field(ge=-1e6, le=1e6)]
Count = Annotated[int, Field(ge=0, le=10**12)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Label = Annotated[int, Field(ge=0, lt=1000)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0, lt=1)]

Many = Annotated[tuple[T, ...], FAST]
Few = Annotated[tuple[T, ...], FEW, FAST]
ByName = Annotated[dict[Name, T], FEW]

Labels = Many[Label]
Row = Many[Statistic | None]  # one value a point; None: undefined
Matrix = Many[Row]  # (points of the unpruned model, points of the pruned one)
Bounds = tuple[Statistic, Statistic]  # the ends of a 95 % interval
Scores = dict[MetricName, Statistic | None]
Intervals = dict[MetricName, Bounds | None]


class Record(BaseModel):
    """A part of the file: immutable, without NaN.

    Only `core.results.store.parse` accepts unknown fields.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _decoded(values: Any) -> Any:
    if not isinstance(values, str):
        return values
    return np.frombuffer(base64.b64decode(values, validate=True), "<f4").tolist()


def _rounded(values: Sequence[float]) -> tuple[float, ...]:
    """Round computed numbers to a file's precision."""
    return tuple(np.asarray(values, "<f4").tolist())


def _as_base64(values: Sequence[float]) -> str:
    return base64.b64encode(np.asarray(values, "<f4").tobytes()).decode("ascii")


Replicates = Annotated[
    Many[Statistic],
    BeforeValidator(_decoded),
    AfterValidator(_rounded),
    PlainSerializer(_as_base64, when_used="json"),
]
"""A value without each example, in evaluation order.

It is float32, in a file base64 of its little-endian bytes.
"""

JSON_FACTOR = 6  # bytes in memory for each character of a result's file, as measured


def bytes_of(result: object) -> int:
    """Estimate the memory that a result takes; anything else takes next to nothing."""
    return JSON_FACTOR * len(result.model_dump_json()) if isinstance(result, BaseModel) else 0
