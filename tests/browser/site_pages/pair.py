"""A page for tests: two players of one group, with different amounts."""

import streamlit as st

from tests.builders import make_result
from ui.player import show_player

left, right = st.columns(2)
with left:
    show_player(make_result(num_layers=3, amounts=(0.0, 0.2, 0.4)), "mean", key="left")
with right:
    show_player(make_result(num_layers=12, amounts=(0.0, 0.1, 0.4, 0.8), points="both"), "mean", key="right")
