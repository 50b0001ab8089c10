"""The bar that stays in sight below the settings: Run, and how long that takes or what is still missing."""

import streamlit as st

from core.errors import PrunescopeError
from ui.jobs import start
from ui.lab.estimate import drop_estimate, show_estimate
from ui.lab.selectors import Asked
from ui.remarks import remark
from ui.text import plain

# Streamlit wraps every container; the wrapper is what sticks, to the lower edge of the window. The colours are those of
# its themes, which it offers to components only.
STYLE = """<style>
[data-testid="stLayoutWrapper"]:has(> .st-key-lab-run) {
  position: sticky; bottom: 0; z-index: 1; padding: 0.5rem 0 0.75rem;
  background: light-dark(#ffffff, #171614); border-top: 1px solid light-dark(#d5d5d5, #42413e);
}
</style>"""


def offer_run(asked: Asked) -> None:
    """Draw the bar, and start what is asked for.

    Args:
        asked: What the settings ask for.
    """
    st.html(STYLE)
    with st.container(key="lab-run"):
        refused = st.container()
        with st.container(horizontal=True, vertical_alignment="center"):
            pressed = st.button("Run", type="primary", key="lab-run-now", icon=":material/play_arrow:")
            beside = st.container(horizontal=True, vertical_alignment="center")
    try:
        request = asked.request()
        if pressed:
            drop_estimate()
            start(request, follow_ups=asked.follow_ups(request))
        with beside:
            show_estimate(request, asked.follow_ups(request))
    except PrunescopeError as error:
        if pressed:
            refused.error(plain(str(error)))
        else:
            with beside:
                remark(plain(str(error)))
