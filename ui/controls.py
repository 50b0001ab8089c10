"""Offer to compute what a result on show lacks: the seeds of its random control, and its layers pruned alone."""

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from core.errors import PrunescopeError
from core.findings.choices import control_seeds
from core.findings.claim import verdict
from core.inputs.forecast import forecast
from core.request.controls import ONE_LAYER_SEEDS, each_alone, judged_beside
from core.request.sweep_request import SweepRequest, checked
from core.results.cached_call import cached_call
from core.results.library import Entry, entry_of
from core.results.provenance import request_of
from core.results.schema import SweepResult
from ui.jobs import request_behind, start
from ui.lab.settings import show_forecast
from ui.results import companions_of
from ui.text import remark

RUN = "Run random control"
NOTE = "Removes the same amount at random, in small steps, with each seed that is missing."
ALONE = "Prune each half alone"
ALONE_NOTE = "Prunes each half of the layers, and each layer, alone: by this method, then at random with {} seeds."


def offer_control(result: SweepResult, entries: Sequence[Entry]) -> bool:
    """Offer to compute the missing seeds of a result's random control; return whether any are missing.

    Raises:
        PrunescopeError: The run is refused.
    """
    needed = {request.seed for request in judged_beside(request_of(result)) if request.control_of}
    if needed <= control_seeds(cached_call(entry_of, result), entries):
        return False
    if len(cached_call(verdict, result, companions_of(result, entries)).controls) >= len(needed):
        return False  # the verdict also accepts sweeps in other steps
    request = request_behind(result)
    if request is None:
        remark("Its random control cannot be completed here, because its weights or examples are missing.")
    elif st.button(RUN, key="lab-control", icon=":material/casino:", help=NOTE):
        start(request, follow_ups=judged_beside(request))
    return True


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
