"""A page for tests: one player, and the choice of the reduction under it."""

import streamlit as st

from core.charts.overview import result_scene
from tests.builders import make_result
from ui.header import page_header
from ui.player import choose_reduction, show_pictures, start_in_address

page_header("Single")
player = st.container()
reduction = choose_reduction()
with player:
    show_pictures(result_scene(make_result(), reduction), key="single", autoplay=True, start=start_in_address())
st.markdown(f"Shown: {reduction}")
