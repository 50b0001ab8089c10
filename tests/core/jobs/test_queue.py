"""The queue, against a worker without a model."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import PrunescopeError
from core.jobs import queue as module
from core.jobs.queue import JobQueue
from core.request.catalog import ROOT
from core.request.sweep_request import SweepRequest
from core.results.store import load
from tests.queues import PATIENCE, RESULT, MakeQueue, ended, queues, running

REQUEST = SweepRequest("embedded:sst2", "sst2", data="written")


def scripted(what: str, seed: int = 0) -> SweepRequest:
    return replace(REQUEST, source_name=what, seed=seed)


@pytest.fixture
def make_queue(tmp_path: Path) -> Iterator[MakeQueue]:
    with queues(tmp_path) as make:
        yield make


def worker_of(queue: JobQueue) -> "subprocess.Popen[str]":
    assert queue._worker is not None
    return queue._worker


def test_frames_arrive_while_it_runs_and_the_result_replaces_them(make_queue: MakeQueue) -> None:
    queue = make_queue()
    hanging = queue.submit(scripted("hang"), "ann")
    job = running(queue, hanging)
    assert (job.stage, job.done, job.total, job.seconds_left) == ("Amount 0", 1, 40, 2.5)
    assert job.header is not None
    assert job.header.checkpoint.id == "embedded:sst2"
    assert [frame.amount for frame in job.frames] in ([0.0], [0.0, 0.5])

    queue.cancel(hanging, "ann")
    job = ended(queue, queue.submit(scripted("frames"), "ann"))
    assert (job.state, job.key, job.stored) == ("done", RESULT.key, False)
    assert job.path is not None
    assert load(job.path).frames == RESULT.frames
    assert job.frames == ()
    assert queue.request_for(RESULT.key) == scripted("frames")
    assert queue.request_for("f" * 64) is None


def test_ids_are_unguessable_and_unknown_ones_are_none(make_queue: MakeQueue) -> None:
    queue = make_queue()
    ids = {queue.submit(scripted("frames", seed), "ann") for seed in range(5)}
    assert len(ids) == 5
    assert all(len(job_id) >= 12 for job_id in ids)
    assert queue.get("nothing") is None
    queue.watch("nothing", "ann")
    queue.cancel("nothing", "ann")


def test_same_request_is_one_job_and_another_one_waits_its_turn(make_queue: MakeQueue) -> None:
    queue = make_queue()
    first = queue.submit(scripted("hang"), "ann")
    assert queue.submit(scripted("hang"), "bob") == first
    others = [queue.submit(scripted("frames", seed), "cyd") for seed in (1, 2)]
    running(queue, first)
    waiting = [queue.get(job_id) for job_id in others]
    assert [(job.state, job.position) for job in waiting if job] == [("queued", 1), ("queued", 2)]

    queue.cancel(first, "ann")
    still = queue.get(first)
    assert still is not None
    assert still.state == "running", "bob is still watching"
    queue.cancel(first, "bob")
    assert ended(queue, first).state == "cancelled"
    assert [ended(queue, job_id).state for job_id in others] == ["done", "done"]
    assert queue.submit(scripted("hang"), "ann") != first, "an ended job is not shared"


def test_fresh_is_another_job(make_queue: MakeQueue) -> None:
    queue = make_queue()
    first = queue.submit(scripted("hang"), "ann")
    assert queue.submit(scripted("hang"), "ann", fresh=True) != first


def test_a_queued_job_is_removed_at_once(make_queue: MakeQueue) -> None:
    queue = make_queue()
    queue.submit(scripted("hang"), "ann")
    second, third = (queue.submit(scripted("frames", seed), "bob") for seed in (1, 2))
    queue.cancel(second, "bob")
    job, behind = queue.get(second), queue.get(third)
    assert job is not None
    assert behind is not None
    assert (job.state, behind.position) == ("cancelled", 1)


def test_a_stored_result_need_not_wait_its_turn(make_queue: MakeQueue) -> None:
    queue = make_queue()
    first = queue.submit(scripted("hang"), "ann")
    absent, stored, fresh = (
        queue.submit(scripted("frames"), "bob"),
        queue.submit(scripted("stored"), "bob"),
        queue.submit(scripted("stored"), "bob", fresh=True),
    )
    assert ended(queue, stored).state == "done"
    states = [queue.get(job_id) for job_id in (first, absent, fresh)]
    assert [(job.state, job.position) for job in states if job] == [("running", 0), ("queued", 1), ("queued", 2)]


def test_a_reloaded_page_can_still_cancel(make_queue: MakeQueue) -> None:
    """The session before the reload still counts for a moment; then nobody is left and the job ends."""
    queue = make_queue(fresh_seconds=0.3)
    job_id = queue.submit(scripted("hang"), "before the reload")
    running(queue, job_id)
    queue.watch(job_id, "after it")
    queue.cancel(job_id, "after it")
    assert ended(queue, job_id).state == "cancelled"


@pytest.mark.parametrize(("hosted", "state"), [("1", "cancelled"), ("0", "running")])
def test_unseen_jobs_end_on_a_hosted_server_only(
    make_queue: MakeQueue, monkeypatch: pytest.MonkeyPatch, hosted: str, state: str
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
    queue = make_queue(unseen_seconds=0.4, fresh_seconds=0.1)
    job_id = queue.submit(scripted("hang"), "ann")
    running(queue, job_id)
    for _ in range(6):
        time.sleep(0.1)
        queue.watch(job_id, "ann")
    seen = queue.get(job_id)
    assert seen is not None
    assert seen.state == "running", "somebody was looking"
    job = queue.wait(job_id, lambda job: job.ended, 1.5)
    assert job is not None
    assert job.state == state
    assert ("nobody" in job.message) == (state == "cancelled")


def test_a_hosted_queue_is_bounded(make_queue: MakeQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    queue = make_queue()
    for seed in range(module.MOST_WAITING + 1):  # one of them runs
        queue.submit(scripted("hang", seed), "ann")
    with pytest.raises(PrunescopeError, match=f"{module.MOST_WAITING} runs are waiting"):
        queue.submit(scripted("hang", 99), "ann")
    assert queue.submit(scripted("hang", 0), "bob"), "sharing needs no place"


def test_a_bad_request_is_refused_before_it_is_queued(make_queue: MakeQueue) -> None:
    with pytest.raises(PrunescopeError, match="unknown task"):
        make_queue().submit(replace(REQUEST, task="sts"), "ann")


def test_a_worker_that_dies_ends_its_job_and_is_replaced(make_queue: MakeQueue) -> None:
    queue = make_queue()
    queue.start_worker()
    first = worker_of(queue)
    job_id = queue.submit(scripted("hang"), "ann")
    waiting = queue.submit(scripted("frames"), "bob")
    running(queue, job_id)
    os.kill(first.pid, signal.SIGKILL)
    job = ended(queue, job_id)
    assert job.state == "failed"
    assert "ended unexpectedly" in job.message
    assert job.frames, "what had arrived is kept"
    assert ended(queue, waiting).state == "done"
    assert worker_of(queue).pid != first.pid
    assert ended(queue, queue.submit(scripted("die"), "ann")).state == "failed"
    assert ended(queue, queue.submit(scripted("frames"), "ann")).state == "done"


def test_a_worker_that_has_ended_idle_is_replaced_without_a_word(make_queue: MakeQueue) -> None:
    queue = make_queue()
    job_id = queue.submit(scripted("idle out"), "ann")
    deadline = time.monotonic() + PATIENCE
    pids = set()
    while len(pids) < 2 and time.monotonic() < deadline:  # this one idles out again and again
        pids |= {queue._worker.pid} if queue._worker else set()
        time.sleep(0.01)
    assert len(pids) == 2
    job = queue.get(job_id)
    assert job is not None
    assert not job.ended


def test_starting_twice_starts_one(make_queue: MakeQueue) -> None:
    queue = make_queue()
    queue.start_worker()
    first = worker_of(queue)
    queue.start_worker()
    assert worker_of(queue) is first


def test_a_worker_that_cannot_start_is_told(make_queue: MakeQueue) -> None:
    queue = JobQueue(["/nowhere/python"])
    queue.start_worker()
    job = ended(queue, queue.submit(REQUEST, "ann"))
    assert job.state == "failed"
    assert "does not start" in job.message


def test_a_worker_that_does_not_let_go_is_replaced(make_queue: MakeQueue) -> None:
    queue = make_queue(stubborn_seconds=0.3, fresh_seconds=0.1)
    job_id = queue.submit(scripted("stubborn"), "ann")
    running(queue, job_id)
    queue.cancel(job_id, "ann")
    assert ended(queue, job_id).state == "cancelled", "the visitor does not wait for the worker"
    assert ended(queue, queue.submit(scripted("frames"), "ann")).state == "done"


def test_refusals_and_lines_that_make_no_sense(make_queue: MakeQueue) -> None:
    queue = make_queue()
    refused = ended(queue, queue.submit(scripted("refuse"), "ann"))
    assert (refused.state, refused.message) == ("failed", "42 examples: choose 4 to 10")
    assert ended(queue, queue.submit(scripted("babble"), "ann")).state == "done", "what is not understood is skipped"
    assert ended(queue, queue.submit(scripted("nonsense"), "ann")).state == "failed"
    assert ended(queue, queue.submit(scripted("frames"), "ann")).state == "done"


def test_verification_is_a_job_too(make_queue: MakeQueue) -> None:
    queue = make_queue()
    job = ended(queue, queue.ask("verify", "ann", key=RESULT.key, amount=0.5))
    assert job.state == "done"
    assert job.outcome is not None
    assert job.outcome["amount"] == 0.5


def test_only_the_last_ended_jobs_are_remembered(make_queue: MakeQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FINISHED", 3)
    queue = make_queue()
    ids = [queue.submit(scripted("frames", seed), "ann") for seed in range(6)]
    assert ended(queue, ids[-1]).state == "done"
    assert [queue.get(job_id) is not None for job_id in ids] == [False] * 3 + [True] * 3


def test_the_server_process_stays_free_of_torch() -> None:
    code = (
        "import sys, core.jobs.queue; "
        "print(sorted({'torch', 'transformers', 'datasets', 'streamlit'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
