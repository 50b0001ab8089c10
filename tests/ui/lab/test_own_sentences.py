"""What the values of a label column mean, when another model is asked about them."""

from streamlit.testing.v1 import AppTest


def page_with_what_another_model_was_told() -> None:
    import streamlit as st

    from core.inputs.columns import Columns
    from core.inputs.tables import Table
    from core.request.tasks import made_task
    from ui.lab.own_sentences import _ask_labels

    table = Table("mine.csv", {"text": ("a", "b"), "label": ("bad", "good")}, (0, 1), frozenset(), ())
    columns = Columns(("text",), "label", ())
    said = {"bad": "negative", "good": "positive"}  # of the model before
    st.session_state["answer"] = _ask_labels(table, made_task(("text",), ("LABEL_0", "LABEL_1")), columns, said)


def test_labels_of_another_model_are_asked_for_again() -> None:
    app = AppTest.from_function(page_with_what_another_model_was_told, default_timeout=20).run()
    assert not app.exception
    assert app.session_state["answer"] is None
    assert "Say what each of these means, or leave its rows out\\: “bad”, “good”." in app.info[0].value
