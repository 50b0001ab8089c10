"""What a public copy of the app allows."""

import streamlit as st

from core.request.controls import SMALL_STEP
from core.request.limits import LOCAL_LIMITS, limits
from core.results.names import percent
from ui.controls import steps_in_words

INSTALL = "pip install -r requirements.txt && streamlit run app.py"


def show_limits() -> None:
    """Say what a shared server cannot do, and how to do it all the same."""
    bound, own = limits(), LOCAL_LIMITS
    with st.expander("Limits of this public copy", icon=":material/info:", key="lab-limits"):
        st.markdown(
            f"Many visitors share two processors here: at most **{bound.examples} examples**, **{bound.amounts} "
            f"pruning amounts**, checkpoints of **{bound.parameters / 1e6:.0f} million parameters** and "
            f"**{bound.download_bytes / 2**20:.0f} MiB**, {bound.rows:,} rows of a file, one run at a time, no "
            f"folders; random controls take steps of {steps_in_words()}; a run that nobody watches ends after a "
            f"minute. On your own computer a run may take {own.examples:,} examples, {own.amounts} amounts and "
            f"{own.parameters / 1e9:.0f} billion parameters, random controls take steps of {percent(SMALL_STEP)}, and "
            "folders serve as checkpoints and data. In a copy of this project's files:"
        )
        st.code(INSTALL, language="shell", wrap_lines=True)
