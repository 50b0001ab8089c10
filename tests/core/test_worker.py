"""The worker: orders in, events out, as a process with a real (tiny) model and inside this one."""

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from recovery import tiny_sweep
from tiny import make_bert

from core.request.catalog import ROOT
from core.request.cut_request import CutRequest
from core.request.sweep_request import SweepRequest, checked
from core.results import store
from core.results.cut import Score
from core.results.provenance import request_of, training_of
from core.results.recovery import Recovery
from core.results.schema import Frame, Header
from core.sweep.origin import find_recovery
from core.wall.confined import WORKER_NICENESS
from core.worker import Worker, reporter
from tests.queues import Clock

Event = dict[str, Any]
FINAL = ("done", "error", "cancelled")
PATIENCE = 120.0  # seconds; only a test that fails waits so long


@pytest.fixture
def run(tiny_bert: Path, glue_folder: Path) -> Event:
    """The fields of a run's order."""
    request = SweepRequest(
        str(tiny_bert), "sst2", amounts=(0.0, 0.3, 0.6), num_examples=40, data=str(glue_folder)
    )
    return {"op": "run", "request": vars(checked(request)), "fresh": True}


def kinds(events: list[Event]) -> list[str]:
    return [event["event"] for event in events]


def frames(events: list[Event]) -> list[Frame]:
    return [Frame.model_validate(event["frame"]) for event in events if event["event"] == "frame"]


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    """A worker process without deadlines: a busy machine may take longer than any."""
    command = [
        sys.executable,
        "-u",
        "-c",
        "from core import worker; worker.be_replaceable = int; worker.main()",
    ]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:
        yield process
        process.kill()


def test_a_process_answers_orders_and_ends_with_its_server_even_in_mid_run(
    process: subprocess.Popen[str], run: Event, tiny_bert: Path, glue_folder: Path
) -> None:
    def event() -> Event:
        return json.loads(process.stdout.readline())  # type: ignore[union-attr]

    def sent(job: str, op: str, **rest: object) -> list[Event]:
        """Send an order, and read up to its last event."""
        print(json.dumps({"job": job, "op": op, **rest}), file=process.stdin, flush=True)
        events = [event()]
        while events[-1]["event"] not in FINAL:
            events.append(event())
        assert all(event["job"] == job for event in events)
        return events

    events = sent("a", **run)
    assert set(kinds(events[:-1])) == {"progress", "frame"}
    stages = [
        event
        for event in events
        if event["event"] == "progress" and event["stage"].endswith("removed")
    ]
    assert stages[-1]["done"] == stages[-1]["total"]
    assert stages[-1]["seconds_left"] == 0
    assert [frame.amount for frame in frames(events)] == [0.0, 0.3, 0.6]
    header = Header.model_validate(
        next(event["header"] for event in events if event["event"] == "frame")
    )
    path = store.find(events[-1]["key"])
    stored = store.load(path)
    assert (stored.frames, stored.checkpoint) == (tuple(frames(events)), header.checkpoint)
    assert sent("b", **run | {"fresh": False}) == [{**events[-1], "job": "b"}], (
        "no frames: it is stored"
    )
    assert frames(sent("c", **run)) == frames(events), "the model was left as it was found"
    path.write_text("{}")
    assert frames(sent("d", **run | {"fresh": False})), "a damaged file is not an answer"

    folders = {"checkpoint": str(tiny_bert), "data": str(glue_folder)}
    refused = sent("e", "verify", key=stored.key, amount=0.4, **folders)[-1]
    assert (refused["event"], refused["message"][:23]) == ("error", "amount 0.4 is not among")
    lower = min(os.getpriority(os.PRIO_PROCESS, 0) + WORKER_NICENESS, 19)
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == lower, "pages come first"
    long = {**run["request"], "amounts": [k / 100 for k in range(100)]}
    print(json.dumps({"job": "long", **run, "request": long}), file=process.stdin, flush=True)
    while event()["event"] != "frame":
        pass
    rest, _ = process.communicate(timeout=PATIENCE)  # closes its standard input
    assert process.returncode == 0
    assert '"event": "done"' not in rest


# ---------------------------------------------------------------- inside this process


class Sink(io.StringIO):
    """A sink of a worker's events that holds back those with `pause_at` until the worker may go on."""

    def __init__(self, pause_at: str) -> None:
        super().__init__()
        self.pause_at = pause_at
        self.paused, self.go_on, self.finals = (
            threading.Event(),
            threading.Event(),
            threading.Semaphore(0),
        )

    def write(self, line: str) -> int:
        written = super().write(line)
        if self.pause_at in line:
            self.paused.set()
            assert self.go_on.wait(PATIENCE)
        if json.loads(line)["event"] in FINAL:
            self.finals.release()
        return written


def serve(
    orders: list[Event], warm_up: Callable[[], object] = lambda: None, cancel_at: str = ""
) -> list[Event]:
    """Run a worker in this process until it has carried out some orders; return its events.

    Args:
        orders: The orders.
        warm_up: The work in the background.
        cancel_at: A text; the last order is cancelled as soon as an event contains it.
    """
    sink = Sink(cancel_at or "never written")

    def source() -> Iterator[str]:
        yield from (json.dumps({"job": "a", **order}) for order in orders)
        if cancel_at:
            assert sink.paused.wait(PATIENCE)
            yield json.dumps({"job": orders[-1].get("job", "a"), "op": "cancel"})
            sink.go_on.set()  # the worker has taken the cancel: it asks for the next line
        for _ in orders:
            assert sink.finals.acquire(timeout=PATIENCE)

    Worker(source(), sink, lambda: warm_up() and None).serve()
    return [json.loads(line) for line in sink.getvalue().splitlines()]


def test_a_cancelled_run_stops_before_its_next_frame(run: Event) -> None:
    events = serve([run], cancel_at='"frame"')
    assert len(frames(events)) == 1
    assert kinds(events)[-1] == "cancelled"
    waiting = serve([run, {**run, "job": "b"}], cancel_at='"frame"')
    assert frames(waiting)[0] == frames(events)[0], "the model was left as it was found"
    assert kinds([event for event in waiting if event["job"] == "b"]) == ["cancelled"], (
        "it never starts"
    )
    (done,) = (event for event in waiting if event["event"] == "done")
    assert frames(waiting) == list(store.load(store.find(done["key"])).frames)


@pytest.mark.usefixtures("brief_training")
def test_a_study_tells_its_scores_and_is_made_once(tmp_path: Path) -> None:
    request = CutRequest(str(make_bert(tmp_path / "model", layers=3)), "sst2", data="written")
    order = {"op": "cut", "request": vars(request)}
    events = serve([order, {**order, "job": "b"}])
    study = store.load_any(store.find(events[-1]["key"]))
    scores = [Score.model_validate(event["score"]) for event in events if event["event"] == "score"]
    assert [(score.layers, score.saved) for score in scores] == [
        (d.layers, d.saved) for d in study.depths[::-1]
    ]
    assert kinds([event for event in events if event["job"] == "b"]) == ["done"], "it is stored"
    store.find(study.key).unlink()
    cancelled = serve([order], cancel_at='"score"')
    assert (kinds(cancelled)[-1], kinds(cancelled).count("score"), store.find(study.key)) == (
        "cancelled",
        1,
        None,
    )


def test_a_recovery_tells_its_frames_is_made_once_and_its_model_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.worker.find_recovery", partial(find_recovery, steps=2))
    store.save(result := tiny_sweep(tmp_path))
    places = {"checkpoint": str(tmp_path / "base"), "data": str(tmp_path / "rows.csv")}
    order = {
        "op": "recover",
        "request": {**vars(request_of(result)), "key": result.key, "amount": 0.6, **places},
    }
    events = serve([order, {**order, "job": "b"}])
    last = [
        Recovery.model_validate(event["recovery"])
        for event in events
        if event["event"] == "recovery"
    ][-1]
    whole = store.load_any(store.find(events[-1]["key"]))
    assert last.all_frames == whole.all_frames
    assert kinds([event for event in events if event["job"] == "b"]) == ["done"], "it is stored"
    saving = {
        "op": "export-trained",
        "key": whole.key,
        "request": {**vars(training_of(whole)), **places},
    }
    folder = Path(serve([saving])[-1]["outcome"]["path"])
    assert store.load_any(folder / "result.json").all_frames == whole.all_frames
    (tmp_path / "more.csv").write_text(f"{(tmp_path / 'rows.csv').read_text()}a new row,positive\n")
    saving["request"]["train"] = str(tmp_path / "more.csv")
    assert "are not those of the training" in serve([saving])[-1]["message"]


def test_an_idle_worker_ends() -> None:
    ended = threading.Event()
    Worker(
        iter(lambda: str(ended.wait(PATIENCE)), "True"),
        io.StringIO(),
        lambda: None,
        idle_seconds=0.0,
    ).serve()
    ended.set()


def test_torch_is_imported_in_the_background_and_a_run_that_waits_for_it_can_be_cancelled(
    run: Event,
) -> None:
    code = "import sys, core.worker; print(sorted({'torch', 'transformers', 'datasets'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True) == "[]\n"
    never = threading.Event()
    cancelled = serve([run], lambda: never.wait(PATIENCE), cancel_at="Loading PyTorch")
    never.set()
    assert kinds(cancelled)[-1] == "cancelled"


def test_progress_has_the_time_left(clock: Clock) -> None:
    reports: list[Event] = []
    report = reporter(lambda event, **fields: reports.append(fields), threading.Event(), clock)
    for done in range(1, 201):  # 20 ms a step
        report("Pruning", done, 200)
        clock.advance(0.02)
    assert reports[99]["seconds_left"] == pytest.approx(100 * 0.02)
    assert reports[-1] == {"stage": "Pruning", "done": 200, "total": 200, "seconds_left": 0}
    report(
        "Loading the checkpoint", 0, 1
    )  # may take a minute, and nothing else is reported meanwhile
    assert (reports[-1]["stage"], reports[-1]["seconds_left"]) == ("Loading the checkpoint", None)
