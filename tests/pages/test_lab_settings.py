"""The Lab's settings, against a worker without a model: what they ask for, how long it takes, and earlier results."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.jobs.job import Job
from core.jobs.queue import JobQueue
from core.request.catalog import METHODS, ROOT
from core.request.controls import judged_beside
from core.request.sweep_request import SweepRequest
from core.results.store import save
from tests.builders import make_result
from tests.opened import errors, fill, follow, labels, links, open_page, press, run, told
from tests.pages.conftest import Runs
from tests.queues import RESULT, ended

LAB = "pages/lab.py"
DEFAULT = SweepRequest("embedded:sst2", "sst2", data="written")
COLA = "yoshitomo-matsubara/bert-base-uncased-cola"
OTHER = {"checkpoint": "other checkpoint", "task-other checkpoint": "sst2"}


def keys(page: AppTest) -> set[str | None]:
    return {widget.key for kind in (page.selectbox, page.number_input, page.toggle) for widget in kind}


# ---------------------------------------------------------------- what they ask for


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {
                **{"checkpoint": "other checkpoint", "task-other checkpoint": "cola", "place": f" {ROOT}"},
                **{"data-False": "folder", "data-folder": f" {ROOT} ", "scope": "one layer", "layer": 3},
                **{"points": "layer", "step": "0.2", "examples": 64},
            },
            SweepRequest(
                str(ROOT), "cola", "magnitude", "layer:2", "layer", (0.0, 0.2, 0.4, 0.6, 0.8), 64, data=str(ROOT)
            ),
        ),
        ({**OTHER, "place": "owner/name@v1"}, SweepRequest("owner/name@v1", "sst2", data="hub")),
        ({"checkpoint": COLA}, SweepRequest(COLA, "cola", data="hub")),
        ({"step": "list", "amounts": "0.3, 0.75"}, replace(DEFAULT, amounts=(0.0, 0.3, 0.75))),
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
    queue: JobQueue, runs: Runs, settings: Mapping[str, Any], expected: SweepRequest
) -> None:
    page = open_page(LAB)
    assert not {"lab-seed", "lab-control-of-random"} & keys(page), "only a control asks for them"
    press(fill(page, settings), "Run")
    assert runs.requests == [expected]


@pytest.mark.parametrize(
    ("hosted", "settings", "words"),
    [
        ("0", {"step": "list", "amounts": "0.5, **x**<b>"}, "**x**<b>' is not a number"),
        ("0", {"step": "list", "amounts": "2"}, "outside [0, 1)"),
        ("0", {**OTHER, "place": "no such/folder/at all"}, "is not a checkpoint: give embedded:NAME, an existing"),
        ("0", {**OTHER, "place": "~nobody-of-this-name/model"}, "'~nobody-of-this-name/model' is not a checkpoint"),
        ("0", {"data-True": "folder"}, "Enter the path of your data folder"),
        ("1", OTHER, "Enter the Hub model id"),
        ("1", {**OTHER, "place": "no such place/at all"}, "is not a checkpoint: give embedded:NAME or a Hub model id"),
    ],
)
def test_what_is_missing_or_wrong_is_told_beside_run_and_in_red_to_who_presses_it(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, hosted: str, settings: Mapping[str, Any], words: str
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
    page = fill(open_page(LAB), settings)
    assert words in told(page)
    assert "''" not in told(page)
    assert not page.error, "nothing was asked for yet"
    press(page, "Run")
    assert not runs.requests
    (error,) = errors(page)
    assert words in error


def test_settings_outlast_a_late_browser_and_a_look_at_another_page_and_a_change_of_mind(queue: JobQueue) -> None:
    page = fill(open_page(LAB), {**OTHER, "place": "me/mine", "step": "list", "amounts": "0.4", "examples": 64})
    follow(follow(page, "Methods"), "Lab")
    fill(fill(page, {"step": "0.1"}), {"step": "list", "until": True})
    run(run(page))  # of these two, a busy browser draws the second alone
    texts = {field.key: (field.value, field.proto.default) for field in page.text_input}
    assert texts == {"lab-place": ("me/mine",) * 2, "lab-amounts": ("0.4",) * 2}
    assert page.number_input(key="lab-examples").proto.default == 64
    assert page.checkbox(key="lab-until").proto.default
    for name, words in (("checkpoint", "Another one: Folder or Hub model id"), ("method", METHODS["magnitude"].title)):
        box = page.selectbox(key=f"lab-{name}").proto
        assert box.options[box.default] == words


def test_the_settings_are_those_of_what_is_on_show(queue: JobQueue, runs: Runs) -> None:
    listed = make_result(points="both", amounts=(0.0, 0.33, 0.66), method="random", seed=3)
    save(listed)
    page = fill(open_page(LAB, result=RESULT.key), {"points": "layer"})
    page.query_params["result"] = listed.key
    values = {key: run(page).selectbox(key=f"lab-{key}").value for key in ("points", "method")}
    assert values == {"points": "both", "method": "random"}
    assert page.text_input(key="lab-amounts").value == "0, 0.33, 0.66"
    assert page.number_input(key="lab-seed").value == 3


def test_a_result_against_another_checkpoint_is_run_as_it_was_until_another_is_chosen(
    queue: JobQueue, runs: Runs
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
    assert [request.against for request in runs.requests] == ["embedded:cola", None]


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
    queue: JobQueue, runs: Runs, title: str, expected: SweepRequest
) -> None:
    page = fill(open_page(LAB), {"checkpoint": COLA, "step": "0.05", "examples": 100, "method": "wanda"})
    press(press(page, title), "Run")
    wanted = replace(expected, checkpoint=COLA, task="cola", data="hub")
    assert runs.requests == [wanted]
    assert ("reduction" in page.query_params) == (title == "The published experiment")
    assert runs.follow_ups == (judged_beside(wanted) if title == "Random control" else ())


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


# ---------------------------------------------------------------- how long


def test_how_long_a_run_takes_is_told_unasked_for_what_is_at_hand_and_on_request_for_the_hub(
    queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))
    page = open_page(LAB)
    asked = []
    for name in ("embedded:sst2", COLA):
        fill(page, {"checkpoint": name})
        if name == COLA:
            assert "Takes about" not in told(page)
            press(page, "How long?")
        asked.append(page.session_state["lab-estimate"][1])
        ended(queue, asked[-1])
        assert "Takes about 42 s on this machine." in told(run(page))
    assert page.session_state["lab-estimate"][1] == asked[-1], "it is measured once"
    fill(page, {"checkpoint": "embedded:sst2"})
    before = page.session_state["lab-estimate"][1]
    save(make_result(amounts=(0.0, 0.25)))
    assert run(page).session_state["lab-estimate"][1] != before, "a new result may be the answer"


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (Job("a", state="done", outcome={"stored": True, "seconds": 0.0}), "Already computed; opens at once."),
        (Job("a", state="done", outcome={"stored": False, "seconds": 150.0}), "about 2 min"),
        (Job("a", state="done", outcome={"download": True}), "Something is downloaded first"),
        (Job("a", state="failed", message="no such data"), "no such data"),
        (Job("a", state="queued"), "Measuring how long it takes"),
    ],
)
def test_an_estimate_in_words(queue: JobQueue, monkeypatch: pytest.MonkeyPatch, job: Job, words: str) -> None:
    monkeypatch.setattr("core.jobs.queue.ask", lambda *_, **__: "a")
    monkeypatch.setattr("core.jobs.queue.wait", lambda *_: job)
    monkeypatch.setattr("core.jobs.queue.get", lambda job_id: job if job_id else None)
    assert words in told(open_page(LAB))


def page_with_a_late_look() -> None:
    import streamlit as st

    from core.results.provenance import request_of
    from tests.queues import RESULT
    from ui.jobs import drop_question
    from ui.lab.run import ESTIMATE, _look, show_estimate

    show_estimate(request_of(RESULT), ())
    job_id = st.session_state[ESTIMATE][1]
    drop_question(ESTIMATE)
    _look(job_id)
    st.markdown("The page goes on")


def test_a_measurement_that_was_dropped_does_not_draw_the_page_anew(queue: JobQueue) -> None:
    app = AppTest.from_function(page_with_a_late_look, default_timeout=10).run()
    assert app.markdown[-1].value == "The page goes on"


# ---------------------------------------------------------------- earlier results


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, queue: JobQueue) -> Path:
    """An empty folder of the user's results."""
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))
    return tmp_path / "own"


def history(page: AppTest) -> Any:
    return next(part for part in page.expander if part.label.startswith("Your results"))


def listed(page: AppTest) -> dict[str, str]:
    """The results in the list, by their links."""
    found = {link.proto.label: link.proto.query_string for link in history(page).get("page_link")}
    found.pop("See all at once", None)
    return {query: label for label, query in found.items()}


def test_the_history_lists_opens_and_deletes_all_but_shipped_results(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert history(open_page(LAB)).label == "Your results (0)"
    results = [RESULT, *(make_result(amounts=(0.0, 0.4), seed=seed, method="random") for seed in range(12))]
    paths = [save(result) for result in results]
    page = open_page(LAB, result=RESULT.key)
    assert history(page).label == "Your results (13)"
    assert str(own_folder) in [code.value for code in history(page).code]
    assert len(listed(page)) == 12
    assert "See all at once" in links(page)
    paths[-1].unlink()
    assert "on show" in listed(run(page))[f"result={RESULT.key}"]
    (own_folder / "strange.json").write_text("[")
    monkeypatch.setattr("core.results.store.SHIPPED_RESULTS", own_folder)
    page.button(key=f"lab-deleted-{RESULT.key}").click()
    assert "cannot be deleted" in errors(run(page))[0]
    assert "strange.json is not readable as JSON" in page.warning[-1].value
    monkeypatch.undo()
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(own_folder))
    page.button(key=f"lab-deleted-{RESULT.key}").click()
    assert f"result={RESULT.key}" not in listed(run(page))
    assert [path.is_file() for path in paths] == [False, *[True] * 11, False]
    assert "result" not in page.query_params


def test_hosted_the_history_is_that_of_this_visit(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    job = Job("a", DEFAULT, "done", key=RESULT.key)
    monkeypatch.setattr("core.jobs.queue.get", lambda job_id: job if job_id else None)
    save(RESULT)
    save(make_result(amounts=(0.0, 0.4)))
    (own_folder / "strange.json").write_text("[")
    assert history(open_page(LAB)).label == "Your results (0)", "others' results are not listed"
    page = open_page(LAB, job="a")
    assert set(listed(page)) == {f"result={RESULT.key}"}
    assert not any(str(own_folder) in code.value for code in page.code)
    assert not any("strange" in warning.value for warning in page.warning)
    assert "Delete this result" not in labels(page)
