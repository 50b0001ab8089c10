"""A job with the queue's own records on it: who asked for it, who watches it, how long it has run, where it waits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.jobs.job import Job
from core.request.limits import is_hosted, limits
from core.request.sweep_request import SweepRequest

ESTIMATE, SENTENCE = "estimate", "predict"  # ops with a lane of their own
LANES = ("sentences", "runs", "estimates")  # in the order in which they are served
UNSEEN_SECONDS = 60.0  # on a hosted server, a job that nobody has watched for this long ends
FRESH_SECONDS = 5.0  # pages look every second or two: a watcher not seen for this long has left
DOWNLOADING = "downloading"  # how the stages of `core.inputs.hub` and `core.inputs.hub_data` begin


@dataclass(eq=False)
class Entry:
    """A job with the queue's own records on it.

    Attributes:
        job: What its watchers see.
        order: The first order to the worker, without a name.
        last_seen: When anybody last looked.
        asked_by: The tokens of the visitors who asked for it and have not cancelled, each with their address, if known.
        watchers: When each watcher last looked.
        left_at: When a watcher cancelled, as long as nobody is known to have stayed.
        makes_way: Whether the worker should drop it now and run it again later.
        started: When its current step started to run; None while it waits.
        spent: The seconds that its earlier steps have run.
        downloading_since: When its current download began; None without one.
    """

    job: Job
    order: Mapping[str, Any]
    last_seen: float
    asked_by: dict[str, str | None] = field(default_factory=dict)
    watchers: dict[str, float] = field(default_factory=dict)
    left_at: float | None = None
    makes_way: bool = False
    started: float | None = None
    spent: float = 0.0
    downloading_since: float | None = None

    @property
    def is_estimate(self) -> bool:
        """Whether it measures how long a run would take."""
        return bool(self.order["op"] == ESTIMATE)

    @property
    def is_sweep(self) -> bool:
        """Whether it is a sweep; else it is a question, which is about one frame or sentence."""
        return bool(self.order["op"] == "run")

    @property
    def lane(self) -> str:
        """The name of the jobs that it waits with."""
        return {ESTIMATE: "estimates", SENTENCE: "sentences"}.get(self.order["op"], "runs")

    @property
    def name(self) -> str:
        """What the worker calls the current step: a late answer about an earlier one must not end it."""
        return f"{self.job.id}/{self.job.step}"

    @property
    def current_order(self) -> Mapping[str, Any]:
        """The order of the current step, without its name."""
        return run_order(self.job.follow_ups[self.job.step - 1]) if self.job.step else self.order

    def watch(self, watcher: str, now: float) -> None:
        """Note that a visitor looks."""
        self.last_seen = self.watchers[watcher] = now
        if self.left_at is not None and now - self.left_at > FRESH_SECONDS:  # no trace of the one who left
            self.left_at = None

    def leave(self, watcher: str, now: float) -> None:
        """Note that a visitor has cancelled."""
        self.watchers.pop(watcher, None)
        self.asked_by.pop(watcher, None)
        self.left_at = now

    @property
    def askers(self) -> set[str]:
        """The tokens and addresses of those who asked for it."""
        return {name for asker in self.asked_by.items() for name in asker if name}

    def begin(self, now: float) -> None:
        """Note that a step starts to run."""
        self.started = now

    def pause(self, now: float) -> None:
        """Note that no step runs any more."""
        if self.started is not None:
            self.spent += now - self.started
        self.started = self.downloading_since = None

    def note_stage(self, stage: str, now: float) -> None:
        """Note what the worker does."""
        if not stage.startswith(DOWNLOADING):
            self.downloading_since = None
        elif self.downloading_since is None:
            self.downloading_since = now

    def reason_to_stop(self, now: float) -> str | None:
        """Say which limit it has passed; None while it keeps within them."""
        bound = limits()
        if self.downloading_since is not None and now - self.downloading_since > bound.download_seconds:
            return f"The download took longer than {bound.download_seconds / 60:g} minutes: try a smaller one."
        if self.started is not None and self.spent + now - self.started > bound.job_seconds:
            return (
                f"Stopped after {bound.job_seconds / 60:g} minutes, the most that a run may take here: try fewer "
                "examples or amounts, or run Prunescope on your own computer."
            )
        return None

    def reason_to_end(self, now: float) -> str | None:
        """Say why nobody needs it any more; None while somebody does."""
        last_look = max(self.watchers.values(), default=float("-inf"))
        if self.left_at is not None and now - last_look > FRESH_SECONDS:
            return "Cancelled."
        if is_hosted() and now - self.last_seen > UNSEEN_SECONDS:
            return "Ended because nobody was watching it."
        return None


def run_order(request: SweepRequest, *, fresh: bool = False) -> dict[str, Any]:
    """Return the order of a sweep, without a name; `fresh` computes it even if its result is stored."""
    return {"op": "run", "request": request.to_json(), "fresh": fresh}


def in_order(waiting: Iterable[Entry]) -> list[Entry]:
    """Return waiting entries in the order in which they will run: sentences, all others as they came, estimates."""
    return sorted(waiting, key=lambda entry: LANES.index(entry.lane))
