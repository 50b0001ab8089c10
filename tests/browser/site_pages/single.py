"""A page for tests: one player, and the choice of the reduction under it."""

import streamlit as st

from core.charts.overview import result_scene
from tests.builders import make_result
from ui.header import page_header
from ui.player import choose_reduction, show_pictures, start_in_address

page_header("Single")
player = st.container()
reduction = choose_reduction()
result = make_result()
with player:
    start = start_in_address(result.amounts)
    show_pictures(result_scene(result, reduction), key="single", autoplay=True, start=start)
st.markdown(f"Shown: {reduction}")
