"""The worker: orders in, events out, as a process with a real (tiny) model and inside this one."""

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import core.worker
from core.inputs.prepare import Inputs
from core.request.catalog import ROOT
from core.request.sweep_request import SweepRequest, checked
from core.results import store
from core.results.schema import Frame, Header
from core.worker import NICENESS, CancelledError, Reporter, Worker
from tests.builders import compress, make_result_of
from tests.queues import Clock

Event = dict[str, Any]
Order = dict[str, Any]
FINAL = ("done", "error", "cancelled")
PATIENCE = 120.0  # seconds; only a test that fails waits so long


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
def started() -> Iterator[list[Process]]:
    processes: list[Process] = []
    yield processes
    for process in processes:
        process.popen.kill()
        process.popen.wait()


@pytest.fixture
def process(started: list[Process]) -> Process:
    """A worker process that runs: the same for all tests, until one ends it."""
    if not started or started[-1].popen.poll() is not None:
        started.append(Process())
    return started[-1]


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


def test_a_run_reports_progress_and_frames_and_stores_the_result(
    process: Process, request_json: dict[str, Any]
) -> None:
    process.send("a", "run", request=request_json, fresh=True)
    events = process.until_end_of("a")
    assert set(kinds(events[:-1])) == {"progress", "frame"}
    stages = [event for event in events if event["event"] == "progress" and event["stage"].endswith("removed")]
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
    assert not process.until_end_of("d")[-1]["stored"], "a damaged file is not an answer"
    assert store.load(Path(done["path"])).frames == stored.frames


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"checkpoint": "/no/such/folder"}, "is not a checkpoint"),
        ({"task": "mnli"}, "labels"),
        ({"scope": "layer:7"}, "this model has 2 layers"),
    ],
)
def test_refusals_are_one_line(
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


def test_the_worker_ends_with_its_server_even_in_mid_run(process: Process, request_json: dict[str, Any]) -> None:
    """The last that uses this process."""
    process.send("long", "run", request={**request_json, "amounts": [k / 100 for k in range(100)]}, fresh=True)
    while process.event()["event"] != "frame":
        pass
    lower = min(os.getpriority(os.PRIO_PROCESS, 0) + NICENESS, 19)
    assert os.getpriority(os.PRIO_PROCESS, process.popen.pid) == lower, "pages come first"
    rest, _ = process.popen.communicate(timeout=PATIENCE)  # closes its standard input
    assert process.popen.returncode == 0
    assert '"done"' not in rest


# ---------------------------------------------------------------- inside this process


class Sink(io.StringIO):
    """Takes a worker's events; holds the first that contains `pause_at` back until the worker may go on."""

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
        if json.loads(line)["event"] in FINAL:
            self.finals.release()
        return written


def serve(orders: list[Order], warm_up: Callable[[], object] = lambda: None, cancel_at: str = "") -> list[Event]:
    """Runs a worker in this process until it has carried out some orders.

    Args:
        orders: What it gets.
        warm_up: Runs in the background.
        cancel_at: The last order is cancelled as soon as an event contains this.
    """
    sink = Sink(cancel_at or "never written")

    def source() -> Iterator[str]:
        yield from (json.dumps(order) for order in orders)
        if cancel_at:
            assert sink.paused.wait(PATIENCE)
            yield json.dumps({"job": orders[-1]["job"], "op": "cancel"})
            sink.go_on.set()  # the worker has taken the cancel: it asks for the next line
        for order in orders:
            assert order["op"] == "find" or sink.finals.acquire(timeout=PATIENCE)

    Worker(source(), sink, lambda: warm_up() and None).serve()
    return [json.loads(line) for line in sink.getvalue().splitlines()]


def test_a_cancelled_run_stops_before_its_next_frame(tiny_bert: Path, glue_folder: Path) -> None:
    run = {"job": "a", "op": "run", "request": _request(tiny_bert, glue_folder).to_json(), "fresh": True}
    events = serve([run], cancel_at='"frame"')
    assert len(frames(events)) == 1
    assert kinds(events)[-1] == "cancelled"

    again = serve([{**run, "job": "b"}])
    assert frames(again)[0] == frames(events)[0], "the model was left as it was found"
    waiting = serve([{**run, "job": "c"}, {**run, "job": "d"}], cancel_at='"frame"')
    assert [(event["job"], event["event"]) for event in waiting if event["event"] in FINAL] == [
        *(("c", "done"), ("d", "cancelled"))
    ]
    assert kinds([event for event in waiting if event["job"] == "d"]) == ["cancelled"], "it never starts"
    assert frames(again) == list(store.load(Path(again[-1]["path"])).frames)
    assert frames(again)[0].similarity["cka"]["mean"][0][0] == pytest.approx(1, abs=1e-6)


def test_an_idle_worker_ends() -> None:
    ended = threading.Event()
    worker = Worker(iter(lambda: str(ended.wait()), "True"), io.StringIO(), lambda: None, idle_seconds=0.0)
    serving = threading.Thread(target=worker.serve, daemon=True)
    serving.start()
    serving.join(PATIENCE)
    has_ended = not serving.is_alive()
    ended.set()
    assert has_ended


def test_a_stored_result_does_not_wait_for_torch(tiny_bert: Path) -> None:
    request = checked(SweepRequest(str(tiny_bert), "sst2", num_examples=24, data="written"))
    store.save(make_result_of(request))
    never = threading.Event()
    events = serve([{"job": "a", "op": "run", "request": request.to_json()}], warm_up=lambda: never.wait(PATIENCE))
    assert kinds(events) == ["done"]
    assert events[0]["stored"]
    run = {"job": "a", "op": "run", "request": request.to_json(), "fresh": True}
    cancelled = serve([run], warm_up=lambda: never.wait(PATIENCE), cancel_at="Loading PyTorch")
    never.set()
    assert kinds(cancelled)[-1] == "cancelled", "a run that waits for it can be cancelled"


def test_a_waiting_request_is_answered_early_if_its_result_is_stored(tiny_bert: Path) -> None:
    request = checked(SweepRequest(str(tiny_bert), "sst2", num_examples=26, data="written"))
    find = {"job": "a", "op": "find", "request": request.to_json()}
    assert serve([find]) == [], "what is not stored has to wait for its turn"
    on_the_hub = checked(SweepRequest(str(tiny_bert), "sst2", data="hub")).to_json()
    assert serve([{**find, "request": on_the_hub}, {"job": "b", "op": "find"}]) == [], "nor is the Hub asked early"
    senseless = {**find, "request": {**find["request"], "checkpoint": 5}}
    assert kinds(serve([senseless, {"job": "b", "op": "dance"}])) == ["error"], "the reading goes on"
    path = store.save(make_result_of(request))
    done = {"job": "a", "event": "done", "key": path.stem, "path": str(path), "stored": True}
    assert serve([find]) == [done]
    compressed = compress(path)
    assert serve([find]) == [{**done, "path": str(compressed)}]


def test_a_cancel_does_not_wait_for_the_inputs_of_a_waiting_request(
    tiny_bert: Path, glue_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = {"job": "a", "op": "run", "request": _request(tiny_bert, glue_folder).to_json(), "fresh": True}
    slow, prepare = threading.Event(), core.worker.prepare
    found = threading.Event()

    def waiting(request: SweepRequest, *arguments: Any) -> Inputs:
        if threading.current_thread().name.startswith("finder"):
            found.set()
            assert slow.wait(PATIENCE)
        return prepare(request, *arguments)

    def source() -> Iterator[str]:
        yield json.dumps({**run, "op": "find", "job": "b"})
        assert found.wait(PATIENCE)
        yield json.dumps(run)
        yield json.dumps({"job": "a", "op": "cancel"})
        assert sink.finals.acquire(timeout=PATIENCE)
        slow.set()

    monkeypatch.setattr(core.worker, "prepare", waiting)
    sink = Sink("never written")
    Worker(source(), sink, lambda: None).serve()
    assert '"cancelled"' in sink.getvalue()


def test_a_damaged_bundled_result_is_refused_before_it_is_computed_in_vain(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A result in the user's folder is never found in place of a bundled one."""
    monkeypatch.setattr(store, "SHIPPED_RESULTS", tmp_path)
    request = checked(SweepRequest(str(tiny_bert), "sst2", num_examples=27, data="written"))
    store.save(make_result_of(request), tmp_path).write_text("{}")
    (event,) = serve([{"job": "a", "op": "run", "request": request.to_json()}])
    assert event["event"] == "error"
    assert "bundled result" in event["message"]
    assert "install the project again" in event["message"]


def test_finding_a_stored_result_imports_no_torch() -> None:
    code = "import sys, core.worker; print(sorted({'torch', 'transformers', 'datasets'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_progress_is_thinned_out_and_has_the_time_left(clock: Clock) -> None:
    reports: list[dict[str, Any]] = []
    cancelled = threading.Event()
    report = Reporter(lambda event, **fields: reports.append(fields), cancelled, clock)
    for done in range(1, 201):  # 20 ms a step
        report("Pruning", done, 200)
        clock.advance(0.02)
    assert 35 <= len(reports) <= 45, "about ten a second"
    assert reports[0]["seconds_left"] is None
    halfway = next(fields for fields in reports if fields["done"] >= 100)
    assert halfway["seconds_left"] == pytest.approx((200 - halfway["done"]) * 0.02)
    assert reports[-1] == {"stage": "Pruning", "done": 200, "total": 200, "seconds_left": 0}
    report("Saving", 0, 1)
    assert reports[-1]["seconds_left"] is None, "a new stage has its own pace"
    report("Loading the checkpoint", 0, 1)  # may take a minute, and nothing else is reported meanwhile
    report("0 % removed", 1, 200)
    clock.advance(0.02)
    report("10 % removed", 2, 200)
    assert [fields["stage"] for fields in reports[-4:]] == [
        *("Saving", "Loading the checkpoint", "0 % removed", "10 % removed")
    ]
    assert reports[-1]["seconds_left"] == pytest.approx(198 * 0.02), "all amounts have one pace"
    cancelled.set()
    with pytest.raises(CancelledError):
        report("10 % removed", 3, 200)


def test_prints_of_libraries_do_not_reach_the_protocol() -> None:
    code = (
        "import os, sys; from core.wall.confined import reserve_streams; source, sink = reserve_streams();"
        "print('noise'); os.write(1, b'noise'); print(repr(sys.stdin.read()), file=sink);"
        "print(source.readline(), file=sink, flush=True)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, input="an order\n", check=True
    )
    assert done.stdout.split("\n")[:2] == ["''", "an order"]
    assert done.stderr.count("noise") == 2
