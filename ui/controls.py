"""Offer to compute what a result on show lacks: its layers pruned alone."""

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from core.errors import PrunescopeError
from core.inputs.forecast import forecast
from core.request.controls import ONE_LAYER_SEEDS, each_alone
from core.request.sweep_request import SweepRequest, checked
from core.results.schema import SweepResult
from ui.jobs import request_behind, start
from ui.lab.settings import show_forecast

ALONE = "Prune each half alone"
ALONE_NOTE = "Prunes each half of the layers, and each layer, alone: by this method, then at random with {} seeds."


def layers_alone(result: SweepResult) -> tuple[SweepRequest, ...]:
    """Return the requests that prune each layer and each half alone like a result; empty if they cannot be run here."""
    request = request_behind(result)
    with suppress(PrunescopeError):  # a method that cannot prune single layers
        return tuple(map(checked, each_alone(request, result.checkpoint.num_layers))) if request else ()
    return ()


def offer_layers(requests: Sequence[SweepRequest]) -> None:
    """Offer to run requests, and say how long that takes.

    Raises:
        PrunescopeError: The run is refused.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(ALONE, key="layers-alone", icon=":material/layers:", help=ALONE_NOTE.format(ONE_LAYER_SEEDS)):
            start(requests[0], follow_ups=requests[1:])
        show_forecast(forecast(requests))
