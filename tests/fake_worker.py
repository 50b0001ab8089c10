"""A worker without a model: speaks the protocol of core.worker and plays the script that an order names.

The script is a request's `source_name` or the typed text. Run with a file of JSON, {"header", "frames", "key",
"path"}, which `tests.queues` writes.
"""

import json
import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path

MATERIAL_FILE = Path(sys.argv[1])
MATERIAL = json.loads(MATERIAL_FILE.read_text())
ORDERS: "queue.Queue[dict]" = queue.Queue()
CANCELLED: set[str] = set()
WRITING = threading.Lock()


def read() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        if order["op"] == "cancel":
            CANCELLED.add(order["job"])
        elif order["op"] == "find":
            if order["request"]["source_name"] == "stored":
                emit_result(order["job"])
        else:
            ORDERS.put(order)
    os._exit(0)


def emit(job: str, event: str, **fields: object) -> None:
    with WRITING:  # both threads write, and two lines must not run into each other
        print(json.dumps({"job": job, "event": event, **fields}), flush=True)


def emit_result(job: str) -> None:
    emit(job, "done", key=MATERIAL["key"], path=MATERIAL["path"], stored=False)


def is_cancelled(job: str, script: str) -> bool:
    """Hang as the script says; then report whether the job was cancelled."""
    while script == "stubborn" or (script == "hang" and job not in CANCELLED):
        time.sleep(0.01)
    if job not in CANCELLED:
        return False
    CANCELLED.discard(job)
    emit(job, "cancelled")
    return True


def run(job: str, script: str) -> None:
    emit(job, "progress", stage="Amount 0", done=1, total=40, seconds_left=2.5)
    if script == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if script == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    if script.startswith("download"):
        for stage in ("downloading", "downloading train.parquet, 12.0 MiB"):
            emit(job, "progress", stage=stage, done=1, total=100, seconds_left=None)
        script = script.removeprefix("download, then ")
    if script == "idle out once":
        try:
            MATERIAL_FILE.with_name("has-idled-out").touch(exist_ok=False)
            os._exit(0)
        except FileExistsError:
            pass
    if script == "refuse":
        emit(job, "error", message="42 examples: choose 4 to 10")
        return
    if script == "babble":
        print("not JSON\n[1, 2]\n{}\n" + json.dumps({"job": "nobody", "event": "done"}), flush=True)
        emit(job, "frame", header={}, frame={"amount": 2})
        emit(job, "whatever")
    if script == "nonsense":
        emit(job, "done", key=MATERIAL["key"])
        return
    for frame in MATERIAL["frames"]:
        emit(job, "frame", header=MATERIAL["header"], frame=frame)
    if not is_cancelled(job, script):
        emit_result(job)


def estimate(job: str, script: str) -> None:
    if not is_cancelled(job, script):
        emit(job, "done", outcome={"stored": False, "seconds": 42.0})


def verify(job: str, amount: float) -> None:
    torch_cka = {"mean": 0.0, "cls": 0.0, "tokens": 2e-6}
    emit(
        job,
        "done",
        outcome={
            "amount": amount,
            "engine": dict.fromkeys(torch_cka, 0.0),
            "torch_cka": torch_cka,
            "others": {},
            "accuracy": 0.0,
            "within_tolerance": True,
        },
    )


def predict(job: str, text: str, amounts: list[float]) -> None:
    """The second label's probability falls from 0.9 by 0.8 times the amount."""
    if text == "refuse":
        emit(job, "error", message="the sentence is <b>refused</b>")
    elif not is_cancelled(job, text):
        second = [0.9 - 0.8 * amount for amount in amounts]
        outcome = {
            "amounts": amounts,
            "labels": ["negative", "positive"],
            "probabilities": [[1 - share, share] for share in second],
            "num_tokens": 2 + len(text.split()),
            "num_unknown": text.count("UNK"),
        }
        emit(job, "done", outcome=outcome)


def locate(job: str, data: str) -> None:
    """A data set that is here already, unless its name says otherwise."""
    if data.endswith("/refused"):
        emit(job, "error", message=f"'{data}' is <b>gated</b>")
        return
    sizes = [12 * 2**20, 24 * 2**20] if data.endswith("/large") else []
    emit(job, "done", outcome={"data": f"{data}@{'c' * 40}", "to_download": sizes})


def fetch(job: str, data: str) -> None:
    """A data set of thirty rows."""
    file = MATERIAL_FILE.with_name("fetched.csv")
    file.write_text("text,label\n" + "".join(f"text {k},{('negative', 'POSITIVE', 'meh')[k % 3]}\n" for k in range(30)))
    emit(job, "done", outcome={"data": data, "files": [[str(file), "data/fetched.csv"]]})


def carry_out(order: dict) -> None:
    job, script = order["job"], order.get("request", {}).get("source_name") or ""
    match order["op"]:
        case "run":
            run(job, script)
        case "estimate":
            estimate(job, script)
        case "verify":
            verify(job, order["amount"])
        case "predict":
            predict(job, order["texts"][0], order["amounts"])
        case "locate":
            locate(job, order["data"])
        case "fetch":
            fetch(job, order["data"])
        case "export":
            emit(job, "done", outcome={"folder": f"/somewhere/{order['amount']}"})


threading.Thread(target=read, daemon=True).start()
while True:
    carry_out(ORDERS.get())
