"""Cut: which layers can really go, what that gains and costs, and what similarity would have told."""

from typing import cast

import streamlit as st

from core.charts.cut import cut_scene
from core.findings.choices import SEPARATOR
from core.findings.cut import By, chosen, frontier_of
from core.findings.words import points
from core.findings.words.cut import cut_said, machine_words, models_table, regret_table
from core.findings.words.numbers import percent
from core.jobs import queue
from core.request.catalog import CHECKPOINTS
from core.results.names import checkpoint_name, data_name
from ui import jobs
from ui.address import carried, choose, picture_first, set_parameter
from ui.exports import offer_cut
from ui.header import page_header
from ui.lab.method import begin_study
from ui.lab.model import DEFAULT_REQUEST
from ui.lab.run import show_estimate
from ui.player import show_pictures
from ui.results import note_computed
from ui.text import plain, refusals_shown, show_table
from ui.upload import show_upload
from ui.view_state import OWN, OWN_MODEL, ViewState, choose_study, one_study

PAGE = "Cut"
TITLE = "Which layers can go?"
EXPLANATION = (
    "A study leaves out layers, in every combination, and lets the model answer. On some labelled examples it chooses "
    "which layers go; on others it judges what that costs. Then it measures how small and fast the rest is."
)
TUNE = ":material/tune:"
BY = {"score": "What is lost of the score", "answers": "How many answers change"}
AT_MOST = {"score": "I can lose at most", "answers": "Answers may change in at most"}
MOST = (0.01, 0.02, 0.03, 0.05, 0.1)  # that may be lost
USUAL = "0.03"
READING = """
Each point is a smaller model: so many layers are out (squares: and a share of the feed-forward units of every other).
The line is the 95 % interval on examples that took no part in choosing. **Grey** is what would be left if as many
layers were chosen otherwise: because a layer's output resembles its input (by cosine or CKA), because what the
classifier reads stays similar, from the top, every second, or at random. **Beside the layers** stands what removing
each alone costs on the examples for choosing.

Choosing looks at other examples alone, so a choice can prove worse than promised; the heading then says so. Nothing is
trained after a cut. Points are hundredths of the score.
"""
REGRET = "How much better the measured choice is than others of as many layers, on the judged examples:"


def cut() -> None:
    """Show the study that the address names while it runs, else one at hand, else what a study is."""
    state = page_header(PAGE, one_study)
    queue.start_worker()
    job = jobs.job_in_address(PAGE)
    if job and job.key:
        note_computed(job.key)
        set_parameter("study", job.key)
        set_parameter("job", None)
        st.rerun()
    if job and job.ended:
        (st.error if job.state == "failed" else st.info)(plain(job.message))
    if state.study and not job:
        show_study(state)
    else:
        st.title(TITLE, anchor=False)
        st.markdown(EXPLANATION)
        if job and not job.ended:
            jobs.follow(job)
        else:
            offer_study()
    with st.expander("Open a result file", icon=":material/upload_file:"):
        show_upload(study=True)


def offer_study() -> None:
    """Let the default checkpoint be studied at once."""
    with st.container(horizontal=True, vertical_alignment="center"), refusals_shown():
        title = CHECKPOINTS[DEFAULT_REQUEST.checkpoint].title
        if st.button(f"Study {title}", type="primary", key="cut-study", icon=":material/content_cut:"):
            jobs.start(DEFAULT_REQUEST, study=True)
        show_estimate(DEFAULT_REQUEST, study=True)
    offer_own()


def offer_own() -> None:
    """Lead to the Lab's settings, for a study of the visitor's own model."""
    if st.button("Study your own model", key="cut-own", icon=":material/science:"):
        begin_study()
        st.switch_page("pages/lab.py", query_params=carried(**{OWN: OWN_MODEL}, result="", job=""))


def show_study(state: ViewState) -> None:
    """Show a study: the dial, what it chooses, what that gains and costs, and the model to take away."""
    study = state.study
    assert study is not None
    known = frontier_of(study)
    title, dial = st.container(), st.container(key="cut-dial", horizontal=True)
    with st.popover(plain(SEPARATOR.join((checkpoint_name(study), data_name(study)))), type="tertiary", icon=TUNE):
        choose_study(state)
    with dial:
        by = cast(By, choose("Choose by", BY, "by", segmented=True))
        names = {str(most): points(most) if by == "score" else percent(most) for most in MOST}
        most = float(choose(AT_MOST[by], names, "most", USUAL, segmented=True))
    model = chosen(known, by, most)
    said = cut_said(known, model, by, most)
    title.title(plain(said.heading), anchor=False)
    scene = None
    if known.models:
        caption = f"{checkpoint_name(study)}; {data_name(study)}", machine_words(study)
        scene = cut_scene(known, model, said.heading, caption)
        show_pictures(scene, key="cut", link=False)
    st.markdown(plain(" ".join(said.sentences)))
    with st.expander("Details"):
        show_table(models_table(known))
        st.markdown(REGRET)
        show_table(regret_table(known))
        st.markdown(READING)
    offer_cut(scene, study)
    offer_own()


with picture_first():
    cut()
