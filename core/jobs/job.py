"""A job of the queue, as its watchers see it.

A sweep may be followed by others, such as those of its random control: one job computes them one after another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from core.request.sweep_request import SweepRequest
from core.results.schema import Frame, Header, SweepResult

State = Literal["queued", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True)
class Job:
    """A snapshot of a job.

    Attributes:
        id: An unguessable token, for the address.
        request: The sweep to run, or what a study of cuts reads; None for any other order.
        study: Whether it is a study of cuts.
        state: `queued` and `running` are alive, the others are final.
        follow_ups: The sweeps to run after it, in order.
        step: Which sweep is next or running: 0 the request's, k the k-th follow-up's.
        stage: The worker's current step, in words.
        done: Steps of the stage so far.
        total: Steps of the stage; 0 if unknown.
        seconds_left: Estimate for the stage; None if unknown.
        position: While queued, how many jobs come first.
        header: Header of the request's result; None before the first frame and once the result is stored.
        frames: Its frames so far, by ascending amount; empty once the result is stored.
        key: Key of the request's stored result or study, once there is one; the follow-ups may still be to come.
        follow_up_keys: Keys of the follow-ups' stored results so far.
        outcome: The worker's answer to an order other than a sweep, once done.
        message: Why the job failed or was cancelled.
    """

    id: str
    request: SweepRequest | None = None
    study: bool = False
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
        """The share of the stage that is done, from 0 to 1."""
        return min(self.done / self.total, 1.0) if self.total else 0.0

    @property
    def partial_result(self) -> SweepResult | None:
        """The frames so far as a result without a key; None before the first."""
        return SweepResult(**dict(self.header), frames=self.frames) if self.header else None

    def request_for(self, key: str) -> SweepRequest | None:
        """Return the request that led to a result of this job."""
        keys, requests = (self.key, *self.follow_up_keys), (self.request, *self.follow_ups)
        return next((request for known, request in zip(keys, requests, strict=False) if known == key), None)

    def after(self, event: Mapping[str, Any]) -> "Job":
        """Return the job as one of the worker's events (`core.worker`) leaves it.

        Raises:
            ValueError, TypeError, KeyError: The event is malformed.
        """
        match event["event"]:
            case "progress":
                return replace(self, **{name: event[name] for name in ("stage", "done", "total", "seconds_left")})
            case "frame" if self.step:
                return self  # what is shown is the request's result
            case "frame":
                header = self.header or Header.model_validate(event["header"])
                return replace(self, header=header, frames=(*self.frames, Frame.model_validate(event["frame"])))
            case "done" if "outcome" in event:
                outcome = dict(event["outcome"])
                return replace(self, state="done", outcome=outcome, key=outcome.get("key"))  # of a study
            case "done":
                if self.step:
                    found = replace(self, follow_up_keys=(*self.follow_up_keys, event["key"]))
                else:  # its frames are in the file
                    found = replace(self, header=None, frames=(), key=event["key"])
                if self.step == len(self.follow_ups):
                    return replace(found, state="done")
                return replace(found, state="queued", step=self.step + 1, stage="", done=0, total=0, seconds_left=None)
            case "error":
                return replace(self, state="failed", message=str(event["message"]))
            case "cancelled":
                return replace(self, state="cancelled", message="Cancelled.")
            case unknown:
                raise ValueError(f"unknown event {unknown!r}")
