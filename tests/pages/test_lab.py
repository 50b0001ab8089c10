"""The Lab, against a worker without a model."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import catalog, jobs
from core.catalog import METHODS, ROOT, SweepRequest
from core.jobs import JobQueue
from core.results import save
from tests.queues import RESULT, ended, running

OVERVIEW, LAB = str(ROOT / "app.py"), str(ROOT / "pages" / "lab.py")
DEFAULT = SweepRequest("embedded:sst2", "sst2", data="written")


@pytest.fixture
def asked(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> list[SweepRequest]:
    """The requests that reach the queue; their runs hang until they are cancelled."""
    seen: list[SweepRequest] = []

    def submit(request: SweepRequest, watcher: str, *, fresh: bool = False) -> str:
        seen.append(request)
        return queue.submit(replace(request, source_name="hang"), watcher, fresh=fresh)

    monkeypatch.setattr(jobs, "submit", submit)
    return seen


def open_lab(**parameters: str) -> AppTest:
    page = AppTest.from_file(OVERVIEW, default_timeout=20).switch_page(LAB)
    for name, value in parameters.items():
        page.query_params[name] = value
    return _run(page)


def _run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception, page.exception
    return page


def press(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click()
    return _run(page)


def choose(page: AppTest, key: str, value: str) -> None:
    page.selectbox(key=key).set_value(value)
    _run(page)


def address(page: AppTest, name: str) -> str:
    value = page.query_params[name]
    return value if isinstance(value, str) else value[0]


def player(page: AppTest) -> dict[str, Any] | None:
    """The data of the player on the page."""
    found = [part.proto for part in page.get("bidi_component") if part.proto.component_name == "prunescope_player"]
    return json.loads(found[0].json) if found else None


def amounts(page: AppTest) -> list[float]:
    data = player(page)
    return [frame["amount"] for frame in data["frames"]] if data else []


def labels(page: AppTest) -> set[str]:
    return {button.label for button in page.button}


def settings_are_open(page: AppTest) -> bool:
    return next(part.proto.expanded for part in page.expander if part.label == "Settings")


# ---------------------------------------------------------------- a run


def test_it_opens_on_the_embedded_checkpoint_and_says_what_to_do(queue: JobQueue) -> None:
    page = open_lab()
    assert settings_are_open(page)
    assert page.selectbox(key="lab-checkpoint").value == "embedded:sst2"
    assert any("Press Run" in text.value for text in page.markdown)
    assert player(page) is None
    assert queue._worker is not None, "the worker warms up before the first click"


def test_a_run_shows_its_frames_as_they_arrive_and_can_be_cancelled(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = press(open_lab(), "Run")
    assert asked == [DEFAULT]
    job_id = address(page, "job")
    running(queue, job_id, frames=2)
    _run(page)
    assert amounts(page) == [0.0, 0.5]
    assert not settings_are_open(page), "the picture comes first"
    assert next(button for button in page.button if button.label == "Run").disabled
    bar = page.get("progress")[0].proto
    assert (bar.text, bar.value) == ("Amount 0, 2%, about 2 s left", 2)

    press(page, "Cancel")
    assert ended(queue, job_id).state == "cancelled"
    assert [info.value for info in page.info] == ["Cancelled."]
    assert amounts(page) == [0.0, 0.5], "what had arrived stays"
    assert not next(button for button in page.button if button.label == "Run").disabled


def test_a_finished_run_gives_its_place_to_the_result(queue: JobQueue) -> None:
    job_id = queue.submit(replace(DEFAULT, source_name="frames", points="both"), "ann")
    ended(queue, job_id)
    page = open_lab(job=job_id)
    assert "job" not in page.query_params
    assert address(page, "key") == RESULT.key
    assert amounts(page) == [0.0, 0.5]
    assert page.selectbox(key="lab-points").value == "both", "the settings are those of the run"
    codes = [code.value for code in page.code]
    assert any("core.precompute" in code and "--points both" in code for code in codes)
    assert any(code.endswith(f"{RESULT.key}.json") for code in codes)


def test_a_stored_result_needs_no_job_and_comes_back_after_another_page(queue: JobQueue) -> None:
    page = open_lab(key=RESULT.key)
    assert amounts(page) == [0.0, 0.5]
    assert "Cancel" not in labels(page)
    page.query_params.clear()  # a link leaves a result behind
    _run(page.switch_page(OVERVIEW))
    _run(page.switch_page(LAB))
    assert address(page, "key") == RESULT.key
    assert amounts(page) == [0.0, 0.5]


def test_it_runs_again_only_when_told_to(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = press(open_lab(key=RESULT.key), "Run it again")
    job = queue.get(address(page, "job"))
    assert job is not None
    assert job.state == "running"
    assert "key" not in page.query_params
    assert asked[0].amounts == RESULT.amounts


def test_a_frame_is_checked_against_torch_cka(queue: JobQueue) -> None:
    page = open_lab(key=RESULT.key)
    page.selectbox(key="lab-check-amount").set_value(0.5)
    press(page, "Check this frame")
    ended(queue, page.session_state["lab-checking"][1])
    _run(page)
    assert [part.value for part in page.success] == [
        "The frame is confirmed at amount 0.50: computing it again gives the same numbers to the last digit; "
        "the CKA of torch-cka differs by 2e-06 at most."
    ]


def test_a_result_from_a_forgotten_folder_is_shown_but_not_recomputed(queue: JobQueue) -> None:
    checkpoint = RESULT.checkpoint.model_copy(update={"source": "folder", "id": "my-bert"})
    result = RESULT.model_copy(update={"checkpoint": checkpoint, "key": "f0" * 32})
    save(result)
    page = open_lab(key=result.key)
    assert amounts(page) == [0.0, 0.5]
    assert not {"Check this frame", "Run it again"} & labels(page)
    assert any("--checkpoint my-bert" in code.value for code in page.code)


# ---------------------------------------------------------------- what goes wrong


def test_a_failed_run_is_told_in_plain_text(queue: JobQueue) -> None:
    job_id = queue.submit(replace(DEFAULT, source_name="die"), "ann")
    ended(queue, job_id)
    page = open_lab(job=job_id)
    assert "ended unexpectedly" in page.error[0].value
    assert not settings_are_open(page)
    assert not next(button for button in page.button if button.label == "Run").disabled


def test_what_a_visitor_typed_is_shown_as_typed(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = open_lab()
    choose(page, "lab-step", "list")
    page.text_input(key="lab-amounts").set_value("0.5, **x**<b>")
    press(page, "Run")
    assert not asked
    assert "amount '\\*\\*x\\*\\*\\<b\\>' is no number" in page.error[0].value


@pytest.mark.parametrize("kind", ["job", "key"])
def test_what_is_not_known_any_more_is_told(queue: JobQueue, kind: str) -> None:
    page = open_lab(**{kind: "0" * 64})
    assert "not" in page.info[0].value
    assert "Run" in labels(page)


# ---------------------------------------------------------------- the settings


def test_every_setting_reaches_the_request(queue: JobQueue, asked: list[SweepRequest], tmp_path: Path) -> None:
    page = open_lab()
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
    assert asked == [SweepRequest(folder, "cola", "magnitude", "layer:2", "layer", (0.0, 0.2, 0.4), 64, 0, folder)]


def test_a_checkpoint_on_the_hub_is_typed_with_its_revision(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = open_lab()
    choose(page, "lab-checkpoint", "other checkpoint")
    page.text_input(key="lab-hub-id").set_value("owner/name@v1")
    press(page, "Run")
    assert (asked[0].checkpoint, asked[0].data) == ("owner/name@v1", "hub")


def test_a_known_checkpoint_brings_its_task_and_data(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = open_lab()
    choose(page, "lab-checkpoint", "yoshitomo-matsubara/bert-base-uncased-cola")
    press(page, "Run")
    assert (asked[0].task, asked[0].data) == ("cola", "hub")


def test_a_list_of_amounts_can_be_typed(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = open_lab()
    choose(page, "lab-step", "list")
    page.text_input(key="lab-amounts").set_value("0.3; 0.75")
    press(page, "Run")
    assert asked[0].amounts == (0.0, 0.3, 0.75)


def test_a_folder_that_does_not_exist_is_not_looked_for_on_the_hub(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = open_lab()
    choose(page, "lab-checkpoint", "folder")
    page.text_input(key="lab-folder").set_value("owner/name")
    press(page, "Run")
    assert not asked
    assert "is no folder on this computer" in page.error[0].value


def test_only_a_seeded_method_asks_for_a_seed(
    queue: JobQueue, asked: list[SweepRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def has_seed(page: AppTest) -> bool:
        return "lab-seed" in {field.key for field in page.number_input}

    assert not has_seed(open_lab())
    control = replace(METHODS["magnitude"], name="control", title="Control", seeded=True, granularity="neuron")
    monkeypatch.setattr(catalog, "METHODS", {**METHODS, "control": control})
    monkeypatch.setattr("ui.selectors.METHODS", catalog.METHODS)
    page = open_lab()
    choose(page, "lab-method", "control")
    assert has_seed(page)
    assert "lab-scope" not in {box.key for box in page.selectbox}, "a neuron method has no scope"
    page.number_input(key="lab-seed").set_value(7)
    press(page, "Run")
    assert (asked[0].seed, asked[0].scope) == (7, None)


def test_a_hosted_server_offers_no_folder_and_tells_no_path(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    page = open_lab(key=RESULT.key)
    options = [option for box in page.selectbox for option in box.options]
    assert options
    assert not any("older" in option for option in options)
    assert not any(".json" in code.value for code in page.code)


def test_the_server_process_never_imports_torch(tmp_path: Path) -> None:
    code = f"""
import sys
from streamlit.testing.v1 import AppTest
page = AppTest.from_file({OVERVIEW!r}, default_timeout=30).run()
assert not page.exception
page.query_params["key"] = {RESULT.key!r}
page.switch_page({LAB!r}).run()
assert not page.exception
print(sorted({{"torch", "transformers", "datasets"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
