"""Recovery, the file of a pruned model that was trained again with its zeros held, step by step."""

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import model_validator

from core.request.catalog import MAX_LAYERS
from core.results.fields import Amount, Count, Many
from core.results.schema import (
    Computed,
    Header,
    Measured,
    RefitRecord,
    SweepResult,
    TrainingRecord,
    fit_together,
)

FRAMES = (0, 10, 25, 50, 100, 200, 400)  # steps
RECOVERY = TrainingRecord(
    layers=MAX_LAYERS,
    steps=400,
    batch=32,
    rate=1e-4,
    targets="labels",
    temperature=1.0,
    seed=0,
)


def beyond_working(result: SweepResult) -> float:
    """Return the first amount beyond the working range, else the largest."""
    last = (result.working_range and result.working_range.to) or 0.0
    return next(
        (amount for amount in result.amounts if amount > last),
        result.amounts[-1],
    )


class Moment(Measured):
    """The metrics and the similarities after so many steps of training."""

    step: Count


class Recovery(Header, Computed):
    """A pruned model that was trained again; without a key, one that is in training.

    The `rows` that it was trained on judge nothing.

    `unpruned` holds the frames of the unpruned model, trained as long. The file of that model alone
    has the amount 0, and its frames in `frames`.
    """

    kind: Literal["recovery"] = "recovery"
    amount: Amount
    rows: RefitRecord
    frames: Many[Moment] = ()
    unpruned: Many[Moment] = ()

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        steps = self.steps
        parts = (self.frames, self.unpruned)
        expected = [len(steps), len(steps) if self.amount else 0]
        facts = (
            all(tuple(frame.step for frame in part) == steps[: len(part)] for part in parts),
            not self.key or [*map(len, parts)] == expected,
            {len(self.task.gold), *map(len, self.predictions)} == {len(self.task.examples)},
            fit_together(self.all_frames, len(self.points)),
        )
        if not all(facts):
            raise ValueError("its frames, steps, examples and points do not fit each other")
        return self

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps of the frames of a whole training."""
        last = self.rows.training.steps
        return (*(step for step in FRAMES if step < last), last)

    @property
    def all_frames(self) -> tuple[Moment, ...]:
        """The frames of both models."""
        return (*self.frames, *self.unpruned)

    @property
    def predictions(self) -> Iterator[tuple[int, ...]]:
        """The predictions of each frame."""
        return (frame.predictions for frame in self.all_frames)

    @property
    def control(self) -> "Recovery":
        """The unpruned model alone, trained as long."""
        return self.model_copy(
            update={
                "amount": 0.0,
                "frames": self.unpruned,
                "unpruned": (),
                "key": "",
                "checksum": "",
            }
        )
