"""The Lab, against a worker without a model."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.findings.lab import key_figures
from core.findings.layers import title_finding
from core.inputs.examples import open_examples
from core.jobs.job import Job
from core.jobs.queue import JobQueue
from core.request import catalog
from core.request.catalog import METHODS, ROOT, TASKS
from core.request.controls import controls, judged_beside, until_damaged
from core.request.sweep_request import SweepRequest, checked, kind_of_data
from core.results.names import result_name
from core.results.provenance import request_of
from core.results.schema import SweepResult
from core.results.store import save
from tests.builders import made_by_recipe, make_result, with_own_key
from tests.opened import address, follow, open_page, player, press, run, told
from tests.opened import links as page_links
from tests.queues import PATIENCE, RESULT, ended, now, running
from ui.lab.model import NO_WEIGHTS
from ui.text import plain

OVERVIEW, LAB = "app.py", "pages/lab.py"
DEFAULT = SweepRequest("embedded:sst2", "sst2", data="written")


@pytest.fixture
def follow_ups() -> list[SweepRequest]:
    """What is to run after the requests of `asked`."""
    return []


@pytest.fixture
def asked(queue: JobQueue, monkeypatch: pytest.MonkeyPatch, follow_ups: list[SweepRequest]) -> list[SweepRequest]:
    """The requests that reach the queue; their runs hang until they are cancelled, so a click waits for none."""
    monkeypatch.setattr("ui.jobs.QUICK_SECONDS", 0.0)
    seen: list[SweepRequest] = []

    def submit(request: SweepRequest, watcher: str, **options: Any) -> str:
        seen.append(request)
        follow_ups.extend(options["follow_ups"])
        return queue.submit(replace(request, source_name="hang"), watcher, **options)

    monkeypatch.setattr("core.jobs.queue.submit", submit)
    return seen


def choose(page: AppTest, key: str, value: str) -> None:
    page.selectbox(key=key).set_value(value)
    run(page)


def amounts(page: AppTest) -> list[float]:
    return [frame["amount"] for frame in player(page)["frames"]]


def labels(page: AppTest) -> set[str]:
    return {button.label for button in page.button}


def settings_are_open(page: AppTest) -> bool:
    """Whether the settings are in sight rather than in a folded box."""
    folded = [part for part in page.expander if "lab-run-now" in {button.key for button in part.button}]
    return not folded and "Run" in labels(page)


# ---------------------------------------------------------------- a run


def test_it_opens_on_the_embedded_checkpoint_and_says_what_to_do(queue: JobQueue) -> None:
    page = open_page(LAB)
    assert settings_are_open(page)
    assert page.selectbox(key="lab-checkpoint").value == "embedded:sst2"
    assert any("Press Run" in text.value for text in page.markdown)
    assert queue._worker.pid, "the worker warms up before the first click"


def test_a_run_shows_its_frames_as_they_arrive_and_can_be_cancelled(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = press(open_page(LAB), "Run")
    assert asked == [DEFAULT]
    job_id = address(page)["job"]
    running(queue, job_id, frames=2)
    run(page)
    assert amounts(page) == [0.0, 0.5]
    assert "Run" not in labels(page), "one run at a time"
    bar = page.get("progress")[0].proto
    assert (bar.text, bar.value) == ("Amount 0, 3\u00a0%, about 2 s left", 2)

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


def test_a_finished_run_gives_its_place_to_the_result(queue: JobQueue) -> None:
    job_id = queue.submit(replace(DEFAULT, source_name="frames", points="both"), "ann")
    ended(queue, job_id)
    page = open_page(LAB, job=job_id)
    assert "job" not in page.query_params
    assert address(page)["result"] == RESULT.key
    assert amounts(page) == [0.0, 0.5]
    assert page.selectbox(key="lab-points").value == "both", "the settings are those of the run"
    codes = [code.value for code in page.code]
    assert any("core.precompute" in code and "--points both" in code for code in codes)
    assert any(code.endswith(f"{RESULT.key}.json") for code in codes)


def test_a_stored_result_needs_no_job_and_comes_back_after_another_page(queue: JobQueue) -> None:
    page = open_page(LAB, result=RESULT.key)
    assert amounts(page) == [0.0, 0.5]
    assert "Cancel" not in labels(page)
    for name in ("Overview", "Methods", "Lab"):
        follow(page, name)
    assert address(page)["result"] == RESULT.key
    assert amounts(page) == [0.0, 0.5]


def test_it_runs_again_only_when_told_to(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = press(open_page(LAB, result=RESULT.key), "Recompute and replace this result")
    job = queue.get(address(page)["job"])
    assert job is not None
    assert job.state == "running"
    assert address(page)["result"] == RESULT.key, "other pages go on showing it"
    assert asked[0].amounts == RESULT.amounts


def test_who_leaves_a_run_that_others_watch_is_told_beside_the_result_before(
    queue: JobQueue, asked: list[SweepRequest]
) -> None:
    page = press(open_page(LAB, result=RESULT.key), "Recompute and replace this result")
    job_id = address(page)["job"]
    queue.watch(job_id, "somebody else")
    press(run(page), "Cancel")
    assert now(queue, job_id).state == "running"
    assert address(page) == {"result": RESULT.key}
    assert [info.value for info in page.info] == ["Cancelled."]


def test_a_run_that_ended_in_vain_leaves_the_result_on_show(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = press(open_page(LAB, result=RESULT.key), "Recompute and replace this result")
    job_id = address(page)["job"]
    press(run(page), "Cancel")
    assert ended(queue, job_id).state == "cancelled"
    assert address(run(page)) == {"result": RESULT.key}
    assert amounts(page) == list(RESULT.amounts)
    assert "Check this frame" in labels(page)


def test_the_settings_of_a_run_in_vain_outlast_more_than_one_look(queue: JobQueue, scripted: list[str]) -> None:
    scripted.append("refuse")
    page = open_page(LAB, result=RESULT.key)
    page.text_input(key="lab-amounts").set_value("0.3; 0.75")
    page.toggle(key="lab-with-control").set_value(True)
    press(run(page), "Run")
    if "job" in address(page):  # it may have ended while the page waited for it
        assert ended(queue, address(page)["job"]).state == "failed"
    for _ in range(3):
        run(page)
        assert address(page) == {"result": RESULT.key}
        assert page.text_input(key="lab-amounts").value in ("0.3; 0.75", "0, 0.3, 0.75"), "as typed, or as it was read"
        assert page.toggle(key="lab-with-control").value


def test_after_a_run_that_ended_in_vain_another_result_opens(queue: JobQueue, scripted: list[str]) -> None:
    scripted.append("refuse")
    page = press(open_page(LAB), "Run")
    job_id = address(page)["job"]
    message = plain(ended(queue, job_id).message)
    assert [error.value for error in run(page).error] == [message]
    page = open_page(LAB, job=job_id, result=RESULT.key)  # a link in the list of results
    assert [error.value for error in page.error] == [message], "once more, beside the result"
    assert address(page) == {"result": RESULT.key}
    assert amounts(page) == list(RESULT.amounts)
    assert not run(page).error


def test_a_frame_is_checked_against_torch_cka(queue: JobQueue) -> None:
    page = open_page(LAB, result=RESULT.key)
    page.selectbox(key="lab-check-amount").set_value(0.5)
    press(page, "Check this frame")
    ended(queue, page.session_state["lab-checking"][1])
    run(page)
    assert [part.value for part in page.success] == [
        "The frame is confirmed at 50 %: computing it again gives the same numbers to the last digit; "
        "the CKA of torch-cka differs by 2 × 10⁻⁶ at most."
    ]


def test_a_result_from_a_forgotten_folder_is_shown_but_not_recomputed(queue: JobQueue) -> None:
    checkpoint = RESULT.checkpoint.model_copy(update={"source": "folder", "id": "my-bert"})
    result = with_own_key(RESULT, checkpoint=checkpoint.model_copy(update={"revision": "f0" * 32}))
    save(result)
    page = open_page(LAB, result=result.key)
    assert amounts(page) == [0.0, 0.5]
    assert not {"Check this frame", "Recompute and replace this result"} & labels(page)
    assert any("--checkpoint ./my-bert" in code.value for code in page.code)
    assert any("Replace ./my-bert with the path of the checkpoint folder" in told.value for told in page.markdown)


def test_a_result_whose_data_are_on_the_hub_can_be_checked_and_recomputed(queue: JobQueue) -> None:
    source = TASKS["sst2"].dataset_id
    task = RESULT.task.model_copy(update={"source": "folder", "source_name": source, "split": "validation"})
    save(result := with_own_key(RESULT, task=task.model_copy(update={"fingerprint": "f3" * 32})))
    page = open_page(LAB, result=result.key)
    assert {"Check this frame", "Recompute and replace this result"} <= labels(page)
    assert "location is not recorded" not in told(page)


def test_of_weights_that_are_not_here_the_settings_begin_with_known_ones_and_say_so(queue: JobQueue) -> None:
    save(result := with_own_key(RESULT, checkpoint=made_by_recipe(RESULT.checkpoint, "mpnet-l12-cola", 0)))
    page = open_page(LAB, result=result.key)
    assert page.selectbox(key="lab-checkpoint").value == "embedded:sst2"
    assert NO_WEIGHTS in told(page)
    assert "Check this frame" not in labels(page)


def test_weights_that_were_made_here_are_run_as_any_others(
    queue: JobQueue, asked: list[SweepRequest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.request.sweep_request.WEIGHTS", tmp_path)
    (tmp_path / "mpnet-l12-sst2-seed-0").mkdir()
    save(result := with_own_key(RESULT, checkpoint=made_by_recipe(RESULT.checkpoint, "mpnet-l12-sst2", 0)))
    page = open_page(LAB, result=result.key)
    assert NO_WEIGHTS not in told(page)
    assert {"Check this frame", "Recompute and replace this result"} <= labels(page)
    press(page, "Recompute and replace this result")
    assert [request.checkpoint for request in asked] == ["recipe:mpnet-l12-sst2-seed-0"]
    page = open_page(LAB, result=result.key)
    press(page, "Run")
    assert [request.checkpoint for request in asked] == ["recipe:mpnet-l12-sst2-seed-0"] * 2


def test_a_result_begins_with_the_answer_and_three_figures(queue: JobQueue) -> None:
    page = open_page(LAB, result=RESULT.key)
    assert page.title[0].value == plain(title_finding(RESULT, "mean"))
    figures = key_figures(RESULT, "mean")
    assert len(figures) == 3
    assert all(f"{figure.title}\n\n{figure.value}" in told(page).replace("**", "") for figure in figures)
    page.query_params["reduction"] = "cls"
    other = plain(title_finding(RESULT, "cls"))
    assert other != page.title[0].value
    assert run(page).title[0].value == other, "they speak of what is on show"


# ---------------------------------------------------------------- a run and its control


@pytest.fixture
def scripted(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the worker does for a request and for those after it, where the list is long enough; it ends the others."""
    scripts: list[str] = []

    def submit(request: SweepRequest, watcher: str, *, follow_ups: Sequence[SweepRequest] = (), **options: Any) -> str:
        played = chain(scripts, repeat("frames"))
        first, *others = (replace(one, source_name=next(played)) for one in (request, *follow_ups))
        return queue.submit(first, watcher, follow_ups=others, **options)

    monkeypatch.setattr("core.jobs.queue.submit", submit)
    return scripts


def at_step(queue: JobQueue, page: AppTest, step: int) -> Job:
    job = queue.wait(address(page)["job"], lambda job: job.ended or (job.step, job.done) == (step, 1), PATIENCE)
    assert job is not None
    assert (job.step, job.state) == (step, "running")
    return job


def test_a_method_and_its_control_run_in_one_go(
    queue: JobQueue, asked: list[SweepRequest], follow_ups: list[SweepRequest]
) -> None:
    page = open_page(LAB)
    assert not page.toggle(key="lab-with-control").value
    page.toggle(key="lab-with-control").set_value(True)
    press(run(page), "Run")
    assert asked == [DEFAULT]
    assert follow_ups == list(judged_beside(DEFAULT))
    running(queue, address(page)["job"])
    assert run(page).get("progress")[0].proto.text == "Amount 0, 3\u00a0%, about 2 s left; then its control"


def test_a_control_has_no_control_of_its_own(
    queue: JobQueue, asked: list[SweepRequest], follow_ups: list[SweepRequest]
) -> None:
    page = open_page(LAB)
    page.toggle(key="lab-with-control").set_value(True)
    run(page)
    choose(page, "lab-method", "random")
    assert not page.toggle
    press(page, "Run")
    assert (len(asked), follow_ups) == (1, [])


def test_while_the_control_runs_the_methods_result_is_shown(queue: JobQueue, scripted: list[str]) -> None:
    scripted += ["frames", "frames", "hang"]
    page = press(open_page(LAB, result=RESULT.key), "Run random control")
    at_step(queue, page, 2)
    run(page)
    assert amounts(page) == [0.0, 0.5]
    assert player(page)["title"].startswith("Magnitude pruning")
    bar = page.get("progress")[0].proto
    assert bar.text == "Control 2 of 5: Amount 0, 20\u00a0%, about 10 s left", (
        "2.5 s for this one and for each of three more"
    )
    assert bar.value == 20


def test_at_the_end_the_methods_result_is_shown(queue: JobQueue, scripted: list[str]) -> None:
    page = open_page(LAB)
    page.toggle(key="lab-with-control").set_value(True)
    press(run(page), "Run")
    if "job" in address(page):  # it may have ended while the page waited for it
        assert ended(queue, address(page)["job"]).state == "done"
        run(page)
    assert address(page) == {"result": RESULT.key}
    assert not page.info


def test_a_run_in_vain_leaves_its_control_asked_for(queue: JobQueue, scripted: list[str]) -> None:
    scripted.append("refuse")
    page = open_page(LAB)
    page.toggle(key="lab-with-control").set_value(True)
    job_id = address(press(run(page), "Run"))["job"]
    assert ended(queue, job_id).state == "failed"
    assert run(page).toggle(key="lab-with-control").value
    assert open_page(LAB, job=job_id).toggle(key="lab-with-control").value, "also after a reload"


def test_cancel_ends_the_control_and_keeps_the_result(queue: JobQueue, scripted: list[str]) -> None:
    scripted += ["frames", "frames", "hang"]
    page = press(open_page(LAB, result=RESULT.key), "Run random control")
    job = at_step(queue, page, 2)
    press(run(page), "Cancel")
    assert ended(queue, job.id).state == "cancelled"
    assert address(page) == {"result": RESULT.key}
    assert [info.value for info in page.info] == ["Cancelled. The result and 1 of its 5 controls are kept."]
    assert "Run random control" in labels(page), "it can go on"
    assert not run(page).info, "it is said once"


def test_a_control_that_fails_leaves_the_result(queue: JobQueue, scripted: list[str]) -> None:
    scripted += ["frames", "die"]
    page = press(open_page(LAB, result=RESULT.key), "Run random control")
    if "job" in address(page):
        assert ended(queue, address(page)["job"]).state == "failed"
        run(page)
    assert address(page) == {"result": RESULT.key}
    (told_once,) = page.info
    assert "ended unexpectedly" in told_once.value
    assert told_once.value.endswith("The result is kept.")


def seed_of_control(seed: int) -> SweepResult:
    return make_result(amounts=(0.0, 0.5), num_examples=8, method="random", seed=seed, until_damage=0.3)


def test_a_result_with_all_seeds_of_its_control_needs_no_more(
    queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))
    save(RESULT)
    for request in judged_beside(request_of(RESULT))[1:]:
        save(seed_of_control(request.seed))
    page = open_page(LAB, result=RESULT.key)
    assert "Run random control" in labels(page)
    assert "4 of the 5 seeds of its random control are available" in page.button(key="lab-control").help
    save(seed_of_control(0))
    assert "Run random control" not in labels(run(page))


def test_the_control_of_a_result_from_a_forgotten_folder_is_not_offered(queue: JobQueue) -> None:
    checkpoint = RESULT.checkpoint.model_copy(update={"source": "folder", "id": "my-bert"})
    result = with_own_key(RESULT, checkpoint=checkpoint.model_copy(update={"revision": "f1" * 32}))
    save(result)
    page = open_page(LAB, result=result.key)
    assert "Run random control" not in labels(page)
    assert "cannot be run here" in told(page)


# ---------------------------------------------------------------- what goes wrong


def test_a_failed_run_is_told_in_plain_text(queue: JobQueue) -> None:
    job_id = queue.submit(replace(DEFAULT, source_name="die"), "ann")
    ended(queue, job_id)
    page = open_page(LAB, job=job_id)
    assert "ended unexpectedly" in page.error[0].value
    assert settings_are_open(page)
    assert not next(button for button in page.button if button.label == "Run").disabled


def test_what_a_visitor_typed_is_shown_as_typed(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = open_page(LAB)
    choose(page, "lab-step", "list")
    page.text_input(key="lab-amounts").set_value("0.5, **x**<b>")
    press(page, "Run")
    assert not asked
    assert "amount '\\*\\*x\\*\\*\\<b\\>' is not a number" in page.error[0].value


@pytest.mark.parametrize("kind", ["job", "result"])
def test_what_is_not_known_any_more_is_told(queue: JobQueue, kind: str) -> None:
    page = open_page(LAB, **{kind: "0" * 64})
    assert "is n" in page.info[0].value  # not stored, or no longer known
    assert settings_are_open(page)


# ---------------------------------------------------------------- the settings


def test_a_browser_that_misses_the_first_run_draws_the_same_settings(queue: JobQueue) -> None:
    page = open_page(LAB)
    choose(page, "lab-step", "0.05")
    page.slider(key="lab-largest").set_value(0.6)
    page.number_input(key="lab-examples").set_value(64)
    page.checkbox(key="lab-until").check()
    run(run(page))  # of these two, a busy browser draws the second alone
    step = page.selectbox(key="lab-step").proto
    assert step.options[step.default] == "In steps of 5 %"
    assert list(page.slider(key="lab-largest").proto.default) == [0.6]
    assert page.number_input(key="lab-examples").proto.default == 64
    assert page.checkbox(key="lab-until").proto.default
    methods = page.selectbox(key="lab-method").proto
    assert methods.options[methods.default] == METHODS["magnitude"].title


def test_every_setting_reaches_the_request(queue: JobQueue, asked: list[SweepRequest], tmp_path: Path) -> None:
    page = open_page(LAB)
    choose(page, "lab-checkpoint", "folder")
    choose(page, "lab-task-folder", "cola")
    choose(page, "lab-data-False", "folder")
    choose(page, "lab-scope", "one layer")
    choose(page, "lab-points", "layer")
    choose(page, "lab-step", "0.2")
    page.slider(key="lab-largest").set_value(0.5)
    page.text_input(key="lab-folder").set_value(str(tmp_path))
    page.text_input(key="lab-data-folder").set_value(f" {tmp_path} ")
    page.number_input(key="lab-layer").set_value(3)
    page.number_input(key="lab-examples").set_value(64)
    press(page, "Run")
    folder = str(tmp_path)
    assert asked == [
        SweepRequest(folder, "cola", "magnitude", "layer:2", "layer", (0.0, 0.2, 0.4, 0.5), 64, data=folder)
    ]


def test_a_checkpoint_on_the_hub_is_typed_with_its_revision(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = open_page(LAB)
    choose(page, "lab-checkpoint", "other checkpoint")
    choose(page, "lab-task-other checkpoint", "sst2")
    page.text_input(key="lab-hub-id").set_value("owner/name@v1")
    press(page, "Run")
    assert (asked[0].checkpoint, asked[0].data) == ("owner/name@v1", "hub")


def test_a_known_checkpoint_brings_its_task_and_data(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = open_page(LAB)
    choose(page, "lab-checkpoint", "yoshitomo-matsubara/bert-base-uncased-cola")
    press(page, "Run")
    assert (asked[0].task, asked[0].data) == ("cola", "hub")


def test_a_list_of_amounts_can_be_typed(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = open_page(LAB)
    choose(page, "lab-step", "list")
    page.text_input(key="lab-amounts").set_value("0.3; 0.75")
    press(page, "Run")
    assert asked[0].amounts == (0.0, 0.3, 0.75)


def test_settings_outlast_a_look_at_another_page(queue: JobQueue) -> None:
    page = open_page(LAB)
    choose(page, "lab-checkpoint", "other checkpoint")
    page.text_input(key="lab-hub-id").set_value("me/my-classifier")
    run(page)
    follow(follow(page, "Methods"), "Lab")
    assert page.selectbox(key="lab-checkpoint").value == "other checkpoint"
    assert page.text_input(key="lab-hub-id").value == "me/my-classifier"


def test_a_folder_that_does_not_exist_is_not_looked_for_on_the_hub(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = open_page(LAB)
    choose(page, "lab-checkpoint", "folder")
    choose(page, "lab-task-folder", "sst2")
    for typed in ("owner/name", "~nobody-of-this-name/model"):
        page.text_input(key="lab-folder").set_value(typed)
        press(page, "Run")
        assert not asked
        assert f"'{plain(typed)}' is not a folder on this computer" in page.error[0].value


def test_only_a_seeded_method_asks_for_a_seed(
    queue: JobQueue, asked: list[SweepRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def has_seed(page: AppTest) -> bool:
        return "lab-seed" in {field.key for field in page.number_input}

    assert not has_seed(open_page(LAB))
    control = replace(METHODS["magnitude"], name="control", title="Control", is_control=True, removes="units")
    monkeypatch.setattr(catalog, "METHODS", {**METHODS, "control": control})
    monkeypatch.setattr("ui.lab.method.METHODS", catalog.METHODS)
    page = open_page(LAB)
    choose(page, "lab-method", "control")
    assert has_seed(page)
    assert "lab-scope" not in {box.key for box in page.selectbox}, "a neuron method has no scope"
    page.number_input(key="lab-seed").set_value(7)
    press(page, "Run")
    assert (asked[0].seed, asked[0].scope) == (7, None)


def test_a_control_follows_a_method_of_its_own_kind(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = open_page(LAB)
    assert not [box for box in page.selectbox if box.label == "Control of"]
    choose(page, "lab-method", "random")
    assert page.selectbox(key="lab-control-of-random").options == ["Magnitude", "Wanda"]
    choose(page, "lab-control-of-random", "wanda")
    press(page, "Run")
    assert (asked[0].method, asked[0].control_of) == ("random", "wanda")


def test_a_run_can_stop_early(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = open_page(LAB)
    page.checkbox(key="lab-until").set_value(True)
    run(page)
    press(page, "Run")
    assert asked == [replace(DEFAULT, until_damage=0.3)]


def test_the_settings_are_those_of_a_control_on_show(queue: JobQueue, asked: list[SweepRequest]) -> None:
    request = next(controls(until_damaged(replace(DEFAULT, method="wanda")), (3,)))
    job_id = queue.submit(replace(request, source_name="frames"), "ann")
    ended(queue, job_id)
    page = open_page(LAB, job=job_id)
    press(page, "Run")
    assert asked == [request]


def test_a_hosted_server_offers_no_folder_and_tells_no_path(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    page = open_page(LAB, result=RESULT.key)
    options = [option for box in page.selectbox for option in box.options]
    assert options
    assert not any("older" in option for option in options)
    assert not any(".json" in code.value for code in page.code)


def test_hosted_nothing_is_wrong_before_anything_is_typed(
    queue: JobQueue, asked: list[SweepRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    page = open_page(LAB)
    choose(page, "lab-checkpoint", "other checkpoint")
    choose(page, "lab-task-other checkpoint", "sst2")
    assert not page.error
    assert "Enter the Hub model id" in told(page)
    assert "''" not in told(page)
    press(page, "Run")
    assert not asked
    page.text_input(key="lab-hub-id").set_value("no such place/at all")
    press(page, "Run")
    (error,) = page.error
    assert "no such place" in error.value
    assert "folder" not in error.value


def test_hosted_it_says_what_its_limits_are_and_how_to_lift_them(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not any("Limits" in part.label for part in open_page(LAB).expander)
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    page = open_page(LAB)
    (limits,) = [part for part in page.expander if "Limits" in part.label]
    assert "**512 examples**" in limits.markdown[0].value
    assert "streamlit run app.py" in limits.code[0].value


# ---------------------------------------------------------------- presets


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("The published experiment", replace(DEFAULT, scope="all-linear")),
        ("Random control", DEFAULT),
        ("Attribution", replace(DEFAULT, method="attribution", scope=None)),
        ("One layer alone", replace(DEFAULT, scope="layer:0")),
        ("Quick look", replace(DEFAULT, num_examples=64, amounts=(0.0, 0.2, 0.4, 0.6, 0.8))),
    ],
)
def test_a_preset_fills_the_settings(
    queue: JobQueue,
    asked: list[SweepRequest],
    follow_ups: list[SweepRequest],
    title: str,
    expected: SweepRequest,
) -> None:
    page = open_page(LAB)
    choose(page, "lab-step", "0.05")
    page.number_input(key="lab-examples").set_value(100)
    press(page, title)
    press(page, "Run")
    assert asked == [expected]
    assert ("reduction" in page.query_params) == (title == "The published experiment")
    assert follow_ups == list(judged_beside(expected) if title == "Random control" else ())


def test_a_preset_keeps_checkpoint_task_and_examples(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = open_page(LAB)
    choose(page, "lab-checkpoint", "yoshitomo-matsubara/bert-base-uncased-cola")
    press(page, "Quick look")
    press(page, "Run")
    assert (asked[0].checkpoint, asked[0].task, asked[0].data) == (
        "yoshitomo-matsubara/bert-base-uncased-cola",
        "cola",
        "hub",
    )


def test_the_settings_follow_the_result_on_show(queue: JobQueue) -> None:
    other = make_result(points="both", amounts=(0.0, 0.2, 0.4), method="random", seed=3)
    save(other)
    page = open_page(LAB, result=RESULT.key)
    choose(page, "lab-points", "layer")
    page.query_params["result"] = other.key
    run(page)
    assert page.selectbox(key="lab-points").value == "both"
    assert page.selectbox(key="lab-method").value == "random"
    assert page.number_input(key="lab-seed").value == 3
    assert page.selectbox(key="lab-step").value == "0.2"


@pytest.mark.parametrize("amounts", [(0.0, 0.01, 0.02), (0.0, 0.33, 0.66, 0.99), (0.0,)])
def test_amounts_that_no_slider_has_are_listed(queue: JobQueue, amounts: tuple[float, ...]) -> None:
    result = make_result(amounts=amounts)
    save(result)
    page = open_page(LAB, result=result.key)
    assert page.text_input(key="lab-amounts").value == ", ".join(f"{amount:g}" for amount in amounts)


def test_a_result_against_another_checkpoint_is_run_as_it_was_until_another_is_chosen(
    queue: JobQueue, asked: list[SweepRequest]
) -> None:
    job_id = queue.submit(replace(DEFAULT, against="embedded:cola", source_name="frames"), "ann")
    ended(queue, job_id)
    page = open_page(LAB, job=job_id)
    assert "Compared with the layers of another checkpoint" in told(page)
    press(page, "Run")
    page = open_page(LAB, job=job_id)
    choose(page, "lab-checkpoint", "embedded:qnli")
    press(page, "Run")
    assert [request.against for request in asked] == ["embedded:cola", None]


def test_no_random_control_is_offered_where_nothing_is_judged(queue: JobQueue, asked: list[SweepRequest]) -> None:
    job_id = queue.submit(replace(DEFAULT, against="embedded:cola", source_name="frames"), "ann")
    ended(queue, job_id)
    page = open_page(LAB, job=job_id)
    assert "lab-with-control" not in {toggle.key for toggle in page.toggle}
    choose(page, "lab-checkpoint", "embedded:qnli")
    assert "lab-with-control" in {toggle.key for toggle in page.toggle}


# ---------------------------------------------------------------- how long


def measured(queue: JobQueue, page: AppTest) -> str:
    """What a page says when it has measured how long a run takes."""
    ended(queue, page.session_state["lab"].estimate)
    return told(run(page))


def test_how_long_a_run_takes_is_told_unasked_for_what_is_at_hand(queue: JobQueue) -> None:
    page = open_page(LAB)
    assert "Takes about 42 s on this machine." in measured(queue, page)


def test_a_checkpoint_on_the_hub_is_measured_when_asked(queue: JobQueue) -> None:
    page = open_page(LAB)
    measured(queue, page)
    choose(page, "lab-checkpoint", "yoshitomo-matsubara/bert-base-uncased-cola")
    assert "Takes about" not in told(page)
    press(page, "How long?")
    assert "Takes about 42 s on this machine." in measured(queue, page)


def test_what_is_missing_is_told_beside_run_and_in_red_to_who_presses_it(
    queue: JobQueue, asked: list[SweepRequest]
) -> None:
    page = open_page(LAB)
    choose(page, "lab-step", "list")
    page.text_input(key="lab-amounts").set_value("2")
    assert "outside [0, 1)" in told(run(page))
    assert not page.error, "nothing was asked for yet"
    press(page, "Run")
    assert "outside \\[0, 1)" in page.error[0].value


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ({"stored": True, "seconds": 0.0}, "Already computed; opens at once."),
        ({"stored": False, "seconds": 150.0}, "about 2 min"),
        ({"download": "checkpoint"}, "The checkpoint is downloaded first"),
        ({"download": "data"}, "The examples are downloaded first"),
    ],
)
def test_an_estimate_in_words(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch, outcome: dict[str, Any], words: str
) -> None:
    monkeypatch.setattr("core.jobs.queue.ask", lambda *_, **__: "a")
    monkeypatch.setattr("core.jobs.queue.wait", lambda *_: Job("a", state="done", outcome=outcome))
    assert any(words in text.value for text in open_page(LAB).markdown)


# ---------------------------------------------------------------- history


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, queue: JobQueue) -> Path:
    """An empty folder of the user's results."""
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))
    return tmp_path / "own"


def history(page: AppTest) -> Any:
    return next(part for part in page.expander if part.label.startswith("Your results"))


def links(page: AppTest) -> list[str]:
    return [link.proto.query_string for link in history(page).get("page_link")]


def test_without_results_the_history_says_so(own_folder: Path) -> None:
    assert history(open_page(LAB)).label == "Your results (0)"


def test_the_history_lists_opens_and_deletes(own_folder: Path) -> None:
    first, second = RESULT, make_result(amounts=(0.0, 0.4))
    paths = [save(first), save(second)]
    page = open_page(LAB, result=first.key)
    assert history(page).label == "Your results (2)"
    assert str(own_folder) in [code.value for code in history(page).code]
    assert set(links(page)) == {f"result={first.key}", f"result={second.key}"}
    assert "on show" in next(
        link.proto.label for link in history(page).get("page_link") if first.key in link.proto.query_string
    )
    page.button(key=f"lab-deleted-{first.key}").click()
    run(page)
    assert [path.is_file() for path in paths] == [False, True]
    assert "result" not in page.query_params
    assert links(page) == [f"result={second.key}"]


def test_a_long_history_begins_with_the_newest(own_folder: Path) -> None:
    for number in range(10):
        path = save(make_result(amounts=(0.0, 0.5), num_examples=8, seed=number))
        os.utime(path, (number, number))
    page = open_page(LAB)
    assert len(links(page)) == 8
    page.toggle(key="lab-history-all").set_value(True)
    run(page)
    assert len(links(page)) == 10


def test_a_shipped_result_cannot_be_deleted(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(RESULT, own_folder)
    monkeypatch.setattr("core.results.store.SHIPPED_RESULTS", own_folder)
    page = open_page(LAB)
    page.button(key=f"lab-deleted-{RESULT.key}").click()
    run(page)
    assert "cannot be deleted" in page.error[0].value
    assert path.is_file()


def test_hosted_the_history_is_that_of_this_visit(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    monkeypatch.setattr(
        "core.jobs.queue.get", lambda job_id: Job("a", DEFAULT, "done", key=RESULT.key) if job_id else None
    )
    save(RESULT)
    save(make_result(amounts=(0.0, 0.4)))
    assert history(open_page(LAB)).label == "Your results (0)", "others' results are not listed"
    page = open_page(LAB, job="a")
    assert links(page) == [f"result={RESULT.key}"]
    assert not any(str(own_folder) in code.value for code in page.code)
    assert "Delete this result" not in labels(page)


# ---------------------------------------------------------------- sentences of one's own

ROWS = "id,review,mood\n" + "".join(f"{k},sentence number {k},{'good' if k % 2 else 'bad'}\n" for k in range(30))


def upload(page: AppTest, content: str, name: str = "mine.csv") -> AppTest:
    choose(page, "lab-data-True", "own sentences")
    page.file_uploader(key="lab-upload").set_value((name, content.encode(), "text/csv"))
    return run(page)


def say(page: AppTest, **meanings: str) -> AppTest:
    """Says what values of the label column mean."""
    for value, meaning in meanings.items():
        page.selectbox(key=f"lab-means-sst2-{value}").set_value(meaning)
    return run(page)


def texts_and_labels(request: SweepRequest) -> tuple[tuple[tuple[str, ...], ...], tuple[int, ...]]:
    """What a request for an upload evaluates, in the order of the file."""
    subset = open_examples(checked(request), ()).subset(None)
    in_order = sorted(zip(subset.rows, subset.texts, subset.gold, strict=True))
    return tuple(texts for _, texts, _ in in_order), tuple(gold for *_, gold in in_order)


def test_a_file_becomes_the_data_of_a_run(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = upload(open_page(LAB), ROWS)
    assert page.selectbox(key="lab-column-sentence").value == "review"
    assert page.selectbox(key="lab-column-label").value == "mood"
    assert "Say what each of these means, or leave its rows out: “bad”, “good”" in told(page), (
        "nothing is matched by its order"
    )
    press(page, "Run")
    assert not asked
    say(page, good="positive", bad="negative")
    assert not page.error
    assert "30 examples: 15 negative, 15 positive. Up to 15 of them" in told(page)
    press(page, "Run")
    (request,) = asked
    assert kind_of_data(request.data or "") == "own"
    assert (request.text, request.label) == (("review",), "mood")
    assert dict(request.label_map) == {"bad": "negative", "good": "positive"}
    texts, labels = texts_and_labels(request)
    assert all(text.endswith(str(int(text.split()[-1]))) for (text,) in texts)
    assert labels == tuple(int(text.split()[-1]) % 2 for (text,) in texts)


def test_what_was_said_of_a_file_serves_until_another_is_chosen(
    queue: JobQueue, asked: list[SweepRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = upload(open_page(LAB), ROWS.replace("sentence number 7,good", "sentence number 7,unsure"))
    assert page.selectbox(key="lab-column-label").label == "Label column (guessed)"
    say(page, good="positive", bad="negative", unsure="left out")
    page.selectbox(key="lab-column-sentence").set_value("id")
    press(run(page), "Run")
    running(queue, address(page)["job"])
    press(run(page), "Cancel")
    assert "The file of the run on show is used again." in told(page)
    assert page.selectbox(key="lab-column-sentence").value == "id"
    assert page.selectbox(key="lab-column-label").label == "Label column", "it is no guess any more"
    press(page, "Run")
    assert asked[0] == asked[1]


def test_hosted_the_file_of_another_visitor_is_not_shown(
    queue: JobQueue, asked: list[SweepRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    owner = say(upload(open_page(LAB), ROWS), good="positive", bad="negative")
    press(owner, "Run")
    job = address(owner)["job"]
    running(queue, job)
    press(run(owner), "Cancel")
    assert "The file of the run on show is used again." in told(owner)
    page = open_page(LAB, job=job)
    assert "Your file needs a text column" in told(page)
    assert "sentence number" not in told(page)


def test_what_was_said_of_one_file_is_not_said_of_the_next(queue: JobQueue) -> None:
    page = say(upload(open_page(LAB), ROWS), good="negative", bad="positive")
    assert page.selectbox(key="lab-means-sst2-good").value == "negative"
    upload(page, f"{ROWS}30,one more,good\n", "other.csv")
    assert page.selectbox(key="lab-means-sst2-good").value is None
    assert "Say what each of these means, or leave its rows out: “bad”, “good”" in told(page)


def test_what_was_said_of_one_file_is_not_said_of_another_run(queue: JobQueue, asked: list[SweepRequest]) -> None:
    jobs = []
    for left_out in ("bad", "good"):
        page = upload(open_page(LAB), ROWS)
        others = {"good": "positive", "bad": "negative", left_out: "left out"}
        press(say(page, **others), "Run")
        jobs.append(address(page)["job"])
        running(queue, jobs[-1])
        press(run(page), "Cancel")
    page = open_page(LAB, job=jobs[0])
    for job, left_out in zip(jobs[::-1], ("good", "bad"), strict=True):
        page.query_params["job"] = job
        run(page)
        assert page.selectbox(key=f"lab-means-sst2-{left_out}").value == "left out"


def test_each_value_is_shown_with_three_of_its_sentences(queue: JobQueue) -> None:
    page = upload(open_page(LAB), ROWS)
    assert "sentence number 0" in told(page)
    assert "sentence number 5" in told(page)
    assert "sentence number 6" not in told(page)


def test_columns_can_be_chosen_and_labels_left_out(queue: JobQueue, asked: list[SweepRequest]) -> None:
    content = ROWS.replace("sentence number 7,good", "sentence number 7,unsure")
    page = upload(open_page(LAB), content)
    say(page, good="positive", bad="negative", unsure="left out")
    page.selectbox(key="lab-column-sentence").set_value("id")
    run(page)
    assert "14 positive; 1 left out." in told(page)
    press(page, "Run")
    assert dict(asked[0].label_map)["unsure"] is None
    texts, labels = texts_and_labels(asked[0])
    assert len(labels) == 14
    assert ("7",) not in texts


def test_a_bad_file_is_told_in_plain_text_and_not_run(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = upload(open_page(LAB), ROWS + "<b>,*x*\n")
    assert "row 32 has 2 fields, its header 3" in page.error[0].value
    press(page, "Run")
    assert not asked
    assert any("Choose your file and say what is in it" in error.value for error in page.error)


def test_what_a_file_says_is_shown_as_it_is(queue: JobQueue) -> None:
    page = upload(open_page(LAB), ROWS.replace("sentence number 0,bad", "<b>*x*</b>,0").replace("good", "1"))
    assert any("\\<b\\>\\*x\\*" in text.value for text in page.markdown)
    assert not any("<b>" in text.value for text in page.markdown if "style" not in text.value)


def test_a_pair_task_asks_for_two_columns(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = open_page(LAB)
    choose(page, "lab-task-embedded:sst2", "mrpc")
    rows = "left,right,label\n" + "".join(f"a {k},b {k},{k % 2}\n" for k in range(8))
    upload(page, rows)
    press(page, "Run")
    assert asked[0].label_map == (), "GLUE's numbers are known"
    assert all(text[0][1:] == text[1][1:] for text in texts_and_labels(asked[0])[0])


def test_without_a_file_it_says_what_is_needed(queue: JobQueue) -> None:
    page = open_page(LAB)
    choose(page, "lab-data-True", "own sentences")
    assert "a text column and a label column; any names work. The labels are negative, positive." in told(page)


@pytest.fixture
def moods(tmp_path: Path) -> Path:
    """A folder with the configuration of a classifier with three labels of its own."""
    folder = tmp_path / "moods"
    folder.mkdir()
    labels = {"0": "Glad", "1": "sad", "2": "in between"}
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "id2label": labels}))
    return folder


@pytest.mark.parametrize(("hosted", "choice"), [("0", "folder"), ("1", "other checkpoint")])
def test_who_comes_with_a_model_is_asked_for_it_first(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch, hosted: str, choice: str
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
    page = open_page(LAB, own="model")
    assert page.selectbox(key="lab-checkpoint").value == choice
    (place,) = [field for field in page.text_input if field.key in ("lab-folder", "lab-hub-id")]
    assert place.value == ""
    assert not page.error
    page = open_page(LAB, own="model", result=RESULT.key)
    assert address(page) == {"result": RESULT.key}, "a result on show needs none"


def test_a_model_of_ones_own_is_still_there_after_a_look_at_another_page(queue: JobQueue, moods: Path) -> None:
    page = open_page(LAB, own="model")
    page.text_input(key="lab-folder").set_value(str(moods))
    choose(page, "lab-method", "wanda")
    follow(page, "Methods")
    follow(page, "Lab")
    assert (page.selectbox(key="lab-checkpoint").value, page.selectbox(key="lab-method").value) == ("folder", "wanda")
    assert page.text_input(key="lab-folder").value == str(moods)


def test_a_file_and_what_was_said_of_it_are_still_there_after_a_look_at_another_page(
    queue: JobQueue, asked: list[SweepRequest]
) -> None:
    page = open_page(LAB)
    choose(page, "lab-data-True", "own sentences")
    rows = "words,mark\n" + "".join(f"text {k},{'ab'[k % 2]}\n" for k in range(12))
    page.file_uploader(key="lab-upload").set_value(("mine.csv", rows.encode(), "text/csv"))
    run(page)
    say(page, a="negative", b="positive")
    follow(page, "Methods")
    follow(page, "Lab")
    assert "The file that you chose last is used again." in told(page)
    press(page, "Run")
    (request,) = asked
    assert request.label_map == (("a", "negative"), ("b", "positive"))


def test_a_file_that_is_removed_is_not_used_again(queue: JobQueue) -> None:
    page = upload(open_page(LAB), ROWS)
    assert "Your file needs" not in told(page)
    page.file_uploader(key="lab-upload").set_value(None)
    run(page)
    assert "Your file needs a text column and a label column" in told(page)
    assert "is used again" not in told(page)


def test_a_run_that_the_address_has_lost_is_led_back_to(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = press(open_page(LAB), "Run")
    job_id = address(page)["job"]
    running(queue, job_id)
    page.query_params.clear()  # as a step back in the browser does
    run(page)
    assert settings_are_open(page)
    (label,) = [label for label in page_links(page) if label.startswith("Running: ")]
    assert f"job={job_id}" in page_links(page)[label]
    page.query_params["job"] = job_id
    press(run(page), "Cancel")
    page.query_params.clear()
    assert not [label for label in page_links(run(page)) if label.startswith(("Running", "Your run"))]


def test_a_result_that_is_opened_beside_a_run_is_shown(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = press(open_page(LAB), "Run")
    job_id = address(page)["job"]
    running(queue, job_id)
    (label,) = [label for label in page_links(page) if label.startswith(plain(result_name(RESULT)))]
    assert "job=" not in page_links(page)[label]
    page.query_params.clear()
    page.query_params["result"] = RESULT.key
    run(page)
    assert "Check this frame" in labels(page)
    assert [label for label in page_links(page) if label.startswith("Running: ")]


def test_the_settings_of_a_result_outlast_its_file(queue: JobQueue) -> None:
    page = open_page(LAB, result=RESULT.key)
    choose(page, "lab-points", "both")
    press(page, "Delete this result")
    assert "result" not in address(page)
    assert page.selectbox(key="lab-points").value == "both"
    assert page.selectbox(key="lab-method").value == RESULT.pruning.method


@pytest.mark.parametrize(("step", "largest", "last"), [("0.2", 0.9, (0.8, 0.9)), ("0.2", 0.15, (0.0, 0.15))])
def test_the_largest_amount_is_measured_whatever_the_step(
    queue: JobQueue, asked: list[SweepRequest], step: str, largest: float, last: tuple[float, float]
) -> None:
    page = open_page(LAB)
    choose(page, "lab-step", step)
    page.slider(key="lab-largest").set_value(largest)
    press(page, "Run")
    assert asked[0].amounts[-2:] == last


def test_a_checkpoint_of_ones_own_makes_its_own_task(queue: JobQueue, asked: list[SweepRequest], moods: Path) -> None:
    page = open_page(LAB)
    choose(page, "lab-checkpoint", "folder")
    assert page.selectbox(key="lab-task-folder").value == "auto"
    assert page.selectbox(key="lab-task-folder").label == "Task (guessed)"
    assert "enter its folder or Hub id above first" in told(page)
    page.text_input(key="lab-folder").set_value(str(moods))
    run(page)
    assert not asked, "a place alone starts nothing"
    assert "Its 3 labels: Glad, sad, in between." in told(page)
    assert "one or two text columns and a label column" in told(page)
    moods_of = ("GLAD", "in_between", "Sad")
    rows = "text,reply,mood\n" + "".join(f"text {k},reply {k},{moods_of[k % 3]}\n" for k in range(12))
    page.file_uploader(key="lab-upload").set_value(("mine.csv", rows.encode(), "text/csv"))
    run(page)
    assert not page.info
    assert "12 examples: 4 Glad, 4 sad, 4 in between. Up to 6 of them" in told(page)
    page.segmented_control(key="lab-texts").set_value("Two texts")
    run(page)
    assert page.selectbox(key="lab-column-text1").value == "text"
    page.selectbox(key="lab-column-text2").set_value("reply")
    press(page, "Run")
    (request,) = asked
    assert (request.task, request.text, request.label, request.label_map) == ("auto", ("text", "reply"), "mood", ())


def test_a_head_without_labels_is_refused_before_a_file_is_asked_for(queue: JobQueue, moods: Path) -> None:
    (moods / "config.json").write_text(json.dumps({"model_type": "bert", "problem_type": "regression"}))
    page = open_page(LAB)
    choose(page, "lab-checkpoint", "folder")
    page.text_input(key="lab-folder").set_value(str(moods))
    run(page)
    assert any("predicts a number" in error.value.replace("\\", "") for error in page.error)


# ---------------------------------------------------------------- a data set on the Hub


def fetch(page: AppTest, name: str, split: str = "validation") -> AppTest:
    choose(page, "lab-data-True", "data set")
    page.text_input(key="lab-dataset").set_value(name)
    page.text_input(key="lab-split").set_value(split)
    return run(run(page))


def test_a_data_set_on_the_hub_is_read_pinned_and_run(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = fetch(open_page(LAB), "owner/moods/en", "test")
    assert page.selectbox(key="lab-means-sst2-POSITIVE").value == "positive"
    assert "Say what each of these means, or leave its rows out: “meh”" in told(page)
    press(page, "Run")
    assert not asked
    say(page, meh="left out")
    assert "20 examples: 10 negative, 10 positive; 10 left out. Up to 10 of them" in told(page)
    press(page, "Run")
    (request,) = asked
    assert (request.data, request.split) == (f"hub:owner/moods/en@{'c' * 40}", "test")
    assert (request.text, request.label, request.label_map) == (("text",), "label", (("meh", None),))


def test_another_name_is_not_run_before_it_is_read(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = fetch(open_page(LAB), "owner/moods")
    say(page, meh="left out")
    page.text_input(key="lab-dataset").set_value("owner/large")
    run(page)
    press(page, "Run")
    assert not asked
    assert any("Name a data set on the Hub" in error.value for error in page.error)


def test_the_size_of_a_data_set_is_shown_before_it_is_downloaded(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = fetch(open_page(LAB), "owner/large")
    assert "2 files have yet to be downloaded: 36.0 MiB. The first is 12.0 MiB" in told(page)
    assert not page.get("progress")
    assert "lab-means-sst2-POSITIVE" not in {box.key for box in page.selectbox}
    press(page, "Download and read it")
    assert run(page).selectbox(key="lab-means-sst2-POSITIVE").value == "positive"
    assert "have yet to be downloaded" not in told(page)


def test_a_data_set_that_was_refused_can_be_asked_for_again(queue: JobQueue) -> None:
    page = fetch(open_page(LAB), "owner/refused")
    before = page.session_state["lab-locate-asked"]
    press(page, "Try again")
    assert page.session_state["lab-locate-asked"] != before


@pytest.mark.parametrize(
    ("name", "words"),
    [("owner/refused", "is \\<b\\>gated"), ("moods", "is not a data set"), ("../x/y", "is not a data set")],
)
def test_a_data_set_that_is_refused(queue: JobQueue, name: str, words: str) -> None:
    page = fetch(open_page(LAB), name)
    assert any(words in error.value for error in page.error)


# ---------------------------------------------------------------- the process


def test_the_server_process_never_imports_torch(tmp_path: Path) -> None:
    code = f"""
import sys
from streamlit.testing.v1 import AppTest
page = AppTest.from_file({OVERVIEW!r}, default_timeout=30).run()
assert not page.exception
page.query_params["result"] = {RESULT.key!r}
page.switch_page({LAB!r}).run()
assert not page.exception
print(sorted({{"torch", "transformers", "datasets"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
