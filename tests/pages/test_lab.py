"""The Lab's runs and results, against a worker without a model."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.findings.words.lab import key_figures
from core.findings.words.layers import layers_heading
from core.jobs.job import Job
from core.jobs.queue import JobQueue
from core.request.catalog import ROOT, TASKS
from core.request.controls import judged_beside
from core.request.sweep_request import SweepRequest
from core.results.provenance import request_of
from core.results.schema import SweepResult
from core.results.store import save
from tests.builders import made_by_recipe, make_result, with_own_key
from tests.opened import address, errors, fill, follow, labels, links, open_page, player, press, run, told, unescaped
from tests.pages.conftest import Runs
from tests.queues import PATIENCE, RESULT, ended, now, running
from ui.text import plain

LAB = "pages/lab.py"
DEFAULT = SweepRequest("embedded:sst2", "sst2", data="written")
AGAIN, CHECK, CONTROL = "Recompute and replace this result", "Check this frame", "Run random control"


def amounts(page: AppTest) -> list[float]:
    return [frame["amount"] for frame in player(page)["frames"]]


def settings_are_open(page: AppTest) -> bool:
    """Whether the settings are in sight rather than in a folded box."""
    folded = [part for part in page.expander if "lab-run-now" in {button.key for button in part.button}]
    return not folded and "Run" in labels(page)


def progress(page: AppTest) -> tuple[str, int]:
    bar = page.get("progress")[0].proto
    return unescaped(bar.text), bar.value


def at_end(queue: JobQueue, page: AppTest) -> AppTest:
    """Waits for the end of what runs, and looks again; it may have ended before the page was drawn."""
    if "job" in address(page):
        ended(queue, address(page)["job"])
        run(page)
    return page


# ---------------------------------------------------------------- a run


def test_a_run_shows_its_frames_as_they_arrive_and_can_be_cancelled(queue: JobQueue, runs: Runs) -> None:
    page = open_page(LAB)
    assert settings_are_open(page)
    assert "Press Run" in told(page)
    assert queue._worker.child, "the worker warms up before the first click"
    press(page, "Run")
    assert runs.requests == [DEFAULT]
    job_id = address(page)["job"]
    running(queue, job_id, frames=2)
    assert amounts(run(page)) == [0.0, 0.5]
    assert "Run" not in labels(page), "one run at a time"
    assert progress(page) == ("Amount 0, 3 %, about 2 s left", 2)
    press(page, "Cancel")
    assert ended(queue, job_id).state == "cancelled"
    assert [info.value for info in page.info] == ["Cancelled."]
    assert amounts(page) == [0.0, 0.5], "what had arrived stays"
    assert settings_are_open(page)


def test_the_place_of_the_picture_is_held_until_it_comes(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.jobs.queue.get", lambda job_id: Job("a", DEFAULT, "running") if job_id else None)
    page = open_page(LAB, job="a")
    assert "The picture appears here" in told(page)
    assert not page.get("bidi_component")


def test_a_finished_run_gives_its_place_to_the_result_which_begins_with_the_answer(queue: JobQueue) -> None:
    job_id = queue.submit(replace(DEFAULT, source_name="frames", points="both"), "ann")
    ended(queue, job_id)
    page = open_page(LAB, job=job_id)
    assert address(page) == {"result": RESULT.key}
    assert page.selectbox(key="lab-points").value == "both", "the settings are those of the run"
    codes = [code.value for code in page.code]
    assert any("core.precompute" in code and "--points both" in code for code in codes)
    assert any(code.endswith(f"{RESULT.key}.json") for code in codes)
    titles = {reduction: plain(layers_heading(RESULT, reduction)) for reduction in ("mean", "cls")}
    assert len(set(titles.values())) == 2
    for reduction, title in titles.items():
        page.query_params["reduction"] = reduction
        assert run(page).title[0].value == title
        assert all(f"**{value}**" in told(page) for value in key_figures(RESULT, reduction).values())
    for name in ("Overview", "Methods", "Lab"):
        follow(page, name)
    assert address(page)["result"] == RESULT.key
    assert amounts(page) == [0.0, 0.5]


def test_a_run_again_that_is_left_or_ends_in_vain_leaves_the_result_on_show_and_its_settings(
    queue: JobQueue, runs: Runs
) -> None:
    page = press(open_page(LAB, result=RESULT.key), AGAIN)
    job_id = address(page)["job"]
    assert runs.requests[0].amounts == RESULT.amounts
    assert address(page)["result"] == RESULT.key, "other pages go on showing it"
    queue.watch(job_id, "somebody else", address="203.0.113.8")
    press(run(page), "Cancel")
    assert now(queue, job_id).state == "running", "it goes on for others"
    assert address(page) == {"result": RESULT.key}
    queue.cancel(job_id, "somebody else", address="203.0.113.8")
    ended(queue, job_id)

    runs.scripts = ["refuse"]
    press(fill(page, {"amounts": "0.3, 0.75", "with-control": True}), "Run")
    at_end(queue, page)
    assert errors(page) == ["42 examples: choose 4 to 10"]
    for _ in range(2):
        assert address(page) == {"result": RESULT.key}
        assert page.text_input(key="lab-amounts").value == "0.3, 0.75"
        assert page.toggle(key="lab-with-control").value
        assert {CHECK, AGAIN} <= labels(page)
        assert not run(page).error, "it is said once"


def test_a_frame_is_checked_against_torch_cka(queue: JobQueue) -> None:
    page = press(fill(open_page(LAB, result=RESULT.key), {"check-amount": 0.5}), CHECK)
    ended(queue, page.session_state["lab-checking"][1])
    assert [part.value for part in run(page).success] == [
        "The frame is confirmed at 50 %: computed again it differs by 0 at most, from the CKA of torch-cka by 2 × 10⁻⁶."
    ]


def of_a_folder() -> SweepResult:
    checkpoint = RESULT.checkpoint.model_copy(update={"source": "folder", "id": "my-bert", "revision": "f0" * 32})
    return with_own_key(RESULT, checkpoint=checkpoint)


def of_data_on_the_hub() -> SweepResult:
    told_of = {"source": "folder", "source_name": TASKS["sst2"].dataset_id, "split": "validation"}
    return with_own_key(RESULT, task=RESULT.task.model_copy(update={**told_of, "fingerprint": "f3" * 32}))


def of_a_recipe() -> SweepResult:
    return with_own_key(RESULT, checkpoint=made_by_recipe(RESULT.checkpoint, "mpnet-l12-sst2", 0))


@pytest.mark.parametrize("make", [of_a_folder, of_a_recipe, of_data_on_the_hub])
def test_what_is_not_here_is_shown_but_neither_checked_nor_recomputed_nor_controlled(
    runs: Runs, make: Callable[[], SweepResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(result := make())
    page = open_page(LAB, result=result.key)
    assert amounts(page) == [0.0, 0.5]
    is_here = make is of_data_on_the_hub
    assert {CHECK, AGAIN, CONTROL} & labels(page) == ({CHECK, AGAIN, CONTROL} if is_here else set())
    assert ("cannot be run here" in told(page)) == (not is_here)
    if not is_here:
        press(page, "Run")
        assert errors(page) == ["Enter the Folder or Hub model id of your checkpoint"]
    if make is of_a_recipe:
        monkeypatch.setattr("core.request.sweep_request.WEIGHTS", tmp_path)
        (tmp_path / "mpnet-l12-sst2-seed-0").mkdir()
        press(open_page(LAB, result=result.key), AGAIN)
        press(open_page(LAB, result=result.key), "Run")
        assert [request.checkpoint for request in runs.requests] == ["recipe:mpnet-l12-sst2-seed-0"] * 2


def test_a_run_that_the_address_has_lost_is_led_back_to(queue: JobQueue, runs: Runs) -> None:
    page = press(open_page(LAB), "Run")
    job_id = address(page)["job"]
    running(queue, job_id)
    page.query_params.clear()  # as a step back in the browser does
    assert settings_are_open(run(page))
    (label,) = [label for label in links(page) if label.startswith("Running: ")]
    assert f"job={job_id}" in links(page)[label]
    page.query_params["result"] = RESULT.key
    assert CHECK in labels(run(page)), "a result that is opened beside a run is shown"
    assert label in links(page)
    page.query_params["job"] = job_id
    press(run(page), "Cancel")
    page.query_params.clear()
    assert not [label for label in links(run(page)) if label.startswith(("Running", "Your run"))]


# ---------------------------------------------------------------- a run and its control


def test_a_method_and_its_control_run_in_one_go(queue: JobQueue, runs: Runs) -> None:
    runs.scripts = ["frames", "frames", "hang"]
    page = open_page(LAB)
    assert not page.toggle(key="lab-with-control").value
    press(fill(page, {"with-control": True}), "Run")
    assert runs.requests == [DEFAULT]
    assert runs.follow_ups == judged_beside(DEFAULT)
    job = queue.wait(address(page)["job"], lambda job: job.ended or (job.step, job.done) == (2, 1), PATIENCE)
    assert job is not None
    assert amounts(run(page)) == [0.0, 0.5], "the method's result"
    assert player(page)["title"].startswith("Magnitude pruning")
    assert progress(page) == ("Run 3 of 6: Amount 0, 3 %, about 2 s left", 2)
    press(page, "Cancel")
    assert ended(queue, job.id).state == "cancelled"
    assert address(page) == {"result": RESULT.key}
    assert [info.value for info in page.info] == ["Cancelled. What was finished before is kept."]
    runs.scripts, runs.otherwise = ["frames", "die"], "frames"
    page = at_end(queue, press(run(page), CONTROL))
    assert address(page) == {"result": RESULT.key}
    assert "ended unexpectedly" in errors(page)[0]
    runs.scripts = []
    page = at_end(queue, press(page, CONTROL))
    assert address(page) == {"result": RESULT.key}
    assert not page.error
    assert not page.info
    fill(page, {"method": "random"})
    assert not page.toggle, "a control has no control of its own"


def test_a_result_with_all_seeds_of_its_control_needs_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, queue: JobQueue
) -> None:
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))
    save(RESULT)
    small = {"amounts": (0.0, 0.5), "num_examples": 8, "method": "random", "until_damage": 0.3}
    for request in judged_beside(request_of(RESULT))[1:]:
        save(make_result(**small, seed=request.seed))
    page = open_page(LAB, result=RESULT.key)
    assert "4 of the 5 seeds of its random control are available" in page.button(key="lab-control").help
    save(make_result(**small))
    assert CONTROL not in labels(run(page))


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize("kind", ["job", "result"])
def test_what_is_not_known_any_more_is_told(queue: JobQueue, kind: str) -> None:
    page = open_page(LAB, **{kind: "0" * 64})
    assert "is n" in page.info[0].value  # not stored, or no longer known
    assert settings_are_open(page)


def test_a_failed_run_is_told_and_its_settings_can_be_run_again(queue: JobQueue) -> None:
    job_id = queue.submit(replace(DEFAULT, source_name="die"), "ann", follow_ups=judged_beside(DEFAULT))
    ended(queue, job_id)
    page = open_page(LAB, job=job_id)
    assert "ended unexpectedly" in errors(page)[0]
    assert settings_are_open(page)
    assert page.toggle(key="lab-with-control").value


# ---------------------------------------------------------------- the process


def test_the_server_process_never_imports_torch() -> None:
    code = f"""
import sys
from streamlit.testing.v1 import AppTest
page = AppTest.from_file("app.py", default_timeout=30).run()
assert not page.exception
page.query_params["result"] = {RESULT.key!r}
page.switch_page({LAB!r}).run()
assert not page.exception
print(sorted({{"torch", "transformers", "datasets"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
