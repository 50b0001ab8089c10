"""Recover: what comes back when a pruned model is trained again, its zeros held."""

import streamlit as st

from core.charts.pages import recover_shown
from core.findings.words.recovery import COMMAND, EXPLANATION, RUNNING
from core.jobs.job import Job
from ui.address import picture_first, set_parameter
from ui.exports import offer_exports, offer_trained
from ui.header import page_header, show_nothing, show_view
from ui.jobs import job_in_address, request_behind
from ui.lab.settings import offer_recovery
from ui.player import show_pictures
from ui.results import show_training, show_upload, trained_at_hand
from ui.text import show_details


def recover() -> None:
    """Show the recovery in the address, or one of the result's model; else how to make one."""
    state = page_header("Recover")
    job = job_in_address("Recover")
    if job and show_training(job, "recovery", RUNNING, show_frames):
        return
    if state.recovery:
        shown, scene = show_view(state)
        with st.expander("Details"):
            show_details(shown)
        offer_trained(state.recovery)
        offer_exports(scene, state.recovery)
    elif not job:
        show_nothing(EXPLANATION, COMMAND)
        by_model = {entry.model: entry.key for entry in reversed(trained_at_hand("recovery"))}
        for model, key in by_model.items():
            open_it = ("recovery", key)
            st.button(f"Recover: {model}", key, on_click=set_parameter, args=open_it)
        if state.result and len(state.result.frames) > 1 and request_behind(state.result):
            offer_recovery(state.result)
    show_upload("recovery")


def show_frames(job: Job) -> None:
    """Show the frames of a model in training that are known so far."""
    if job.recovery:
        show_pictures(recover_shown(job.recovery).blocks[0].scene, key="recovering", link=False)


with picture_first():
    recover()
