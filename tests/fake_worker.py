"""A worker without a model: speaks the protocol of core.worker, and does what a request's `source_name` says.

Run as a script with a file of JSON: {"header", "frames", "key", "path"}; `tests.queues` writes it.
"""

import json
import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path

MATERIAL = json.loads(Path(sys.argv[1]).read_text())
LINES: "queue.Queue[dict]" = queue.Queue()
CANCELLED: set[str] = set()
WRITING = threading.Lock()


def read() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        if order["op"] == "cancel":
            CANCELLED.add(order["job"])
        elif order["op"] == "find":
            if order["request"]["source_name"] == "stored":
                done(order["job"])
        else:
            LINES.put(order)
    os._exit(0)


def say(job: str, event: str, **rest: object) -> None:
    with WRITING:  # both threads speak, and two lines must not run into each other
        print(json.dumps({"job": job, "event": event, **rest}), flush=True)


def done(job: str) -> None:
    say(job, "done", key=MATERIAL["key"], path=MATERIAL["path"], stored=False)


def answer(order: dict) -> None:
    job = order["job"]
    if order["op"] == "verify":
        same = {"mean": 0.0, "cls": 0.0, "tokens": 2e-6}
        say(
            job,
            "done",
            outcome={
                "amount": order["amount"],
                "engine": dict.fromkeys(same, 0.0),
                "torch_cka": same,
                "accuracy": 0.0,
                "within_tolerance": True,
            },
        )
        return
    if order["op"] == "predict":
        predict(order)
        return
    if order["op"] == "export":
        say(job, "done", outcome={"folder": f"/somewhere/{order['amount']}"})
        return
    if order["op"] == "estimate":
        say(job, "done", outcome={"stored": False, "seconds": 42.0})
        return
    script = order["request"]["source_name"] or "frames"
    say(job, "progress", stage="Amount 0", done=1, total=40, seconds_left=2.5)
    if script == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if script == "idle out":
        os._exit(0)
    if script == "refuse":
        say(job, "error", message="42 examples: choose 4 to 10")
        return
    if script == "babble":
        print("not JSON\n[1, 2]\n{}\n" + json.dumps({"job": "nobody", "event": "done"}), flush=True)
        say(job, "frame", header={}, frame={"amount": 2})
        say(job, "whatever")
    if script == "nonsense":
        say(job, "done", key=MATERIAL["key"])
        return
    for frame in MATERIAL["frames"]:
        say(job, "frame", header=MATERIAL["header"], frame=frame)
    while script in ("hang", "stubborn") and (script == "stubborn" or job not in CANCELLED):
        time.sleep(0.01)
    if job in CANCELLED:
        say(job, "cancelled")
    else:
        done(job)


def predict(order: dict) -> None:
    """The second label's probability falls from 0.9 by 0.8 times the amount; `hang` and `refuse` do as they say."""
    job, (text, *_) = order["job"], order["texts"]
    while text == "hang" and job not in CANCELLED:
        time.sleep(0.01)
    if job in CANCELLED:
        say(job, "cancelled")
    elif text == "refuse":
        say(job, "error", message="the sentence is <b>refused</b>")
    else:
        second = [0.9 - 0.8 * amount for amount in order["amounts"]]
        outcome = {
            "amounts": order["amounts"],
            "labels": ["negative", "positive"],
            "probabilities": [[1 - one, one] for one in second],
            "num_tokens": 2 + len(text.split()),
            "num_unknown": text.count("UNK"),
        }
        say(job, "done", outcome=outcome)


threading.Thread(target=read, daemon=True).start()
while True:
    answer(LINES.get())
