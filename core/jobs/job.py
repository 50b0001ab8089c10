"""A job of the queue, as its watchers see it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from core.request.sweep_request import SweepRequest
from core.results.schema import Frame, Header

State = Literal["queued", "running", "done", "failed", "cancelled"]
FINAL_EVENTS = ("done", "error", "cancelled")


@dataclass(frozen=True)
class Job:
    """A snapshot of a job.

    Attributes:
        id: An unguessable token, for the address.
        request: The sweep to run; None for any other order.
        state: `queued` and `running` are alive, the others are final.
        stage: The worker's current step, in words.
        done: Steps of the stage so far.
        total: Steps of the stage; 0 if unknown.
        seconds_left: Estimate for the stage; None if unknown.
        position: While queued, how many jobs come first.
        header: Header of the result to come; None before the first frame and once the result is stored.
        frames: Frames so far, by ascending amount; empty once the result is stored.
        key: Key of the stored result, once done.
        path: Its file.
        stored: Whether the result was already stored before the job.
        outcome: The worker's answer to an order other than a sweep, once done.
        message: Why the job failed or was cancelled.
    """

    id: str
    request: SweepRequest | None = None
    state: State = "queued"
    stage: str = ""
    done: int = 0
    total: int = 0
    seconds_left: float | None = None
    position: int = 0
    header: Header | None = None
    frames: tuple[Frame, ...] = ()
    key: str | None = None
    path: Path | None = None
    stored: bool = False
    outcome: dict[str, Any] | None = None
    message: str = ""

    @property
    def ended(self) -> bool:
        """Whether the state is final."""
        return self.state in ("done", "failed", "cancelled")

    def after(self, event: Mapping[str, Any]) -> "Job":
        """Return the job as one of the worker's events (`core.worker`) leaves it.

        Raises:
            ValueError, TypeError, KeyError: The event is malformed.
        """
        match event["event"]:
            case "progress":
                return replace(self, **{name: event[name] for name in ("stage", "done", "total", "seconds_left")})
            case "frame":
                header = self.header or Header.model_validate(event["header"])
                return replace(self, header=header, frames=(*self.frames, Frame.model_validate(event["frame"])))
            case "done" if "outcome" in event:
                return replace(self, state="done", outcome=dict(event["outcome"]))
            case "done":  # the file has the header and the frames
                stored = {"key": event["key"], "path": Path(event["path"]), "stored": event["stored"]}
                return replace(self, state="done", header=None, frames=(), **stored)
            case "error":
                return replace(self, state="failed", message=str(event["message"]))
            case "cancelled":
                return replace(self, state="cancelled", message="Cancelled.")
            case unknown:
                raise ValueError(f"unknown event {unknown!r}")
