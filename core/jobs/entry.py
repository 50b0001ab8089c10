"""A job with the queue's own records on it: what the worker is to do, who watches it, since when it runs; its turn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from core.jobs.job import Job
from core.request.limits import is_hosted
from core.request.sweep_request import SweepRequest

Kind = Literal["question", "run", "estimate"]
MAX_QUESTIONS_IN_A_ROW = 4  # while a run waits
LOOKS_EVERY = 5.0  # seconds, at most: a session that has not looked for longer may be a tab that was reloaded


@dataclass
class Watcher:
    """A session that looks at a job.

    Attributes:
        address: Where it comes from, if that is known.
        seen: When it last looked.
        asked: Whether it asked for the job.
    """

    address: str | None
    seen: float
    asked: bool


@dataclass(eq=False)
class Entry:
    """A job with the queue's own records on it.

    Attributes:
        job: What its watchers see.
        orders: The orders to the worker, one after another, without a name.
        last_seen: When anybody last looked.
        watchers: The sessions that have looked and have not cancelled, by token.
        started: When its current order was sent.
    """

    job: Job
    orders: Sequence[Mapping[str, Any]]
    last_seen: float
    watchers: dict[str, Watcher] = field(default_factory=dict)
    started: float = 0.0

    @property
    def kind(self) -> Kind:
        """Sweeps and studies are runs; an estimate tells how long one would take; all else is a question."""
        kinds: Mapping[str, Kind] = {"run": "run", "cut": "run", "estimate": "estimate"}
        return kinds.get(self.orders[0]["op"], "question")

    @property
    def name(self) -> str:
        """What the worker calls the current order: a late answer about an earlier one must not end it."""
        return f"{self.job.id}/{self.job.step}"

    def watch(self, token: str, address: str | None, now: float, asks: bool) -> None:
        """Note that a session looks, or asks for it."""
        asked = asks or (token in self.watchers and self.watchers[token].asked)
        self.watchers[token], self.last_seen = Watcher(address, now, asked), now

    def leave(self, token: str, address: str | None, now: float) -> None:
        """Detach a session, and those of the same address that no longer look: a reload makes a new session.

        At home whoever is at one address, or at none, is one person. An estimate belongs to the session that asks.
        """

        def follows(known: Watcher) -> bool:
            if not is_hosted():
                return self.kind != "estimate" and known.address == address
            return address is not None and known.address == address and now - known.seen > LOOKS_EVERY

        gone = [known for known, watcher in self.watchers.items() if known == token or follows(watcher)]
        for known in gone:
            del self.watchers[known]

    def was_asked_for_by(self, token: str, address: str | None) -> bool:
        """Whether a session, or another one at its address, asked for it and has not cancelled."""
        asking = ((t, w.address) for t, w in self.watchers.items() if w.asked)
        return any(t == token or (address and known == address) for t, known in asking)


def run_order(request: SweepRequest, *, fresh: bool = False, study: bool = False) -> dict[str, Any]:
    """Return the order of a sweep or a study, without a name; `fresh` computes it even if its result is stored."""
    return {"op": "cut" if study else "run", "request": vars(request), "fresh": fresh}


def in_order(waiting: Sequence[Entry], questions_in_a_row: int) -> list[Entry]:
    """Return waiting entries in the order in which they will run, should nothing else be asked for.

    Questions come first, then runs, then estimates, each as they came; but a run waits for few questions.

    Args:
        waiting: The entries, in the order in which they came.
        questions_in_a_row: How many questions have started since a run last did.
    """
    questions, runs, estimates = ([e for e in waiting if e.kind == kind] for kind in ("question", "run", "estimate"))
    order: list[Entry] = []
    for run in runs:
        turn = max(MAX_QUESTIONS_IN_A_ROW - questions_in_a_row, 0)
        order += [*questions[:turn], run]
        questions, questions_in_a_row = questions[turn:], 0
    return [*order, *questions, *estimates]
