"""The Lab, against a worker without a model."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.inputs.own_table import load
from core.jobs.job import Job
from core.jobs.queue import JobQueue
from core.request import catalog
from core.request.catalog import METHODS, ROOT, TASKS
from core.request.sweep_request import SweepRequest, is_own
from core.results.provenance import command_line
from core.results.store import save
from tests.builders import make_result, with_own_key
from tests.opened import address, open_page, player, run, told
from tests.queues import RESULT, ended, running

OVERVIEW, LAB = "app.py", "pages/lab.py"
DEFAULT = SweepRequest("embedded:sst2", "sst2", data="written")


@pytest.fixture
def asked(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> list[SweepRequest]:
    """The requests that reach the queue; their runs hang until they are cancelled."""
    seen: list[SweepRequest] = []

    def submit(request: SweepRequest, watcher: str, *, fresh: bool = False) -> str:
        seen.append(request)
        return queue.submit(replace(request, source_name="hang"), watcher, fresh=fresh)

    monkeypatch.setattr("core.jobs.queue.submit", submit)
    return seen


def press(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click()
    return run(page)


def choose(page: AppTest, key: str, value: str) -> None:
    page.selectbox(key=key).set_value(value)
    run(page)


def amounts(page: AppTest) -> list[float]:
    return [frame["amount"] for frame in player(page)["frames"]]


def labels(page: AppTest) -> set[str]:
    return {button.label for button in page.button}


def settings_are_open(page: AppTest) -> bool:
    return next(part.proto.expanded for part in page.expander if part.label == "Settings")


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
    page.query_params.clear()  # a link leaves a result behind
    run(page.switch_page(OVERVIEW))
    run(page.switch_page(LAB))
    assert address(page)["result"] == RESULT.key
    assert amounts(page) == [0.0, 0.5]


def test_it_runs_again_only_when_told_to(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = press(open_page(LAB, result=RESULT.key), "Run it again")
    job = queue.get(address(page)["job"])
    assert job is not None
    assert job.state == "running"
    assert "result" not in page.query_params
    assert asked[0].amounts == RESULT.amounts


def test_a_frame_is_checked_against_torch_cka(queue: JobQueue) -> None:
    page = open_page(LAB, result=RESULT.key)
    page.selectbox(key="lab-check-amount").set_value(0.5)
    press(page, "Check this frame")
    ended(queue, page.session_state["lab-checking"][1])
    run(page)
    assert [part.value for part in page.success] == [
        "The frame is confirmed at amount 0.50: computing it again gives the same numbers to the last digit; "
        "the CKA of torch-cka differs by 2e-06 at most."
    ]


def test_a_result_from_a_forgotten_folder_is_shown_but_not_recomputed(queue: JobQueue) -> None:
    checkpoint = RESULT.checkpoint.model_copy(update={"source": "folder", "id": "my-bert"})
    result = with_own_key(RESULT, checkpoint=checkpoint.model_copy(update={"revision": "f0" * 32}))
    save(result)
    page = open_page(LAB, result=result.key)
    assert amounts(page) == [0.0, 0.5]
    assert not {"Check this frame", "Run it again"} & labels(page)
    assert any("--checkpoint ./my-bert" in code.value for code in page.code)
    assert any("Replace ./my-bert with the path of the checkpoint folder" in told.value for told in page.markdown)


# ---------------------------------------------------------------- what goes wrong


def test_a_failed_run_is_told_in_plain_text(queue: JobQueue) -> None:
    job_id = queue.submit(replace(DEFAULT, source_name="die"), "ann")
    ended(queue, job_id)
    page = open_page(LAB, job=job_id)
    assert "ended unexpectedly" in page.error[0].value
    assert not settings_are_open(page)
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
    assert "not" in page.info[0].value
    assert "Run" in labels(page)


# ---------------------------------------------------------------- the settings


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
    assert asked == [SweepRequest(folder, "cola", "magnitude", "layer:2", "layer", (0.0, 0.2, 0.4), 64, 0, folder)]


def test_a_checkpoint_on_the_hub_is_typed_with_its_revision(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = open_page(LAB)
    choose(page, "lab-checkpoint", "other checkpoint")
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


def test_a_folder_that_does_not_exist_is_not_looked_for_on_the_hub(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = open_page(LAB)
    choose(page, "lab-checkpoint", "folder")
    page.text_input(key="lab-folder").set_value("owner/name")
    press(page, "Run")
    assert not asked
    assert "is not a folder on this computer" in page.error[0].value


def test_only_a_seeded_method_asks_for_a_seed(
    queue: JobQueue, asked: list[SweepRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def has_seed(page: AppTest) -> bool:
        return "lab-seed" in {field.key for field in page.number_input}

    assert not has_seed(open_page(LAB))
    control = replace(METHODS["magnitude"], name="control", title="Control", seeded=True, granularity="neuron")
    monkeypatch.setattr(catalog, "METHODS", {**METHODS, "control": control})
    monkeypatch.setattr("ui.selectors.METHODS", catalog.METHODS)
    page = open_page(LAB)
    choose(page, "lab-method", "control")
    assert has_seed(page)
    assert "lab-scope" not in {box.key for box in page.selectbox}, "a neuron method has no scope"
    page.number_input(key="lab-seed").set_value(7)
    press(page, "Run")
    assert (asked[0].seed, asked[0].scope) == (7, None)


def test_a_hosted_server_offers_no_folder_and_tells_no_path(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    page = open_page(LAB, result=RESULT.key)
    options = [option for box in page.selectbox for option in box.options]
    assert options
    assert not any("older" in option for option in options)
    assert not any(".json" in code.value for code in page.code)


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
        ("Magnitude against chance", replace(DEFAULT, method="random")),
        ("Attribution", replace(DEFAULT, method="attribution", scope=None)),
        ("One layer alone", replace(DEFAULT, scope="layer:0")),
        ("Quick look", replace(DEFAULT, num_examples=64, amounts=(0.0, 0.2, 0.4, 0.6, 0.8))),
    ],
)
def test_a_preset_fills_the_settings(
    queue: JobQueue, asked: list[SweepRequest], title: str, expected: SweepRequest
) -> None:
    page = open_page(LAB)
    choose(page, "lab-step", "0.05")
    page.number_input(key="lab-examples").set_value(100)
    press(page, title)
    press(page, "Run")
    assert asked == [expected]
    assert ("reduction" in page.query_params) == (title == "The published experiment")


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


# ---------------------------------------------------------------- how long


def measured(queue: JobQueue, page: AppTest) -> str:
    """What a page says when it has measured how long a run takes."""
    ended(queue, page.session_state["lab-estimate"])
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


def test_what_cannot_be_measured_is_told_to_who_asks(queue: JobQueue) -> None:
    page = open_page(LAB)
    choose(page, "lab-step", "list")
    page.text_input(key="lab-amounts").set_value("2")
    press(page, "How long?")
    assert "outside \\[0, 1)" in page.error[0].value


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ({"stored": True, "seconds": 0.0}, "shown at once"),
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


def test_own_sentences_become_the_data_of_a_run(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = upload(open_page(LAB), ROWS)
    assert page.selectbox(key="lab-column-sentence").value == "review"
    assert page.selectbox(key="lab-column-label").value == "mood"
    assert "Say what the labels of your file mean" in page.info[0].value
    page.selectbox(key="lab-means-sst2-good").set_value(1)
    page.selectbox(key="lab-means-sst2-bad").set_value(0)
    run(page)
    assert not page.error
    assert any("30 examples\\: 15 negative, 15 positive. 20 of them" in text.value for text in page.markdown)
    press(page, "Run")
    (request,) = asked
    assert is_own(request.data or "")
    sentences = load(request.data or "", TASKS["sst2"])
    assert (sentences.texts[1], sentences.gold[1]) == (("sentence number 1",), 1)
    assert any(f"--data {request.data}" in command_line(one) for one in asked)


def test_columns_can_be_chosen_and_labels_left_out(queue: JobQueue, asked: list[SweepRequest]) -> None:
    content = ROWS.replace("sentence number 7,good", "sentence number 7,unsure")
    page = upload(open_page(LAB), content)
    for value, index in (("good", 1), ("bad", 0), ("unsure", None)):
        page.selectbox(key=f"lab-means-sst2-{value}").set_value(index)
    run(page)
    page.selectbox(key="lab-column-sentence").set_value("id")
    run(page)
    assert any("1 rows are left out" in text.value for text in page.markdown)
    press(page, "Run")
    sentences = load(asked[0].data or "", TASKS["sst2"])
    assert len(sentences.gold) == 29
    assert sentences.texts[0] == ("0",)


def test_a_bad_file_is_told_in_plain_text_and_not_run(queue: JobQueue, asked: list[SweepRequest]) -> None:
    page = upload(open_page(LAB), ROWS + "<b>,*x*\n")
    assert "row 32 has 2 fields, its header 3" in page.error[0].value
    press(page, "Run")
    assert not asked
    assert any("no sentences of your own yet" in error.value for error in page.error)


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
    assert load(asked[0].data or "", TASKS["mrpc"]).texts[2] == ("a 2", "b 2")


def test_without_a_file_it_says_what_is_needed(queue: JobQueue) -> None:
    page = open_page(LAB)
    choose(page, "lab-data-True", "own sentences")
    assert any("one that labels it as negative or positive" in text.value for text in page.markdown)


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
