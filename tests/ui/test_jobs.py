"""A job on a page that does not show it."""

import pytest

from core.jobs.queue import UNSEEN_SECONDS, JobQueue
from core.request.sweep_request import SweepRequest
from core.wall.turns import Visitor
from tests.opened import links, open_page, run
from tests.queues import Clock, running
from ui.jobs import UNKNOWN

REQUEST = SweepRequest("embedded:sst2", "sst2", data="written", source_name="hang")


def test_another_page_watches_the_job_and_links_to_it(
    queue: JobQueue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    job_id = queue.submit(REQUEST, Visitor("ann"))
    running(queue, job_id, frames=2)
    page = open_page("app.py", job=job_id)
    assert links(page)["Story"].endswith(f"job={job_id}"), "the job goes with the visitor"
    assert links(page)["Lab"] == links(page)["Running: 3\u00a0% done, 2 s left (amount 0)"] == f"job={job_id}"

    clock.advance(UNSEEN_SECONDS)
    run(page)
    queue.cancel(job_id, Visitor("ann"))
    assert queue.get(job_id).state == "running", "the visitor of the other page counts"
    clock.advance(UNSEEN_SECONDS + 0.1)
    queue.tend()
    assert queue.get(job_id).state == "cancelled", "until they have gone"
    assert "Your run has ended: see it in the Lab" in links(run(page))
    page = open_page("app.py", job="unknown")
    assert page.info[0].value == UNKNOWN
    assert not any("job=" in query for query in links(page).values())
