"""The page of cuts: without a study, with shipped ones and the visitor's own."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from core.findings.cut import frontier_of
from core.findings.words.cut import cut_finding
from core.findings.words.lab import division_words
from core.findings.words.passed import SEE_ALONE
from core.inputs import uploads
from core.jobs.queue import JobQueue
from core.request.cut_request import CutRequest, divide
from core.results.provenance import training_of
from core.results.store import save
from core.wall.turns import Visitor
from tests.builders import make_result, ship, with_own_key
from tests.opened import (
    address,
    box,
    errors,
    fill,
    follow,
    labels,
    links,
    open_page,
    player,
    press,
    prose,
    run,
    title,
    unescaped,
)
from tests.pages.test_story import NAMES
from tests.queues import ended, until
from tests.refusals import refusal
from tests.studies import make_study
from ui.exports import REFIT

pytestmark = pytest.mark.usefixtures("queue")
PAGE = "pages/cut.py"
BEGIN = "Which layers can go?"
STUDY = make_study()
NASTY = "<b>x</b> [l](http://x.y) $x$"


def saves(app: AppTest) -> str:
    """The words of the button that saves."""
    return unescaped(next(button.label for button in app.button if button.key == "cut-save"))


@pytest.mark.usefixtures("unfolded")
def test_the_dial_chooses_a_model_and_the_button_saves_it(
    shipped: Path,
) -> None:
    study = make_study(num_layers=6, num_examples=800, loss=0.05)
    save(study)
    app = open_page(PAGE, study=study.key)
    assert player(app)["views"].keys() == {"frontier"}
    assert {button.label for button in app.get("download_button")} == {
        "Numbers shown (CSV)",
        "Result as JSON",
    }
    assert labels(app) >= {"PNG", "SVG"}
    box(app, "most").set_value("0.1").run()
    answer = cut_finding(frontier_of(study), 0.1).heading
    assert (title(app), saves(app)) == (answer, "Save the model of 1 layer")
    box(app, "keep").set_value("4").run()
    assert address(app) == {"study": study.key, "most": "0.1", "keep": "4"}
    assert (title(app), saves(app)) == (answer, "Save the model of 4 layers")
    rows = player(app)["views"]["frontier"]["datasets"]["models"]
    assert [row["pick"] for row in rows if row["chosen"]] == ["4"]
    app = open_page(PAGE, study=study.key, most="0.01", keep="4")
    assert title(app).startswith("No cut is shown to keep within 1 point; closest: without layer")
    assert saves(app) == "Save the model of 4 layers, not shown to keep within 1 point"


@pytest.mark.usefixtures("unfolded")
def test_own_and_shipped_studies_are_offered_together_and_their_names_are_text(
    shipped: Path,
) -> None:
    study = make_study(task="cola")
    record = study.checkpoint.model_copy(
        update={"id": NASTY, "source": "folder", "revision": "f" * 64}
    )
    own = with_own_key(study, checkpoint=record)
    ship(shipped, make_study(task="qqp"), make_result(task="qqp"))
    save(own)
    save(STUDY)
    app = open_page(PAGE)
    assert "QQP" in str(box(app, "study").options[0])
    assert len(box(app, "study").options) == 3
    box(app, "study").set_value(own.key).run()
    assert address(app)["study"] == own.key
    assert not [text for text in app.markdown if "<b>" in text.value]


def test_what_no_study_has_is_refused_and_the_top_leads_to_the_scene_alone(
    shipped: Path,
) -> None:
    save(result := make_result())
    save(STUDY)
    app = open_page(PAGE, study=STUDY.key, keep="9")
    assert ["keep" in note.value for note in app.info] == [True]
    (scene,) = parse_qs(links(app)[SEE_ALONE])["scene"]
    assert NAMES[int(scene) - 1] == "alone"
    assert "is a sweep" in errors(open_page(PAGE, study=result.key))[0]
    assert "is a study of cuts" in errors(open_page("pages/layers.py", result=STUDY.key))[0]


def test_a_result_leads_to_the_study_of_its_model_and_back(
    shipped: Path,
) -> None:
    first, second, other = (make_study(task=task, num_layers=6) for task in ("qqp", "sst2", "cola"))
    results = {task: make_result(task=task) for task in ("sst2", "cola")}
    ship(shipped, first, second, other, *results.values())
    for task, study in (("sst2", second), ("cola", other)):
        app = follow(
            open_page("pages/layers.py", result=results[task].key, study=first.key),
            "Cut",
        )
        assert (address(app), box(app, "study").value) == (
            {"result": results[task].key},
            study.key,
        )
        box(app, "study").set_value(other.key).run()
        assert parse_qs(links(app)["Layers"])["result"] == [results["cola"].key]
        assert address(open_page(PAGE, result=results[task].key)) == {"result": results[task].key}


def test_a_folder_of_the_same_name_with_another_model_has_no_study(
    shipped: Path,
) -> None:
    study = make_study(num_layers=6)
    folder = study.checkpoint.model_copy(update={"id": "model", "source": "folder"})
    own = with_own_key(make_result(), checkpoint=folder)
    other = with_own_key(
        make_result(),
        checkpoint=folder.model_copy(update={"revision": "f" * 64}),
    )
    study = with_own_key(study, checkpoint=folder)
    ship(shipped, own, other, study)
    for result, has_study in ((own, True), (other, False)):
        app = follow(open_page("pages/layers.py", result=result.key), "Cut")
        assert (title(app) == BEGIN) != has_study


# ---------------------------------------------------------------- a study of one's own


@pytest.fixture
def scripts(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The scripts that the worker follows in the studies to come; no click waits for them."""
    monkeypatch.setattr("ui.jobs.QUICK_SECONDS", 0.0)
    waiting: list[str] = []

    def submit(request: CutRequest, visitor: Visitor, **_: object) -> str:
        script = waiting.pop(0) if waiting else None
        return JobQueue.submit(queue, replace(request, source_name=script), visitor)

    monkeypatch.setattr("core.jobs.queue.queue.submit", submit)
    return waiting


def rows_of(labelled: int, others: int = 0) -> bytes:
    rows = [
        f"text {k},{('bad', 'good')[k % 2] if k < labelled else ''}"
        for k in range(labelled + others)
    ]
    return "\n".join(["review,mood", *rows]).encode()


def upload(app: AppTest, key: str, content: bytes) -> AppTest:
    app.file_uploader(key=key).set_value((f"{key}.csv", content, "text/csv"))
    return run(app)


def with_file(app: AppTest, content: bytes) -> AppTest:
    """Choose a bundled checkpoint and a file whose labels are matched."""
    fill(app, {"checkpoint": "embedded:sst2"})
    fill(app, {"data-True": "own sentences"})
    upload(app, "lab-upload", content)
    return fill(app, {"means-sst2-bad": "negative", "means-sst2-good": "positive"})


@pytest.mark.usefixtures("unfolded")
def test_a_study_shows_its_scores_and_opens_once_done(
    shipped: Path, queue: JobQueue, scripts: list[str]
) -> None:
    app = open_page(PAGE)
    assert title(app) == BEGIN
    assert "refits the rest" in prose(app)
    save(STUDY)
    scripts += ["refuse", "hang", ""]
    fill(app, {"checkpoint": "embedded:sst2", "examples": 40})
    assert "Takes " in prose(app), "how long, before it begins"
    ended(queue, address(press(app, "Run"))["job"])
    assert "42 examples: choose 4 to 10" in errors(run(app))
    assert app.number_input(key="lab-examples").value == 40, "the settings stay"
    press(app, "Run")
    job = address(app)["job"]
    until(queue, job, lambda job: len(job.scores) == len(STUDY.depths))
    run(app)
    assert title(app).startswith("Refitting")
    for depth in STUDY.depths:
        assert f"| {depth.layers} | {depth.saved.metrics['accuracy']:.3f} |" in prose(app)
    assert not app.file_uploader, "nothing else is asked meanwhile"
    assert "on Cut" not in prose(app)
    elsewhere = open_page("pages/lab.py", job=job)
    assert [link for link in links(elsewhere) if link.startswith("Running: ")], (
        "the Lab leads to it"
    )
    assert labels(elsewhere) >= {"Run"}
    press(app, "Cancel")
    assert "Cancelled" in prose(run(app))
    press(app, "Run")
    if job := address(app).get("job"):
        ended(queue, job)
        run(app)
    assert address(app) == {"study": STUDY.key}
    assert title(app) == cut_finding(frontier_of(STUDY), 0.05).heading


def test_the_rows_of_a_file_are_divided_or_refused(
    shipped: Path, queue: JobQueue, scripts: list[str]
) -> None:
    app = with_file(open_page(PAGE), rows_of(20))
    assert errors(app) == [refusal(divide, 20, 0, False)]
    with_file(app, rows_of(500))
    assert not app.error
    assert division_words(divide(500, 0, False)) in prose(app)
    upload(app, "lab-further", rows_of(0, 300))
    assert division_words(divide(500, 300, True)) in prose(app)
    scripts += ["hang"]
    press(app, "Run")
    request = queue.get(address(app)["job"]).request
    assert (request.text, request.label) == (("review",), "mood")
    assert uploads.find(request.train).path.read_bytes() == rows_of(0, 300)
    press(app, "Cancel")


def test_a_study_whose_rows_are_not_at_hand_is_made_anew_on_those_that_are(
    shipped: Path,
    queue: JobQueue,
    scripts: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = make_study(num_examples=600)
    save(known)
    scripts += ["hang"]
    monkeypatch.setattr(
        "ui.jobs.training_of",
        lambda study: replace(training_of(study), source_name="refuse"),
    )
    app = open_page(PAGE, study=known.key)
    (save_button,) = {button.label for button in app.button if button.key == "cut-save"}
    ended(queue, press(app, save_button).session_state["export-cut"][1])
    assert errors(run(app)) == ["the sentence is <b>refused</b>"], (
        "the worker cannot fetch the rows"
    )
    assert labels(app) >= {REFIT, save_button}
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")  # more rows to judge than there may be
    app = open_page(PAGE, study=known.key)
    assert save_button not in labels(app)
    request = queue.get(address(press(app, REFIT))["job"]).request
    assert (request.checkpoint, request.task, request.data) == (
        "embedded:sst2",
        "sst2",
        "written",
    )
    press(app, "Cancel")


def test_a_result_without_a_study_begins_with_its_model(shipped: Path) -> None:
    result = make_result(task="cola", source="written")
    ship(shipped, result, STUDY)
    app = open_page(PAGE, result=result.key)
    assert (title(app), app.selectbox(key="lab-checkpoint").value) == (
        BEGIN,
        "embedded:cola",
    )
    assert app.number_input(key="lab-examples").value is None, "as many rows as there are"
    known = {box.key for box in open_page(PAGE, study=STUDY.key).selectbox}
    assert "lab-checkpoint" not in known, "folded below a study"
