"""Recovery, the file of a pruned model that was trained again with its zeros held, step by step."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import model_validator

from core.request.catalog import MAX_LAYERS
from core.results import fields as f
from core.results.schema import Computed, Header, Measured, RefitRecord, SweepResult, TrainingRecord

FRAMES = (0, 10, 25, 50, 100, 200, 400)  # steps
RECOVERY = TrainingRecord(
    layers=MAX_LAYERS, steps=400, batch=32, rate=1e-4, targets="labels", temperature=1.0, seed=0
)


def beyond_working(result: SweepResult) -> float:
    """Return the first amount beyond the working range, else the largest: what is trained again by default."""
    last = (result.working_range and result.working_range.to) or 0.0
    return next((amount for amount in result.amounts if amount > last), result.amounts[-1])


class Moment(Measured):
    """The metrics and the similarities after so many steps of training."""

    step: f.Count


class Recovery(Header, Computed):
    """A pruned model that was trained again on `rows`, which judge nothing; without a key, one that is in training.

    `unpruned` holds the frames of the unpruned model, trained as long. The file of that model alone has the amount 0,
    and its frames in `frames`.
    """

    kind: Literal["recovery"] = "recovery"
    amount: f.Amount
    rows: RefitRecord
    frames: Annotated[tuple[Moment, ...], f.FAST] = ()
    unpruned: Annotated[tuple[Moment, ...], f.FAST] = ()

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        frames, parts = self.all_frames, (self.frames, self.unpruned)
        if not (
            all(tuple(frame.step for frame in part) == self.steps[: len(part)] for part in parts)
            and (
                not self.key
                or [*map(len, parts)] == [len(self.steps), len(self.steps) * (self.amount > 0)]
            )
            and {len(self.task.gold), *map(len, self.predictions)} == {len(self.task.examples)}
            and len(
                {
                    frozenset(values)
                    for frame in frames
                    for values in (frame.metrics, frame.intervals)
                }
            )
            <= 1
            and all(frame.fits(len(self.points)) for frame in frames)
        ):
            raise ValueError("its frames, steps, examples and points do not fit each other")
        return self

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps of the frames of a whole training."""
        return (
            *(step for step in FRAMES if step < self.rows.training.steps),
            self.rows.training.steps,
        )

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
