"""Step 3 of the Lab's settings, the method: what is removed, where, at which amounts; and experiments to begin with."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core.request.amounts import amount_text, parse_amounts, stepped_amounts
from core.request.catalog import CONTROL_SEEDS, DEFAULT_CONTROLLED, MAX_LAYERS, METHODS, POINTS
from core.request.controls import ONE_LAYER_SEEDS, UNTIL_DAMAGE
from core.request.scope import layer_of
from core.request.sweep_request import SweepRequest
from core.results.names import percent
from ui.address import set_parameter
from ui.controls import steps_in_words
from ui.lab.state import Asked, begun, choose_setting, lab
from ui.lab.table import data_fields
from ui.text import remark

ONE_LAYER = "one layer"
LIST = "list"
SCOPE_NAMES = {
    "encoder": "All encoder layers",
    "all-linear": "All linear layers (as published)",
    ONE_LAYER: "One encoder layer alone",
}
SMALLEST, LARGEST = 0.05, 0.95  # of the slider for the largest amount
STEPS = ("0.01", "0.05", "0.1", "0.2")
STEP_NAMES = {**{step: f"In steps of {percent(float(step))}" for step in STEPS}, LIST: "A list of my own"}
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
        reduction="tokens",
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


def choose_method(shown: SweepRequest, asked: Asked, with_control: bool | None) -> None:
    """Draw the step.

    Args:
        shown: What it says at first.
        asked: Gets what is pruned, how and at which amounts.
        with_control: Whether the random control is asked for at first; None where there can be no verdict.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("Presets", width="content")
        for number, preset in enumerate(PRESETS):
            key = f"lab-preset-{number}"
            st.button(preset.title, key=key, help=preset.explanation, on_click=_fill, args=(preset, shown))
    name = choose_setting("Method", {name: method.title for name, method in METHODS.items()}, shown.method, "method")
    method = METHODS[name]
    remark(method.explanation)
    asked.fields |= {"method": name, "control_of": _choose_controlled(shown, name), "scope": None, "seed": 0}
    if method.granularity == "weight":
        asked.fields["scope"] = _choose_scope(shown)
    if method.control and with_control is not None:
        note = (
            "After the run, the same number of weights or units is removed at random, with "
            f"{CONTROL_SEEDS[method.granularity]} seeds, in steps of {steps_in_words()} until the overall change is "
            f"{UNTIL_DAMAGE:g}; a method that removes units is itself run again in these steps first. For one layer "
            f"alone: {ONE_LAYER_SEEDS} seeds, in the steps of the run. Stored results are not computed again."
        )
        asked.with_control = st.toggle("Random control", help=note, **begun("with-control", with_control))
    with st.expander("More settings", key="lab-more"):
        _choose_amounts(shown, asked)
        damage = shown.until_damage or UNTIL_DAMAGE
        note = "Overall change: 1 − the mean similarity of all layers."
        stops = begun("until", shown.until_damage is not None)
        is_bounded = st.checkbox(f"Stop at an overall change of {damage:g}", help=note, **stops)
        asked.fields["until_damage"] = damage if is_bounded else None
        where = "Where in a layer representations are taken."
        asked.fields["points"] = choose_setting("Measure after", POINTS, shown.points, "points", where)
        if method.is_control:
            note = "Of pruning; examples do not change."
            asked.fields["seed"] = st.number_input("Seed", 0, 2**32 - 1, help=note, **begun("seed", shown.seed))


def _fill(preset: Preset, shown: SweepRequest) -> None:
    """Let the settings begin with an experiment, on the checkpoint and the examples that are chosen."""
    usual = SweepRequest(shown.checkpoint, shown.task, **data_fields(shown))
    lab().forget(kept=KEPT)
    lab().begins = replace(usual, **preset.changes), preset.with_control
    if preset.reduction:
        set_parameter("reduction", preset.reduction)


def _choose_controlled(shown: SweepRequest, method: str) -> str | None:
    """Ask which method a random one follows; None for other methods."""
    names = {name: known.title for name, known in METHODS.items() if known.control == method}
    if not names:
        return None
    first = (shown.control_of if shown.method == method else None) or DEFAULT_CONTROLLED.get(method)
    note = "As much is removed of each matrix or layer as this method removes there."
    return choose_setting("Control of", names, first, f"control-of-{method}", note)


def _choose_scope(shown: SweepRequest) -> str:
    """Ask where weights may be removed; of one layer alone, which."""
    layer = layer_of(shown.scope)
    note = "Where weights may be removed. One layer alone shows that layer's isolated effect."
    scope = choose_setting("Scope", SCOPE_NAMES, shown.scope if layer is None else ONE_LAYER, "scope", note)
    if scope != ONE_LAYER:
        return scope
    first = begun("layer", min((layer or 0) + 1, MAX_LAYERS))
    return f"layer:{st.number_input('Layer', 1, MAX_LAYERS, help='Layer 1 is the first.', **first) - 1}"


def _choose_amounts(shown: SweepRequest, asked: Asked) -> None:
    """Ask for the amounts, in even steps where a slider can say them."""
    last = shown.amounts[-1]
    fits = SMALLEST <= last <= LARGEST
    first = next((step for step in STEPS if fits and _stepped(step, last) == shown.amounts), LIST)
    step = choose_setting("Pruning amounts", STEP_NAMES, first, "step")
    if step == LIST:
        note = "Fractions below 1. The unpruned model, 0, is always there."
        value = ", ".join(map(amount_text, shown.amounts))
        typed = st.text_input("Amounts", help=note, **begun("amounts", value))
        asked.read("amounts", lambda: parse_amounts(typed.replace(",", " ").replace(";", " ").split()))
    else:
        largest = st.slider("Largest amount", SMALLEST, LARGEST, step=0.05, **begun("largest", last if fits else 0.9))
        asked.fields["amounts"] = _stepped(step, largest)


def _stepped(step: str, largest: float) -> tuple[float, ...]:
    """Return the steps up to the largest amount, and that itself, which may lie between two of them."""
    return parse_amounts((*stepped_amounts(float(step), largest), largest))
