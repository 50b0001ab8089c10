"""A job with the queue's own records on it: what the worker is to do, who watches it, since when it runs; its turn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from core.jobs.job import Job
from core.request.limits import is_hosted
from core.request.sweep_request import SweepRequest

Kind = Literal["question", "run", "estimate"]
MAX_QUESTIONS_IN_A_ROW = 4  # while a run waits


@dataclass(eq=False)
class Entry:
    """A job with the queue's own records on it.

    Attributes:
        job: What its watchers see.
        orders: The orders to the worker, one after another, without a name.
        last_seen: When anybody last looked.
        watchers: The visitors who have looked and have not cancelled.
        started: When its current order was sent.
    """

    job: Job
    orders: Sequence[Mapping[str, Any]]
    last_seen: float
    watchers: set[str] = field(default_factory=set)
    started: float = 0.0

    @property
    def kind(self) -> Kind:
        """Sweeps are runs; an estimate tells how long one would take; a question is about a frame, a text or data."""
        kinds: Mapping[str, Kind] = {"run": "run", "estimate": "estimate"}
        return kinds.get(self.orders[0]["op"], "question")

    @property
    def name(self) -> str:
        """What the worker calls the current order: a late answer about an earlier one must not end it."""
        return f"{self.job.id}/{self.job.step}"

    def visitor(self, token: str, address: str | None) -> str:
        """Name the visitor behind a session: a reload makes a new one, at the same address.

        At home, whoever has no known address is one person. Estimates belong to sessions, which ask for their own.
        """
        return token if self.kind == "estimate" else address or (token if is_hosted() else "")


def run_order(request: SweepRequest, *, fresh: bool = False) -> dict[str, Any]:
    """Return the order of a sweep, without a name; `fresh` computes it even if its result is stored."""
    return {"op": "run", "request": request.to_json(), "fresh": fresh}


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
