"""A page for tests: one player, and the choice of the reduction under it."""

import streamlit as st

from tests.builders import make_result
from ui.header import page_header
from ui.player import choose_reduction, show_player, start_in_address

page_header("Single")
player = st.container()
reduction = choose_reduction()
with player:
    show_player(make_result(), reduction, key="single", autoplay=True, start=start_in_address())
st.markdown(f"Shown: {reduction}")
