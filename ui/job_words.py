"""What a job is doing, in words."""

from core.jobs.job import Job
from core.results.names import percent
from ui.text import plain


def progress_text(job: Job) -> str:
    """Return one line, escaped Markdown, that says what a living job is doing and how long it will take."""
    return f"{_step_text(job)}{_stage_text(job)}{'; then its control' if job.follow_ups and not job.step else ''}"


def _step_text(job: Job) -> str:
    """Say which of the sweeps that follow the request's is computed."""
    request, number, of = job.current_request, *job.controls_so_far
    if not job.step or request is None:
        return ""
    return f"Control {number + 1} of {of}: " if request.control_of else "In small steps: "


def _stage_text(job: Job) -> str:
    if job.state == "queued":
        runs = "1 run comes" if job.position == 1 else f"{job.position} runs come"
        return f"Waiting: {runs} first" if job.position else "Starting"
    measured, left = job.total > 1, job.seconds_left_of_all
    share = f", {percent(job.progress)}" if measured else ""
    return plain(f"{job.stage}{share}{f', {duration(left)} left' if left is not None and measured else ''}")


def what_is_kept(job: Job) -> str:
    """Return one sentence, escaped Markdown, about an ended job whose own sweep was finished, but not its control."""
    finished, of = job.controls_so_far
    controls = f"The result and {finished} of its {of} controls are kept" if finished else "The result is kept"
    return f"{plain(job.message)} {controls}."


def duration(seconds: float) -> str:
    """Return a duration in words, rounded to what can be known."""
    if seconds < 90:
        return f"about {max(round(seconds), 1)} s"
    return f"about {round(seconds / 60)} min"
