"""Sentences: which examples change their prediction, at which amount, and what is predicted for a typed sentence."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.charts.sentences import flip_scene, probability_scene
from core.charts.view import Scene
from core.findings.sentences import (
    ALL,
    Example,
    examples_of,
    flip_choices,
    in_order_of_flips,
    label_name,
    length_choices,
    selected,
)
from core.findings.words.sentences import prediction_note, prediction_sentence, sentences_said
from core.jobs import queue
from core.request.catalog import METHODS, TASKS
from core.request.limits import is_hosted
from core.results.names import amount_name, decimals, label_words, units_name
from core.results.prediction import Prediction, check_texts, column_name, question
from core.results.provenance import task_of
from core.results.schema import SweepResult
from ui.address import choose, picture_first
from ui.exports import offer_exports
from ui.header import page_header, show_nothing
from ui.jobs import answer_to, ask_anew, ask_worker, drop_question
from ui.player import show_pictures, start_in_address
from ui.shared import once
from ui.text import markdown_table, plain, refusals_shown, remark
from ui.view_state import ViewState, caption_of, choose_result, one_result, shortlist

EXPLANATION = (
    "Each line is one example: blue where the model predicts its label, orange where it does not. Below the gap are "
    "those that are incorrect even without pruning. An example *flips* at the first amount at which the prediction is "
    "no longer the unpruned model's."
)
NO_RESULT = "There is no result yet: make one in the Lab, and its examples are listed here."
NO_TEXTS = (
    "The texts of these examples are not ours to ship, so they are named by their row numbers in the data. Once you "
    "run the Lab or the command line on the same data, their texts are shown here."
)
KEPT_TEXTS = (
    "The texts of a visitor's own file are kept on this server for runs only, so the examples are named by their row "
    "numbers. Run Prunescope on your own computer to see them here."
)
OTHER_CHECKPOINT = "A sentence of your own can be tried with the bundled checkpoints: change the result above."
OTHER_SCORES = (
    "Here the method scores on the written calibration examples, so different {} are removed than in the result below, "
    "which scored on examples of its own data."
)
ANSWER_SECONDS = 1.0  # how long a click waits for an answer, to show it at once


def sentences() -> None:
    """Show a field for a sentence of the visitor's own, then the examples of the result."""
    state = page_header("Sentences", written_first)
    queue.start_worker()
    if state.result is None:
        show_nothing("No examples yet", NO_RESULT)
        return
    title = st.container()
    with st.popover(caption_of(state.result), type="tertiary", icon=":material/tune:", wrap=True):
        result = choose_result("Result", state, shortlist(state))
    if result is None:
        title.title("This result cannot be read", anchor=False)
        return
    examples = examples_of(result)
    said = sentences_said(result, examples)
    title.title(plain(said.heading), anchor=False)
    typed = st.container(key=f"typed-{len(TASKS[result.task.name].text_columns)}" if can_be_asked(result) else None)
    picture = st.container()
    chosen = choose_examples(result, examples)
    scene = once(flip_scene, result, chosen) if chosen else None
    with picture:
        show_flips(result, scene, " ".join(said.sentences))
    with typed:  # after the picture, which would have to wait for the fields
        try_a_sentence(result)
    if chosen:
        show_table(result, chosen)
    offer_exports(scene, result)


def written_first() -> ViewState:
    """Read the result to show; without one in the address, one on written examples, whose texts are at hand."""
    return one_result(lambda entry: entry.source == "written")


# ---------------------------------------------------------------- the examples


def choose_examples(result: SweepResult, examples: Sequence[Example]) -> list[Example]:
    """Ask which examples to show, by label, flip and length; all three are in the address."""
    labels = {ALL: "Any", **{name: label_words(name) for name in result.task.label_names}}
    flips, lengths = flip_choices(result, examples), length_choices(examples)
    columns = iter(st.columns(3 if lengths else 2))
    with next(columns):
        flip = choose("Flips", flips, "flips", word="kind of flip")
    with next(columns):
        label = choose("Label", labels, "label")
    length = ALL
    if lengths:
        with next(columns):
            length = choose("Length", lengths, "length")
    return selected(result, examples, label, flip, length)


def show_flips(result: SweepResult, scene: Scene | None, words: str) -> None:
    """Show the picture of the chosen examples, if there are any, and say what all of them show."""
    if scene:
        show_pictures(scene, key="sentences", group="sentences", start=start_in_address(result.amounts))
    else:
        st.info("No example fits all of these filters: choose “All” or “Any” in one of them.")
    st.markdown(plain(words))
    with st.expander("How to read the picture"):
        st.markdown(EXPLANATION)


def show_table(result: SweepResult, chosen: Sequence[Example]) -> None:
    """List the chosen examples, as text that is never read as Markdown or HTML."""
    count = "1 example" if len(chosen) == 1 else f"{len(chosen)} examples"
    st.subheader(f"{count}, earliest flip first", anchor=False)
    st.dataframe(
        [row_of(result, example) for example in in_order_of_flips(chosen)],
        hide_index=True,
        height=min(38 * (len(chosen) + 1), 420),
        column_config={
            "Row": st.column_config.NumberColumn(help="Row number in the split of the data set"),
            **{name: st.column_config.TextColumn(width="large") for name in text_names(result)},
        },
    )
    if not chosen[0].texts:
        remark(KEPT_TEXTS if is_hosted() and result.task.source == "file" else NO_TEXTS)


def text_names(result: SweepResult) -> list[str]:
    """Name the columns of a task's texts; those of a table of one's own may be called anything."""
    task = task_of(result.task)
    if task.name in TASKS:
        return [column_name(column).capitalize() for column in task.text_columns]
    return ["Text"] if len(task.text_columns) == 1 else ["First text", "Second text"]


def row_of(result: SweepResult, example: Example) -> dict[str, Any]:
    """Return one line of the table."""
    k = example.flip
    return {
        "Flips at": "never" if k is None else amount_name(result.amounts[k]),
        **dict(zip(text_names(result), example.texts, strict=False)),
        "Label": label_name(result, example.gold),
        "Unpruned": label_name(result, example.predictions[0]),
        "After the flip": "" if k is None else label_name(result, example.predictions[k]),
        "Later reverts": "yes" if example.returns else "",
        "Row": example.row,
    }


# ---------------------------------------------------------------- a typed sentence


def can_be_asked(result: SweepResult) -> bool:
    """Whether the checkpoint of a result is at hand for a sentence of the visitor's own."""
    return result.checkpoint.source == "embedded" and result.task.name in TASKS


def try_a_sentence(result: SweepResult) -> None:
    """Ask for a text, and show what the checkpoint predicts for it at every amount of the result."""
    if not can_be_asked(result):
        remark(OTHER_CHECKPOINT)
        return
    task = TASKS[result.task.name]
    with st.form("typed", border=False):
        st.markdown(f"**{plain(task.question)}** Type your own, and see at which amount the answer changes.")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            typed = [
                st.text_area(column_name(column).capitalize(), key=f"typed-{column}", height=68)
                for column in task.text_columns
            ]
            pressed = st.form_submit_button("Predict", type="primary", icon=":material/psychology:")
    calibration, method = result.pruning.calibration, METHODS.get(result.pruning.method)
    if method and method.calibrated and not (calibration and result.task.source == "written"):
        remark(OTHER_SCORES.format(units_name(result)))
    if pressed:
        drop_question("typed-job")
        with refusals_shown():
            texts = check_texts(typed, task)
            job_id = ask_anew("typed-job", result.key, lambda: ask_worker("predict", **question(result, texts)))
            st.session_state["typed-texts"] = texts
            queue.wait(job_id, lambda job: job.ended, ANSWER_SECONDS)
    if found := answer_to("typed-job", result.key):
        show_prediction(Prediction(**found), st.session_state["typed-texts"], result)


def show_prediction(prediction: Prediction, texts: Sequence[str], result: SweepResult) -> None:
    """Show the answer: the text, the finding and the probabilities."""
    st.markdown(" · ".join(f"“{plain(text)}”" for text in texts))
    if note := prediction_note(prediction):
        st.warning(plain(note))
    st.markdown(f"**{plain(prediction_sentence(prediction))}**")
    scene = probability_scene(prediction, result)
    show_pictures(scene, key="typed-probabilities", group="sentences")
    offer_exports(scene, result, label="Download the probabilities", numbers=False)
    with st.expander("The probabilities as a table"):
        titles = ["Removed", *map(label_words, prediction.labels)]
        rows = zip(map(amount_name, prediction.amounts), prediction.probabilities, strict=True)
        cells = ([amount, *(decimals(share, 2) for share in shares)] for amount, shares in rows)
        st.markdown(markdown_table([dict(zip(titles, row, strict=True)) for row in cells]))


with picture_first():
    sentences()
