"""Fixtures of the pages' tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, repeat
from typing import Any

import pytest

from core.jobs.queue import JobQueue
from core.request.sweep_request import SweepRequest
from core.wall.turns import Visitor


@pytest.fixture(autouse=True)
def nobody_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no browser, since there is none."""
    monkeypatch.setattr("ui.player.FIRST_PICTURE_SECONDS", 0)


@dataclass
class Runs:
    """The requests of the pages to the queue, and the scripts that the worker follows.

    Attributes:
        requests: The requests that reached the queue.
        follow_ups: The follow-ups of the last one.
        scripts: Scripts of `fake_worker` for a request and its follow-ups.
        otherwise: The script of those for which the list is too short.
    """

    requests: list[SweepRequest] = field(default_factory=list)
    follow_ups: Sequence[SweepRequest] = ()
    scripts: Sequence[str] = ()
    otherwise: str = "hang"


@pytest.fixture
def runs(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """The runs from now on; no click waits for them."""
    monkeypatch.setattr("ui.jobs.QUICK_SECONDS", 0.0)
    recorded = Runs()

    def submit(
        request: SweepRequest,
        visitor: Visitor,
        *,
        follow_ups: Sequence[SweepRequest] = (),
        **options: Any,
    ) -> str:
        recorded.requests.append(request)
        recorded.follow_ups = follow_ups
        scripts = chain(recorded.scripts, repeat(recorded.otherwise))
        first, *others = (
            replace(sweep, source_name=next(scripts)) for sweep in (request, *follow_ups)
        )
        return JobQueue.submit(queue, first, visitor, follow_ups=others, **options)

    monkeypatch.setattr("core.jobs.queue.queue.submit", submit)
    return recorded
