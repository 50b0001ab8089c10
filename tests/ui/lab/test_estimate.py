"""The time that a run will take, beside the Run button."""

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
    from ui.lab.estimate import _look, drop_estimate, show_estimate

    request = request_of(RESULT)
    st.session_state["drawn"] = st.session_state.get("drawn", 0) + 1
    show_estimate(request)
    job_id = st.session_state["lab-estimate"]
    drop_estimate()
    _look(((request,), 0), job_id)
    st.markdown("The page goes on")


def test_a_measurement_that_was_dropped_does_not_draw_the_page_anew(queue: JobQueue) -> None:
    app = AppTest.from_function(page_with_a_late_look, default_timeout=10).run()
    assert app.session_state["drawn"] == 1
    assert app.markdown[-1].value == "The page goes on"


def page_with_an_estimate() -> None:
    from core.results.provenance import request_of
    from tests.queues import RESULT
    from ui.lab.estimate import show_estimate

    show_estimate(request_of(RESULT))


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
