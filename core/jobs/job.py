"""A job as its watchers see it, and its ticket in the queue: orders, watchers, turn.

A sweep may be followed by others, such as those of its random control: one job computes them one after another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from core.request.limits import is_hosted
from core.request.sweep_request import DataRequest, Request, SweepRequest
from core.results.cut import Score
from core.results.recovery import Recovery
from core.results.schema import Frame, Header, SweepResult
from core.wall.turns import Visitor

State = Literal["queued", "running", "done", "failed", "cancelled"]
JobKind = Literal["question", "run"]
MAX_QUESTIONS_IN_A_ROW = 4  # while a run waits
LOOKS_EVERY = (
    5.0  # seconds: a session that has not looked for longer may be a tab that was reloaded
)


@dataclass(frozen=True)
class Job:
    """A snapshot of a job.

    Attributes:
        id: An unguessable token, for the address.
        request: The sweep to run, the study of cuts to make or the model to train; None for any other order.
        state: `queued` and `running` are alive, the others are final.
        follow_ups: The sweeps to run after it, in order.
        step: The sweep that is next or running: 0 for the request's, k for the k-th follow-up's.
        stage: The worker's current step, in words.
        done: Steps of the stage so far.
        total: Steps of the stage; 0 if unknown.
        seconds_left: Estimate for the stage; None if unknown.
        position: The number of jobs that come first, while it is queued.
        header: Header of the request's result; None before the first frame and once the result is stored.
        frames: Its frames so far, by ascending amount; empty once the result is stored.
        scores: What a study's depths are worth, as soon as they are known, those of fewest layers first.
        recovery: A model that is trained again, as far as it is known.
        key: Key of its stored result; None until it is stored. Follow-ups may still be to come.
        follow_up_keys: Keys of the follow-ups' stored results so far.
        outcome: The worker's answer to an order other than a sweep, once done.
        message: Why the job failed or was cancelled.
    """

    id: str
    request: DataRequest | None = None
    state: State = "queued"
    follow_ups: tuple[SweepRequest, ...] = ()
    step: int = 0
    stage: str = ""
    done: int = 0
    total: int = 0
    seconds_left: float | None = None
    position: int = 0
    header: Header | None = None
    frames: tuple[Frame, ...] = ()
    scores: tuple[Score, ...] = ()
    recovery: Recovery | None = None
    key: str | None = None
    follow_up_keys: tuple[str, ...] = ()
    outcome: dict[str, Any] | None = None
    message: str = ""

    @property
    def ended(self) -> bool:
        """Whether the state is final."""
        return self.state in ("done", "failed", "cancelled")

    @property
    def progress(self) -> float:
        """The share of all runs that is done, from 0 to 1, as if they took equally long."""
        return (self.step + min(self.done / (self.total or 1), 1.0)) / (len(self.follow_ups) + 1)

    @property
    def partial_result(self) -> SweepResult | None:
        """The frames so far as a result without a key; None before the first."""
        return SweepResult(**dict(self.header), frames=self.frames) if self.header else None

    def request_for(self, key: str, kind: type[Request]) -> Request | None:
        """Return the request of a kind that led to a result of this job."""
        requests = zip(
            (self.key, *self.follow_up_keys), (self.request, *self.follow_ups), strict=False
        )
        return next(
            (
                request
                for stored, request in requests
                if stored == key and isinstance(request, kind)
            ),
            None,
        )

    def after(self, event: Mapping[str, Any]) -> "Job":
        """Return the job as one of the worker's events (`core.worker`) leaves it.

        Raises:
            ValueError, TypeError, KeyError: The event is malformed.
        """
        match event["event"]:
            case "progress":
                return replace(
                    self,
                    **{name: event[name] for name in ("stage", "done", "total", "seconds_left")},
                )
            case "frame" if self.step:
                return self  # pages show the request's result only
            case "frame":
                header = self.header or Header.model_validate(event["header"])
                return replace(
                    self, header=header, frames=(*self.frames, Frame.model_validate(event["frame"]))
                )
            case "score":
                return replace(self, scores=(*self.scores, Score.model_validate(event["score"])))
            case "recovery":
                return replace(self, recovery=Recovery.model_validate(event["recovery"]))
            case "done" if "outcome" in event:
                return replace(self, state="done", outcome=dict(event["outcome"]))
            case "done":
                if self.step:
                    stored = replace(self, follow_up_keys=(*self.follow_up_keys, event["key"]))
                else:  # its frames are in the file
                    stored = replace(self, header=None, frames=(), key=event["key"])
                if self.step == len(self.follow_ups):
                    return replace(stored, state="done")
                return replace(
                    stored,
                    state="queued",
                    step=self.step + 1,
                    stage="",
                    done=0,
                    total=0,
                    seconds_left=None,
                )
            case "error":
                return replace(self, state="failed", message=str(event["message"]))
            case "cancelled":
                return replace(self, state="cancelled", message="Cancelled.")
            case unknown:
                raise ValueError(f"unknown event {unknown!r}")


# ---------------------------------------------------------------- in the queue


@dataclass(eq=False)
class Ticket:
    """A job's ticket in the queue.

    Attributes:
        job: The job as its watchers see it.
        orders: The orders to the worker, one after another, without a name.
        holder: The name under which it takes turns.
        last_seen: When a session last looked.
        watchers: When each session that has not cancelled last looked.
        started: When its current order was sent.
    """

    job: Job
    orders: Sequence[Mapping[str, Any]]
    holder: str
    last_seen: float
    watchers: dict[Visitor, float] = field(default_factory=dict)
    started: float = 0.0

    @property
    def kind(self) -> JobKind:
        """Whether it is a run, whose result is stored, or a question, as everything else is."""
        return "run" if self.job.request else "question"

    @property
    def name(self) -> str:
        """The current order's name: a late answer to an earlier order must not end it."""
        return f"{self.job.id}/{self.job.step}"

    def watch(self, visitor: Visitor, now: float) -> None:
        """Note that a session looks at the job."""
        self.watchers[visitor] = self.last_seen = now

    def leave(self, visitor: Visitor, now: float) -> None:
        """Detach a session, and those of the same address that no longer look: a reload makes a new session.

        At home all sessions at one address, or without one, are one person's.
        """

        def follows(other: Visitor) -> bool:
            if not is_hosted():
                return other.address == visitor.address
            is_gone = now - self.watchers[other] > LOOKS_EVERY
            return other.address is not None and other.address == visitor.address and is_gone

        for left in [other for other in self.watchers if other == visitor or follows(other)]:
            del self.watchers[left]


def run_order(request: DataRequest, *, fresh: bool = False) -> dict[str, Any]:
    """Return the order of a request, without a name; `fresh` computes it even if its result is stored."""
    return {"op": request.op, "request": vars(request), "fresh": fresh}


def in_order(waiting: Mapping[JobKind, Sequence[Ticket]], questions_in_a_row: int) -> list[Ticket]:
    """Return waiting tickets in the order in which they will run if no others join.

    Questions come before runs, but a run waits for few of them.

    Args:
        waiting: The tickets of each kind, in the order of their turns.
        questions_in_a_row: The number of questions that have started since a run last did.
    """
    questions, order = [*waiting["question"]], list[Ticket]()
    for run in waiting["run"]:
        turn = max(MAX_QUESTIONS_IN_A_ROW - questions_in_a_row, 0)
        order += [*questions[:turn], run]
        questions, questions_in_a_row = questions[turn:], 0
    return [*order, *questions]
