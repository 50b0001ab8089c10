"""A job with the queue's own records on it (who asked for it, who watches it, how long it has run), and its turn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.jobs.job import Job
from core.request.limits import is_hosted, limits
from core.request.sweep_request import SweepRequest

ESTIMATE, SENTENCE = "estimate", "predict"  # ops with a lane of their own
LANES = ("sentences", "runs", "estimates")
UNSEEN_SECONDS = 60.0  # on a hosted server, a job that nobody has watched for this long ends
FRESH_SECONDS = 5.0  # pages look every second or two: a tab not seen for this long may be one that was closed
MAX_SENTENCES_IN_A_ROW = 8  # after a run, before the next one has its turn
MAX_PASSED_SECONDS = 20.0  # for which sentences may keep a run waiting
DOWNLOADING = "downloading"  # how the stages of `core.inputs.hub` begin


@dataclass
class Watcher:
    """A visitor who looks at a job, with one tab: a reload makes another.

    Attributes:
        address: Where the visitor comes from, if that is known.
        last_look: When they last looked.
        asked: Whether they asked for it.
        may_be_stale: Whether somebody from this address has cancelled since, perhaps the same person in another tab.
    """

    address: str | None
    last_look: float
    asked: bool = False
    may_be_stale: bool = False


@dataclass(eq=False)
class Entry:
    """A job with the queue's own records on it.

    Attributes:
        job: What its watchers see.
        order: The first order to the worker, without a name.
        waiting_since: When it last began to wait.
        last_seen: When anybody last looked.
        watchers: Those who have looked and have not cancelled, by token.
        makes_way: Whether the worker should drop it now and run it again later.
        started: When its current step started to run; None while it waits.
        spent: The seconds that its earlier steps have run.
        downloading_since: When its current download began; None without one.
    """

    job: Job
    order: Mapping[str, Any]
    waiting_since: float
    last_seen: float = 0.0
    watchers: dict[str, Watcher] = field(default_factory=dict)
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

    def watch(self, token: str, address: str | None, now: float, *, asks: bool = False) -> None:
        """Note that a visitor looks, or asks for it."""
        known = self.watchers.get(token)
        self.watchers[token] = Watcher(address, now, asks or (known is not None and known.asked))
        self.last_seen = now

    def leave(self, token: str, address: str | None) -> None:
        """Note that a visitor has cancelled; their stale tabs go with them, see `drop_stale`."""
        self.watchers.pop(token, None)
        if address or not is_hosted():  # at home, visitors without a known address are one person
            for remaining in self.watchers.values():
                remaining.may_be_stale |= remaining.address == address

    def drop_stale(self, now: float) -> None:
        """Drop the tabs of those who have cancelled from another tab, unless these look on."""
        for token, watcher in list(self.watchers.items()):
            if watcher.may_be_stale and now - watcher.last_look > FRESH_SECONDS:
                del self.watchers[token]

    def was_asked_for_by(self, token: str, address: str | None) -> bool:
        """Whether a visitor, or anybody from the same address, asked for it and has not cancelled."""
        return any(
            known == token or (address is not None and watcher.address == address)
            for known, watcher in self.watchers.items()
            if watcher.asked
        )

    def pause(self, now: float) -> None:
        """Note that no step runs any more."""
        if self.started is not None:
            self.spent += now - self.started
        self.started = self.downloading_since = None
        self.waiting_since = now

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
        if not self.watchers:
            return "Cancelled."
        if is_hosted() and now - self.last_seen > UNSEEN_SECONDS:
            return "Ended because nobody was watching it."
        return None


def run_order(request: SweepRequest, *, fresh: bool = False) -> dict[str, Any]:
    """Return the order of a sweep, without a name; `fresh` computes it even if its result is stored."""
    return {"op": "run", "request": request.to_json(), "fresh": fresh}


def in_order(waiting: Sequence[Entry], sentences_started: Sequence[float], now: float) -> list[Entry]:
    """Return waiting entries in the order in which they will run, should nothing else be asked for.

    Sentences come first, then runs, then estimates, each as they came; but sentences keep no run waiting for long.

    Args:
        waiting: The entries, in the order in which they came.
        sentences_started: When sentences have started since a run last did.
        now: The time.
    """
    sentences, runs, estimates = ([entry for entry in waiting if entry.lane == lane] for lane in LANES)
    order: list[Entry] = []
    room = MAX_SENTENCES_IN_A_ROW - len(sentences_started)
    if runs and sentences_started and now - max(sentences_started[0], runs[0].waiting_since) >= MAX_PASSED_SECONDS:
        room = 0
    for run in runs:
        order += [*sentences[: max(room, 0)], run]
        sentences = sentences[max(room, 0) :]
        room = MAX_SENTENCES_IN_A_ROW
    return [*order, *sentences, *estimates]
