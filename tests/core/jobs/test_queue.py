"""The queue, in front of a worker without a model."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import PrunescopeError
from core.jobs import queue as module
from core.jobs.queue import JobQueue
from core.request.catalog import ROOT
from core.request.sweep_request import SweepRequest
from core.results.store import load
from tests.queues import PATIENCE, RESULT, Clock, MakeQueue, ended, now, queues, running

REQUEST = SweepRequest("embedded:sst2", "sst2", data="written")


def scripted(what: str, seed: int = 0) -> SweepRequest:
    return replace(REQUEST, source_name=what, seed=seed)


@pytest.fixture
def make_queue(tmp_path: Path, clock: Clock) -> Iterator[MakeQueue]:
    with queues(tmp_path, clock) as make:
        yield make


def estimate(queue: JobQueue, watcher: str, what: str = "", seed: int = 0) -> str:
    return queue.ask("estimate", watcher, request=scripted(what, seed).to_json())


def kill_worker(queue: JobQueue) -> int:
    """Kills the worker, waits until the process has gone, and returns its number."""
    child = queue._worker._child
    assert child is not None
    child.kill()
    assert child.wait() == -signal.SIGKILL
    return child.pid


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


def test_equal_requests_share_a_job_and_others_wait_their_turn(make_queue: MakeQueue) -> None:
    queue = make_queue()
    first = queue.submit(scripted("hang"), "ann")
    assert queue.submit(scripted("hang"), "bob") == first
    others = [queue.submit(scripted("frames", seed), "cyd") for seed in (1, 2)]
    running(queue, first)
    waiting = [now(queue, job_id) for job_id in others]
    assert [(job.state, job.position) for job in waiting] == [("queued", 1), ("queued", 2)]

    queue.cancel(first, "ann")
    assert now(queue, first).state == "running", "bob is still watching"
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
    assert (now(queue, second).state, now(queue, third).position) == ("cancelled", 1)


def test_a_stored_result_need_not_wait_its_turn(make_queue: MakeQueue) -> None:
    queue = make_queue()
    first = queue.submit(scripted("hang"), "ann")
    absent, stored, fresh = (
        queue.submit(scripted("frames"), "bob"),
        queue.submit(scripted("stored"), "bob"),
        queue.submit(scripted("stored"), "bob", fresh=True),
    )
    assert ended(queue, stored).state == "done"
    jobs = [now(queue, job_id) for job_id in (first, absent, fresh)]
    assert [(job.state, job.position) for job in jobs] == [("running", 0), ("queued", 1), ("queued", 2)]


def test_a_reloaded_page_can_still_cancel(make_queue: MakeQueue, clock: Clock) -> None:
    """The session before the reload still counts for a moment; then nobody is left and the job ends."""
    queue = make_queue()
    job_id = queue.submit(scripted("hang"), "before the reload")
    running(queue, job_id)
    queue.watch(job_id, "after it")
    queue.cancel(job_id, "after it")
    clock.advance(module.FRESH_SECONDS)
    queue.tend()
    assert now(queue, job_id).state == "running"
    clock.advance(0.1)
    queue.tend()
    assert ended(queue, job_id).state == "cancelled"


@pytest.mark.parametrize(("hosted", "state"), [("1", "cancelled"), ("0", "running")])
def test_unseen_jobs_end_on_a_hosted_server_only(
    make_queue: MakeQueue, clock: Clock, monkeypatch: pytest.MonkeyPatch, hosted: str, state: str
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
    queue = make_queue()
    job_id = queue.submit(scripted("hang"), "ann")
    for _ in range(3):
        clock.advance(module.UNSEEN_SECONDS)
        queue.tend()
        assert not now(queue, job_id).ended, "somebody was looking"
        queue.watch(job_id, "ann")
    clock.advance(module.UNSEEN_SECONDS + 0.1)
    queue.tend()
    job = now(queue, job_id)
    assert job.state == state
    assert ("nobody" in job.message) == (state == "cancelled")


def test_the_queue_tends_itself(make_queue: MakeQueue, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK_SECONDS", 0.01)
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    queue = make_queue()
    job_id = queue.submit(scripted("hang"), "ann")
    clock.advance(module.UNSEEN_SECONDS + 0.1)
    assert ended(queue, job_id).state == "cancelled"


def test_a_hosted_queue_is_bounded(make_queue: MakeQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    queue = make_queue()
    for seed in range(module.MAX_WAITING + 1):  # one of them runs
        queue.submit(scripted("hang", seed), "ann")
    with pytest.raises(PrunescopeError, match=f"{module.MAX_WAITING} runs are waiting"):
        queue.submit(scripted("hang", 99), "ann")
    assert queue.submit(scripted("hang", 0), "bob"), "sharing needs no place"


# ---------------------------------------------------------------- estimates


def test_estimates_take_no_place_from_runs(make_queue: MakeQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    queue = make_queue()
    queue.submit(scripted("hang"), "ann")
    for k in range(module.MAX_WAITING):
        with suppress(PrunescopeError):  # more than fit
            estimate(queue, f"visitor {k}", seed=k)
    for k in range(module.MAX_WAITING):
        queue.submit(scripted("frames", 1 + k), "bob")


def test_estimates_have_a_bound_of_their_own(make_queue: MakeQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    queue = make_queue()
    queue.submit(scripted("hang"), "ann")
    for k in range(module.MAX_WAITING_ESTIMATES):
        estimate(queue, f"visitor {k}", seed=k)
    with pytest.raises(PrunescopeError, match=f"{module.MAX_WAITING_ESTIMATES} estimates are waiting"):
        estimate(queue, "one too many", seed=99)
    assert estimate(queue, "visitor 0", seed=99), "it replaces the one before"


def test_runs_go_before_estimates(make_queue: MakeQueue) -> None:
    queue = make_queue()
    first = queue.submit(scripted("hang"), "ann")
    asked = estimate(queue, "bob")
    later = queue.submit(scripted("hang", 1), "cyd")
    typed = queue.ask("predict", "dan", texts=["hang"], amounts=[0.0])
    assert [now(queue, job_id).position for job_id in (first, later, typed, asked)] == [0, 1, 2, 3]
    queue.cancel(first, "ann")
    running(queue, later)
    assert [now(queue, job_id).position for job_id in (typed, asked)] == [1, 2]


def test_a_running_estimate_makes_way_for_a_run_and_is_measured_afterwards(make_queue: MakeQueue) -> None:
    queue = make_queue()
    asked = estimate(queue, "ann", "hang")
    run = queue.submit(scripted("hang"), "bob")
    assert now(queue, run).position == 0
    running(queue, run)
    job = now(queue, asked)
    assert (job.state, job.position) == ("queued", 1)
    queue.cancel(run, "bob")
    job = queue.wait(asked, lambda job: job.state == "running", PATIENCE)
    assert job is not None
    assert job.state == "running"


def test_an_estimate_that_does_not_make_way_is_measured_by_the_next_worker(make_queue: MakeQueue, clock: Clock) -> None:
    queue = make_queue()
    asked = estimate(queue, "ann", "stubborn")
    run = queue.submit(scripted("hang"), "bob")
    clock.advance(module.CANCEL_TIMEOUT_SECONDS + 0.1)
    queue.tend()
    running(queue, run)
    assert now(queue, asked).state == "queued"


def test_a_new_estimate_replaces_the_visitors_last_one(make_queue: MakeQueue) -> None:
    queue = make_queue()
    queue.submit(scripted("hang"), "ann")
    shared, alone = estimate(queue, "ann", seed=1), estimate(queue, "bob", seed=2)
    assert estimate(queue, "bob", seed=1) == shared
    assert now(queue, alone).state == "cancelled"
    newest = estimate(queue, "ann", seed=3)
    assert [now(queue, job_id).state for job_id in (shared, newest)] == ["queued", "queued"], "bob wants the first"
    assert estimate(queue, "bob", seed=3) == newest
    assert now(queue, shared).state == "cancelled"


# ---------------------------------------------------------------- the worker's life


def test_a_bad_request_is_refused_before_it_is_queued(make_queue: MakeQueue) -> None:
    with pytest.raises(PrunescopeError, match="unknown task"):
        make_queue().submit(replace(REQUEST, task="sts"), "ann")


def test_a_worker_that_dies_ends_its_job_and_is_replaced(make_queue: MakeQueue) -> None:
    queue = make_queue()
    job_id = queue.submit(scripted("hang"), "ann")
    waiting = queue.submit(scripted("frames"), "bob")
    running(queue, job_id)
    pid = kill_worker(queue)
    job = ended(queue, job_id)
    assert job.state == "failed"
    assert "ended unexpectedly" in job.message
    assert job.frames, "what had arrived is kept"
    assert ended(queue, waiting).state == "done"
    assert queue._worker.pid not in (None, pid)
    assert ended(queue, queue.submit(scripted("die"), "ann")).state == "failed"
    assert ended(queue, queue.submit(scripted("frames"), "ann")).state == "done"


def test_a_worker_is_replaced_only_after_its_death_is_reported(make_queue: MakeQueue) -> None:
    """A page is opened and Run pressed after the worker's death, before the queue has heard of it."""
    queue = make_queue()
    job_id = queue.submit(scripted("hang"), "ann")
    running(queue, job_id)
    with queue._changed:  # the death cannot be reported meanwhile
        kill_worker(queue)
        queue.start_worker()
        waiting = queue.submit(scripted("frames"), "bob")
    job = ended(queue, job_id)
    assert job.state == "failed"
    assert "ended unexpectedly" in job.message
    assert ended(queue, waiting).state == "done"


def test_an_order_to_a_worker_that_has_died_idle_goes_to_its_successor(make_queue: MakeQueue) -> None:
    queue = make_queue()
    queue.start_worker()
    with queue._changed:  # the death cannot be reported meanwhile
        kill_worker(queue)
        job_id = queue.submit(scripted("frames"), "ann")
        assert now(queue, job_id).state == "queued"
    assert ended(queue, job_id).state == "done"


def test_an_order_to_a_worker_that_ends_idle_goes_to_its_successor(make_queue: MakeQueue) -> None:
    queue = make_queue()
    job_id = queue.submit(scripted("idle out once"), "ann")
    assert ended(queue, job_id).state == "done"


def test_starting_twice_starts_one(make_queue: MakeQueue) -> None:
    queue = make_queue()
    queue.start_worker()
    first = queue._worker.pid
    queue.start_worker()
    assert queue._worker.pid == first is not None


def test_a_worker_that_cannot_start_fails_the_job(make_queue: MakeQueue) -> None:
    queue = JobQueue(["/nowhere/python"])
    queue.start_worker()
    job = ended(queue, queue.submit(REQUEST, "ann"))
    assert job.state == "failed"
    assert "does not start" in job.message


def test_a_worker_that_does_not_drop_a_cancelled_job_is_replaced(make_queue: MakeQueue, clock: Clock) -> None:
    queue = make_queue()
    job_id = queue.submit(scripted("stubborn"), "ann")
    running(queue, job_id)
    queue.cancel(job_id, "ann")
    assert now(queue, job_id).state == "cancelled", "the visitor does not wait for the worker"
    waiting = queue.submit(scripted("frames"), "ann")
    clock.advance(module.CANCEL_TIMEOUT_SECONDS)
    queue.tend()
    assert now(queue, waiting).state == "queued"
    clock.advance(0.1)
    queue.tend()
    assert ended(queue, waiting).state == "done"


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
    monkeypatch.setattr(module, "MAX_REMEMBERED", 3)
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
