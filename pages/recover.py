"""Recover: what comes back when a pruned model is trained again, its zeros held."""

import streamlit as st

from core.findings.words.recovery import COMMAND, EXPLANATION
from ui.address import picture_first, set_parameter
from ui.exports import offer_exports
from ui.header import choose_all, compose, page_header, show_nothing
from ui.player import show_answer
from ui.results import show_upload, trained_at_hand
from ui.text import show_details


def recover() -> None:
    """Show the recovery that the address names, or one of the result's model; else say how to make one."""
    state = page_header("Recover")
    if state.recovery:
        title, shown = st.container(), compose(state, **choose_all(state))
        scene = show_answer(shown, title, "recover")
        with st.expander("Details"):
            show_details(shown)
        offer_exports(scene, state.recovery)
    else:
        show_nothing(EXPLANATION, COMMAND)
        for entry in {entry.model: entry for entry in reversed(trained_at_hand("recovery"))}.values():
            st.button(f"Recover: {entry.model}", entry.key, on_click=set_parameter, args=("recovery", entry.key))
    show_upload("recovery")


with picture_first():
    recover()
