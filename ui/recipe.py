"""The command that recomputes a result, and what it needs first."""

import streamlit as st

from core.errors import PrunescopeError
from core.inputs.uploads import placed
from core.jobs import queue
from core.request.limits import is_hosted
from core.request.sweep_request import SweepRequest
from core.results.provenance import recipe
from core.results.schema import SweepResult
from ui.text import plain, remark


def show_recipe(result: SweepResult) -> None:
    """Show how to recompute a whole result; a hosted server's paths and files mean nothing to a visitor."""
    made_by = recipe(result, None if is_hosted() else _request_at_hand(result))
    st.code(made_by.script, language="shell", wrap_lines=True)
    if made_by.missing:
        remark(plain(made_by.missing))


def _request_at_hand(result: SweepResult) -> SweepRequest | None:
    """Return the request that led to a result, with the path of an upload; None if either is not known any more."""
    request = queue.request_for(result.key)
    try:
        return request and placed(request)
    except PrunescopeError:
        return None
