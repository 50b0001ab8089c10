"""A job queue before a worker without a model, and a clock that tests set."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

import pytest

from core.jobs import queue as module
from core.jobs.job import Job
from core.jobs.queue import JobQueue
from core.request.sweep_request import SweepRequest
from core.results.schema import Header
from core.results.store import save
from tests.builders import make_result
from tests.studies import make_study

PATIENCE = 240.0  # seconds; only a test that fails waits so long
RESULT = make_result(amounts=(0.0, 0.5), num_examples=8)
STUDY = make_study()


class Clock:
    """A clock that moves only when a test advances it."""

    def __init__(self) -> None:
        self.now = 0.0  # seconds

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


def stored_first(sweeps: Sequence[SweepRequest]) -> list[str]:
    """Returns the keys of the first sweeps that are called stored."""
    return [RESULT.key for _ in takewhile(lambda sweep: sweep.source_name == "stored", sweeps)]


@contextmanager
def queues(folder: Path, clock: Clock) -> Iterator[JobQueue]:
    """Yield a queue, then close it; runs end in RESULT, studies in STUDY, both stored.

    Args:
        folder: A folder for the worker's material.
        clock: The queue's clock.
    """
    save(RESULT)
    save(STUDY)
    content = RESULT.model_dump(mode="json")
    material = {"header": {name: content[name] for name in Header.model_fields}}
    material |= {
        "frames": content["frames"],
        "key": RESULT.key,
        "study": STUDY.key,
    }
    material["scores"] = [
        depth.model_dump(mode="json", exclude={"size", "steps"}) for depth in STUDY.depths[::-1]
    ]
    (folder / "material.json").write_text(json.dumps(material))
    worker = Path(__file__).with_name("fake_worker.py")
    command = [
        sys.executable,
        "-I",
        "-S",
        "-u",
        str(worker),
        str(folder / "material.json"),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "stored_first", stored_first)
        queue = JobQueue(command, clock)
        yield queue
        close(queue)


def close(queue: JobQueue) -> None:
    """End a queue's worker for good."""
    with queue._changed:
        queue._worker.on_exit = lambda status: None
        queue._worker.kill()


def until(queue: JobQueue, job_id: str, is_ready: Callable[[Job], bool]) -> Job:
    """Wait until a job is ready."""
    with queue._changed:
        queue._changed.wait_for(lambda: is_ready(queue.get(job_id)), PATIENCE)
        return queue.get(job_id)


def ended(queue: JobQueue, job_id: str) -> Job:
    """Wait until a job has ended."""
    job = queue.wait(job_id, PATIENCE)
    assert job.ended, f"still {job.state} after {PATIENCE} s"
    return job


def running(queue: JobQueue, job_id: str, frames: int = 1) -> Job:
    """Wait for a job's first frames."""
    job = until(queue, job_id, lambda job: len(job.frames) >= frames or job.ended)
    assert job.state == "running"
    assert len(job.frames) >= frames
    return job


def install(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the queue of the pages be another one."""
    monkeypatch.setattr(module.queue, "__dict__", vars(queue))
