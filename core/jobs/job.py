"""A job as its watchers see it, and its ticket in the queue: orders, watchers, turn.

A sweep may be followed by others, such as those of its random control: one job computes them one
after another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from core.request.limits import is_hosted
from core.request.sweep_request import DataRequest, SweepRequest
from core.results.cut import Score
from core.results.recovery import Recovery
from core.results.schema import Frame, Header, SweepResult
from core.wall.turns import Visitor

State = Literal["queued", "running", "done", "failed", "cancelled"]
JobKind = Literal["question", "run"]
# Seconds: a session that has not looked for longer may be a tab that was reloaded.
LOOKS_EVERY = 5.0


@dataclass(frozen=True)
class Job:
    """A snapshot of a job.

    Attributes:
        id: An unguessable token, for the address.
        request: The sweep to run, the study of cuts to make or the model to train; None for any
            other order.
        state: `queued` and `running` are alive, the others are final.
        follow_ups: The sweeps to run after it, in order.
        stage: The worker's current step, in words.
        done: Steps of the stage so far.
        total: Steps of the stage; 0 if unknown.
        seconds_left: Estimate for the stage; None if unknown.
        position: The number of jobs that come first, while it is queued.
        header: Header of the request's result; None before the first frame and once the result is
            stored.
        frames: Its frames so far, by ascending amount; empty once the result is stored.
        scores: What a study's depths are worth so far, those of fewest layers first.
        recovery: The frames so far of a model that is trained again.
        keys: Keys of the stored results so far: the request's, then the follow-ups'.
        outcome: The worker's answer to an order other than a sweep, once done.
        message: Why the job failed or was cancelled.
    """

    id: str
    request: DataRequest | None = None
    state: State = "queued"
    follow_ups: tuple[SweepRequest, ...] = ()
    stage: str = ""
    done: int = 0
    total: int = 0
    seconds_left: float | None = None
    position: int = 0
    header: Header | None = None
    frames: tuple[Frame, ...] = ()
    scores: tuple[Score, ...] = ()
    recovery: Recovery | None = None
    keys: tuple[str, ...] = ()
    outcome: dict[str, Any] | None = None
    message: str = ""

    @property
    def key(self) -> str | None:
        """The key of the request's result; None until it is stored."""
        return self.keys[0] if self.keys else None

    @property
    def step(self) -> int:
        """The sweep that is next or running: 0 for the request's, k for the k-th follow-up's."""
        return len(self.keys)

    @property
    def ended(self) -> bool:
        """Whether the state is final."""
        return self.state not in ("queued", "running")

    @property
    def progress(self) -> float:
        """The share of all runs that is done, from 0 to 1, as if they took equally long."""
        share = min(self.done / (self.total or 1), 1.0)
        return (self.step + share) / (len(self.follow_ups) + 1)

    @property
    def partial_result(self) -> SweepResult | None:
        """The frames so far as a result without a key; None before the first."""
        return SweepResult(**dict(self.header), frames=self.frames) if self.header else None

    def request_for(self, key: str) -> DataRequest | None:
        """Return the request that led to a result of this job."""
        requests = zip(self.keys, (self.request, *self.follow_ups), strict=False)
        return next((request for stored, request in requests if stored == key), None)

    def after(self, event: Mapping[str, Any]) -> "Job":
        """Return the job as one of the worker's events (`core.worker`) leaves it."""
        match event["event"]:
            case "progress":
                names = ("stage", "done", "total", "seconds_left")
                return replace(self, **{name: event[name] for name in names})
            case "frame" if self.step:
                return self  # pages show the request's result only
            case "frame":
                header = self.header or Header.model_validate(event["header"])
                frame = Frame.model_validate(event["frame"])
                return replace(self, header=header, frames=(*self.frames, frame))
            case "score":
                score = Score.model_validate(event["score"])
                return replace(self, scores=(*self.scores, score))
            case "recovery":
                return replace(self, recovery=Recovery.model_validate(event["recovery"]))
            case "done" if "outcome" in event:
                return replace(self, state="done", outcome=event["outcome"])
            case "done":  # the result of the current sweep is stored
                stored = replace(
                    self,
                    header=None,
                    frames=(),
                    keys=(*self.keys, event["key"]),
                )
                if stored.step > len(self.follow_ups):
                    return replace(stored, state="done")
                return replace(
                    stored,
                    state="queued",
                    stage="",
                    done=0,
                    total=0,
                    seconds_left=None,
                )
            case "error":
                return replace(self, state="failed", message=event["message"])
            case _:
                return replace(self, state="cancelled", message="Cancelled.")


# ---------------------------------------------------------------- in the queue


@dataclass(eq=False)
class Ticket:
    """A job's ticket in the queue.

    Attributes:
        job: The job as its watchers see it.
        orders: The orders to the worker, one after another, without a name.
        holder: The name under which it takes turns.
        watchers: When each session that has not cancelled last looked.
        sent: When its current order, or the order to drop it, was sent to the worker.
    """

    job: Job
    orders: Sequence[Mapping[str, Any]]
    holder: str
    watchers: dict[Visitor, float] = field(default_factory=dict)
    sent: float = 0.0

    @property
    def kind(self) -> JobKind:
        """Whether it is a run, whose result is stored, or a question, as everything else is."""
        return "run" if self.job.request else "question"

    @property
    def name(self) -> str:
        """The current order's name: a late answer to an earlier order must not end it."""
        return f"{self.job.id}/{self.job.step}"

    def leave(self, visitor: Visitor, now: float) -> None:
        """Detach a session, and its earlier ones: a reload makes a new session.

        Those are the sessions of the same address that no longer look. At home all sessions at one
        address, or without one, are one person's.
        """
        for session, last_look in [*self.watchers.items()]:
            is_gone = session.address is not None and now - last_look > LOOKS_EVERY
            is_near = session.address == visitor.address
            is_earlier = is_near and (is_gone or not is_hosted())
            if is_earlier or session == visitor:
                del self.watchers[session]
