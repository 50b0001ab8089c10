"""The page of cuts: without a study, with shipped ones and the visitor's own."""

from pathlib import Path
from urllib.parse import parse_qs

import pytest

from core.results.store import save
from tests.builders import make_result, ship, with_own_key
from tests.opened import address, box, errors, follow, labels, links, open_page, player, prose, title
from tests.studies import make_study

pytestmark = pytest.mark.usefixtures("queue")
PAGE = "pages/cut.py"
BEGIN = "Which layers can go?"
STUDY = make_study()
NASTY = "<b>x</b> [l](http://x.y) $x$"


def test_without_a_study_the_page_explains_them(shipped: Path) -> None:
    app = open_page(PAGE)
    assert title(app) == BEGIN
    assert "refits what remains" in prose(app)


@pytest.mark.usefixtures("unfolded")
def test_the_dial_chooses_a_model_and_the_address_holds_the_choice(shipped: Path) -> None:
    save(STUDY)
    app = open_page(PAGE, study=STUDY.key)
    assert player(app)["views"].keys() == {"frontier", "stack"}
    box(app, "most").set_value("0.1").run()
    assert address(app) == {"study": STUDY.key, "most": "0.1"}
    assert "within 10 points" in title(app)
    assert open_page(PAGE, **address(app)).title[0].value == app.title[0].value
    assert {button.label for button in app.get("download_button")} == {"Numbers shown (CSV)", "Result as JSON"}
    assert labels(app) >= {"PNG", "SVG"}


@pytest.mark.usefixtures("unfolded")
def test_own_and_shipped_studies_are_offered_together_and_their_names_are_text(shipped: Path) -> None:
    study = make_study(task="cola")
    record = study.checkpoint.model_copy(update={"id": NASTY, "source": "folder", "revision": "f" * 64})
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


def test_a_sweep_is_no_study_and_a_study_no_sweep(shipped: Path) -> None:
    result = make_result()
    save(result)
    save(STUDY)
    assert "is a sweep" in errors(open_page(PAGE, study=result.key))[0]
    assert "is a study of cuts" in errors(open_page("pages/layers.py", result=STUDY.key))[0]


def test_a_result_leads_to_the_study_of_its_model_and_back(shipped: Path) -> None:
    first, second, other = (make_study(task=task, num_layers=6) for task in ("qqp", "sst2", "cola"))
    results = {task: make_result(task=task) for task in ("qnli", "sst2", "cola")}
    ship(shipped, first, second, other, *results.values())
    for task, study in (("sst2", second), ("cola", other)):
        app = follow(open_page("pages/layers.py", result=results[task].key, study=first.key), "Cut")
        assert (address(app), box(app, "study").value) == ({"result": results[task].key}, study.key)
        box(app, "study").set_value(other.key).run()
        assert parse_qs(links(app)["Layers"])["result"] == [results["cola"].key]
        assert address(open_page(PAGE, result=results[task].key)) == {"result": results[task].key}
    app = follow(open_page("pages/layers.py", result=results["qnli"].key), "Cut")
    assert title(app) == BEGIN, "it has none"


def test_a_folder_of_the_same_name_with_another_model_has_no_study(shipped: Path) -> None:
    study = make_study(num_layers=6)
    folder = study.checkpoint.model_copy(update={"id": "model", "source": "folder"})
    own = with_own_key(make_result(), checkpoint=folder)
    other = with_own_key(make_result(), checkpoint=folder.model_copy(update={"revision": "f" * 64}))
    study = with_own_key(study, checkpoint=folder)
    ship(shipped, own, other, study)
    for result, has_study in ((own, True), (other, False)):
        app = follow(open_page("pages/layers.py", result=result.key), "Cut")
        assert (title(app) == BEGIN) != has_study
