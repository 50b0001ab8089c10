"""The page of cuts: without a study, while one runs, with one's own and shipped ones."""

from pathlib import Path
from urllib.parse import parse_qs

import pytest

from core.jobs.queue import JobQueue
from core.request.sweep_request import SweepRequest
from core.results.store import save
from core.wall.turns import Visitor
from tests.builders import make_result, ship, with_own_key
from tests.opened import address, box, errors, fill, follow, labels, links, open_page, player, press, title, told
from tests.pages.conftest import Runs
from tests.queues import STUDY, ended
from tests.studies import make_study, with_sizes

PAGE = "pages/cut.py"
BEGIN = "Which layers can go?"
NASTY = "<b>x</b> [l](http://x.y) $x$"


@pytest.fixture
def none(shipped: Path, runs: Runs) -> Runs:
    """No result at hand."""
    return runs


def test_without_a_study_it_says_what_one_is_and_leads_to_the_lab_which_runs_one(none: Runs) -> None:
    app = open_page(PAGE)
    assert title(app) == BEGIN
    app = press(app, "Study your own model")
    chosen = [box.value for box in app.selectbox if box.key in ("lab-method", "lab-checkpoint")]
    assert chosen == ["other checkpoint", "study"]
    app = press(open_page("pages/lab.py"), "Which layers can go?")
    press(fill(app, {"checkpoint": "embedded:cola"}), "Run")
    assert (none.requests[0].checkpoint, none.requests[0].data) == ("embedded:cola", "written")
    assert title(app) == BEGIN, "which leads to the page of cuts"
    assert "Cancel" in labels(app)
    assert "Running" in "".join(links(follow(app, "Layers"))), "another page mentions it"
    press(follow(app, "Cut"), "Cancel")
    assert "Cancelled." in told(app)


@pytest.mark.parametrize("script", ["", "refuse"])
def test_a_study_that_ends_is_shown_and_one_that_fails_says_why(none: Runs, queue: JobQueue, script: str) -> None:
    save(STUDY)
    job = queue.submit(SweepRequest("embedded:sst2", "sst2", source_name=script), Visitor("somebody"), study=True)
    ended(queue, job)
    app = open_page(PAGE, job=job)
    if script:
        assert errors(app) == ["the sentence is <b>refused</b>"]
        assert title(app) == BEGIN
    else:
        assert address(app) == {"study": STUDY.key}
        assert player(app)["views"].keys() == {"frontier", "stack"}


@pytest.mark.usefixtures("queue", "unfolded")
def test_the_dial_chooses_and_the_address_holds_it(shipped: Path) -> None:
    save(STUDY)
    app = open_page(PAGE, study=STUDY.key)
    assert player(app)["views"].keys() == {"frontier", "stack"}
    box(app, "by").set_value("answers").run()
    box(app, "most").set_value("0.1").run()
    assert address(app) == {"study": STUDY.key, "by": "answers", "most": "0.1"}
    assert "of answers change" in title(app)
    assert open_page(PAGE, **address(app)).title[0].value == app.title[0].value
    offered = {button.label for button in app.get("download_button")}
    assert offered == {"Numbers shown (CSV)", "Result as JSON"}
    assert labels(app) >= {"PNG", "SVG"}


@pytest.mark.usefixtures("queue", "unfolded")
def test_own_and_shipped_studies_are_offered_beside_each_other_whatever_they_are_called(shipped: Path) -> None:
    study = make_study(task="cola")
    record = study.checkpoint.model_copy(update={"id": NASTY, "source": "folder", "revision": "f" * 64})
    own = with_own_key(study, checkpoint=record)
    ship(shipped, with_sizes(make_study(task="qqp")), make_result(task="qqp"))
    save(own)
    save(STUDY)
    app = open_page(PAGE)
    assert "QQP" in str(box(app, "study").options[0])
    assert len(box(app, "study").options) == 3
    box(app, "study").set_value(own.key).run()
    assert address(app)["study"] == own.key
    assert len([one for one in app.markdown if "<b>" in one.value]) == 0


@pytest.mark.usefixtures("queue")
def test_neither_kind_of_result_is_shown_as_the_other(shipped: Path) -> None:
    result = make_result()
    save(result)
    save(STUDY)
    assert "is a sweep" in errors(open_page(PAGE, study=result.key))[0]
    assert "is a study of cuts" in errors(open_page("pages/layers.py", result=STUDY.key))[0]


@pytest.mark.usefixtures("queue")
def test_a_result_leads_to_the_study_of_its_model_and_a_study_to_a_result_of_the_same(shipped: Path) -> None:
    first, second, other = (make_study(task=task, num_layers=6) for task in ("qqp", "sst2", "cola"))
    results = {task: make_result(task=task) for task in ("qnli", "sst2", "cola")}
    ship(shipped, first, second, other, *results.values())
    for task, study in (("sst2", second), ("cola", other)):
        app = follow(open_page("pages/layers.py", result=results[task].key, study=first.key), "Cut")
        assert address(app) == {"result": results[task].key, "study": study.key}
        box(app, "study").set_value(other.key).run()
        assert parse_qs(links(app)["Layers"])["result"] == [results["cola"].key]
        assert address(open_page(PAGE, result=results[task].key)) == {"result": results[task].key}
    app = follow(open_page("pages/layers.py", result=results["qnli"].key), "Cut")
    assert title(app) == BEGIN, "it has none"
    assert "Study MiniLM-L6, fine-tuned on QNLI" in labels(app)


@pytest.mark.usefixtures("queue")
def test_a_folder_of_the_same_name_with_another_model_has_no_study(shipped: Path) -> None:
    study = make_study(num_layers=6)
    folder = study.checkpoint.model_copy(update={"id": "model", "source": "folder"})
    own = with_own_key(make_result(), checkpoint=folder)
    other = with_own_key(make_result(), checkpoint=folder.model_copy(update={"revision": "f" * 64}))
    study = with_own_key(study, checkpoint=folder)
    ship(shipped, own, other, study)
    for result, found in ((own, [study.key]), (other, [])):
        app = open_page("pages/layers.py", result=result.key)
        assert parse_qs(links(app)["Cut"]).get("study", []) == found
        assert (title(open_page(PAGE, result=result.key)) == BEGIN) != bool(found)
