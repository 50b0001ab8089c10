"""Step 3 of the Lab's settings, the method: what is removed, where, at which amounts, and what is measured."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.request.amounts import amount_text, parse_amounts, stepped_amounts
from core.request.catalog import CONTROL_SEEDS, DEFAULT_CONTROLLED, DEFAULT_MEASURES, MEASURES, METHODS, POINTS
from core.request.controls import ONE_LAYER_SEEDS, UNTIL_DAMAGE
from core.request.scope import layer_of
from core.request.sweep_request import SweepRequest
from core.results.names import percent
from ui.controls import steps_in_words
from ui.lab.presets import offer_presets
from ui.lab.settings import WITH_CONTROL, begun, choose_setting
from ui.remarks import remark

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
MAX_LAYERS = 96


@dataclass(frozen=True)
class ChosenMethod:
    """What the third step asks for.

    Attributes:
        fixed: Fields of a request.
        amounts: Makes the pruning amounts; raises PrunescopeError if a typed one is invalid.
        with_control: Whether the method's random control is to be computed after it.
    """

    fixed: dict[str, Any]
    amounts: Callable[[], tuple[float, ...]]
    with_control: bool

    def fields(self) -> dict[str, Any]:
        """Return the fields of a request.

        Raises:
            PrunescopeError: A typed amount is invalid.
        """
        return {**self.fixed, "amounts": self.amounts()}


def choose_method(shown: SweepRequest, is_judged: bool = True) -> ChosenMethod:
    """Draw the step.

    Args:
        shown: What it says at first.
        is_judged: Whether there can be a verdict: not against another checkpoint.
    """
    offer_presets(shown)
    method = _choose_method(shown)
    controlled = _choose_controlled(shown, method)
    scope = _choose_scope(shown) if METHODS[method].granularity == "weight" else None
    with_control = _choose_control(method, is_judged)
    with st.expander("More settings", key="lab-more"):
        amounts = _choose_amounts(shown)
        fixed = {
            "method": method,
            "control_of": controlled,
            "scope": scope,
            "until_damage": _choose_stop(shown),
            "points": choose_setting(
                "Measure after", POINTS, shown.points, "points", "Where in a layer representations are taken."
            ),
            "measures": _choose_measures(shown),
            "seed": _choose_seed(shown) if METHODS[method].is_control else 0,
        }
    return ChosenMethod(fixed, amounts, with_control)


def _choose_method(shown: SweepRequest) -> str:
    names = {name: method.title for name, method in METHODS.items()}
    chosen = choose_setting("Method", names, shown.method, "method")
    remark(METHODS[chosen].explanation)
    return chosen


def _choose_controlled(shown: SweepRequest, method: str) -> str | None:
    """Ask which method a random one follows; None for other methods."""
    names = {name: known.title for name, known in METHODS.items() if known.control == method}
    if not names:
        return None
    preferred = shown.control_of if shown.method == method else None
    note = "As much is removed of each matrix or layer as this method removes there."
    usual = DEFAULT_CONTROLLED.get(method)
    return choose_setting("Control of", names, preferred or usual, f"control-of-{method}", note)


def _choose_scope(shown: SweepRequest) -> str:
    """Ask where weights may be removed; of one layer alone, which."""
    chosen = shown.scope if layer_of(shown.scope) is None else ONE_LAYER
    note = "Where weights may be removed. One layer alone shows that layer's isolated effect."
    scope = choose_setting("Scope", SCOPE_NAMES, chosen, "scope", note)
    if scope != ONE_LAYER:
        return scope
    first = begun("layer", min((layer_of(shown.scope) or 0) + 1, MAX_LAYERS))
    number = st.number_input("Layer", 1, MAX_LAYERS, help="Layer 1 is the first.", **first)
    return f"layer:{number - 1}"


def _choose_control(method: str, is_judged: bool) -> bool:
    """Ask whether a method's control follows it; a control has none."""
    if METHODS[method].control is None or not is_judged:
        return False
    note = (
        "After the run, the same number of weights or units is removed at random, with "
        f"{CONTROL_SEEDS[METHODS[method].granularity]} seeds, in steps of {steps_in_words()} until the "
        f"overall change is {UNTIL_DAMAGE:g}; a method that removes units is itself run again in these steps first. "
        f"For one layer alone: {ONE_LAYER_SEEDS} seeds, in the steps of the run. Stored results are not computed again."
    )
    return st.toggle("Random control", help=note, **begun(WITH_CONTROL, False))


# ---------------------------------------------------------------- more settings


def _choose_amounts(shown: SweepRequest) -> Callable[[], tuple[float, ...]]:
    step = choose_setting("Pruning amounts", STEP_NAMES, _step_of(shown.amounts), "step")
    if step == LIST:
        typed = _type_amounts(shown)
        return lambda: parse_amounts(typed.replace(",", " ").replace(";", " ").split())
    largest = shown.amounts[-1]
    first = begun("largest", largest if SMALLEST <= largest <= LARGEST else 0.9)
    chosen = st.slider("Largest amount", SMALLEST, LARGEST, step=0.05, **first)
    return lambda: _amounts(step, chosen)


def _amounts(step: str, largest: float) -> tuple[float, ...]:
    """Return the steps up to the largest amount, and that itself, which may lie between two of them."""
    return parse_amounts((*stepped_amounts(float(step), largest), largest))


def _step_of(amounts: tuple[float, ...]) -> str:
    """Return the step that gives these amounts, or LIST if there is none or the slider cannot stand at the largest."""
    if not SMALLEST <= amounts[-1] <= LARGEST:
        return LIST
    return next((step for step in STEPS if _amounts(step, amounts[-1]) == amounts), LIST)


def _type_amounts(shown: SweepRequest) -> str:
    value = ", ".join(amount_text(amount) for amount in shown.amounts)
    note = "Fractions below 1. The unpruned model, 0, is always there."
    typed: str = st.text_input("Amounts", help=note, **begun("amounts", value))
    return typed


def _choose_stop(shown: SweepRequest) -> float | None:
    """Ask whether a sweep stops once the model has changed as much as results are compared at."""
    damage = shown.until_damage or UNTIL_DAMAGE
    note = "Overall change: 1 − the mean similarity of all layers."
    first = begun("until", shown.until_damage is not None)
    return damage if st.checkbox(f"Stop at an overall change of {damage:g}", help=note, **first) else None


def _choose_measures(shown: SweepRequest) -> tuple[str, ...]:
    """Ask for the measures that are not always there."""
    wanted = [name for name in MEASURES if name in DEFAULT_MEASURES or _choose_measure(name, shown)]
    return tuple(wanted)


def _choose_measure(name: str, shown: SweepRequest) -> bool:
    first, measure = begun(f"measure-{name}", name in shown.measures), MEASURES[name]
    return st.checkbox(f"Measure {measure.title.lower()} as well", help=measure.explanation, **first)


def _choose_seed(shown: SweepRequest) -> int:
    note = "Of pruning; examples do not change."
    seed: int = st.number_input("Seed", 0, 2**32 - 1, help=note, **begun("seed", shown.seed))
    return seed
