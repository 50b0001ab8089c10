"""The settings of a sweep as widgets, in the order in which one decides them: model, data, method.

Every widget starts with what the request on show says; `ui.lab.settings.forget_settings` resets them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.request.controls import judged_beside
from core.request.sweep_request import SweepRequest
from core.request.tasks import AUTO
from core.results.provenance import PLACEHOLDER
from ui.lab.data_step import choose_data
from ui.lab.method_step import choose_method
from ui.lab.model_step import KNOWN, choose_model
from ui.remarks import remark

AGAINST = (
    "Compared with the layers of another checkpoint, as in the result on show, unless you choose another model here."
)

FIRST = next(iter(KNOWN.values()))
DEFAULT_REQUEST = SweepRequest(FIRST.id, FIRST.task)
OWN_REQUEST = SweepRequest(PLACEHOLDER, AUTO)  # of who comes with a model of their own; hosted, it is one on the Hub


@dataclass(frozen=True)
class Asked:
    """What the settings ask for.

    Attributes:
        with_control: Whether the method's random control is to be computed after it.
        request: Makes the request; raises PrunescopeError where something is missing or invalid.
    """

    with_control: bool
    request: Callable[[], SweepRequest]

    def follow_ups(self, request: SweepRequest) -> tuple[SweepRequest, ...]:
        """Return what is to be computed after the request that these settings make."""
        return judged_beside(request) if self.with_control else ()


def choose_sweep(shown: SweepRequest) -> Asked:
    """Draw the settings of a sweep.

    Args:
        shown: What they say at first.
    """
    st.markdown("**1 · Model**")
    model = choose_model(shown)
    compared = None if (shown.against or PLACEHOLDER).startswith(PLACEHOLDER) else shown.against
    if compared:
        remark(AGAINST)
    st.markdown("**2 · Data**")
    data = choose_data(shown, model)
    st.markdown("**3 · Method**")
    method = choose_method(shown, is_judged=not (compared and model.is_still(shown.checkpoint)))

    def request() -> SweepRequest:
        against = compared if model.is_still(shown.checkpoint) else None
        return SweepRequest(model.checkpoint(), model.task, against=against, **data.fields(), **method.fields())

    return Asked(method.with_control, request)
