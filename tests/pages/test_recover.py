"""The page of recoveries: what it says came back, what it offers, and what it does without one."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.findings.words.lab import TRAIN_AGAIN
from core.jobs.queue import JobQueue
from core.results.recovery import beyond_working
from core.results.store import save
from tests.builders import make_result, ship, with_own_key
from tests.opened import (
    address,
    box,
    errors,
    open_page,
    player,
    players,
    press,
    title,
)
from tests.pages.conftest import Runs
from tests.queues import RESULT
from tests.studies import make_recovery

PAGE = "pages/recover.py"
WHOLE = make_recovery()
HALF = "About half of the lost accuracy came back; layer 4's similarity rose from 0.03 to 0.90"


def test_it_shows_a_recovery_and_offers_others_but_no_control(
    shipped: Path,
) -> None:
    rows = WHOLE.rows.model_copy(
        update={"training": WHOLE.rows.training.model_copy(update={"seed": 1})}
    )
    control = with_own_key(WHOLE.control)
    other = with_own_key(WHOLE, rows=rows)
    result = make_result(task="cola")
    ship(shipped, WHOLE, control, other, result)
    app = open_page(PAGE, result=result.key)
    assert app.code[0].value.startswith("python -m core.recover")
    assert title(press(app, "Recover: MiniLM-L6, fine-tuned on SST-2")) == HALF
    box(app, "recovery").set_value(other.key).run()
    assert address(app)["recovery"] == other.key
    labels = [label.split(" · ")[1] for label in box(app, "recovery").options]
    assert labels == [
        "90 %, magnitude pruning",
        "90 %, magnitude pruning, training seed 1",
    ]
    assert player(open_page(PAGE, recovery=WHOLE.key, amount="10"))["start"] == 10


@pytest.mark.usefixtures("unfolded")
def test_the_lab_trains_a_model_again_and_what_was_shown_of_it_stays(
    queue: JobQueue, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = press(open_page(PAGE, result=RESULT.key), TRAIN_AGAIN)
    (request,), job = runs.requests, queue.get(address(app)["job"])
    assert (request.key, request.amount, request.train) == (
        RESULT.key,
        beyond_working(RESULT),
        None,
    )
    job = replace(
        job,
        recovery=WHOLE.model_copy(
            update={"frames": WHOLE.frames[:1], "unpruned": (), "checksum": ""}
        ),
    )
    for end in (
        {},
        {"state": "cancelled", "message": "Cancelled."},
        {"state": "failed", "message": "8 rows are few"},
    ):
        monkeypatch.setattr("core.jobs.queue.queue.get", {job.id: replace(job, **end)}.get)
        app = open_page(PAGE, job=job.id)
        assert [frame["name"] for frame in players(app)[0]["frames"]] == ["Before training"]
        assert [*errors(app), *(info.value for info in app.info)][:1] == [*end.values()][1:]
    save(WHOLE)
    monkeypatch.setattr(
        "core.jobs.queue.queue.get",
        {job.id: replace(job, state="done", keys=(WHOLE.key,))}.get,
    )
    assert address(open_page(PAGE, job=job.id))["recovery"] == WHOLE.key
