"""Choices that stand in the address, without a browser."""

from streamlit.testing.v1 import AppTest

from tests.opened import address


def page() -> None:
    from functools import partial

    import streamlit as st

    from ui.address import choose, picture_first, set_parameter

    with picture_first():
        with st.container(key="above"):
            chosen = choose("Letter", {"a": "A", "b": "B"}, "letter")
        st.button("To b", on_click=partial(set_parameter, "letter", "b"))
        st.markdown(f"{chosen} is on show")


def opened() -> AppTest:
    return AppTest.from_function(page, default_timeout=20).run()


def shown(app: AppTest) -> str:
    assert not app.exception
    return app.markdown[0].value.removesuffix(" is on show")


def test_a_choice_is_known_before_its_box_is_drawn_in_its_place_and_stays_also_where_it_is_the_default() -> None:
    app = opened()
    kinds = [element.type for element in app.main]
    assert kinds.index("selectbox") < kinds.index("markdown")
    assert (shown(app), address(app)) == ("a", {}), "nothing is chosen yet"
    for letter in ("b", "a"):
        app.selectbox[0].set_value(letter).run()
        assert (shown(app), address(app)) == (letter, {"letter": letter})


def test_an_address_that_has_changed_by_itself_is_followed() -> None:
    app = opened()
    app.query_params["letter"] = "b"
    assert (shown(app.run()), app.selectbox[0].value) == ("b", "b")
    app.query_params["letter"] = "[c](https://example.com)"
    assert shown(app.run()) == "a"
    assert r"“\[c\](https" in app.info[0].value, "no link that a stranger put into our address"


def test_what_a_browser_sends_before_it_has_drawn_a_change_is_no_choice() -> None:
    app = opened()
    drawn = app._tree.get_widget_states()
    app.button[0].click().run()
    assert shown(app) == "b"
    app._run(drawn)  # another click, from a page whose box still says a
    assert (shown(app), address(app)) == ("b", {"letter": "b"})
    app.selectbox[0].set_value("a").run()
    assert shown(app) == "a", "the visitor may go back to it at once"
