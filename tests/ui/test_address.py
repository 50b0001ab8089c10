"""Choices in the address, without a browser; tests/pages covers those of every page."""

from streamlit.testing.v1 import AppTest

from tests.opened import address


def page() -> None:
    from functools import partial

    import streamlit as st

    from core.request.pages import Choice
    from ui.address import choose, picture_first, set_parameter

    with picture_first():
        chosen = choose(Choice("letter", "Letter", {"a": "A", "b": "B"}))
        st.button("To b", on_click=partial(set_parameter, "letter", "b"))
        st.markdown(chosen)


def test_what_a_browser_sends_before_it_has_drawn_a_change_is_no_choice() -> None:
    app = AppTest.from_function(page, default_timeout=20).run()
    drawn = app._tree.get_widget_states()
    app.button[0].click().run()
    assert app.markdown[0].value == "b"
    app._run(drawn)  # another click, from a page whose box still says a
    assert (app.markdown[0].value, address(app)) == ("b", {"letter": "b"})
    app.selectbox[0].set_value("a").run()
    assert app.markdown[0].value == "a", "the visitor may go back to it at once"
