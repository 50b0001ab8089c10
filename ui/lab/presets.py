"""Experiments to begin with: each fills the settings of the Lab, for the checkpoint and examples that are chosen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core.request.amounts import DEFAULT_AMOUNTS, stepped_amounts
from core.request.sweep_request import SweepRequest
from ui.address import set_parameter
from ui.lab.settings import begin_with_control, forget_settings

KEPT = (  # settings that no preset touches
    *("checkpoint", "task", "data", "split", "hub-id", "folder"),
    *("file", "texts", "column", "means"),  # of a table
)


@dataclass(frozen=True)
class Preset:
    """An experiment.

    Attributes:
        title: On its button.
        explanation: What it asks, for its tooltip.
        changes: Fields of a request; the others take their defaults.
        reduction: How tokens become one vector, where the experiment says so.
        with_control: Whether the random control follows.
    """

    title: str
    explanation: str
    changes: Mapping[str, Any]
    reduction: str | None = None
    with_control: bool = False


PRESETS = (
    Preset(
        "The published experiment",
        "Magnitude pruning of all linear layers, pooler and classifier included, compared on all tokens.",
        {"scope": "all-linear"},
        "tokens",
    ),
    Preset(
        "Random control",
        "Magnitude pruning, then as many weights of each matrix drawn at random.",
        {},
        with_control=True,
    ),
    Preset(
        "Attribution",
        "Removes whole units, the least useful first.",
        {"method": "attribution", "scope": None},
    ),
    Preset(
        "One layer alone",
        "Prunes only the layer that you choose: its own effect, without that of the layers below it.",
        {"scope": "layer:0"},
    ),
    Preset(
        "Quick look",
        "64 examples and steps of 20 %: a rough answer in seconds.",
        {"num_examples": 64, "amounts": stepped_amounts(0.2, 0.8)},
    ),
)


def offer_presets(shown: SweepRequest) -> None:
    """Draw one button per preset.

    Args:
        shown: What the settings say at first.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("Presets", width="content")
        for number, preset in enumerate(PRESETS):
            key = f"lab-preset-{number}"
            st.button(preset.title, key=key, help=preset.explanation, on_click=_fill, args=(preset, shown))


def preset_chosen() -> SweepRequest | None:
    """Return the request that a preset has put into the settings, until something else is shown."""
    request: SweepRequest | None = st.session_state.get("lab-start")
    return request


def start_with(request: SweepRequest) -> None:
    """Leave the settings as they are when the result on show goes that they have followed."""
    st.session_state["lab-start"], st.session_state["lab-filled-for"] = request, ""


def _fill(preset: Preset, shown: SweepRequest) -> None:
    usual = SweepRequest(
        shown.checkpoint,
        shown.task,
        amounts=DEFAULT_AMOUNTS,
        data=shown.data,
        split=shown.split,
        text=shown.text,
        label=shown.label,
        label_map=shown.label_map,
    )
    forget_settings(kept=KEPT)
    st.session_state["lab-start"] = replace(usual, **preset.changes)
    begin_with_control(preset.with_control)
    if preset.reduction:
        set_parameter("reduction", preset.reduction)
