"""What a result on show is judged beside, and its layers alone: how much is at hand, and how to compute the rest."""

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from core.errors import PrunescopeError
from core.findings.choices import control_seeds
from core.findings.claim import verdict
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
AT_HAND = "{} of the {} seeds of its random control are available"
NOTE = "Removes the same amount at random, in small steps, with each seed that is not measured yet. So far, {}."
ELSEWHERE = "{}; the others cannot be run here: its weights or its examples are not at hand."

ALONE = "Prune each half alone"
ALONE_NOTE = "Prunes each half of the layers, and each layer, alone: by this method, then at random with {} seeds."


def missing_seeds(result: SweepResult, entries: Sequence[Entry]) -> tuple[int, int]:
    """Count the seeds of a result's random control.

    Args:
        result: A whole result.
        entries: The available results.

    Returns:
        How many of the needed seeds are missing, and how many are needed: none for a control.
    """
    needed = {request.seed for request in judged_beside(request_of(result)) if request.control_of}
    missing = len(needed - control_seeds(cached_call(entry_of, result), entries))
    if missing:  # the verdict may be content with sweeps in other steps
        usable = cached_call(verdict, result, companions_of(result, entries)).controls
        missing = max(min(missing, len(needed) - len(usable)), 0)
    return missing, len(needed)


def offer_control(result: SweepResult, entries: Sequence[Entry]) -> bool:
    """Let the missing seeds of a result's random control be computed; return whether there are any.

    Raises:
        PrunescopeError: The run is refused.
    """
    missing, needed = missing_seeds(result, entries)
    if not missing:
        return False
    request, at_hand = request_behind(result), AT_HAND.format(needed - missing, needed)
    if request is None:
        remark(ELSEWHERE.format(at_hand))
    elif st.button(RUN, key="lab-control", icon=":material/casino:", help=NOTE.format(at_hand)):
        start(request, follow_ups=judged_beside(request))
    return True


def layers_alone(result: SweepResult) -> tuple[SweepRequest, ...]:
    """Return what prunes each layer and each half alone like a whole result; nothing where that cannot be run here."""
    request = request_behind(result)
    with suppress(PrunescopeError):  # its method prunes no single layers
        return tuple(map(checked, each_alone(request, result.checkpoint.num_layers))) if request else ()
    return ()


def offer_layers(requests: Sequence[SweepRequest]) -> None:
    """Let them be run, and say how long that takes.

    Raises:
        PrunescopeError: The run is refused.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(ALONE, key="layers-alone", icon=":material/layers:", help=ALONE_NOTE.format(ONE_LAYER_SEEDS)):
            start(requests[0], follow_ups=requests[1:])
        show_forecast(requests)
