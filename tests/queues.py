"""A job queue in front of a worker without a model, for tests of what stands on it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.jobs.job import Job
from core.jobs.queue import JobQueue
from core.results.schema import Header, SweepResult, canonical_json
from core.results.store import save
from tests.builders import make_result

PATIENCE = 10.0  # seconds
RESULT = make_result(amounts=(0.0, 0.5), num_examples=8)

MakeQueue = Callable[..., JobQueue]


@contextmanager
def queues(folder: Path, result: SweepResult = RESULT) -> Iterator[MakeQueue]:
    """Gives what makes queues, whose runs all lead to `result`, stored in the user's folder; ends them afterwards.

    Args:
        folder: Where the worker's material is written.
        result: What its frames and its result are.
    """
    content = result.model_dump(mode="json")
    material = {
        "header": {name: content[name] for name in Header.model_fields},
        "frames": content["frames"],
        "key": result.key,
        "path": str(save(result)),
    }
    (folder / "material.json").write_bytes(canonical_json(material))
    worker = Path(__file__).with_name("fake_worker.py")
    command = (sys.executable, "-u", str(worker), str(folder / "material.json"))
    made: list[JobQueue] = []

    def make(**options: float) -> JobQueue:
        made.append(JobQueue(command, **options))
        return made[-1]

    try:
        yield make
    finally:
        for queue in made:
            queue.close()


def ended(queue: JobQueue, job_id: str) -> Job:
    """Waits for a job's end."""
    job = queue.wait(job_id, lambda job: job.ended, PATIENCE)
    assert job is not None
    assert job.ended, f"still {job.state} after {PATIENCE} s"
    return job


def running(queue: JobQueue, job_id: str, frames: int = 1) -> Job:
    """Waits for a job's first frames."""
    job = queue.wait(job_id, lambda job: len(job.frames) >= frames, PATIENCE)
    assert job is not None
    assert job.state == "running"
    assert len(job.frames) >= frames
    return job


def install(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a queue the one that the pages know."""
    for name in ("start_worker", "submit", "ask", "get", "wait", "request_for", "watch", "cancel"):
        monkeypatch.setattr(queue, name, getattr(queue, name))
