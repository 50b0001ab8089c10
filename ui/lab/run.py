"""The settings of a sweep, in the order in which one decides them, and the bar below them that runs it."""

from collections.abc import Sequence

import streamlit as st

from core.errors import PrunescopeError
from core.inputs.forecast import forecast
from core.request.limits import is_hosted, limits
from core.request.sweep_request import SweepRequest
from ui.jobs import duration, start
from ui.lab.data import choose_data, choose_model
from ui.lab.method import choose_method
from ui.lab.state import Asked
from ui.text import plain, remark

# Streamlit wraps every container; the wrapper is what sticks, to the lower edge of the window. The colours are those of
# its themes, which it offers to components only.
STYLE = """<style>
[data-testid="stLayoutWrapper"]:has(> .st-key-lab-run) {
  position: sticky; bottom: 0; z-index: 1; padding: 0.5rem 0 0.75rem;
  background: light-dark(#ffffff, #171614); border-top: 1px solid light-dark(#d5d5d5, #42413e);
}
</style>"""


def offer_sweep(shown: SweepRequest, follow_ups: Sequence[SweepRequest] = ()) -> None:
    """Draw the settings of a sweep, and the bar that stays in sight: Run, and how long that takes or what is missing.

    Args:
        shown: What they say at first.
        follow_ups: What is run after it at first: its control, or the other methods.
    """
    asked = Asked()
    st.markdown("**1 · Model**")
    task = choose_model(shown, asked)
    st.markdown("**2 · Data**")
    choose_data(shown, asked, task)
    st.markdown("**3 · Method**")
    choose_method(shown, asked, follow_ups)
    if is_hosted():
        bound = limits()
        remark(
            f"Visitors of this public copy take turns. A run has at most {bound.examples} examples, "
            f"{bound.amounts} amounts and {bound.parameters / 1e6:.0f} million parameters. On your computer: more."
        )
    st.html(STYLE)
    with st.container(key="lab-run"):
        refused = st.container()
        with st.container(horizontal=True, vertical_alignment="center"):
            pressed = st.button("Run", type="primary", key="lab-run-now", icon=":material/play_arrow:")
            beside = st.container(horizontal=True, vertical_alignment="center")
    try:
        sweeps = asked.sweeps()
        if pressed:
            start(sweeps[0], follow_ups=sweeps[1:])
        with beside:
            show_forecast(sweeps)
    except PrunescopeError as error:
        with refused if pressed else beside:
            (st.error if pressed else remark)(plain(str(error)))


def show_forecast(sweeps: Sequence[SweepRequest]) -> None:
    """Show how long sweeps will take, one after another.

    Raises:
        PrunescopeError: They are refused.
    """
    expected = forecast(sweeps)
    if expected is None:
        remark("Something is downloaded first.")
    elif not expected.seconds:
        remark("Already computed; opens at once.")
    elif expected.is_rough:
        remark(f"Takes roughly {duration(expected.seconds)}. No run on this machine has been timed yet.")
    else:
        remark(f"Takes about {duration(expected.seconds)} on this machine.")
