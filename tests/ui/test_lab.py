"""Parts of the Lab that its page alone does not show."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.jobs.job import Job
from core.jobs.queue import JobQueue
from core.results.store import save
from tests.builders import make_result


def page_with_a_late_look() -> None:
    import streamlit as st

    from core.results.provenance import request_of
    from tests.queues import RESULT
    from ui.lab.run import _look, drop_estimate, show_estimate
    from ui.lab.state import lab

    st.session_state["drawn"] = st.session_state.get("drawn", 0) + 1
    show_estimate(request_of(RESULT), ())
    job_id = lab().estimate
    drop_estimate()
    _look("how long", job_id)
    st.markdown("The page goes on")


def test_a_measurement_that_was_dropped_does_not_draw_the_page_anew(queue: JobQueue) -> None:
    app = AppTest.from_function(page_with_a_late_look, default_timeout=10).run()
    assert app.session_state["drawn"] == 1
    assert app.markdown[-1].value == "The page goes on"


def page_with_an_estimate() -> None:
    from core.results.provenance import request_of
    from tests.queues import RESULT
    from ui.lab.run import show_estimate

    show_estimate(request_of(RESULT), ())


def test_it_is_measured_again_once_another_result_is_stored(
    queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))  # what is saved is not left to other tests
    outcomes = [{"stored": False, "seconds": 87.0}, {"stored": True, "seconds": 0.0}]
    monkeypatch.setattr("core.jobs.queue.ask", lambda *_, **__: "a")
    monkeypatch.setattr("core.jobs.queue.wait", lambda *_: Job("a", state="done", outcome=outcomes[0]))
    app = AppTest.from_function(page_with_an_estimate, default_timeout=10).run()
    assert app.markdown[0].value == ":small[Takes about 87 s on this machine.]"
    outcomes.pop(0)
    assert app.run().markdown[0].value == ":small[Takes about 87 s on this machine.]", "it is remembered"
    save(make_result(amounts=(0.0, 0.25)))
    assert app.run().markdown[0].value == ":small[Already computed; opens at once.]"


def page_with_the_history() -> None:
    from ui.lab.history import show_history

    show_history(None)


@pytest.mark.parametrize("hosted", [False, True])
def test_files_that_cannot_be_shown_are_named_to_their_owner(
    hosted: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "results"
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(folder))
    monkeypatch.setenv("PRUNESCOPE_HOSTED", str(int(hosted)))
    folder.mkdir()
    (folder / "strange.json").write_text("[")
    (folder / "lost.json").symlink_to(Path("/nowhere"))
    app = AppTest.from_function(page_with_the_history, default_timeout=20).run()
    assert not app.exception
    lines = [line for warning in app.warning for line in warning.value.replace("\\", "").splitlines()]
    assert sorted(lines) == (
        []
        if hosted
        else [
            "- lost.json is not a regular file, or is a link that leads nowhere: remove it",
            "- strange.json is not readable as JSON: recompute it",
            "2 of the files in your folder cannot be shown:",
        ]
    )


def page_with_what_another_model_was_told() -> None:
    import streamlit as st

    from core.inputs.columns import Columns
    from core.inputs.tables import Table
    from core.request.tasks import made_task
    from ui.lab.table import _ask_labels

    table = Table("mine.csv", {"text": ("a", "b"), "label": ("bad", "good")}, (0, 1), frozenset(), ())
    columns = Columns(("text",), "label", ())
    said = {"bad": "negative", "good": "positive"}  # of the model before
    st.session_state["answer"] = _ask_labels(table, made_task(("text",), ("LABEL_0", "LABEL_1")), columns, said)


def test_labels_of_another_model_are_asked_for_again() -> None:
    app = AppTest.from_function(page_with_what_another_model_was_told, default_timeout=20).run()
    assert not app.exception
    assert app.session_state["answer"] is None
    assert "Say what each of these means, or leave its rows out\\: “bad”, “good”." in app.info[0].value
