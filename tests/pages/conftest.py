"""What tests of several pages need."""

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
    """There is no browser that needs a moment."""
    monkeypatch.setattr("ui.player.FIRST_PICTURE_SECONDS", 0)


@pytest.fixture(autouse=True)
def quickly_opened(quick_pages: None) -> None:
    """Pages open as quickly as on a server."""


@dataclass
class Runs:
    """What the pages ask the queue to run, and what the worker is to do.

    Attributes:
        requests: The requests that reached the queue.
        follow_ups: What was to follow the last one.
        scripts: For a request and for those after it, see `fake_worker`; where the list is too short, they hang.
        otherwise: What the worker does then.
    """

    requests: list[SweepRequest] = field(default_factory=list)
    follow_ups: Sequence[SweepRequest] = ()
    scripts: Sequence[str] = ()
    otherwise: str = "hang"


@pytest.fixture
def runs(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """What is run from now on; a click does not wait for it."""
    monkeypatch.setattr("ui.jobs.QUICK_SECONDS", 0.0)
    made = Runs()

    def submit(
        request: SweepRequest, visitor: Visitor, *, follow_ups: Sequence[SweepRequest] = (), **options: Any
    ) -> str:
        made.requests.append(request)
        made.follow_ups = follow_ups
        played = chain(made.scripts, repeat(made.otherwise))
        first, *others = (replace(one, source_name=next(played)) for one in (request, *follow_ups))
        return queue.submit(first, visitor, follow_ups=others, **options)

    monkeypatch.setattr("core.jobs.queue.queue.submit", submit)
    return made
