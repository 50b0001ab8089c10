"""The worker: orders in, events out, as a process with a real (tiny) model and in pieces."""

import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core import worker
from core.request.catalog import ROOT
from core.request.sweep_request import SweepRequest, checked
from core.results import store
from core.results.schema import Frame, Header
from core.worker import CancelledError, Reporter, Worker
from tests.builders import make_result_of

Event = dict[str, Any]
FINAL = ("done", "error", "cancelled")


class Process:
    """A worker process and a way to talk to it."""

    def __init__(self) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-u", "-m", "core.worker"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def send(self, job: str, op: str, **rest: object) -> None:
        self.write(json.dumps({"job": job, "op": op, **rest}) + "\n")

    def write(self, text: str) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.write(text)
        self.popen.stdin.flush()

    def event(self) -> Event:
        assert self.popen.stdout is not None
        return json.loads(self.popen.stdout.readline())

    def until_end_of(self, job: str) -> list[Event]:
        """Reads up to the final event of a job; events of other jobs are among them."""
        events = [self.event()]
        while events[-1]["job"] != job or events[-1]["event"] not in FINAL:
            events.append(self.event())
        return events


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    process = Process()
    yield process
    process.popen.kill()
    process.popen.wait()


@pytest.fixture
def request_json(tiny_bert: Path, glue_folder: Path) -> dict[str, Any]:
    return _request(tiny_bert, glue_folder).to_json()


def _request(tiny_bert: Path, glue_folder: Path) -> SweepRequest:
    request = SweepRequest(str(tiny_bert), "sst2", amounts=(0.0, 0.3, 0.6), num_examples=40, data=str(glue_folder))
    return checked(request)


def kinds(events: list[Event]) -> list[str]:
    return [event["event"] for event in events]


def frames(events: list[Event]) -> list[Frame]:
    return [Frame.model_validate(event["frame"]) for event in events if event["event"] == "frame"]


def test_a_run_tells_progress_and_frames_and_stores_the_result(process: Process, request_json: dict[str, Any]) -> None:
    process.send("a", "run", request=request_json, fresh=True)
    events = process.until_end_of("a")
    assert set(kinds(events[:-1])) == {"progress", "frame"}
    stages = [event for event in events if event["event"] == "progress" and event["stage"].startswith("Pruning amount")]
    assert stages[-1]["done"] == stages[-1]["total"]
    assert stages[-1]["seconds_left"] == 0
    assert [frame.amount for frame in frames(events)] == [0.0, 0.3, 0.6]
    header = Header.model_validate(next(event["header"] for event in events if event["event"] == "frame"))
    done = events[-1]
    stored = store.load(Path(done["path"]))
    assert (done["event"], done["stored"], done["key"]) == ("done", False, stored.key)
    assert stored.frames == tuple(frames(events))
    assert stored.checkpoint == header.checkpoint

    process.send("b", "run", request=request_json)
    second = process.until_end_of("b")
    assert kinds(second) == ["done"]
    assert second[0]["stored"]
    assert second[0]["path"] == done["path"]

    process.send("c", "run", request=request_json, fresh=True)
    third = process.until_end_of("c")
    assert frames(third) == frames(events), "the model was left as it was found"

    Path(done["path"]).write_text("{}")
    process.send("d", "run", request=request_json)
    assert not process.until_end_of("d")[-1]["stored"], "a damaged file is no answer"
    assert store.load(Path(done["path"])).frames == stored.frames


def test_cancel_ends_the_running_and_the_waiting_job(process: Process, request_json: dict[str, Any]) -> None:
    many = {**request_json, "amounts": [k / 100 for k in range(100)]}
    process.send("long", "run", request=many, fresh=True)
    process.send("next", "run", request=request_json, fresh=True)
    process.send("next", "cancel")
    while process.event()["event"] != "frame":
        pass
    process.send("long", "cancel")
    started = time.monotonic()
    events = process.until_end_of("long")
    assert time.monotonic() - started < 1
    assert events[-1]["event"] == "cancelled"
    assert len(frames(events)) < 90
    assert kinds(process.until_end_of("next")) == ["cancelled"]
    process.send("long", "cancel")  # too late: nothing happens

    process.send("after", "run", request=request_json, fresh=True)
    after = process.until_end_of("after")
    assert frames(after) == list(store.load(Path(after[-1]["path"])).frames)
    assert frames(after)[0].cka["mean"][0][0] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"amounts": [0.5, 1.5]}, "amount 1.5 is outside"),
        ({"checkpoint": "/no/such/folder"}, "is no checkpoint"),
        ({"task": "mnli"}, "labels"),
        ({"scope": "layer:7"}, "this model has 2 layers"),
    ],
)
def test_refusals_are_told_in_one_line(
    process: Process, request_json: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    process.send("bad", "run", request={**request_json, **change})
    last = process.until_end_of("bad")[-1]
    assert last["event"] == "error"
    assert message in last["message"]
    assert "\n" not in last["message"]


def test_nonsense_is_survived(process: Process) -> None:
    process.write("not JSON\n[]\n{}\n")
    process.send("odd", "dance")
    last = process.until_end_of("odd")[-1]
    assert last["event"] == "error"
    assert "unexpected KeyError" in last["message"]
    process.send("odd", "verify", key="0" * 64, amount=0.5)
    assert "no stored result" in process.until_end_of("odd")[-1]["message"]


def test_the_worker_ends_with_its_server_even_in_mid_run(request_json: dict[str, Any]) -> None:
    process = Process()
    many = {**request_json, "amounts": [k / 100 for k in range(100)]}
    process.send("long", "run", request=many, fresh=True)
    while process.event()["event"] != "frame":
        pass
    process.popen.communicate(timeout=5)  # closes its standard input
    assert process.popen.returncode == 0


# ---------------------------------------------------------------- in pieces


def serve(orders: list[dict[str, Any]], warm_up: Callable[[], None] = lambda: None) -> list[Event]:
    """Runs a worker in this process on some orders, to the end of its idle time."""
    keep_open = threading.Event()

    def source() -> Iterator[str]:
        yield from (json.dumps(order) for order in orders)
        keep_open.wait(10)

    sink = io.StringIO()
    Worker(source(), sink, warm_up, idle_seconds=0.2).serve()
    keep_open.set()
    return [json.loads(line) for line in sink.getvalue().splitlines()]


def test_a_stored_result_does_not_wait_for_torch(tiny_bert: Path) -> None:
    request = checked(SweepRequest(str(tiny_bert), "sst2", num_examples=24, data="written"))
    store.save(make_result_of(request))
    never = threading.Event()
    try:
        order = {"job": "a", "op": "run", "request": request.to_json()}
        events = serve([order], warm_up=lambda: never.wait(30) and None)
    finally:
        never.set()
    assert kinds(events) == ["done"]
    assert events[0]["stored"]


def test_a_waiting_request_is_answered_early_if_its_result_is_stored(tiny_bert: Path, glue_folder: Path) -> None:
    request = checked(SweepRequest(str(tiny_bert), "sst2", num_examples=26, data="written"))
    find = {"job": "a", "op": "find", "request": request.to_json()}
    assert serve([find]) == [], "what is not stored is told in its turn"
    assert serve([{**find, "request": _request(tiny_bert, glue_folder).to_json()}, {"job": "b", "op": "find"}]) == []
    path = store.save(make_result_of(request))
    assert serve([find]) == [{"job": "a", "event": "done", "key": path.stem, "path": str(path), "stored": True}]


def test_what_a_stored_result_needs_imports_no_torch() -> None:
    code = "import sys, core.worker; print(sorted({'torch', 'transformers', 'datasets'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_it_can_be_cancelled_while_it_warms_up(tiny_bert: Path, glue_folder: Path) -> None:
    request = replace(_request(tiny_bert, glue_folder), num_examples=25)
    never = threading.Event()
    run = {"job": "a", "op": "run", "request": request.to_json(), "fresh": True}
    started = time.monotonic()
    events = serve([run, {"job": "a", "op": "cancel"}], warm_up=lambda: never.wait(30) and None)
    never.set()
    assert kinds(events)[-1] == "cancelled"
    assert time.monotonic() - started < 5


def test_a_frame_is_verified_from_the_folders_that_are_named(
    process: Process, request_json: dict[str, Any], tiny_bert: Path, glue_folder: Path
) -> None:
    process.send("a", "run", request=request_json)
    key = process.until_end_of("a")[-1]["key"]
    folders = {"checkpoint": str(tiny_bert), "data": str(glue_folder)}
    process.send("v", "verify", key=key, amount=0.3, **folders)
    events = process.until_end_of("v")
    assert events[-1]["event"] == "done"
    deviations = events[-1]["outcome"]
    assert deviations["amount"] == 0.3
    assert deviations["within_tolerance"]
    assert set(deviations["torch_cka"]) == {"mean", "cls", "tokens"}
    process.send("v", "verify", key=key, amount=0.4, **folders)
    assert "amount 0.4 is not among" in process.until_end_of("v")[-1]["message"]


def test_progress_is_thinned_out_and_tells_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, Any]] = []
    clock = [100.0]
    monkeypatch.setattr(worker.time, "monotonic", lambda: clock[0])
    report = Reporter(lambda event, **fields: told.append(fields), threading.Event())
    for done in range(1, 201):  # 20 ms a step
        report("Pruning", done, 200)
        clock[0] += 0.02
    assert 35 <= len(told) <= 45, "about ten a second"
    assert told[0]["seconds_left"] is None
    halfway = next(fields for fields in told if fields["done"] >= 100)
    assert halfway["seconds_left"] == pytest.approx((200 - halfway["done"]) * 0.02)
    assert told[-1] == {"stage": "Pruning", "done": 200, "total": 200, "seconds_left": 0}
    report("Saving", 0, 1)
    assert told[-1]["seconds_left"] is None, "a new phase has its own pace"


def test_a_cancelled_job_stops_at_its_next_report() -> None:
    cancelled = threading.Event()
    report = Reporter(lambda event, **fields: None, cancelled)
    report("Pruning", 1, 2)
    cancelled.set()
    with pytest.raises(CancelledError):
        report("Pruning", 2, 2)


def test_prints_of_libraries_do_not_reach_the_protocol() -> None:
    code = (
        "import os, sys; from core.worker import _take_streams; source, sink = _take_streams();"
        "print('noise'); os.write(1, b'noise'); print(repr(sys.stdin.read()), file=sink);"
        "print(source.readline(), file=sink, flush=True)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, input="an order\n", check=True
    )
    assert done.stdout.split("\n")[:2] == ["''", "an order"]
    assert done.stderr.count("noise") == 2
