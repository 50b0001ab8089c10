"""Choices that stand in the address, without a browser."""

from streamlit.testing.v1 import AppTest

from tests.opened import address


def page() -> None:
    from functools import partial

    import streamlit as st

    from ui.address import choose, picture_first, set_parameter

    order = st.session_state["order"] = []

    class Names(dict[str, str]):
        def __getitem__(self, option: str) -> str:
            order.append(option)
            return option.upper()

    with picture_first():
        with st.container(key="above"):
            chosen = choose("Letter", Names(a="", b=""), "letter")
        st.button("To b", on_click=partial(set_parameter, "letter", "b"))
        order.append("picture")
        st.markdown(f"{chosen} is on show")


def test_what_is_chosen_is_known_before_its_box_is_drawn() -> None:
    app = AppTest.from_function(page, default_timeout=20).run()
    assert app.session_state["order"][:3] == ["a", "picture", "a"], "the box is drawn last"
    assert app.markdown[0].value == "a is on show"
    app.selectbox[0].set_value("b").run()
    assert app.session_state["order"].index("picture") < app.session_state["order"].index("b")
    assert app.markdown[0].value == "b is on show"
    assert address(app) == {"letter": "b"}


def test_a_box_stands_where_it_was_asked_for() -> None:
    app = AppTest.from_function(page, default_timeout=20).run()
    kinds = [element.type for element in app.main]
    assert kinds.index("selectbox") < kinds.index("markdown")


def test_an_address_that_has_changed_by_itself_is_followed() -> None:
    app = AppTest.from_function(page, default_timeout=20).run()
    app.query_params["letter"] = "b"
    app.run()
    assert app.markdown[0].value == "b is on show"
    assert app.selectbox[0].value == "b"
    app.query_params["letter"] = "c"
    app.run()
    assert app.markdown[0].value == "a is on show"
    assert "“c”" in app.info[0].value


def test_what_a_browser_sends_before_it_has_drawn_a_change_is_no_choice() -> None:
    app = AppTest.from_function(page, default_timeout=20).run()
    drawn = app._tree.get_widget_states()
    app.button[0].click().run()
    assert app.markdown[0].value == "b is on show"
    app._run(drawn)  # another click, from a page whose box still says a
    assert app.markdown[0].value == "b is on show"
    assert address(app) == {"letter": "b"}
    app.selectbox[0].set_value("a").run()
    assert app.markdown[0].value == "a is on show", "the visitor may go back to it at once"


def test_a_choice_stays_in_the_address_where_it_is_the_default() -> None:
    app = AppTest.from_function(page, default_timeout=20).run()
    assert address(app) == {}, "nothing is chosen yet"
    for letter in ("b", "a"):
        app.selectbox[0].set_value(letter).run()
        assert address(app) == {"letter": letter}
