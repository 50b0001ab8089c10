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
from unittest.mock import Mock

import pytest
from recovery import tiny_sweep
from tiny import make_bert

from core import worker
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
from tests.queues import Clock

Event = dict[str, Any]
FINAL = ("done", "error", "cancelled")
PATIENCE = 120.0  # seconds; only a test that fails waits so long
# Without deadlines: a busy machine may take longer than any.
WORKER = "from core import worker; worker.be_replaceable = int; worker.main()"


@pytest.fixture
def run(tiny_bert: Path, glue_folder: Path) -> Event:
    """The fields of a run's order."""
    request = SweepRequest(
        str(tiny_bert),
        "sst2",
        amounts=(0.0, 0.3, 0.6),
        num_examples=40,
        data=str(glue_folder),
    )
    return {"op": "run", "request": vars(checked(request)), "fresh": True}


def kinds(events: list[Event], job: str = "a") -> list[str]:
    return [event["event"] for event in events if event["job"] == job]


def parts(events: list[Event], kind: str) -> list[Any]:
    """Return the parts of this name that events hold."""
    return [event[kind] for event in events if kind in event]


def frames(events: list[Event]) -> list[Frame]:
    return [Frame.model_validate(frame) for frame in parts(events, "frame")]


def test_a_process_gives_way_to_pages_and_ends_with_its_server_even_in_mid_run(run: Event) -> None:
    amounts = [k / 100 for k in range(100)]
    order = {"job": "a", **run, "request": {**run["request"], "amounts": amounts}}
    pipes = {
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.DEVNULL,
    }
    with subprocess.Popen([sys.executable, "-c", WORKER], cwd=ROOT, text=True, **pipes) as child:
        print(json.dumps(order), file=child.stdin, flush=True)
        while '"event": "frame"' not in child.stdout.readline():
            assert child.poll() is None
        niceness = min(os.getpriority(os.PRIO_PROCESS, 0) + WORKER_NICENESS, 19)
        assert os.getpriority(os.PRIO_PROCESS, child.pid) == niceness

        rest, _ = child.communicate(timeout=PATIENCE)  # closes its standard input

    assert child.returncode == 0
    assert '"event": "done"' not in rest


# ---------------------------------------------------------------- inside this process


class Sink(io.StringIO):
    """A sink of a worker's events, which holds back those with `pause_at` until it may go on."""

    def __init__(self, pause_at: str) -> None:
        super().__init__()
        self.pause_at = pause_at
        self.paused = threading.Event()
        self.go_on = threading.Event()
        self.finals = threading.Semaphore(0)

    def write(self, line: str) -> int:
        written = super().write(line)
        if self.pause_at in line:
            self.paused.set()
            assert self.go_on.wait(PATIENCE)
        if any(f'"event": "{kind}"' in line for kind in FINAL):
            self.finals.release()
        return written


def serve(
    *orders: Event,
    warm_up: Callable[[], object] = lambda: None,
    cancel_at: str = "",
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

    worker.serve(source(), sink, lambda: warm_up() and None)
    return [json.loads(line) for line in sink.getvalue().splitlines()]


def test_a_run_tells_its_frames_and_is_made_once(run: Event) -> None:
    again = run | {"fresh": False}

    events = serve(run)

    path = store.find(events[-1]["key"])
    stored = store.load(path)
    assert stored.amounts == (0.0, 0.3, 0.6)
    assert stored.frames == tuple(frames(events))
    assert Header.model_validate(parts(events, "header")[0]).checkpoint == stored.checkpoint
    assert serve(again) == [events[-1]], "no frames: it is stored"
    assert frames(serve(run)) == frames(events), "the model was left as it was found"
    path.write_text("{}")
    assert frames(serve(again)), "a damaged file is not an answer"
    (refused,) = serve({"op": "verify", "key": stored.key, "amount": 0.4})
    assert refused["event"] == "error"
    assert refused["message"].startswith("amount 0.4 is not among")


def test_a_cancelled_run_stops_before_its_next_frame(run: Event) -> None:
    events = serve(run, cancel_at='"frame"')

    assert len(frames(events)) == 1
    assert kinds(events)[-1] == "cancelled"


def test_a_run_that_is_cancelled_while_it_waits_never_starts(
    run: Event,
) -> None:
    events = serve(run, {**run, "job": "b"}, cancel_at='"frame"')

    assert kinds(events)[-1] == "done"
    assert kinds(events, "b") == ["cancelled"]


@pytest.mark.usefixtures("brief_training")
def test_a_study_tells_its_scores_and_is_made_once(tmp_path: Path) -> None:
    request = CutRequest(str(make_bert(tmp_path / "model", layers=3)), "sst2", data="written")
    order = {"op": "cut", "request": vars(request), "fresh": False}

    events = serve(order, {**order, "job": "b"})

    study = store.load_any(store.find(events[-1]["key"]))
    scores = [Score.model_validate(score) for score in parts(events, "score")]
    assert [score.layers for score in scores] == [1, 2]
    assert [score.saved for score in scores] == [depth.saved for depth in study.depths[::-1]]
    assert kinds(events, "b") == ["done"], "it is stored"


def test_a_recovery_tells_its_frames_is_made_once_and_its_model_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.worker.find_recovery", partial(find_recovery, steps=2))
    result = tiny_sweep(tmp_path)
    store.save(result)
    places = {
        "checkpoint": str(tmp_path / "base"),
        "data": str(tmp_path / "rows.csv"),
    }
    request = {
        **vars(request_of(result)),
        "key": result.key,
        "amount": 0.6,
        **places,
    }
    order = {"op": "recover", "request": request, "fresh": False}

    events = serve(order, {**order, "job": "b"})

    recovery = store.load_any(store.find(events[-1]["key"]))
    last = Recovery.model_validate(parts(events, "recovery")[-1])
    assert last.all_frames == recovery.all_frames
    assert kinds(events, "b") == ["done"], "it is stored"

    training = {**vars(training_of(recovery)), **places}
    saving = {"op": "export-trained", "key": recovery.key, "request": training}
    folder = Path(serve(saving)[-1]["outcome"]["path"])
    assert store.load_any(folder / "result.json").all_frames == recovery.all_frames

    more = tmp_path / "more.csv"
    more.write_text(f"{(tmp_path / 'rows.csv').read_text()}a new row,positive\n")
    training["train"] = str(more)
    assert "are not those of the training" in serve(saving)[-1]["message"]


def test_an_idle_worker_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    silent = iter(lambda: str(ended.wait(PATIENCE)), "True")

    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.0)
    worker.serve(silent, io.StringIO(), lambda: None)

    ended.set()


def test_a_run_that_waits_for_torch_can_be_cancelled(run: Event) -> None:
    never = threading.Event()
    events = serve(run, warm_up=lambda: never.wait(PATIENCE), cancel_at="Loading PyTorch")
    never.set()
    assert kinds(events)[-1] == "cancelled"


def test_progress_has_the_time_left(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "time", Mock(monotonic=clock))
    reports: list[Event] = []
    report = worker.reporter(lambda event, **fields: reports.append(fields), threading.Event())

    for done in range(1, 201):  # 20 ms a step
        report("Pruning", done, 200)
        clock.advance(0.02)
    report("Loading", 0, 1)  # may take a minute, and nothing else is reported meanwhile

    assert reports[99]["seconds_left"] == pytest.approx(100 * 0.02)
    assert reports[-2]["seconds_left"] == 0
    assert reports[-1]["seconds_left"] is None
