"""The time that a run will take, beside the Run button."""

from streamlit.testing.v1 import AppTest

from core.jobs.queue import JobQueue


def page_with_a_late_look() -> None:
    import streamlit as st

    from core.results.provenance import request_of
    from tests.queues import RESULT
    from ui.estimate import _look, drop_estimate, show_estimate

    request = request_of(RESULT)
    st.session_state["drawn"] = st.session_state.get("drawn", 0) + 1
    show_estimate(request, asked=True)
    job_id = st.session_state["lab-estimate"]
    drop_estimate()
    _look((request,), job_id)
    st.markdown("The page goes on")


def test_a_measurement_that_was_dropped_does_not_draw_the_page_anew(queue: JobQueue) -> None:
    app = AppTest.from_function(page_with_a_late_look, default_timeout=10).run()
    assert app.session_state["drawn"] == 1
    assert app.markdown[-1].value == "The page goes on"
