"""The queue, in front of a worker without a model."""

import json
import signal
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import PrunescopeError
from core.jobs import queue as module
from core.jobs.entry import FRESH_SECONDS, MAX_PASSED_SECONDS, MAX_SENTENCES_IN_A_ROW, UNSEEN_SECONDS
from core.jobs.job import Job
from core.jobs.queue import JobQueue
from core.request.sweep_request import SweepRequest
from core.results.schema import Header
from core.results.store import load
from tests.queues import PATIENCE, RESULT, Clock, ended, now, queues, running

REQUEST = SweepRequest("embedded:sst2", "sst2", data="written")


def scripted(what: str, seed: int = 0) -> SweepRequest:
    return replace(REQUEST, source_name=what, seed=seed)


@pytest.fixture
def queue(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobQueue]:
    monkeypatch.setattr(module, "TICK_SECONDS", 1e9)  # a test tends its queue itself
    monkeypatch.setattr(module, "SILENT_SECONDS", 1e9)
    with queues(tmp_path, clock) as make:
        yield make()


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")


def later(queue: JobQueue, clock: Clock, seconds: float) -> None:
    """Lets time go by and the queue tend its jobs."""
    clock.advance(seconds)
    queue.tend()


def estimate(queue: JobQueue, watcher: str, what: str = "", seed: int = 0) -> str:
    return queue.ask("estimate", watcher, request=scripted(what, seed).to_json())


def kill_worker(queue: JobQueue) -> int:
    """Kills the worker, waits until the process has gone, and returns its number."""
    child = queue._worker._child
    assert child is not None
    child.kill()
    assert child.wait() == -signal.SIGKILL
    return child.pid


def test_frames_arrive_while_it_runs_and_the_result_replaces_them(queue: JobQueue) -> None:
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
    assert len(hanging) >= 12, "nobody guesses it"
    assert queue.get("nothing") is None
    queue.watch("nothing", "ann")
    queue.cancel("nothing", "ann")


def test_equal_requests_share_a_job_and_others_wait_their_turn(queue: JobQueue) -> None:
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
    again = queue.submit(scripted("hang"), "ann")
    assert again != first, "an ended job is not shared"
    fresh, third = (queue.submit(scripted("hang", seed), "bob", fresh=True) for seed in (0, 1))
    assert fresh != again
    queue.cancel(fresh, "bob")
    assert (now(queue, fresh).state, now(queue, third).position) == ("cancelled", 1), "it is removed at once"


def test_a_stored_result_need_not_wait_its_turn(queue: JobQueue) -> None:
    first = queue.submit(scripted("hang"), "ann")
    absent, stored, fresh = (
        queue.submit(scripted("frames"), "bob"),
        queue.submit(scripted("stored"), "bob"),
        queue.submit(scripted("stored"), "bob", fresh=True),
    )
    assert ended(queue, stored).state == "done"
    jobs = [now(queue, job_id) for job_id in (first, absent, fresh)]
    assert [(job.state, job.position) for job in jobs] == [("running", 0), ("queued", 1), ("queued", 2)]


def test_a_reloaded_page_can_still_cancel(queue: JobQueue, clock: Clock) -> None:
    """The session before the reload still counts for a moment; then nobody is left and the job ends."""
    job_id = queue.submit(scripted("hang"), "before the reload")
    running(queue, job_id)
    queue.watch(job_id, "after it")
    queue.cancel(job_id, "after it")
    later(queue, clock, FRESH_SECONDS)
    assert now(queue, job_id).state == "running"
    later(queue, clock, 0.1)
    assert ended(queue, job_id).state == "cancelled"


ANN, BOB = "203.0.113.7", "203.0.113.8"  # addresses


@pytest.mark.parametrize("hosted", ["0", "1"])
def test_a_stranger_who_joins_a_job_and_cancels_does_not_end_it(
    queue: JobQueue, clock: Clock, monkeypatch: pytest.MonkeyPatch, hosted: str
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
    job_id = queue.submit(scripted("hang"), "ann", address=ANN)
    clock.advance(10 * FRESH_SECONDS)  # Ann's tab is in the background
    assert queue.submit(scripted("hang"), "bob", address=BOB) == job_id
    queue.cancel(job_id, "bob", address=BOB)
    queue.tend()
    assert now(queue, job_id).state == "running"
    later(queue, clock, UNSEEN_SECONDS)
    assert now(queue, job_id).state == "running"
    later(queue, clock, 0.1)
    assert now(queue, job_id).state == ("cancelled" if hosted == "1" else "running")


@pytest.mark.parametrize(("hosted", "address"), [("0", None), ("0", ANN), ("1", ANN), ("1", None)])
def test_who_cancels_takes_their_stale_tabs_along(
    queue: JobQueue, clock: Clock, monkeypatch: pytest.MonkeyPatch, hosted: str, address: str | None
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
    job_id = queue.submit(scripted("hang"), "before the reload", address=address)
    queue.watch(job_id, "a second tab", address=address)
    clock.advance(FRESH_SECONDS + 0.1)
    queue.watch(job_id, "after the reload", address=address)
    queue.cancel(job_id, "after the reload", address=address)
    if hosted == "1" and address is None:
        assert now(queue, job_id).state == "running", "unknown addresses are not the same"
        queue.cancel(job_id, "before the reload")
        queue.cancel(job_id, "a second tab")
    assert (now(queue, job_id).state, now(queue, job_id).message) == ("cancelled", "Cancelled.")


def test_a_tab_that_looks_keeps_a_job_that_another_tab_of_the_same_visitor_cancels(
    queue: JobQueue, clock: Clock, hosted: None
) -> None:
    job_id = queue.submit(scripted("hang"), "first tab", address=ANN)
    queue.watch(job_id, "second tab", address=ANN)
    queue.cancel(job_id, "second tab", address=ANN)
    clock.advance(FRESH_SECONDS - 1)
    queue.watch(job_id, "first tab", address=ANN)
    clock.advance(FRESH_SECONDS + 1)  # it looked after the cancel, so it is no stale tab
    queue.tend()
    assert now(queue, job_id).state == "running"


def test_a_stale_tab_that_has_gone_along_does_not_count_as_asker(queue: JobQueue, clock: Clock, hosted: None) -> None:
    """The run goes on for somebody else, and whoever asked for it may ask for another."""
    job_id = queue.submit(scripted("hang"), "before the reload", address=ANN)
    queue.watch(job_id, "bob", address=BOB)
    queue.watch(job_id, "after the reload", address=ANN)
    queue.cancel(job_id, "after the reload", address=ANN)
    with pytest.raises(PrunescopeError, match="you already have a run in progress"):
        queue.submit(scripted("hang", 1), "after the reload", address=ANN)
    later(queue, clock, FRESH_SECONDS + 0.1)
    assert now(queue, job_id).state == "running", "for Bob"
    assert queue.submit(scripted("hang", 1), "after the reload", address=ANN)


def test_a_shared_run_counts_for_those_who_asked_and_have_not_left(queue: JobQueue, hosted: None) -> None:
    ann, bob = ({"watcher": name, "address": f"203.0.113.{k}"} for k, name in enumerate(("ann", "bob")))
    shared = queue.submit(scripted("hang"), **ann)
    assert queue.submit(scripted("hang"), **bob) == shared
    with pytest.raises(PrunescopeError, match="you already have a run in progress"):
        queue.submit(scripted("hang", 1), **bob)
    queue.cancel(shared, "ann")
    assert now(queue, shared).state == "running"
    assert queue.submit(scripted("hang", 2), **ann)


@pytest.mark.parametrize(("hosted", "state"), [("1", "cancelled"), ("0", "running")])
def test_unseen_jobs_end_on_a_hosted_server_only(
    queue: JobQueue, clock: Clock, monkeypatch: pytest.MonkeyPatch, hosted: str, state: str
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
    job_id = queue.submit(scripted("hang"), "ann")
    for _ in range(3):
        later(queue, clock, UNSEEN_SECONDS)
        assert not now(queue, job_id).ended, "somebody was looking"
        queue.watch(job_id, "ann")
    later(queue, clock, UNSEEN_SECONDS + 0.1)
    job = now(queue, job_id)
    assert job.state == state
    assert ("nobody" in job.message) == (state == "cancelled")


def test_the_queue_tends_itself(queue: JobQueue, clock: Clock, monkeypatch: pytest.MonkeyPatch, hosted: None) -> None:
    monkeypatch.setattr(module, "TICK_SECONDS", 0.01)
    job_id = queue.submit(scripted("hang"), "ann")
    clock.advance(UNSEEN_SECONDS + 0.1)
    assert ended(queue, job_id).state == "cancelled"


def test_a_hosted_queue_is_bounded(queue: JobQueue, hosted: None) -> None:
    most = module.MAX_WAITING["runs"]
    for seed in range(most + 1):  # one of them runs
        queue.submit(scripted("hang", seed), f"visitor {seed}")
    with pytest.raises(PrunescopeError, match=rf"the queue is full \({most} runs are waiting\)"):
        queue.submit(scripted("hang", 99), "ann")
    assert queue.submit(scripted("hang", 0), "bob"), "sharing needs no place"
    assert sentence(queue, "ann"), "a typed sentence waits in a lane of its own"


# ---------------------------------------------------------------- many strangers


def sentence(queue: JobQueue, watcher: str, text: str = "a good film", address: str | None = None) -> str:
    return queue.ask("predict", watcher, address=address, texts=[text], amounts=[0.0, 0.5])


@pytest.mark.parametrize("token", ["ann", "visitor {}"])
def test_one_visitor_cannot_take_all_places(queue: JobQueue, hosted: None, token: str) -> None:
    """Twenty requests, from one visit or each from a new one at the same address: a second visitor is served."""
    accepted, refused = [], []
    for seed in range(20):
        try:
            accepted.append(queue.submit(scripted("hang", seed), token.format(seed), address="203.0.113.7"))
        except PrunescopeError as error:
            refused.append(str(error))
    assert (len(accepted), len(refused)) == (1, 19)
    assert refused[0].startswith("you already have a run in progress")
    second = queue.submit(scripted("frames", 99), "bob", address="203.0.113.8")
    asked = sentence(queue, "cyd", address="203.0.113.9")
    assert (now(queue, asked).position, now(queue, second).position) == (1, 2), "behind the one that runs"
    queue.cancel(accepted[0], token.format(0))
    assert ended(queue, asked).state == "done"
    assert ended(queue, second).state == "done"
    assert queue.submit(scripted("frames", 20), token.format(20), address="203.0.113.7"), "its run has ended"


def test_a_visitor_has_one_question_beside_a_sweep(queue: JobQueue, hosted: None) -> None:
    queue.submit(scripted("hang"), "ann")
    sentence(queue, "ann")
    with pytest.raises(PrunescopeError, match="you already have a question in progress"):
        sentence(queue, "ann", "another one")
    with pytest.raises(PrunescopeError, match="you already have a question in progress"):
        queue.ask("verify", "ann", key="0" * 64, amount=0.5)


@pytest.mark.parametrize(
    ("script", "seconds", "said"),
    [
        ("hang", 600, "Stopped after 10 minutes, the most that a run may take here"),
        ("download, then hang", 180, "The download took longer than 3 minutes"),
    ],
)
def test_no_job_runs_for_ever_on_a_hosted_server(
    queue: JobQueue, clock: Clock, monkeypatch: pytest.MonkeyPatch, script: str, seconds: float, said: str, hosted: None
) -> None:
    job_id = queue.submit(scripted(script), "ann")
    queue.wait(job_id, lambda job: bool(job.frames), PATIENCE)
    clock.advance(seconds)
    queue.watch(job_id, "ann")
    queue.tend()
    assert not now(queue, job_id).ended
    later(queue, clock, 0.1)
    job = now(queue, job_id)
    assert job.state == "failed"
    assert job.message.startswith(said)
    assert ended(queue, queue.submit(scripted("frames", 9), "ann")).state == "done", "the worker is free"


def test_the_time_of_all_sweeps_of_a_job_counts(
    queue: JobQueue, clock: Clock, monkeypatch: pytest.MonkeyPatch, hosted: None
) -> None:
    other = queue.submit(scripted("hang", 7), "bob")
    job_id = chain(queue, "ann", "hang")
    clock.advance(400)
    for watched, watcher in ((other, "bob"), (job_id, "ann")):
        queue.watch(watched, watcher)
    queue.cancel(other, "bob")
    at_step(queue, job_id, 1)
    queue._entries[job_id].spent = 300.0  # of its first sweep; waiting does not count
    clock.advance(301)
    queue.watch(job_id, "ann")
    queue.tend()
    assert now(queue, job_id).state == "failed"


def test_a_worker_that_stands_still_is_replaced(
    queue: JobQueue, clock: Clock, monkeypatch: pytest.MonkeyPatch, hosted: None
) -> None:
    monkeypatch.setattr(module, "SILENT_SECONDS", 100.0)
    job_id = queue.submit(scripted("stop"), "ann")
    queue.wait(job_id, lambda job: job.stage == "Amount 0", PATIENCE)
    waiting = queue.submit(scripted("frames", 1), "bob")
    for seconds in (module.SILENT_SECONDS / 2, module.SILENT_SECONDS / 2, 0.1):
        assert not now(queue, job_id).ended
        clock.advance(seconds)
        for watched, watcher in ((job_id, "ann"), (waiting, "bob")):
            queue.watch(watched, watcher)
        queue.tend()
    assert ended(queue, job_id).state == "failed"
    assert ended(queue, waiting).state == "done"


# ---------------------------------------------------------------- a sweep and those after it


def chain(queue: JobQueue, watcher: str, *scripts: str, first: str = "frames") -> str:
    """Submits a sweep and one after it for each script."""
    follow_ups = [scripted(what, seed) for seed, what in enumerate(scripts, start=1)]
    return queue.submit(scripted(first), watcher, follow_ups=follow_ups)


def at_step(queue: JobQueue, job_id: str, step: int, state: str = "running") -> Job:
    """Waits until a job has come to a step."""
    job = queue.wait(job_id, lambda job: job.ended or (job.step, job.state) == (step, state), PATIENCE)
    assert job is not None
    assert (job.step, job.state) == (step, state)
    return job


def answer(queue: JobQueue, name: str, event: str, **fields: object) -> None:
    """Lets the queue hear something from its worker."""
    with queue._changed:
        queue._on_line(json.dumps({"job": name, "event": event, **fields}))


def test_sweeps_of_one_job_run_in_order_and_the_first_ones_result_is_its_result(queue: JobQueue) -> None:
    job_id = chain(queue, "ann", "frames", "hang")
    job = at_step(queue, job_id, 2)
    assert (job.key, job.follow_up_keys, job.frames) == (RESULT.key, (RESULT.key,), ())
    assert job.current_request == scripted("hang", 2)
    answer(queue, f"{job_id}/1", "done", key="0" * 64, path="/zero.json", stored=True)
    assert now(queue, job_id) == job, "a late answer about an earlier sweep, whose stored result was found as it began"
    answer(queue, f"{job_id}/2", "done", key="2" * 64, path="/two.json", stored=True)
    job = ended(queue, job_id)
    assert (job.state, job.key, job.follow_up_keys) == ("done", RESULT.key, (RESULT.key, "2" * 64))
    assert job.path is not None
    assert load(job.path).key == RESULT.key
    assert queue.request_for(RESULT.key) == scripted("frames")
    assert queue.request_for("2" * 64) == scripted("hang", 2)


def test_frames_of_later_sweeps_do_not_mix_with_the_first_ones(queue: JobQueue) -> None:
    job_id = chain(queue, "ann", "hang")
    at_step(queue, job_id, 1)
    content = RESULT.model_dump(mode="json")
    header = {name: content[name] for name in Header.model_fields}
    answer(queue, f"{job_id}/1", "frame", header=header, frame=content["frames"][0])
    assert (now(queue, job_id).frames, now(queue, job_id).header) == ((), None)
    answer(queue, f"{job_id}/1", "progress", stage="Amount 0.3", done=3, total=4, seconds_left=None)
    assert now(queue, job_id).stage == "Amount 0.3"


def test_others_have_their_turn_between_two_sweeps_of_a_job(queue: JobQueue) -> None:
    with queue._changed:  # nothing is answered meanwhile
        long = chain(queue, "ann", "hang")
        short = queue.submit(scripted("frames", 9), "bob")
    assert ended(queue, short).state == "done", "it would wait for ever behind what hangs"
    at_step(queue, long, 1)


def test_cancel_ends_the_chain_and_keeps_what_is_finished(queue: JobQueue) -> None:
    job_id = chain(queue, "ann", "frames", "hang", "frames")
    at_step(queue, job_id, 2)
    assert chain(queue, "bob", "frames", "hang", "frames") == job_id
    alone = queue.submit(scripted("frames"), "cyd")
    assert alone != job_id
    queue.cancel(job_id, "ann")
    assert now(queue, job_id).state == "running", "bob is still watching"
    queue.cancel(job_id, "bob")
    job = now(queue, job_id)
    assert (job.state, job.key, job.follow_up_keys) == ("cancelled", RESULT.key, (RESULT.key,))
    assert ended(queue, queue.submit(scripted("frames", 9), "ann")).state == "done", "the worker is free"
    assert now(queue, job_id).step == 2, "nothing comes after it"


@pytest.mark.parametrize(("script", "said"), [("die", "ended unexpectedly"), ("refuse", "42 examples: choose 4 to 10")])
def test_a_sweep_that_fails_ends_the_chain_and_what_is_finished_is_kept(
    queue: JobQueue, script: str, said: str
) -> None:
    job = ended(queue, chain(queue, "ann", "frames", script, "frames"))
    assert (job.state, job.step, job.key, job.follow_up_keys) == ("failed", 2, RESULT.key, (RESULT.key,))
    assert said in job.message
    assert ended(queue, queue.submit(scripted("frames", 9), "bob")).state == "done"


def test_a_chain_passes_what_is_stored_and_can_be_cancelled_while_it_waits(queue: JobQueue) -> None:
    with queue._changed:
        job_id = chain(queue, "ann", "stored", "stored", "frames")
        other = queue.submit(scripted("hang", 9), "bob")
    job = at_step(queue, job_id, 3, "queued")
    assert (len(job.follow_up_keys), job.position) == (2, 1)
    queue.cancel(job_id, "ann")
    assert (now(queue, job_id).state, now(queue, job_id).key) == ("cancelled", RESULT.key)
    queue.cancel(other, "bob")
    assert ended(queue, queue.submit(scripted("frames", 8), "ann")).state == "done"


# ---------------------------------------------------------------- estimates


def test_estimates_have_a_bound_of_their_own(queue: JobQueue, hosted: None) -> None:
    queue.submit(scripted("hang"), "ann")
    most = module.MAX_WAITING["estimates"]
    for k in range(most):
        estimate(queue, f"visitor {k}", seed=k)
    with pytest.raises(PrunescopeError, match=rf"the queue for estimates is full \({most} are waiting\)"):
        estimate(queue, "one too many", seed=99)
    assert estimate(queue, "visitor 0", seed=99), "it replaces the one before"
    for k in range(module.MAX_WAITING["runs"]):
        assert queue.submit(scripted("frames", 1 + k), f"visitor {k}"), "they take no place from runs"


def test_sentences_go_before_runs_and_runs_before_estimates(queue: JobQueue, clock: Clock) -> None:
    first = queue.submit(scripted("hang"), "ann")
    asked = estimate(queue, "bob")
    later = queue.submit(scripted("hang", 1), "cyd")
    clock.advance(10 * MAX_PASSED_SECONDS)  # it is not sentences that have kept the run waiting
    typed = queue.ask("predict", "dan", texts=["hang"], amounts=[0.0])
    assert [now(queue, job_id).position for job_id in (first, typed, later, asked)] == [0, 1, 2, 3]
    queue.cancel(first, "ann")
    queue.wait(typed, lambda job: job.state == "running", PATIENCE)
    assert [now(queue, job_id).position for job_id in (later, asked)] == [1, 2]


def finish(queue: JobQueue, job_id: str) -> None:
    """Lets the queue hear that the running job has failed, whatever its worker does: the next one starts at once."""
    assert now(queue, job_id).state == "running"
    answer(queue, f"{job_id}/0", "error", message="")


def served(queue: JobQueue, jobs: Sequence[str]) -> list[str]:
    """Finishes jobs until none is left, and returns the ids in the order in which they ran."""
    order: list[str] = []
    while len(order) < len(jobs):
        order.extend(job_id for job_id in jobs if now(queue, job_id).state == "running")
        finish(queue, order[-1])
    return order


@pytest.mark.parametrize(("seconds", "most"), [(0.5, MAX_SENTENCES_IN_A_ROW), (5.0, 6), (10.0, 3)])
def test_two_who_ask_back_to_back_do_not_keep_a_run_waiting(
    queue: JobQueue, clock: Clock, hosted: None, seconds: float, most: int
) -> None:
    """Each asks the next sentence as soon as the last is answered, which takes so many seconds."""
    asked = {bot: sentence(queue, bot, f"hang{' on' * k}") for k, bot in enumerate(("first bot", "second bot"))}
    finish(queue, asked["first bot"])  # before the run is asked for
    asked["first bot"] = sentence(queue, "first bot", "next")
    queued = queue.submit(scripted("hang"), "ann")
    asked_at, answered = clock.now, 0
    while now(queue, queued).state == "queued":
        bot = next(bot for bot, job_id in asked.items() if now(queue, job_id).state == "running")
        clock.advance(seconds)
        finish(queue, asked[bot])
        asked[bot] = sentence(queue, bot, f"sentence {answered}")
        answered += 1
        assert answered <= most
    assert now(queue, queued).state == "running"
    assert clock.now - asked_at <= MAX_PASSED_SECONDS


def test_the_position_shown_is_the_order_served(queue: JobQueue) -> None:
    first = queue.submit(scripted("hang"), "ann")  # at home nobody is counted
    asked = estimate(queue, "ann")
    runs = [queue.submit(scripted("hang", seed), "ann") for seed in (1, 2, 3)]
    sentences = [sentence(queue, "ann", f"number {k}") for k in range(2 * MAX_SENTENCES_IN_A_ROW + 1)]
    waiting = sorted((asked, *runs, *sentences), key=lambda job_id: now(queue, job_id).position)
    early, late = sentences[:MAX_SENTENCES_IN_A_ROW], sentences[MAX_SENTENCES_IN_A_ROW:]
    assert waiting == [*early, runs[0], *late[:-1], runs[1], late[-1], runs[2], asked]

    finish(queue, first)
    for job_id in waiting[:3]:
        finish(queue, job_id)
    left = waiting[3:]
    assert [now(queue, job_id).position for job_id in left] == list(range(len(left))), "the first of them runs"
    assert served(queue, left) == left


def test_a_run_that_sentences_have_kept_waiting_goes_first(queue: JobQueue, clock: Clock) -> None:
    early, late = (sentence(queue, "ann", f"hang{' on' * k}") for k in range(2))
    clock.advance(MAX_PASSED_SECONDS)
    runs = [queue.submit(scripted("hang", seed), "bob") for seed in range(2)]
    assert [now(queue, job_id).position for job_id in (late, *runs)] == [1, 2, 3], "they have only come"
    clock.advance(MAX_PASSED_SECONDS)
    waiting = [runs[0], late, runs[1]]
    assert [now(queue, job_id).position for job_id in waiting] == [1, 2, 3], "no two runs while a sentence waits"
    finish(queue, early)
    assert served(queue, waiting) == waiting


def test_a_later_sweep_of_a_job_waits_from_the_end_of_the_one_before(queue: JobQueue, clock: Clock) -> None:
    job_id = chain(queue, "ann", "hang", first="hang")
    clock.advance(MAX_PASSED_SECONDS)
    asked = [sentence(queue, "bob", f"number {k}") for k in range(2)]
    answer(queue, f"{job_id}/0", "done", key=RESULT.key, path="/zero.json", stored=False)
    assert (now(queue, asked[0]).state, now(queue, job_id).position) == ("running", 2)
    clock.advance(MAX_PASSED_SECONDS)
    assert (now(queue, asked[1]).position, now(queue, job_id).position) == (2, 1)


@pytest.mark.parametrize("script", ["hang", "stubborn"])
def test_a_running_estimate_makes_way_for_a_run_and_is_measured_afterwards(
    queue: JobQueue, clock: Clock, script: str
) -> None:
    asked = estimate(queue, "ann", script)
    run = queue.submit(scripted("hang"), "bob")
    assert now(queue, run).position == 0
    if script == "stubborn":  # the next worker runs it
        later(queue, clock, module.CANCEL_TIMEOUT_SECONDS + 0.1)
    running(queue, run)
    assert (now(queue, asked).state, now(queue, asked).position) == ("queued", 1)
    queue.cancel(run, "bob")
    job = queue.wait(asked, lambda job: job.state == "running", PATIENCE)
    assert job is not None
    assert job.state == "running"


def test_a_new_estimate_replaces_the_visitors_last_one(queue: JobQueue) -> None:
    queue.submit(scripted("hang"), "ann")
    shared, alone = estimate(queue, "ann", seed=1), estimate(queue, "bob", seed=2)
    assert estimate(queue, "bob", seed=1) == shared
    assert now(queue, alone).state == "cancelled"
    newest = estimate(queue, "ann", seed=3)
    assert [now(queue, job_id).state for job_id in (shared, newest)] == ["queued", "queued"], "bob wants the first"
    assert estimate(queue, "bob", seed=3) == newest
    assert now(queue, shared).state == "cancelled"


# ---------------------------------------------------------------- the worker's life


def test_a_worker_that_dies_ends_its_job_and_is_replaced(queue: JobQueue) -> None:
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


def test_an_order_to_a_worker_that_has_died_idle_goes_to_its_successor(queue: JobQueue) -> None:
    queue.start_worker()
    with queue._changed:  # the death cannot be reported meanwhile
        kill_worker(queue)
        job_id = queue.submit(scripted("frames"), "ann")
        assert now(queue, job_id).state == "queued"
    assert ended(queue, job_id).state == "done"
    first = queue._worker.pid
    queue.start_worker()
    assert queue._worker.pid == first is not None, "it is there already"
    assert ended(queue, queue.submit(scripted("idle out once"), "ann")).state == "done"


def test_a_worker_that_cannot_start_fails_the_job(queue: JobQueue) -> None:
    queue = JobQueue(["/nowhere/python"])
    queue.start_worker()
    job = ended(queue, queue.submit(REQUEST, "ann"))
    assert job.state == "failed"
    assert "does not start" in job.message


def test_a_worker_that_does_not_drop_a_cancelled_job_is_replaced(queue: JobQueue, clock: Clock) -> None:
    job_id = queue.submit(scripted("stubborn"), "ann")
    running(queue, job_id)
    queue.cancel(job_id, "ann")
    assert now(queue, job_id).state == "cancelled", "the visitor does not wait for the worker"
    waiting = queue.submit(scripted("frames"), "ann")
    later(queue, clock, module.CANCEL_TIMEOUT_SECONDS)
    assert now(queue, waiting).state == "queued"
    later(queue, clock, 0.1)
    assert ended(queue, waiting).state == "done"


def test_refusals_and_lines_that_make_no_sense(queue: JobQueue) -> None:
    refused = ended(queue, queue.submit(scripted("refuse"), "ann"))
    assert (refused.state, refused.message) == ("failed", "42 examples: choose 4 to 10")
    assert ended(queue, queue.submit(scripted("babble"), "ann")).state == "done", "what is not understood is skipped"
    assert ended(queue, queue.submit(scripted("nonsense"), "ann")).state == "failed"
    verified = ended(queue, queue.ask("verify", "ann", key=RESULT.key, amount=0.5))
    assert (verified.state, verified.outcome and verified.outcome["amount"]) == ("done", 0.5)
    with pytest.raises(PrunescopeError, match="unknown task"):
        queue.submit(replace(REQUEST, task="sts"), "ann")


def test_only_the_last_ended_jobs_are_remembered(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REMEMBERED", 3)
    ids = [queue.submit(scripted("frames", seed), "ann") for seed in range(6)]
    assert ended(queue, ids[-1]).state == "done"
    assert [queue.get(job_id) is not None for job_id in ids] == [False] * 3 + [True] * 3
    for seed in range(4):
        ended(queue, estimate(queue, "ann", seed=seed))
    assert all(queue.get(job_id) for job_id in ids[3:]), "many estimates let no run be forgotten"
