"""Sentences: the examples whose prediction changes, and predictions for a typed sentence."""

from collections.abc import Sequence

import streamlit as st

from core.charts.pages import Shown
from core.charts.sentences import probability_scene
from core.findings.choices import is_of_model
from core.findings.words import sentences as words
from core.jobs.queue import queue
from core.request.catalog import METHODS
from core.request.sweep_request import MAX_CHARACTERS, SweepRequest, check_texts
from core.results.prediction import Prediction, question, request_to_predict
from core.results.provenance import task_of
from core.results.schema import SweepResult
from ui.address import picture_first, show
from ui.exports import offer_exports
from ui.header import choose_all, compose, page_header
from ui.jobs import answer_to, ask, drop_question, request_behind
from ui.player import show_answer, show_pictures
from ui.text import field_row, plain, refusals_shown, remark


def sentences() -> None:
    """Show a field for a sentence of the visitor's own, then the examples of the result."""
    queue.start_worker()
    state = page_header("Sentences")
    result = state.shown
    request = request_to_predict(result, request_behind(result))
    title = st.container()
    measured = st.container()
    typed = st.container(key=f"typed-{len(task_of(result.task).text_columns)}" if request else None)
    picture = st.container()
    filters = st.container(horizontal=True)
    with measured:
        choices = choose_all(state, filters)
    shown = compose(state, **choices)
    with picture:
        scene = show_answer(shown, title, "sentences")
        with st.expander("How to read the picture"):
            st.markdown(shown.text)
    with typed:  # after the picture, which would have to wait for the fields
        if request:
            try_a_sentence(result, request)
        else:
            remark(words.NOT_AT_HAND)
    for note in shown.notes:
        (remark if scene else picture.info)(note)
    written = [
        entry.key
        for entry in state.offered
        if entry.source == "written" and is_of_model(entry, result)
    ]
    if scene and shown.notes and written:
        st.button(
            words.WRITTEN,
            "written-examples",
            icon=":material/notes:",
            on_click=show,
            args=(written[0],),
        )
    show_examples(result, shown)
    offer_exports(scene, result)


def show_examples(result: SweepResult, shown: Shown) -> None:
    """List the chosen examples, as text that is never read as Markdown or HTML."""
    wide = {
        name: st.column_config.TextColumn(width="large") for name in words.text_names(result.task)
    }
    for title, rows in shown.tables.items():
        st.subheader(title, anchor=False)
        st.dataframe(
            rows, hide_index=True, height=min(38 * (len(rows) + 1), 420), column_config=wide
        )


# ---------------------------------------------------------------- a typed sentence


def try_a_sentence(result: SweepResult, request: SweepRequest) -> None:
    """Ask for a text, and show what the checkpoint predicts for it at every amount."""
    task = task_of(result.task)
    with st.form("typed", border=False):
        st.markdown(
            f"**{plain(task.question)}** Type your own, and see at which amount the answer changes."
        )
        with field_row():
            typed = [
                st.text_area(name, "", 68, MAX_CHARACTERS, f"typed-{column}")
                for name, column in zip(
                    words.text_names(result.task), task.text_columns, strict=True
                )
            ]
            pressed = st.form_submit_button("Predict", type="primary", icon=":material/psychology:")
    if (
        METHODS[result.pruning.method].calibrated
        and request.data == "written" != result.task.source
    ):
        remark(
            "Here the method scores on the written examples, so it removes other parts than in the "
            "result below."
        )
    if pressed:
        drop_question("typed-job")
        with refusals_shown():
            texts = check_texts(typed, task)
            ask(
                "typed-job",
                result.key,
                "predict",
                **question(result, texts, request),
            )
            st.session_state["typed-texts"] = texts
    if answer := answer_to("typed-job", result.key):
        show_prediction(Prediction(**answer), st.session_state["typed-texts"], result)


def show_prediction(prediction: Prediction, texts: Sequence[str], result: SweepResult) -> None:
    """Show the answer: the text, the finding and the probabilities."""
    st.markdown(" · ".join(f"“{plain(text)}”" for text in texts))
    if note := words.prediction_note(prediction):
        st.warning(plain(note))
    st.markdown(f"**{plain(words.prediction_sentence(prediction))}**")
    scene = probability_scene(prediction, result)
    show_pictures(scene, key="typed-probabilities", group="sentences")
    offer_exports(scene, result, label="Download the probabilities", with_numbers=False)


with picture_first():
    sentences()
