"""A job on a page that does not show it, and whose it is."""

from types import SimpleNamespace

import pytest
from streamlit.runtime.context import StreamlitHeaders

from core.jobs.queue import UNSEEN_SECONDS, JobQueue
from core.request.sweep_request import SweepRequest
from tests.opened import links, open_page, run
from tests.queues import Clock, running
from ui import jobs
from ui.jobs import UNKNOWN

REQUEST = SweepRequest("embedded:sst2", "sst2", data="written", source_name="hang")


def test_another_page_watches_the_job_and_links_to_it(
    queue: JobQueue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    job_id = queue.submit(REQUEST, "ann")
    running(queue, job_id, frames=2)
    page = open_page("app.py", job=job_id)
    assert links(page)["Story"].endswith(f"job={job_id}"), "the job goes with the visitor"
    assert links(page)["Lab"] == links(page)["Running: 3\u00a0% done, 2 s left (amount 0)"] == f"job={job_id}"

    clock.advance(UNSEEN_SECONDS)
    run(page)
    queue.cancel(job_id, "ann")
    assert queue.get(job_id).state == "running", "the visitor of the other page counts"
    clock.advance(UNSEEN_SECONDS + 0.1)
    queue.tend()
    assert queue.get(job_id).state == "cancelled", "until they have gone"
    assert "Your run has ended: see it in the Lab" in links(run(page))
    page = open_page("app.py", job="unknown")
    assert page.info[0].value == UNKNOWN
    assert not any("job=" in query for query in links(page).values())


@pytest.mark.parametrize(
    ("forwarded", "peer", "address"),
    [
        ([], "8.8.8.8", "8.8.8.8"),
        (["2606:4700::1111"], "10.0.0.7", "2606:4700::1111"),
        (["10.0.0.1"], "10.0.0.7", None),  # only proxies, which all visitors share
        (["8.8.8.8, <script>,, 9.9.9.9 ", "10.0.0.1"], "10.0.0.7", "9.9.9.9"),  # the visitor has written the first
    ],
)
def test_an_address_counts_where_it_is_the_visitors_own(
    forwarded: list[str], peer: str | None, address: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = StreamlitHeaders(("X-Forwarded-For", line) for line in forwarded)
    monkeypatch.setattr(jobs.st, "context", SimpleNamespace(headers=headers, ip_address=peer))
    assert jobs.client_address() == address
