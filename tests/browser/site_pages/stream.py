"""A page for tests: frames come one by one under a button, as from a running job."""

import streamlit as st

from core.charts.overview import result_scene
from tests.builders import make_result
from ui.player import show_pictures

AMOUNTS = (0.0, 0.2, 0.4, 0.6, 0.8)
st.session_state.setdefault("count", 1)
if st.button("One more"):
    st.session_state["count"] += 1
whole = make_result(num_layers=3, amounts=AMOUNTS)
arrived = whole.model_copy(update={"frames": whole.frames[: st.session_state["count"]]})
show_pictures(result_scene(arrived, "mean"), key="stream")
