"""What every page starts with: its configuration, the brand and the way to the other pages."""

import streamlit as st

PAGES = {"Overview": "app.py", "Lab": "pages/lab.py"}


def page_header(title: str) -> None:
    """Configures the page and draws the navigation; every page calls it first.

    Args:
        title: The page's name, as in the navigation.
    """
    st.set_page_config(page_title=f"Prunescope · {title}", layout="wide")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("**Prunescope**", width="content")
        for name, path in PAGES.items():
            st.page_link(path, label=name)
