"""Step 3 of the Lab's settings, the method: what is removed, where, at which amounts; and experiments to begin with."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from core.findings.words.numbers import percent
from core.request.amounts import amount_text, stepped_amounts
from core.request.catalog import CONTROL_SEEDS, DEFAULT_CONTROLLED, MAX_LAYERS, METHODS, POINTS
from core.request.controls import ONE_LAYER_SEEDS, UNTIL_DAMAGE
from core.request.scope import canonical, run_of
from core.request.sweep_request import SweepRequest
from ui.address import set_parameter
from ui.lab.state import Asked, begun, choose_setting, lab, type_setting
from ui.text import remark

SOME_LAYERS, LIST = "some layers", "list"  # choices after which something has to be typed
EVERY = "every method"  # a choice; no name of the catalog
HOW_FAR = (
    "Runs every method, one after another: up to where does the model work with each, and which layer falls first?"
)
SCOPES = {
    "encoder": "All encoder layers",
    "all-linear": "All linear layers (as published)",
    SOME_LAYERS: "Some encoder layers alone",
}
STEPS = {step: stepped_amounts(float(step), 0.95) for step in ("0.1", "0.05", "0.2", "0.01")}
STEP_NAMES = {step: f"In steps of {percent(float(step))}" for step in STEPS} | {LIST: "A list of my own"}

USUAL: Mapping[str, Any] = {
    **{"method": "magnitude", "scope": "encoder", "with-control": False},
    **{"examples": None, "step": "0.1", "until": False, "points": "attention"},
}
# Experiments: a title, what it asks, and its settings; the others are the usual ones.
PRESETS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "How far can I prune?": (HOW_FAR, {"method": EVERY}),
    "The published experiment": ("Magnitude pruning of all linear layers, on all tokens.", {"scope": "all-linear"}),
    "One layer alone": (
        "One layer's own effect, without that of the layers below.",
        {"scope": SOME_LAYERS, "layer": 1, "last-layer": 1},
    ),
    "Quick look": ("64 examples, steps of 20 %: a rough answer in seconds.", {"examples": 64, "step": "0.2"}),
}


def choose_method(shown: SweepRequest, asked: Asked, follow_ups: Sequence[SweepRequest]) -> None:
    """Draw the step.

    Args:
        shown: What it says at first.
        asked: Gets what is pruned, how and at which amounts.
        follow_ups: What is run after it at first: its control, or the other methods.
    """
    with_control = any(not METHODS[further.method].control for further in follow_ups)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("Presets", width="content")
        for title, (explanation, changes) in PRESETS.items():
            st.button(title, key=f"lab-preset-{title}", help=explanation, on_click=partial(_fill, changes))
    titles = {name: method.title for name, method in METHODS.items()}
    titles |= {EVERY: "Every method"}
    name = choose_setting("Method", titles, EVERY if follow_ups and not with_control else shown.method, "method")
    asked.every, fields = name == EVERY, asked.fields
    name = next(iter(METHODS)) if asked.every else name
    method = METHODS[name]
    remark(HOW_FAR if asked.every else method.explanation)
    fields["method"] = name
    if controlled := {key: known.title for key, known in METHODS.items() if known.control == name}:
        first = (shown.control_of if shown.method == name else None) or DEFAULT_CONTROLLED.get(name)
        note = "As much is removed from each matrix or layer as this method removes there."
        fields["control_of"] = choose_setting("Control of", controlled, first, f"control-of-{name}", note)
    if method.granularity == "weight" and not asked.every:
        run = run_of(shown.scope)
        note = "Where weights may be removed. One layer alone shows that layer's isolated effect."
        fields["scope"] = choose_setting("Scope", SCOPES, shown.scope if run is None else SOME_LAYERS, "scope", note)
        if fields["scope"] == SOME_LAYERS:
            run = run or range(1)
            with st.container(horizontal=True):
                first = st.number_input("First layer", 1, MAX_LAYERS, **begun("layer", run.start + 1))
                last = st.number_input("Last layer", 1, MAX_LAYERS, **begun("last-layer", run.stop))
            fields["scope"] = canonical(f"layers:{first - 1}-{last - 1}")
    if method.control and not asked.every:
        seeds = f"{CONTROL_SEEDS[method.granularity]} seeds ({ONE_LAYER_SEEDS} for some layers alone)"
        note = f"After the run, as much is removed at random, with {seeds}. Stored results are not computed again."
        asked.with_control = st.toggle("Random control", help=note, **begun("with-control", with_control))
    with st.expander("More settings", key="lab-more"):
        first = next((step for step, amounts in STEPS.items() if amounts == shown.amounts), LIST)
        step = choose_setting("Pruning amounts", STEP_NAMES, first, "step")
        fields["amounts"] = STEPS.get(step)
        if step == LIST:
            value = ", ".join(map(amount_text, shown.amounts))
            fields["amounts"] = type_setting("Amounts", "amounts", value, help="Comma-separated fractions.")
        damage = shown.until_damage or UNTIL_DAMAGE
        note = "Overall change: 1 − the mean similarity of all layers."
        stops = begun("until", shown.until_damage is not None)
        is_bounded = not asked.every and st.checkbox(f"Stop at an overall change of {damage:g}", help=note, **stops)
        fields["until_damage"] = damage if is_bounded else None
        fields["points"] = choose_setting("Measure after", POINTS, shown.points, "points", "Where in each layer.")
        if method.is_random:
            fields["seed"] = st.number_input("Seed of pruning", 0, 2**32 - 1, **begun("seed", shown.seed))


def _fill(changes: Mapping[str, Any]) -> None:
    """Let the settings be those of an experiment, on the checkpoint and the data that are chosen."""
    for name, value in {**USUAL, **changes}.items():
        lab().settings[f"lab-{name}"] = st.session_state[f"lab-{name}"] = value
    if changes.get("scope") == "all-linear":
        set_parameter("reduction", "tokens")
