"""A worker without a model, which follows the script that an order names.

It speaks the protocol of core.worker. The script is a request's `source_name` or the typed text.
Run with a file of JSON, {"header", "frames", "key", "scores", "study"}, which `tests.queues`
writes.
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
        else:
            ORDERS.put(order)
    os._exit(0)


def emit(job: str, event: str, **fields: object) -> None:
    with WRITING:  # both threads write whole lines
        print(json.dumps({"job": job, "event": event, **fields}), flush=True)


def run(job: str, script: str, frames: list, scores: list) -> None:
    """Emit all of a run or a study but its end."""
    emit(job, "progress", stage="Amount 0", done=1, total=40, seconds_left=2.5)
    if script == "die":
        print('{"job": ', end="", flush=True)  # a line that is cut off
        os.kill(os.getpid(), signal.SIGKILL)
    for frame in frames:
        emit(job, "frame", header=MATERIAL["header"], frame=frame)
    for score in scores:
        emit(job, "score", score=score)


def predicted(text: str, amounts: list[float]) -> dict:
    """Answer with a second label whose probability falls from 0.9 by 0.8 times the amount."""
    second = [0.9 - 0.8 * amount for amount in amounts]
    return {
        "amounts": amounts,
        "labels": ["negative", "positive"],
        "probabilities": [[1 - share, share] for share in second],
        "num_tokens": 2 + len(text.split()),
        "num_unknown": text.count("UNK"),
    }


def outcome(order: dict) -> dict:
    """Return the answer to an order other than a run."""
    match order["op"]:
        case "verify":
            return {
                "amount": order["amount"],
                "engine": dict.fromkeys(("mean", "cls", "tokens"), 0.0),
                "torch_cka": {"mean": 0.0, "cls": 0.0, "tokens": 2e-6},
                "others": {},
                "accuracy": 0.0,
                "cause": "",
                "allowed": 1e-5,
                "within_tolerance": True,
            }
        case "predict":
            return predicted(order["texts"][0], order["amounts"])
        case "fetch":  # a data set of thirty rows
            file = MATERIAL_FILE.with_name("fetched.csv")
            rows = [f"text {k},{('negative', 'POSITIVE', 'meh')[k % 3]}\n" for k in range(30)]
            file.write_text("".join(["text,label\n", *rows]))
            return {
                "data": f"{order['data']}@{'c' * 40}",
                "files": [[str(file), "data/fetched.csv"]],
            }
    return {"path": f"/somewhere/{order.get('amount', 'smaller')}"}


def carry_out(order: dict) -> None:
    job = order["job"]
    data = order.get("data") or ""
    script = order.get("request", {}).get("source_name") or "".join(order.get("texts", ()))
    is_run = order["op"] == "run"
    is_study = order["op"] == "cut"
    if is_run or is_study:
        run(
            job,
            script,
            MATERIAL["frames"] if is_run and script != "refuse" else [],
            MATERIAL["scores"] * is_study,
        )
    while script == "stubborn" or (script == "hang" and job not in CANCELLED):
        time.sleep(0.01)
    if job in CANCELLED:
        emit(job, "cancelled")
    elif script == "refuse":
        refusal = (
            "42 examples: choose 4 to 10"
            if is_run or is_study
            else "the sentence is <b>refused</b>"
        )
        emit(job, "error", message=refusal)
    elif data.endswith("/refused"):
        emit(job, "error", message=f"'{data}' is <b>gated</b>")
    elif is_run or is_study:
        emit(job, "done", key=MATERIAL["key" if is_run else "study"])
    else:
        emit(job, "done", outcome=outcome(order))


threading.Thread(target=read, daemon=True).start()
while True:
    carry_out(ORDERS.get())
