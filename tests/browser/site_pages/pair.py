"""A page for tests: two players of one group, with different amounts."""

import streamlit as st

from core.charts.overview import result_scene
from tests.builders import make_result
from ui.player import show_pictures

left, right = st.columns(2)
with left:
    show_pictures(result_scene(make_result(num_layers=3, amounts=(0.0, 0.2, 0.4)), "mean"), key="left")
with right:
    deep = make_result(num_layers=12, amounts=(0.0, 0.1, 0.4, 0.8), points="both")
    show_pictures(result_scene(deep, "mean"), key="right")
