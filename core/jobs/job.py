"""A job of the queue, as its watchers see it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.request.sweep_request import SweepRequest
from core.results.schema import Frame, Header

State = Literal["queued", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True)
class Job:
    """What can be seen of a job at one moment.

    Attributes:
        id: An unguessable token, for the address.
        request: The sweep that was asked for; None for another question.
        state: `queued` and `running` are alive, the others are final.
        stage: What the worker is doing, in words.
        done: Steps of the stage so far.
        total: Steps of the stage; 0 where unknown.
        seconds_left: Estimate for the stage; None where unknown.
        position: Jobs that come first while queued.
        header: Of the result to come; None before the first frame and once it is stored.
        frames: Frames so far, ascending; empty once the result is stored.
        key: Of the stored result, once done.
        path: Its file.
        stored: Whether it was there already.
        outcome: The answer to another question, once done.
        message: Why it ended, if not well.
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
