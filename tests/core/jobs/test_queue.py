"""The queue, in front of a worker without a model."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import BusyError
from core.jobs import queue as module
from core.jobs.job import Job
from core.jobs.queue import CANCEL_TIMEOUT_SECONDS, UNSEEN_SECONDS, JobQueue
from core.request.cut_request import CutRequest
from core.request.sweep_request import SweepRequest, checked
from core.wall import turns
from core.wall.turns import Visitor
from tests.queues import RESULT, STUDY, Clock, ended, queues, running, until
from tests.refusals import refusal

REQUEST = SweepRequest("embedded:sst2", "sst2", data="written")
STUDY_REQUEST = checked(CutRequest("embedded:sst2", "sst2", data="written"))
ANN = Visitor("ann", "8.8.8.8")
BOB = Visitor("bob", "9.9.9.9")
CYD = Visitor("cyd", "1.1.1.1")


def scripted(what: str, seed: int = 0) -> SweepRequest:
    return replace(REQUEST, source_name=what, seed=seed)


@pytest.fixture
def queue(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobQueue]:
    monkeypatch.setattr(module, "TICK_SECONDS", 1e9)  # a test tends its queue itself
    with queues(tmp_path, clock) as queue:
        yield queue


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")


def later(queue: JobQueue, clock: Clock, seconds: float) -> None:
    """Let time pass and the queue tend its jobs."""
    clock.advance(seconds)
    queue.tend()


def chain(queue: JobQueue, *scripts: str) -> str:
    """Submit a sweep for each script, as one job of Ann's."""
    first, *others = (scripted(what, seed) for seed, what in enumerate(scripts))
    return queue.submit(first, ANN, follow_ups=others)


def at_step(queue: JobQueue, job_id: str, step: int) -> Job:
    """Wait until a step of a job runs."""
    job = until(queue, job_id, lambda job: job.ended or (job.step, job.state) == (step, "running"))
    assert job.state == "running"
    return job


def answer(queue: JobQueue, name: str, event: str, **fields: object) -> None:
    """Let the queue hear an event from its worker."""
    with queue._changed:
        queue._on_line(json.dumps({"job": name, "event": event, **fields}))


def state_of(queue: JobQueue, job_id: str) -> str:
    return queue.get(job_id).state


def positions(queue: JobQueue, *jobs: str) -> list[tuple[str, int]]:
    return [(queue.get(job_id).state, queue.get(job_id).position) for job_id in jobs]


def test_frames_arrive_while_it_runs_and_the_result_replaces_them(
    queue: JobQueue,
) -> None:
    hanging = queue.submit(scripted("hang"), ANN)

    job = running(queue, hanging)
    assert (job.stage, job.done, job.total, job.seconds_left) == (
        "Amount 0",
        1,
        40,
        2.5,
    )
    assert job.header.checkpoint.id == "embedded:sst2"
    assert [frame.amount for frame in job.frames] in ([0.0], [0.0, 0.5])

    queue.cancel(hanging, ANN)
    job = ended(queue, queue.submit(scripted("frames"), ANN))
    assert (job.state, job.key, job.frames) == ("done", RESULT.key, ())
    assert queue.request_for(RESULT.key, ANN) == scripted("frames")


def test_a_question_is_answered(queue: JobQueue) -> None:
    job = ended(queue, queue.ask("verify", ANN, key=RESULT.key, amount=0.5))

    assert job.state == "done"
    assert job.outcome["amount"] == 0.5


def test_scores_of_a_study_arrive_while_it_is_made(queue: JobQueue) -> None:
    request = replace(STUDY_REQUEST, source_name="hang")
    hanging = queue.submit(request, ANN)

    job = until(queue, hanging, lambda job: len(job.scores) == len(STUDY.depths))
    assert [score.layers for score in job.scores] == [1, 2, 3]
    assert job.scores[0].saved == STUDY.depths[-1].saved

    queue.cancel(hanging, ANN)
    finished = replace(request, source_name="scores")
    assert ended(queue, queue.submit(finished, ANN)).key == STUDY.key
    assert queue.request_for(STUDY.key, ANN) == finished


def test_only_the_last_ended_jobs_are_remembered(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_REMEMBERED", 3)

    ids = [queue.submit(scripted("frames", seed), ANN) for seed in range(6)]
    ended(queue, ids[-1])
    assert [queue.get(job_id) is not None for job_id in ids] == [False] * 3 + [True] * 3

    honest = queue.submit(scripted("frames"), BOB)
    ended(queue, honest)
    for seed in range(1, 8):
        queue.cancel(queue.submit(scripted("hang", seed), ANN), ANN)
    assert queue.get(honest), "a visitor who ends many jobs displaces no other's"


def test_equal_requests_share_a_job_that_the_last_watcher_ends(
    queue: JobQueue,
) -> None:
    shared = queue.submit(scripted("hang"), ANN)
    assert queue.submit(scripted("hang"), BOB) == shared
    running(queue, shared)
    others = [queue.submit(scripted("frames", seed), CYD) for seed in (1, 2)]
    assert positions(queue, *others) == [("queued", 1), ("queued", 2)]

    queue.cancel(shared, ANN)
    assert state_of(queue, shared) == "running", "bob is still watching"
    queue.cancel(shared, BOB)
    assert queue.get(shared).message == "Cancelled."
    assert [ended(queue, job_id).state for job_id in others] == ["done", "done"]


def test_an_ended_job_is_not_shared_nor_a_stored_result_that_is_wanted_anew(
    queue: JobQueue,
) -> None:
    first = queue.submit(scripted("hang"), ANN)
    queue.cancel(first, ANN)

    again = queue.submit(scripted("hang"), ANN)
    fresh, third = (queue.submit(scripted("hang", seed), BOB, fresh=True) for seed in (0, 1))
    assert len({first, again, fresh}) == 3

    queue.cancel(fresh, BOB)  # while it waits
    assert state_of(queue, fresh) == "cancelled"
    assert queue.get(third).position == 1


@pytest.mark.parametrize(
    ("hosted", "address", "pause", "state"),
    [
        ("0", None, 0, "cancelled"),
        ("1", "8.8.8.8", 6, "cancelled"),
        ("1", "8.8.8.8", 0, "running"),
        ("1", None, 6, "running"),
    ],
)
def test_a_reloaded_page_can_cancel_but_not_for_a_neighbour_who_still_looks(
    queue: JobQueue,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    hosted: str,
    address: str,
    pause: int,
    state: str,
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
    reloaded = Visitor("after the reload", address)
    job_id = queue.submit(scripted("hang"), Visitor("before it, or a neighbour", address))

    clock.advance(pause)
    queue.watch(job_id, reloaded)
    queue.cancel(job_id, reloaded)

    assert state_of(queue, job_id) == state


@pytest.mark.parametrize(("hosted", "state"), [("1", "cancelled"), ("0", "running")])
def test_unseen_jobs_end_on_a_hosted_server_only(
    queue: JobQueue,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    hosted: str,
    state: str,
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
    job_id = queue.submit(scripted("hang"), ANN)

    for _ in range(3):
        later(queue, clock, UNSEEN_SECONDS)
        assert state_of(queue, job_id) == "running", "somebody was looking"
        queue.watch(job_id, ANN)

    later(queue, clock, UNSEEN_SECONDS + 0.1)
    assert state_of(queue, job_id) == state


@pytest.mark.usefixtures("hosted")
def test_the_queue_tends_itself(
    queue: JobQueue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TICK_SECONDS", 0.01)
    job_id = queue.submit(scripted("hang"), ANN)

    clock.advance(UNSEEN_SECONDS + 0.1)

    assert "nobody" in ended(queue, job_id).message


@pytest.mark.usefixtures("hosted")
def test_jobs_go_round_by_address(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Submit ten runs of new visits at one address: a second address waits for one of them."""
    monkeypatch.setattr(turns, "EACH", 10)
    visits = [Visitor(f"visit {k}", "8.8.8.8") for k in range(11)]
    current, *greedy = (queue.submit(scripted("hang", k), visits[k]) for k in range(10))
    with pytest.raises(BusyError, match=r"^10 runs from your network are waiting here"):
        queue.submit(scripted("hang", 99), visits[10])
    assert queue.submit(scripted("hang", 0), ANN) == current, "sharing needs no place"

    second = queue.submit(scripted("hang", 20), BOB)
    assert positions(queue, second, greedy[0]) == [("queued", 1), ("queued", 2)]

    queue.cancel(greedy[3], visits[4])
    answer(queue, f"{current}/0", "error", message="")
    assert state_of(queue, second) == "running"
    assert [queue.get(job_id).position for job_id in greedy[4:]] == [
        4,
        5,
        6,
        7,
        8,
    ]


def test_few_questions_come_before_a_run(queue: JobQueue) -> None:
    queue.ask("predict", ANN, texts=["hang"])
    run = queue.submit(scripted("hang"), ANN)

    questions = [queue.ask("predict", ANN, texts=["hang", str(k)]) for k in range(5)]

    assert queue.get(run).position == 4
    assert [queue.get(job_id).position for job_id in questions] == [
        1,
        2,
        3,
        5,
        6,
    ]


@pytest.mark.usefixtures("hosted")
def test_no_job_runs_for_ever(queue: JobQueue, clock: Clock) -> None:
    job_id = queue.submit(scripted("hang"), ANN)
    for seconds, state in ((600, "running"), (0.1, "failed")):
        clock.advance(seconds)
        queue.watch(job_id, ANN)
        queue.tend()
        assert state_of(queue, job_id) == state
    assert queue.get(job_id).message.startswith("Stopped after 10 minutes")


@pytest.mark.usefixtures("hosted")
@pytest.mark.parametrize("request_", [REQUEST, STUDY_REQUEST])
def test_what_takes_too_long_is_refused(
    queue: JobQueue,
    monkeypatch: pytest.MonkeyPatch,
    request_: SweepRequest | CutRequest,
) -> None:
    monkeypatch.setattr("core.inputs.forecast.SHIPPED_SPEED", 1e6)
    assert "minutes here, at most 10 are allowed" in refusal(queue.submit, request_, ANN)


# ---------------------------------------------------------------- a sweep and those after it


def test_sweeps_of_one_job_run_in_order_and_the_first_ones_result_is_its_result(
    queue: JobQueue,
) -> None:
    job_id = chain(queue, "frames", "frames", "hang")
    assert at_step(queue, job_id, 2).frames == ()

    answer(queue, f"{job_id}/1", "done", key="0" * 64)
    assert queue.get(job_id).step == 2, "an answer that comes late is no other sweep's"

    answer(queue, f"{job_id}/2", "done", key="2" * 64)
    assert ended(queue, job_id).keys == (RESULT.key, RESULT.key, "2" * 64)
    assert queue.request_for("2" * 64, ANN) == scripted("hang", 2)


@pytest.mark.parametrize(
    ("script", "state", "words"),
    [
        ("die", "failed", "ended unexpectedly"),
        ("refuse", "failed", "choose 4"),
        ("hang", "cancelled", "Cancelled."),
    ],
)
def test_a_failing_sweep_ends_the_chain_and_what_is_finished_is_kept(
    queue: JobQueue, script: str, state: str, words: str
) -> None:
    job_id = chain(queue, "frames", "frames", script, "frames")
    if script == "hang":
        at_step(queue, job_id, 2)
        queue.cancel(job_id, ANN)

    job = ended(queue, job_id)
    assert job.state == state
    assert words in job.message
    assert job.keys == (RESULT.key, RESULT.key)
    later_job = ended(queue, queue.submit(scripted("frames", 9), ANN))
    assert later_job.state == "done", "the worker is free, or replaced"


def test_stored_sweeps_do_not_wait_and_a_chain_can_be_cancelled_while_it_waits(
    queue: JobQueue,
) -> None:
    queue.submit(scripted("hang", 9), BOB)

    job_id = chain(queue, "stored", "stored", "frames")
    job = queue.get(job_id)
    assert (job.state, job.position) == ("queued", 1)
    assert job.keys == (RESULT.key, RESULT.key)

    stored, fresh = (queue.submit(scripted("stored", 7), CYD, fresh=k) for k in (False, True))
    assert positions(queue, stored, fresh) == [("done", 0), ("queued", 2)]

    queue.cancel(job_id, ANN)
    assert state_of(queue, job_id) == "cancelled"
    assert queue.get(job_id).key == RESULT.key


# ---------------------------------------------------------------- the worker


def test_a_worker_that_has_died_is_replaced_and_takes_the_next_job(
    queue: JobQueue,
) -> None:
    queue.start_worker()
    with queue._changed:  # the queue cannot hear yet that it has died
        child = queue._worker.child
        child.kill()
        child.wait()
        job_id = queue.submit(scripted("frames"), ANN)
        assert state_of(queue, job_id) == "queued"

    assert ended(queue, job_id).state == "done"
    assert queue._worker.child not in (None, child)


def test_a_worker_that_cannot_start_fails_the_job() -> None:
    queue = JobQueue(["/nowhere/python"])
    queue.start_worker()

    job = ended(queue, queue.submit(REQUEST, ANN))

    assert job.state == "failed"
    assert "does not start" in job.message


def test_a_worker_that_does_not_react_is_replaced(queue: JobQueue, clock: Clock) -> None:
    job_id = queue.submit(scripted("stubborn"), ANN)
    running(queue, job_id)
    queue.cancel(job_id, ANN)
    assert state_of(queue, job_id) == "cancelled", "the visitor does not wait for the worker"

    waiting = queue.submit(scripted("frames"), ANN)
    later(queue, clock, CANCEL_TIMEOUT_SECONDS)
    assert state_of(queue, waiting) == "queued"
    later(queue, clock, 0.1)
    assert ended(queue, waiting).state == "done"
