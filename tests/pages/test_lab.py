"""The Lab, against a worker without a model."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.findings.words.lab import key_figures
from core.findings.words.layers import layers_heading
from core.inputs.examples import open_examples
from core.jobs.job import Job
from core.jobs.queue import JobQueue
from core.request.catalog import METHODS, ROOT, TASKS
from core.request.controls import controls, judged_beside, until_damaged
from core.request.sweep_request import SweepRequest, checked, kind_of_data
from core.results.names import result_name
from core.results.provenance import request_of
from core.results.schema import SweepResult
from core.results.store import save
from tests.builders import made_by_recipe, make_result, with_own_key
from tests.opened import address, fill, follow, labels, links, open_page, player, press, run, told
from tests.queues import PATIENCE, RESULT, ended, now, running
from ui.lab.model import NO_WEIGHTS
from ui.text import plain

LAB = "pages/lab.py"
DEFAULT = SweepRequest("embedded:sst2", "sst2", data="written")
COLA = "yoshitomo-matsubara/bert-base-uncased-cola"
AGAIN, CHECK = "Recompute and replace this result", "Check this frame"

Scripts = list[str]


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


@pytest.fixture
def scripted(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> Scripts:
    """What the worker does for a request and for those after it, where the list is long enough; it ends the others."""
    scripts: Scripts = []

    def submit(request: SweepRequest, watcher: str, *, follow_ups: Sequence[SweepRequest] = (), **options: Any) -> str:
        played = chain(scripts, repeat("frames"))
        first, *others = (replace(one, source_name=next(played)) for one in (request, *follow_ups))
        return queue.submit(first, watcher, follow_ups=others, **options)

    monkeypatch.setattr("core.jobs.queue.submit", submit)
    return scripts


def amounts(page: AppTest) -> list[float]:
    return [frame["amount"] for frame in player(page)["frames"]]


def keys(page: AppTest) -> set[str | None]:
    return {widget.key for kind in (page.selectbox, page.number_input, page.toggle) for widget in kind}


def settings_are_open(page: AppTest) -> bool:
    """Whether the settings are in sight rather than in a folded box."""
    folded = [part for part in page.expander if "lab-run-now" in {button.key for button in part.button}]
    return not folded and "Run" in labels(page)


def after_run(queue: JobQueue, page: AppTest) -> AppTest:
    """Waits for the end of what runs, and looks again; it may have ended while the page waited for it."""
    if "job" in address(page):
        ended(queue, address(page)["job"])
        run(page)
    return page


def cancelled(queue: JobQueue, page: AppTest) -> str:
    """Runs the settings, and cancels that; returns the job."""
    job = address(press(page, "Run"))["job"]
    running(queue, job)
    press(run(page), "Cancel")
    return job


# ---------------------------------------------------------------- a run


def test_it_opens_on_the_embedded_checkpoint_and_says_what_to_do(queue: JobQueue) -> None:
    page = open_page(LAB)
    assert settings_are_open(page)
    assert page.selectbox(key="lab-checkpoint").value == "embedded:sst2"
    assert "Press Run" in told(page)
    assert queue._worker.child, "the worker warms up before the first click"


def test_a_run_shows_its_frames_as_they_arrive_and_can_be_cancelled(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = press(open_page(LAB), "Run")
    assert asked == [DEFAULT]
    job_id = address(page)["job"]
    running(queue, job_id, frames=2)
    assert amounts(run(page)) == [0.0, 0.5]
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
    assert address(page) == {"result": RESULT.key}
    assert amounts(page) == [0.0, 0.5]
    assert page.selectbox(key="lab-points").value == "both", "the settings are those of the run"
    codes = [code.value for code in page.code]
    assert any("core.precompute" in code and "--points both" in code for code in codes)
    assert any(code.endswith(f"{RESULT.key}.json") for code in codes)


def test_a_stored_result_begins_with_the_answer_and_comes_back_after_another_page(queue: JobQueue) -> None:
    page = open_page(LAB, result=RESULT.key)
    assert amounts(page) == [0.0, 0.5]
    assert "Cancel" not in labels(page)
    titles = {reduction: plain(layers_heading(RESULT, reduction)) for reduction in ("mean", "cls")}
    assert len(set(titles.values())) == 2
    for reduction, title in titles.items():
        page.query_params["reduction"] = reduction
        assert run(page).title[0].value == title
        figures = key_figures(RESULT, reduction)
        assert len(figures) == 3
        assert all(f"{title}\n\n{value}" in told(page).replace("**", "") for title, value in figures.items())
    for name in ("Overview", "Methods", "Lab"):
        follow(page, name)
    assert address(page)["result"] == RESULT.key
    assert amounts(page) == [0.0, 0.5]


def test_a_run_again_that_is_left_or_ends_in_vain_leaves_the_result_on_show(
    queue: JobQueue, asked: list[SweepRequest]
) -> None:
    page = press(open_page(LAB, result=RESULT.key), AGAIN)
    job_id = address(page)["job"]
    assert now(queue, job_id).state == "running"
    assert asked[0].amounts == RESULT.amounts
    assert address(page)["result"] == RESULT.key, "other pages go on showing it"
    queue.watch(job_id, "somebody else", address="203.0.113.8")
    press(run(page), "Cancel")
    assert now(queue, job_id).state == "running"
    assert address(page) == {"result": RESULT.key}
    assert [info.value for info in page.info] == ["Cancelled."]
    queue.cancel(job_id, "somebody else", address="203.0.113.8")
    ended(queue, job_id)

    job_id = address(press(page, AGAIN))["job"]
    press(run(page), "Cancel")
    assert ended(queue, job_id).state == "cancelled"
    assert address(run(page)) == {"result": RESULT.key}
    assert amounts(page) == list(RESULT.amounts)
    assert CHECK in labels(page)


def test_the_settings_of_a_run_in_vain_outlast_more_than_one_look(queue: JobQueue, scripted: Scripts) -> None:
    scripted.append("refuse")
    page = fill(open_page(LAB, result=RESULT.key), {"amounts": "0.3; 0.75", "with-control": True})
    press(page, "Run")
    if "job" in address(page):
        assert ended(queue, address(page)["job"]).state == "failed"
    for _ in range(3):
        run(page)
        assert address(page) == {"result": RESULT.key}
        assert page.text_input(key="lab-amounts").value in ("0.3; 0.75", "0, 0.3, 0.75"), "as typed, or as it was read"
        assert page.toggle(key="lab-with-control").value


def test_after_a_run_that_ended_in_vain_another_result_opens(queue: JobQueue, scripted: Scripts) -> None:
    scripted.append("refuse")
    page = press(open_page(LAB), "Run")
    job_id = address(page)["job"]
    message = plain(ended(queue, job_id).message)
    assert [error.value for error in run(page).error] == [message]
    page = open_page(LAB, job=job_id, result=RESULT.key)  # a link in the list of results
    assert [error.value for error in page.error] == [message], "once more, beside the result"
    assert address(page) == {"result": RESULT.key}
    assert not run(page).error


def test_a_frame_is_checked_against_torch_cka(queue: JobQueue) -> None:
    page = fill(open_page(LAB, result=RESULT.key), {"check-amount": 0.5})
    press(page, CHECK)
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


def of_a_recipe(name: str) -> SweepResult:
    return with_own_key(RESULT, checkpoint=made_by_recipe(RESULT.checkpoint, name, 0))


def test_what_is_not_here_is_shown_but_neither_checked_nor_recomputed_nor_controlled(queue: JobQueue) -> None:
    results = {"folder": of_a_folder(), "recipe": of_a_recipe("mpnet-l12-cola")}
    for name, result in results.items():
        save(result)
        page = open_page(LAB, result=result.key)
        assert amounts(page) == [0.0, 0.5]
        assert not {CHECK, AGAIN, "Run random control"} & labels(page)
        assert "cannot be run here" in told(page)
        assert (NO_WEIGHTS in told(page)) == (name == "recipe"), "the settings begin with known weights"
        assert (page.selectbox(key="lab-checkpoint").value == "embedded:sst2") == (name == "recipe")
        if name == "folder":
            assert any("--checkpoint ./my-bert" in code.value for code in page.code)
            assert "Replace ./my-bert with the path of the checkpoint folder" in told(page)


def test_data_on_the_hub_and_weights_that_were_made_here_are_run_as_any_others(
    queue: JobQueue, asked: list[SweepRequest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.request.sweep_request.WEIGHTS", tmp_path)
    (tmp_path / "mpnet-l12-sst2-seed-0").mkdir()
    for result in (of_data_on_the_hub(), of_a_recipe("mpnet-l12-sst2")):
        save(result)
        page = open_page(LAB, result=result.key)
        assert {CHECK, AGAIN} <= labels(page)
        assert not [words for words in (NO_WEIGHTS, "location is not recorded") if words in told(page)]
    press(page, AGAIN)
    press(open_page(LAB, result=result.key), "Run")
    assert [request.checkpoint for request in asked] == ["recipe:mpnet-l12-sst2-seed-0"] * 2


def test_a_run_that_the_address_has_lost_is_led_back_to(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = press(open_page(LAB), "Run")
    job_id = address(page)["job"]
    running(queue, job_id)
    page.query_params.clear()  # as a step back in the browser does
    assert settings_are_open(run(page))
    (label,) = [label for label in links(page) if label.startswith("Running: ")]
    assert f"job={job_id}" in links(page)[label]
    (label,) = [label for label in links(page) if label.startswith(plain(result_name(RESULT)))]
    assert "job=" not in links(page)[label]
    page.query_params["result"] = RESULT.key
    assert CHECK in labels(run(page)), "a result that is opened beside a run is shown"
    assert [label for label in links(page) if label.startswith("Running: ")]
    page.query_params["job"] = job_id
    press(run(page), "Cancel")
    page.query_params.clear()
    assert not [label for label in links(run(page)) if label.startswith(("Running", "Your run"))]


# ---------------------------------------------------------------- a run and its control


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
    press(fill(page, {"with-control": True}), "Run")
    assert asked == [DEFAULT]
    assert follow_ups == list(judged_beside(DEFAULT))
    running(queue, address(page)["job"])
    assert run(page).get("progress")[0].proto.text == "Amount 0, 3\u00a0%, about 2 s left; then its control"
    follow_ups.clear()
    page = fill(open_page(LAB), {"with-control": True, "method": "random"})
    assert not page.toggle, "a control has no control of its own"
    press(page, "Run")
    assert (len(asked), follow_ups) == (2, [])


def test_while_the_control_runs_the_methods_result_is_shown_and_cancel_keeps_it(
    queue: JobQueue, scripted: Scripts
) -> None:
    scripted += ["frames", "frames", "hang"]
    page = press(open_page(LAB, result=RESULT.key), "Run random control")
    job = at_step(queue, page, 2)
    assert amounts(run(page)) == [0.0, 0.5]
    assert player(page)["title"].startswith("Magnitude pruning")
    bar = page.get("progress")[0].proto
    assert (bar.text, bar.value) == ("Control 2 of 5: Amount 0, 3\u00a0%, about 2 s left", 2)
    press(page, "Cancel")
    assert ended(queue, job.id).state == "cancelled"
    assert address(page) == {"result": RESULT.key}
    assert [info.value for info in page.info] == ["Cancelled. The result and 1 of its 5 controls are kept."]
    assert "Run random control" in labels(page), "it can go on"
    assert not run(page).info, "it is said once"


def test_the_methods_result_is_shown_at_the_end_also_where_its_control_fails(
    queue: JobQueue, scripted: Scripts
) -> None:
    page = after_run(queue, press(fill(open_page(LAB), {"with-control": True}), "Run"))
    assert address(page) == {"result": RESULT.key}
    assert not page.info
    scripted += ["frames", "die"]
    page = after_run(queue, press(open_page(LAB, result=RESULT.key), "Run random control"))
    assert address(page) == {"result": RESULT.key}
    (told_once,) = page.info
    assert "ended unexpectedly" in told_once.value
    assert told_once.value.endswith("The result is kept.")


def test_a_run_in_vain_leaves_its_control_asked_for(queue: JobQueue, scripted: Scripts) -> None:
    scripted.append("refuse")
    page = fill(open_page(LAB), {"with-control": True})
    job_id = address(press(page, "Run"))["job"]
    assert ended(queue, job_id).state == "failed"
    assert run(page).toggle(key="lab-with-control").value
    assert open_page(LAB, job=job_id).toggle(key="lab-with-control").value, "also after a reload"


def test_a_result_with_all_seeds_of_its_control_needs_no_more(own_folder: Path) -> None:
    save(RESULT)
    for request in judged_beside(request_of(RESULT))[1:]:
        save(make_result(amounts=(0.0, 0.5), num_examples=8, method="random", seed=request.seed, until_damage=0.3))
    page = open_page(LAB, result=RESULT.key)
    assert "Run random control" in labels(page)
    assert "4 of the 5 seeds of its random control are available" in page.button(key="lab-control").help
    save(make_result(amounts=(0.0, 0.5), num_examples=8, method="random", until_damage=0.3))
    assert "Run random control" not in labels(run(page))


# ---------------------------------------------------------------- what goes wrong


def test_a_failed_run_is_told_in_plain_text(queue: JobQueue) -> None:
    job_id = queue.submit(replace(DEFAULT, source_name="die"), "ann")
    ended(queue, job_id)
    page = open_page(LAB, job=job_id)
    assert "ended unexpectedly" in page.error[0].value
    assert settings_are_open(page)
    assert not next(button for button in page.button if button.label == "Run").disabled


@pytest.mark.parametrize("kind", ["job", "result"])
def test_what_is_not_known_any_more_is_told(queue: JobQueue, kind: str) -> None:
    page = open_page(LAB, **{kind: "0" * 64})
    assert "is n" in page.info[0].value  # not stored, or no longer known
    assert settings_are_open(page)


@pytest.mark.parametrize(
    ("hosted", "settings", "beside", "in_red"),
    [
        ("0", {"step": "list", "amounts": "0.5, **x**<b>"}, "is not a number", r"amount '\*\*x\*\*\<b\>' is not a"),
        ("0", {"step": "list", "amounts": "2"}, "outside [0, 1)", r"outside \[0, 1)"),
        (
            "0",
            {"checkpoint": "folder", "task-folder": "sst2", "folder": "owner/name"},
            "'owner/name' is not a folder",
            "'owner/name' is not a folder on this computer",
        ),
        (
            "0",
            {"checkpoint": "folder", "task-folder": "sst2", "folder": "~nobody-of-this-name/model"},
            "is not a folder",
            r"'\~nobody-of-this-name/model' is not a folder",
        ),
        (
            "1",
            {"checkpoint": "other checkpoint", "task-other checkpoint": "sst2"},
            "Enter the Hub model id",
            "Enter the Hub model id",
        ),
    ],
)
def test_what_is_missing_or_wrong_is_told_beside_run_and_in_red_to_who_presses_it(
    asked: list[SweepRequest],
    monkeypatch: pytest.MonkeyPatch,
    hosted: str,
    settings: Mapping[str, Any],
    beside: str,
    in_red: str,
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
    page = fill(open_page(LAB), settings)
    assert beside in told(page)
    assert "''" not in told(page)
    assert not page.error, "nothing was asked for yet"
    press(page, "Run")
    assert not asked
    (error,) = page.error
    assert in_red in error.value


# ---------------------------------------------------------------- the settings


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {
                **{"checkpoint": "folder", "task-folder": "cola", "data-False": "folder", "scope": "one layer"},
                **{"points": "layer", "step": "0.2", "largest": 0.5, "layer": 3, "examples": 64},
                **{"folder": str(ROOT), "data-folder": f" {ROOT} "},
            },
            SweepRequest(str(ROOT), "cola", "magnitude", "layer:2", "layer", (0.0, 0.2, 0.4, 0.5), 64, data=str(ROOT)),
        ),
        (
            {"checkpoint": "other checkpoint", "task-other checkpoint": "sst2", "hub-id": "owner/name@v1"},
            SweepRequest("owner/name@v1", "sst2", data="hub"),
        ),
        ({"checkpoint": COLA}, SweepRequest(COLA, "cola", data="hub")),
        ({"step": "list", "amounts": "0.3; 0.75"}, replace(DEFAULT, amounts=(0.0, 0.3, 0.75))),
        ({"step": "0.2", "largest": 0.9}, replace(DEFAULT, amounts=(0.0, 0.2, 0.4, 0.6, 0.8, 0.9))),
        ({"step": "0.2", "largest": 0.15}, replace(DEFAULT, amounts=(0.0, 0.15))),
        ({"until": True}, replace(DEFAULT, until_damage=0.3)),
        (
            {"method": "random", "control-of-random": "wanda", "seed": 7},
            replace(DEFAULT, method="random", control_of="wanda", seed=7),
        ),
        (
            {"method": "random-neuron", "seed": 7},
            replace(DEFAULT, method="random-neuron", control_of="attribution", scope=None, seed=7),
        ),
    ],
)
def test_every_setting_reaches_the_request(
    queue: JobQueue, asked: list[SweepRequest], settings: Mapping[str, Any], expected: SweepRequest
) -> None:
    page = open_page(LAB)
    assert not {"lab-seed", "lab-control-of-random"} & keys(page), "only a control asks for them"
    press(fill(page, settings), "Run")
    assert asked == [expected]


def test_a_browser_that_misses_the_first_run_draws_the_same_settings(queue: JobQueue) -> None:
    page = fill(open_page(LAB), {"step": "0.05", "largest": 0.6, "examples": 64, "until": True})
    run(run(page))  # of these two, a busy browser draws the second alone
    step = page.selectbox(key="lab-step").proto
    assert step.options[step.default] == "In steps of 5 %"
    assert list(page.slider(key="lab-largest").proto.default) == [0.6]
    assert page.number_input(key="lab-examples").proto.default == 64
    assert page.checkbox(key="lab-until").proto.default
    methods = page.selectbox(key="lab-method").proto
    assert methods.options[methods.default] == METHODS["magnitude"].title


def test_settings_outlast_a_look_at_another_page_and_a_change_of_mind(queue: JobQueue) -> None:
    typed = {"checkpoint": "other checkpoint", "hub-id": "me/my-classifier", "step": "list", "amounts": "0.4"}
    page = fill(open_page(LAB), typed)
    follow(follow(page, "Methods"), "Lab")
    assert page.selectbox(key="lab-checkpoint").value == "other checkpoint"
    assert page.text_input(key="lab-hub-id").value == "me/my-classifier"
    fill(fill(page, {"step": "0.1"}), {"step": "list"})
    assert page.text_input(key="lab-amounts").value == "0.4"


def test_the_settings_are_those_of_what_is_on_show(queue: JobQueue, asked: list[SweepRequest]) -> None:
    request = next(controls(until_damaged(replace(DEFAULT, method="wanda")), (3,)))
    job_id = queue.submit(replace(request, source_name="frames"), "ann")
    ended(queue, job_id)
    press(open_page(LAB, job=job_id), "Run")
    assert asked == [request]
    other = make_result(points="both", amounts=(0.0, 0.2, 0.4), method="random", seed=3)
    save(other)
    page = fill(open_page(LAB, result=RESULT.key), {"points": "layer"})
    page.query_params["result"] = other.key
    run(page)
    values = {key: page.selectbox(key=f"lab-{key}").value for key in ("points", "method", "step")}
    assert values == {"points": "both", "method": "random", "step": "0.2"}
    assert page.number_input(key="lab-seed").value == 3


@pytest.mark.parametrize("amounts", [(0.0, 0.01, 0.02), (0.0, 0.33, 0.66, 0.99), (0.0,)])
def test_amounts_that_no_slider_has_are_listed(queue: JobQueue, amounts: tuple[float, ...]) -> None:
    save(result := make_result(amounts=amounts))
    page = open_page(LAB, result=result.key)
    assert page.text_input(key="lab-amounts").value == ", ".join(f"{amount:g}" for amount in amounts)


def test_a_result_against_another_checkpoint_is_run_as_it_was_until_another_is_chosen(
    queue: JobQueue, asked: list[SweepRequest]
) -> None:
    job_id = queue.submit(replace(DEFAULT, against="embedded:cola", source_name="frames"), "ann")
    ended(queue, job_id)
    page = open_page(LAB, job=job_id)
    assert "Compared with the layers of another checkpoint" in told(page)
    assert "lab-with-control" not in keys(page), "nothing is judged"
    press(page, "Run")
    page = fill(open_page(LAB, job=job_id), {"checkpoint": "embedded:qnli"})
    assert "lab-with-control" in keys(page)
    press(page, "Run")
    assert [request.against for request in asked] == ["embedded:cola", None]


def test_a_hosted_server_offers_no_folder_tells_no_path_and_says_its_limits(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not any("Limits" in part.label for part in open_page(LAB).expander)
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    page = open_page(LAB, result=RESULT.key)
    options = [option for box in page.selectbox for option in box.options]
    assert options
    assert not any("older" in option for option in options)
    assert not any(".json" in code.value for code in page.code)
    (limits,) = [part for part in page.expander if "Limits" in part.label]
    assert "**512 examples**" in limits.markdown[0].value
    assert "streamlit run app.py" in limits.code[0].value
    fill(page, {"checkpoint": "other checkpoint", "task-other checkpoint": "sst2", "hub-id": "no such place/at all"})
    press(page, "Run")
    (error,) = page.error
    assert "no such place" in error.value
    assert "folder" not in error.value


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
def test_a_preset_fills_the_settings_for_the_checkpoint_and_the_examples_that_are_chosen(
    queue: JobQueue, asked: list[SweepRequest], follow_ups: list[SweepRequest], title: str, expected: SweepRequest
) -> None:
    for checkpoint, changes in (("embedded:sst2", {}), (COLA, {"checkpoint": COLA, "task": "cola", "data": "hub"})):
        asked.clear()
        follow_ups.clear()
        page = fill(open_page(LAB), {"checkpoint": checkpoint, "step": "0.05", "examples": 100})
        press(press(page, title), "Run")
        wanted = replace(expected, **changes)
        assert asked == [wanted]
        assert ("reduction" in page.query_params) == (title == "The published experiment")
        assert follow_ups == list(judged_beside(wanted) if title == "Random control" else ())


# ---------------------------------------------------------------- how long


def measured(queue: JobQueue, page: AppTest) -> str:
    """What a page says when it has measured how long a run takes."""
    ended(queue, page.session_state["lab"].estimate)
    return told(run(page))


def test_how_long_a_run_takes_is_told_unasked_for_what_is_at_hand_and_on_request_for_the_hub(queue: JobQueue) -> None:
    page = open_page(LAB)
    assert "Takes about 42 s on this machine." in measured(queue, page)
    fill(page, {"checkpoint": COLA})
    assert "Takes about" not in told(page)
    press(page, "How long?")
    assert "Takes about 42 s on this machine." in measured(queue, page)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ({"stored": True, "seconds": 0.0}, "Already computed; opens at once."),
        ({"stored": False, "seconds": 150.0}, "about 2 min"),
        ({"download": True}, "Something is downloaded first"),
    ],
)
def test_an_estimate_in_words(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch, outcome: dict[str, Any], words: str
) -> None:
    monkeypatch.setattr("core.jobs.queue.ask", lambda *_, **__: "a")
    monkeypatch.setattr("core.jobs.queue.wait", lambda *_: Job("a", state="done", outcome=outcome))
    assert words in told(open_page(LAB))


# ---------------------------------------------------------------- history


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, queue: JobQueue) -> Path:
    """An empty folder of the user's results."""
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))
    return tmp_path / "own"


def history(page: AppTest) -> Any:
    return next(part for part in page.expander if part.label.startswith("Your results"))


def listed(page: AppTest) -> dict[str, str]:
    return {link.proto.query_string: link.proto.label for link in history(page).get("page_link")}


def test_the_history_lists_opens_and_deletes_and_the_settings_outlast_the_file(own_folder: Path) -> None:
    assert history(open_page(LAB)).label == "Your results (0)"
    first, second = RESULT, make_result(amounts=(0.0, 0.4))
    paths = [save(first), save(second)]
    page = fill(open_page(LAB, result=first.key), {"points": "both"})
    assert history(page).label == "Your results (2)"
    assert str(own_folder) in [code.value for code in history(page).code]
    assert set(listed(page)) == {f"result={first.key}", f"result={second.key}"}
    assert "on show" in listed(page)[f"result={first.key}"]
    page.button(key=f"lab-deleted-{first.key}").click()
    run(page)
    assert [path.is_file() for path in paths] == [False, True]
    assert "result" not in page.query_params
    assert set(listed(page)) == {f"result={second.key}"}
    assert page.selectbox(key="lab-points").value == "both"
    assert page.selectbox(key="lab-method").value == RESULT.pruning.method


def test_a_long_history_begins_with_the_newest(own_folder: Path) -> None:
    for number in range(10):
        path = save(make_result(amounts=(0.0, 0.5), num_examples=8, seed=number))
        os.utime(path, (number, number))
    page = open_page(LAB)
    assert len(listed(page)) == 8
    assert len(listed(fill(page, {"history-all": True}))) == 10


def test_a_shipped_result_cannot_be_deleted(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(RESULT, own_folder)
    monkeypatch.setattr("core.results.store.SHIPPED_RESULTS", own_folder)
    page = open_page(LAB)
    page.button(key=f"lab-deleted-{RESULT.key}").click()
    assert "cannot be deleted" in run(page).error[0].value
    assert path.is_file()


def test_hosted_the_history_is_that_of_this_visit(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    job = Job("a", DEFAULT, "done", key=RESULT.key)
    monkeypatch.setattr("core.jobs.queue.get", lambda job_id: job if job_id else None)
    save(RESULT)
    save(make_result(amounts=(0.0, 0.4)))
    assert history(open_page(LAB)).label == "Your results (0)", "others' results are not listed"
    page = open_page(LAB, job="a")
    assert set(listed(page)) == {f"result={RESULT.key}"}
    assert not any(str(own_folder) in code.value for code in page.code)
    assert "Delete this result" not in labels(page)


# ---------------------------------------------------------------- sentences of one's own

ROWS = "id,review,mood\n" + "".join(f"{k},sentence number {k},{'good' if k % 2 else 'bad'}\n" for k in range(30))
UNSURE = ROWS.replace("sentence number 7,good", "sentence number 7,unsure")
UNDECIDED = "Say what each of these means, or leave its rows out: “bad”, “good”"
SAID = {"good": "positive", "bad": "negative"}


def upload(page: AppTest, content: str, name: str = "mine.csv") -> AppTest:
    if "lab-data-True" in keys(page):
        fill(page, {"data-True": "own sentences"})
    page.file_uploader(key="lab-upload").set_value((name, content.encode(), "text/csv"))
    return run(page)


def say(page: AppTest, **meanings: str) -> AppTest:
    """Says what values of the label column mean."""
    return fill(page, {f"means-sst2-{value}": meaning for value, meaning in meanings.items()})


def meaning(page: AppTest, value: str) -> str | None:
    said: str | None = page.selectbox(key=f"lab-means-sst2-{value}").value
    return said


def texts_and_labels(request: SweepRequest) -> tuple[tuple[tuple[str, ...], ...], tuple[int, ...]]:
    """What a request for an upload evaluates, in the order of the file."""
    subset = open_examples(checked(request), ()).subset(None)
    in_order = sorted(zip(subset.rows, subset.texts, subset.gold, strict=True))
    return tuple(texts for _, texts, _ in in_order), tuple(gold for *_, gold in in_order)


def test_a_file_becomes_the_data_of_a_run(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = fill(open_page(LAB), {"data-True": "own sentences"})
    assert "a text column and a label column; any names work. The labels are negative, positive." in told(page)
    upload(page, ROWS)
    assert page.selectbox(key="lab-column-sentence").value == "review"
    assert page.selectbox(key="lab-column-label").value == "mood"
    assert UNDECIDED in told(page), "nothing is matched by its order"
    assert "sentence number 0" in told(page)
    assert "sentence number 5" in told(page)
    assert "sentence number 6" not in told(page), "three of each value"
    press(page, "Run")
    assert not asked
    say(page, **SAID)
    assert not page.error
    assert "30 examples: 15 negative, 15 positive. Up to 15 of them" in told(page)
    press(page, "Run")
    (request,) = asked
    assert kind_of_data(request.data or "") == "own"
    assert (request.text, request.label) == (("review",), "mood")
    assert dict(request.label_map) == SAID
    texts, labels_of = texts_and_labels(request)
    assert labels_of == tuple(int(text.split()[-1]) % 2 for (text,) in texts)


def test_what_was_said_of_a_file_serves_until_another_is_chosen(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = upload(open_page(LAB), UNSURE)
    assert page.selectbox(key="lab-column-label").label == "Label column (guessed)"
    fill(say(page, **SAID, unsure="left out"), {"column-sentence": "id"})
    assert "14 positive; 1 left out." in told(page)
    cancelled(queue, page)
    assert "The file of the run on show is used again." in told(page)
    assert page.selectbox(key="lab-column-sentence").value == "id"
    assert page.selectbox(key="lab-column-label").label == "Label column", "it is no guess any more"
    press(page, "Run")
    assert asked[0] == asked[1]
    assert dict(asked[0].label_map)["unsure"] is None
    texts, labels_of = texts_and_labels(asked[0])
    assert len(labels_of) == 14
    assert ("7",) not in texts


def test_hosted_the_file_of_another_visitor_is_not_shown(
    queue: JobQueue, asked: list[SweepRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    owner = say(upload(open_page(LAB), ROWS), **SAID)
    job = cancelled(queue, owner)
    assert "The file of the run on show is used again." in told(owner)
    page = open_page(LAB, job=job)
    assert "Your file needs a text column" in told(page)
    assert "sentence number" not in told(page)


def test_what_was_said_of_one_file_is_said_neither_of_the_next_nor_of_another_run(
    queue: JobQueue, asked: list[SweepRequest]
) -> None:
    page = say(upload(open_page(LAB), ROWS), good="negative", bad="positive")
    assert meaning(page, "good") == "negative"
    upload(page, f"{ROWS}30,one more,good\n", "other.csv")
    assert meaning(page, "good") is None
    assert UNDECIDED in told(page)
    jobs = {
        out: cancelled(queue, say(upload(open_page(LAB), ROWS), **{**SAID, out: "left out"})) for out in ("bad", "good")
    }
    page = open_page(LAB, job=jobs["bad"])
    for out in ("good", "bad"):
        page.query_params["job"] = jobs[out]
        assert meaning(run(page), out) == "left out"


def test_a_bad_file_is_told_in_plain_text_and_not_run(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = upload(open_page(LAB), ROWS + "<b>,*x*\n")
    assert "row 32 has 2 fields, its header 3" in page.error[0].value
    press(page, "Run")
    assert not asked
    assert any("Choose your file and say what is in it" in error.value for error in page.error)
    page = upload(open_page(LAB), ROWS.replace("sentence number 0,bad", "<b>*x*</b>,0").replace("good", "1"))
    assert any("\\<b\\>\\*x\\*" in text.value for text in page.markdown), "what a file says is shown as it is"
    assert not any("<b>" in text.value for text in page.markdown if "style" not in text.value)


def test_a_pair_task_asks_for_two_columns(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = fill(open_page(LAB), {"task-embedded:sst2": "mrpc"})
    upload(page, "left,right,label\n" + "".join(f"a {k},b {k},{k % 2}\n" for k in range(8)))
    press(page, "Run")
    assert asked[0].label_map == (), "GLUE's numbers are known"
    assert all(text[0][1:] == text[1][1:] for text in texts_and_labels(asked[0])[0])


def test_a_file_and_what_was_said_of_it_outlast_another_page_but_not_its_removal(
    queue: JobQueue, asked: list[SweepRequest]
) -> None:
    page = upload(open_page(LAB), "words,mark\n" + "".join(f"text {k},{'ab'[k % 2]}\n" for k in range(12)))
    say(page, a="negative", b="positive")
    follow(follow(page, "Methods"), "Lab")
    assert "The file that you chose last is used again." in told(page)
    press(page, "Run")
    assert asked[0].label_map == (("a", "negative"), ("b", "positive"))
    page = upload(open_page(LAB), ROWS)
    page.file_uploader(key="lab-upload").set_value(None)
    assert "Your file needs a text column and a label column" in told(run(page))
    assert "is used again" not in told(page)


# ---------------------------------------------------------------- a model of one's own


@pytest.fixture
def moods(tmp_path: Path) -> Path:
    """A folder with the configuration of a classifier with three labels of its own."""
    folder = tmp_path / "moods"
    folder.mkdir()
    names = {"0": "Glad", "1": "sad", "2": "in between"}
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "id2label": names}))
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
    page = fill(open_page(LAB, own="model"), {"folder": str(moods), "method": "wanda"})
    follow(follow(page, "Methods"), "Lab")
    assert (page.selectbox(key="lab-checkpoint").value, page.selectbox(key="lab-method").value) == ("folder", "wanda")
    assert page.text_input(key="lab-folder").value == str(moods)


def test_a_checkpoint_of_ones_own_makes_its_own_task(queue: JobQueue, asked: list[SweepRequest], moods: Path) -> None:
    page = fill(open_page(LAB), {"checkpoint": "folder"})
    task = page.selectbox(key="lab-task-folder")
    assert (task.value, task.label) == ("auto", "Task (guessed)")
    assert "enter its folder or Hub id above first" in told(page)
    fill(page, {"folder": str(moods)})
    assert not asked, "a place alone starts nothing"
    assert "Its 3 labels: Glad, sad, in between." in told(page)
    assert "one or two text columns and a label column" in told(page)
    moods_of = ("GLAD", "in_between", "Sad")
    upload(page, "text,reply,mood\n" + "".join(f"text {k},reply {k},{moods_of[k % 3]}\n" for k in range(12)))
    assert not page.info
    assert "12 examples: 4 Glad, 4 sad, 4 in between. Up to 6 of them" in told(page)
    page.segmented_control(key="lab-texts").set_value("Two texts")
    assert run(page).selectbox(key="lab-column-text1").value == "text"
    press(fill(page, {"column-text2": "reply"}), "Run")
    (request,) = asked
    assert (request.task, request.text, request.label, request.label_map) == ("auto", ("text", "reply"), "mood", ())


def test_a_head_without_labels_is_refused_before_a_file_is_asked_for(queue: JobQueue, moods: Path) -> None:
    (moods / "config.json").write_text(json.dumps({"model_type": "bert", "problem_type": "regression"}))
    page = fill(open_page(LAB), {"checkpoint": "folder", "folder": str(moods)})
    assert any("predicts a number" in error.value.replace("\\", "") for error in page.error)


# ---------------------------------------------------------------- a data set on the Hub


def fetch(name: str, split: str = "validation") -> AppTest:
    return run(fill(open_page(LAB), {"data-True": "data set", "dataset": name, "split": split}))


def test_a_data_set_on_the_hub_is_read_pinned_and_run(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = fetch("owner/moods/en", "test")
    assert meaning(page, "POSITIVE") == "positive"
    assert "Say what each of these means, or leave its rows out: “meh”" in told(page)
    press(page, "Run")
    assert not asked
    say(page, meh="left out")
    assert "20 examples: 10 negative, 10 positive; 10 left out. Up to 10 of them" in told(page)
    press(page, "Run")
    (request,) = asked
    assert (request.data, request.split) == (f"hub:owner/moods/en@{'c' * 40}", "test")
    assert (request.text, request.label, request.label_map) == (("text",), "label", (("meh", None),))


def test_another_name_is_not_run_before_it_is_read_nor_downloaded_before_its_size_is_shown(
    queue: JobQueue, asked: list[SweepRequest]
) -> None:
    page = fill(say(fetch("owner/moods"), meh="left out"), {"dataset": "owner/large"})
    press(page, "Run")
    assert not asked
    assert any("Name a data set on the Hub" in error.value for error in page.error)
    assert "2 files have yet to be downloaded: 36.0 MiB. The first is 12.0 MiB" in told(run(page))
    assert not page.get("progress")
    assert "lab-means-sst2-POSITIVE" not in keys(page)
    press(page, "Download and read it")
    assert meaning(run(page), "POSITIVE") == "positive"
    assert "have yet to be downloaded" not in told(page)


@pytest.mark.parametrize(
    ("name", "words"),
    [("owner/refused", "is \\<b\\>gated"), ("moods", "is not a data set"), ("../x/y", "is not a data set")],
)
def test_a_data_set_that_is_refused_can_be_asked_for_again(queue: JobQueue, name: str, words: str) -> None:
    page = fetch(name)
    assert any(words in error.value for error in page.error)
    if name == "owner/refused":
        before = page.session_state["lab-locate-asked"]
        press(page, "Try again")
        assert page.session_state["lab-locate-asked"] != before


# ---------------------------------------------------------------- the process


def test_the_server_process_never_imports_torch(tmp_path: Path) -> None:
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
