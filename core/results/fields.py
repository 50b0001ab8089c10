"""The types of the fields of a result file.

Results come from anywhere, so every number and every name is bounded, and so is every collection whose size no page
checks. A long sequence is refused at its first fault.
"""

import base64
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from core.request.catalog import MAX_NAME_CHARS, METHODS, METRICS
from core.request.sweep_request import TASK_NAMES, one_of

FAST = Field(fail_fast=True)
FEW = Field(max_length=1000)
Name = Annotated[str, Field(max_length=MAX_NAME_CHARS)]
TaskName = Annotated[str, one_of("task", TASK_NAMES)]
MethodName = Annotated[str, one_of("method", METHODS)]
MetricName = Annotated[str, one_of("metric", METRICS)]
Names = Annotated[tuple[Name, ...], FEW, FAST]
Statistic = Annotated[float, Field(ge=-1e6, le=1e6)]
Count = Annotated[int, Field(ge=0, le=10**12)]
Label = Annotated[int, Field(ge=0, lt=1000)]
Labels = Annotated[tuple[Label, ...], FAST]
Fraction = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0, lt=1)]
Row = Annotated[tuple[Statistic | None, ...], FAST]  # one value a point; None: undefined
Matrix = Annotated[
    tuple[Row, ...], FAST
]  # (points of the unpruned model, points of the pruned one)
Values = Annotated[tuple[Statistic, ...], FAST]
Bounds = tuple[Statistic, Statistic]  # the ends of a 95 % interval
Scores = dict[MetricName, Statistic | None]
Intervals = dict[MetricName, Bounds | None]


class Record(BaseModel):
    """A part of the file: immutable, without NaN; only `core.results.store.parse` accepts unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _decoded(values: Any) -> Any:
    return (
        np.frombuffer(base64.b64decode(values, validate=True), "<f4").tolist()
        if isinstance(values, str)
        else values
    )


def _rounded(values: Sequence[float]) -> tuple[float, ...]:
    """Round computed numbers to a file's precision."""
    return tuple(np.asarray(values, "<f4").tolist())


def _as_base64(values: Sequence[float]) -> str:
    return base64.b64encode(np.asarray(values, "<f4").tobytes()).decode("ascii")


_written = PlainSerializer(_as_base64, when_used="json")
Replicates = Annotated[Values, BeforeValidator(_decoded), AfterValidator(_rounded), _written]
"""A value without each example, in evaluation order: float32, in a file base64 of its little-endian bytes."""

VALUE_BYTES = 40  # memory for a value and its place in a row


def bytes_of(part: object) -> int:
    """Estimate the memory that a result, or a part of it, takes."""
    if isinstance(part, BaseModel | dict):
        return sum(map(bytes_of, (vars(part) if isinstance(part, BaseModel) else part).values()))
    if isinstance(part, tuple) and part and isinstance(part[0], tuple | BaseModel | dict):
        return sum(map(bytes_of, part))
    return VALUE_BYTES * (len(part) if isinstance(part, tuple) else 1)
