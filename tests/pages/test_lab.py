"""The Lab's runs, forecasts, results and history, with a worker without a model."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import PrunescopeError
from core.findings.words.lab import first_to_change
from core.findings.words.layers import layers_heading
from core.inputs.forecast import Forecast
from core.jobs.job import Job
from core.jobs.queue import UNSEEN_SECONDS, JobQueue
from core.request.controls import judged_beside
from core.request.sweep_request import SweepRequest
from core.results import library, store
from core.results.store import save
from core.wall.turns import Visitor
from tests.builders import make_result, ship
from tests.core.findings.made import working_to
from tests.opened import (
    address,
    errors,
    fill,
    follow,
    labels,
    links,
    open_page,
    player,
    players,
    press,
    prose,
    run,
    unescaped,
)
from tests.pages.conftest import Runs
from tests.queues import RESULT, Clock, ended, running, until
from ui.jobs import UNKNOWN
from ui.text import plain

LAB = "pages/lab.py"
DEFAULT = SweepRequest("embedded:sst2", "sst2", data="written")
AGAIN = "Recompute and replace this result"
CHECK = "Check this frame"


def amounts(page: AppTest) -> list[float]:
    return [frame["amount"] for frame in player(page)["frames"]]


def settings_are_open(page: AppTest) -> bool:
    """Whether the settings are in sight, in no expander."""
    folded = [
        part for part in page.expander if "lab-run-now" in {button.key for button in part.button}
    ]
    return not folded and "Run" in labels(page)


def progress(page: AppTest) -> tuple[str, int]:
    bar = page.get("progress")[0].proto
    return unescaped(bar.text), bar.value


def at_end(queue: JobQueue, page: AppTest) -> AppTest:
    """Wait until the run has ended, perhaps before the page was drawn, and run the page again."""
    if "job" in address(page):
        ended(queue, address(page)["job"])
        run(page)
    return page


def buttons_below(page: AppTest) -> list[str]:
    """Return the keys of the results that the buttons below the table lead to."""
    return [
        str(button.key).rpartition("-")[2]
        for button in page.button
        if "lab-method-" in str(button.key)
    ]


def methods(page: AppTest) -> str:
    """Return the table of methods, if any."""
    return unescaped(
        "".join(text.value for text in page.markdown if text.value.startswith("| Method"))
    )


# ---------------------------------------------------------------- a run


def test_the_example_is_of_the_chosen_checkpoint_unless_it_is_ones_own(
    queue: JobQueue, shipped: Path
) -> None:
    ship(shipped, make_result(), make_result(task="cola"))
    page = open_page(LAB)
    assert "default checkpoint" in prose(page)
    for checkpoint, example in (
        ("embedded:cola", "CoLA"),
        ("embedded:qqp", ""),
        ("other checkpoint", ""),
    ):
        fill(page, {"checkpoint": checkpoint})
        assert [f"fine-tuned on {example}" in data["title"] for data in players(page)] == [
            True
        ] * bool(example)
        assert ("Example" in prose(page)) == bool(example)
        assert ("The picture appears here" in prose(page)) == (not example)
    assert not players(open_page(LAB, own="model"))


def test_a_run_shows_its_frames_as_they_arrive_and_can_be_cancelled(
    queue: JobQueue, runs: Runs
) -> None:
    page = open_page(LAB)
    assert settings_are_open(page)
    assert queue._worker.child, "the worker warms up before the first click"
    with pytest.MonkeyPatch.context() as patch:
        job = Job("a", DEFAULT, state="queued", position=3)
        patch.setattr("core.jobs.queue.queue.get", lambda job_id: job if job_id else None)
        waits = open_page(LAB, job="a")
        assert "The picture appears here" in prose(waits), "a placeholder until it comes"
        assert progress(waits) == ("Waiting: 3 to come first", 0)
    press(fill(page, {"with-control": True}), "Run")
    assert runs.requests == [DEFAULT]
    job_id = address(page)["job"]
    running(queue, job_id, frames=2)
    assert amounts(run(page)) == [0.0, 0.5]
    assert "Run" not in labels(page), "one run at a time"
    assert progress(page) == ("0 % done, 2 min left (run 1 of 6, amount 0)", 0)
    press(page, "Cancel")
    assert ended(queue, job_id).state == "cancelled"
    assert [info.value for info in page.info] == ["Cancelled."]
    assert amounts(page) == [0.0, 0.5], "what had arrived stays"
    assert settings_are_open(page)
    assert page.toggle(key="lab-with-control").value, "as requested"


@pytest.mark.usefixtures("unfolded")
def test_a_finished_run_gives_way_to_its_result_which_begins_with_the_answer(
    queue: JobQueue,
) -> None:
    job_id = queue.submit(replace(DEFAULT, source_name="frames", points="both"), Visitor("ann"))
    ended(queue, job_id)
    page = open_page(LAB, job=job_id)
    assert address(page) == {"result": RESULT.key}
    assert page.selectbox(key="lab-points").value == "both", "the settings are those of the run"
    assert any("core.precompute" in code.value for code in page.code)
    titles = {reduction: plain(layers_heading(RESULT, reduction)) for reduction in ("mean", "cls")}
    for reduction, title in titles.items():
        page.query_params["reduction"] = reduction
        assert run(page).title[0].value == title
        assert first_to_change(RESULT, reduction) in methods(page)
    follow(follow(page, "Methods"), "Lab")
    assert address(page)["result"] == RESULT.key
    assert amounts(page) == [0.0, 0.5]
    press(fill(page, {"check-amount": 0.5}), CHECK)
    ended(queue, page.session_state["lab-checking"][1])
    (note,) = run(page).success
    assert note.value.startswith(
        "The frame is confirmed at 50 %: computed again it differs by 0 at most, from"
    )


@pytest.mark.usefixtures("unfolded")
def test_a_repeated_run_without_a_result_leaves_the_old_result_and_the_settings(
    queue: JobQueue, runs: Runs
) -> None:
    page = press(open_page(LAB, result=RESULT.key), AGAIN)
    job_id = address(page)["job"]
    assert runs.requests[0].amounts == RESULT.amounts
    assert address(page)["result"] == RESULT.key, "other pages go on showing it"
    queue.watch(job_id, Visitor("somebody else", "9.9.9.9"))
    press(run(page), "Cancel")
    assert queue.get(job_id).state == "running", "it goes on for others"
    assert address(page) == {"result": RESULT.key}
    queue.cancel(job_id, Visitor("somebody else", "9.9.9.9"))
    ended(queue, job_id)

    runs.scripts = ["refuse"]
    press(fill(page, {"amounts": "0.3, 0.75", "with-control": True}), "Run")
    at_end(queue, page)
    for _ in range(2):
        assert errors(page) == ["42 examples: choose 4 to 10"]
        assert address(page) == {"result": RESULT.key}
        assert page.text_input(key="lab-amounts").value == "0.3, 0.75"
        assert {CHECK, AGAIN} <= labels(page)
        run(page)


def test_another_page_watches_the_job(
    queue: JobQueue,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    shipped: Path,
) -> None:
    ship(shipped, make_result())
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    job_id = queue.submit(replace(DEFAULT, source_name="hang"), Visitor("ann"))
    running(queue, job_id, frames=2)
    page = open_page("app.py", job=job_id)
    assert links(page)["Story"].endswith(f"job={job_id}"), "the job goes with the visitor"
    assert (
        links(page)["Lab"]
        == links(page)["Running: 3\u00a0% done, 2 s left (amount 0)"]
        == f"job={job_id}"
    )

    clock.advance(UNSEEN_SECONDS)
    run(page)
    queue.cancel(job_id, Visitor("ann"))
    assert queue.get(job_id).state == "running", "the visitor of the other page counts"
    clock.advance(UNSEEN_SECONDS + 0.1)
    queue.tend()
    assert queue.get(job_id).state == "cancelled", "until they have gone"
    assert "Your run has ended: see it in the Lab" in links(run(page))
    page = open_page("app.py", job="unknown")
    assert page.info[0].value == UNKNOWN
    assert not any("job=" in query for query in links(page).values())


# ---------------------------------------------------------------- a run and its control


def test_a_method_and_its_control_run_in_one_go(queue: JobQueue, runs: Runs) -> None:
    runs.scripts = ["frames", "frames", "hang"]
    page = open_page(LAB)
    assert not page.toggle(key="lab-with-control").value
    press(fill(page, {"with-control": True}), "Run")
    assert runs.requests == [DEFAULT]
    assert runs.follow_ups == judged_beside(DEFAULT)
    job = until(
        queue, address(page)["job"], lambda job: job.ended or (job.step, job.done) == (2, 1)
    )
    assert amounts(run(page)) == [0.0, 0.5], "the method's result"
    assert player(page)["title"].startswith("Magnitude pruning")
    assert progress(page) == ("34 % done, 61 s left (run 3 of 6, amount 0)", 33)
    press(page, "Cancel")
    assert ended(queue, job.id).state == "cancelled"
    assert address(page) == {"result": RESULT.key}
    assert [info.value for info in page.info] == ["Cancelled. What was finished before is kept."]
    runs.otherwise = "frames"
    runs.scripts = []
    page = open_page(LAB, result=RESULT.key, decide="random removal")
    assert page.toggle(key="lab-with-control").value
    page = at_end(queue, press(page, "Run"))
    assert runs.follow_ups == judged_beside(runs.requests[-1])
    assert address(page) == {"result": RESULT.key}
    assert not errors(page)
    assert not page.info


def test_ones_own_results_by_several_methods_share_a_table_the_farthest_first(
    queue: JobQueue, shipped: Path
) -> None:
    steps = {
        "amounts": (0.0, 0.5, 0.8),
        "prunable_sparsity": lambda amount: amount / 2,
    }
    prunings = (
        ("magnitude", "encoder", 0.5),
        ("wanda", "encoder", 0.0),
        ("attribution", None, 0.8),
    )
    results = [
        working_to(make_result(method=method, scope=scope, **steps), to)
        for method, scope, to in prunings
    ]
    control = make_result(method="random", **steps)
    coarser = make_result(method="attribution-residual", scope=None)
    for result in (
        *results,
        control,
        coarser,
        make_result(method="wanda", task="cola", **steps),
    ):
        save(result)
    page = open_page(LAB, result=results[0].key)
    rows = methods(page)
    assert re.findall(r" \| ([^|]* (?:weights|measured)) \| ", rows) == [
        "80 % of units, 40 % of encoder weights",
        "50 % of weights, 25 % of encoder weights",
        "At no amount measured",
    ]
    assert buttons_below(page) == [results[2].key, results[1].key], "not itself"
    page.button(key=f"lab-method-{results[1].key}").click()
    assert address(run(page)) == {"result": results[1].key}
    assert buttons_below(page) == [results[2].key, results[0].key]
    assert buttons_below(open_page(LAB, result=control.key)) == [], "a control is not listed"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRUNESCOPE_HOSTED", "1")
        assert methods(open_page(LAB, result=results[0].key)) == rows, (
            "a link leads to all methods, as after a reload"
        )
    for result in results[1:]:
        library.delete_own(result.key)
    assert buttons_below(open_page(LAB, result=results[0].key)) == [], "it is the only one"


# ---------------------------------------------------------------- how long


def test_the_time_of_a_run_is_forecast(
    queue: JobQueue, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(shipped))
    page = open_page(LAB)
    assert "Takes about 9 s (no run on this machine has been timed yet)." in prose(page)
    assert "Takes about 2 min (" in prose(fill(page, {"with-control": True})), "six sweeps"
    for outcome, words in (
        (None, "downloaded first"),
        (Forecast(42.0, is_rough=False), "Takes about 42 s on this machine."),
        (Forecast(0.0, is_rough=False), "Already computed; opens at once."),
        (PrunescopeError("no such data"), "no such data"),
    ):
        monkeypatch.setattr("ui.lab.settings.forecast", Mock(side_effect=[outcome]))
        assert words in prose(run(page))


# ---------------------------------------------------------------- earlier results


def history(page: AppTest) -> Any:
    return next(part for part in page.expander if part.label.startswith("Your results"))


def listed(page: AppTest) -> dict[str, str]:
    """Return the labels of the listed results by their links."""
    links = {link.proto.query_string: link.proto.label for link in history(page).get("page_link")}
    return {query: label for query, label in links.items() if "See all" not in label}


def test_the_history_lists_opens_and_deletes(
    queue: JobQueue, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(store.user_folder())
    results = [
        RESULT,
        *(make_result(amounts=(0.0, 0.4), seed=seed, method="random") for seed in range(12)),
    ]
    paths = [save(result) for result in results]
    page = open_page(LAB, result=RESULT.key)
    assert history(page).label == "Your results (13)"
    assert folder in [code.value for code in history(page).code]
    paths[-1].unlink()
    assert "on show" in listed(run(page))[f"result={RESULT.key}"]
    (paths[-1].parent / "strange.json").write_text("[")
    monkeypatch.setattr("core.results.store.SHIPPED_RESULTS", paths[0].parent)
    page.button(key=f"lab-deleted-{RESULT.key}").click()
    assert "cannot be deleted" in errors(run(page))[0]
    assert "strange.json is not readable as JSON" in page.warning[-1].value
    monkeypatch.setattr("core.results.store.SHIPPED_RESULTS", shipped)
    page.button(key=f"lab-deleted-{RESULT.key}").click()
    assert f"result={RESULT.key}" not in listed(run(page))
    assert [path.is_file() for path in paths] == [False, *[True] * 11, False]
    assert "result" not in page.query_params

    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    job = Job("a", DEFAULT, state="done", keys=(results[1].key,))
    monkeypatch.setattr("core.jobs.queue.queue.get", lambda job_id: job if job_id else None)
    page = open_page(LAB, job="a")
    assert set(listed(page)) == {f"result={results[1].key}"}, "others' results are not listed"
    assert folder not in [code.value for code in page.code]
    assert not any("strange" in warning.value for warning in page.warning)
    assert "Delete this result" not in labels(page)
