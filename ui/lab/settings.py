"""The settings of a sweep or a study: model, data, method; below them the Run bar.

Layers pruned alone need no settings.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

import streamlit as st

from core.errors import PrunescopeError
from core.findings.words.cut import FURTHER
from core.findings.words.lab import ROWS_TO_TRAIN, TRAIN_AGAIN, TRAINS, division_words
from core.findings.words.numbers import duration, percent
from core.findings.words.passed import HALVES_ALONE
from core.inputs import uploads
from core.inputs.forecast import Forecast, forecast, forecast_training
from core.request.amounts import amount_text, stepped_amounts
from core.request.catalog import CONTROL_SEEDS, MAX_LAYERS, METHODS, POINTS
from core.request.controls import ONE_LAYER_SEEDS, UNTIL_DAMAGE, each_alone
from core.request.cut_request import MOST_JUDGED, CutRequest, RecoveryRequest, divide
from core.request.limits import limits
from core.request.scope import canonical, run_of
from core.request.sweep_request import DataRequest, SweepRequest, checked
from core.results.names import in_sentence
from core.results.provenance import request_of
from core.results.recovery import beyond_working
from core.results.schema import SweepResult
from ui.address import choose_amount, set_parameter
from ui.jobs import request_behind, start
from ui.lab.data import choose_data, choose_model
from ui.lab.state import Draft, choose_setting, lab, setting, type_setting
from ui.lab.table import ask_file, read_preview
from ui.text import plain, refusals_shown, remark

# The bar sticks to the lower edge of the window by the wrapper that Streamlit puts around a
# container. The colours are those of Streamlit's themes, which it passes to components only.
STYLE = """<style>
[data-testid="stLayoutWrapper"]:has(> .st-key-lab-run) {
  position: sticky; bottom: 0; z-index: 1; padding: 0.5rem 0 0.75rem;
  background: light-dark(#ffffff, #171614); border-top: 1px solid light-dark(#d5d5d5, #42413e);
  /* also beside the picture */
  @media (max-width: 40rem) { position: fixed; inset: auto 0 0; padding-inline: 1rem; }
}
</style>"""
R = TypeVar("R")
SOME_LAYERS, LIST = "some layers", "list"  # choices that ask for more
EVERY = "every method"  # a choice beside the catalog's methods
HOW_FAR = (
    "Runs every method in turn: up to where does the model work with each, and which layer falls "
    "first?"
)
SCOPES = {
    "encoder": "All encoder layers",
    "all-linear": "All linear layers (as published)",
    SOME_LAYERS: "Some encoder layers alone",
}
# The title of each preset, its explanation, and the settings that it fills in.
PRESETS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "How far can I prune?": (HOW_FAR, {"method": EVERY}),
    "The published experiment": (
        "Magnitude pruning of all linear layers, on all tokens.",
        {"method": "magnitude", "scope": "all-linear", "points": "attention"},
    ),
    "Quick look": (
        "Magnitude pruning alone, 64 examples, steps of 20 %: a rough answer in seconds.",
        {"method": "magnitude", "examples": 64, "step": "0.2", "with-control": False},
    ),
}
STEPS = {step: stepped_amounts(float(step), 0.95) for step in ("0.1", "0.05", "0.2", "0.01")}
STEP_NAMES = {step: f"In steps of {percent(float(step))}" for step in STEPS} | {
    LIST: "A list of my own"
}
ALONE = "Prune each half alone"
ALONE_NOTE = (
    "Prunes each half of the layers, and each layer, alone: by this method, then at random with {} "
    "seeds."
)


def offer_sweep(request: SweepRequest, follow_ups: Sequence[SweepRequest] = ()) -> None:
    """Draw the settings and the Run bar, which stays in sight.

    Args:
        request: The request that the settings begin with.
        follow_ups: The sweeps that they begin with after it: its control, or the other methods.
    """
    draft = Draft()
    st.markdown("**1 · Model**")
    task = choose_model(request, draft)
    st.markdown("**2 · Data**")
    choose_data(request, draft, task)
    st.markdown("**3 · Method**")
    _choose_method(request, draft, follow_ups)
    _offer_run(
        draft.sweeps,
        lambda sweeps: start(sweeps[0], follow_ups=sweeps[1:]),
        forecast,
    )


def offer_study(request: DataRequest) -> None:
    """Draw the settings of a study of cuts and the Run bar, starting from a request."""
    draft = Draft()
    st.markdown("**1 · Model**")
    task = choose_model(request, draft)
    st.markdown("**2 · Rows**")
    choose_data(request, draft, task, MOST_JUDGED)
    with refusals_shown():
        _choose_further(draft)
    _offer_run(lambda: draft.checked(CutRequest), start, forecast_training)


def _offer_run(
    ready: Callable[[], R],
    begin: Callable[[R], object],
    expect: Callable[[R], Forecast | None],
    label: str = "Run",
) -> None:
    """Draw a bar: a button, and how long the run takes or what is missing.

    Args:
        ready: Returns what to run; raises PrunescopeError where something is missing or refused.
        begin: Runs it.
        expect: Forecasts how long it takes; None if something is downloaded first.
        label: The words on the button.
    """
    key = f"lab-{label.partition(' ')[0].lower()}"
    icon = ":material/play_arrow:"
    st.html(STYLE)
    with st.container(key=key):
        refused = st.container()
        with st.container(horizontal=True, vertical_alignment="center"):
            is_pressed = st.button(label, f"{key}-now", type="primary", icon=icon)
            beside = st.container(horizontal=True, vertical_alignment="center")
    try:
        runs = ready()
        if is_pressed:
            begin(runs)
        with beside:
            _show_forecast(expect(runs))
    except PrunescopeError as error:
        with refused if is_pressed else beside:
            (st.error if is_pressed else remark)(plain(str(error)))


def _show_forecast(expected: Forecast | None) -> None:
    """Show how long a run will take; None if something is downloaded first."""
    if expected is None:
        remark("Something is downloaded first.")
    elif not expected.seconds:
        remark("Already computed; opens at once.")
    else:
        rough = "(no run on this machine has been timed yet)"
        how = rough if expected.is_rough else "on this machine"
        remark(f"Takes about {duration(expected.seconds)} {how}.")


# ---------------------------------------------------------------- the method


def _choose_method(
    request: SweepRequest,
    draft: Draft,
    follow_ups: Sequence[SweepRequest],
) -> None:
    """Draw the step: what is removed, where, and at which amounts."""
    with st.container(horizontal=True):
        for title, (explanation, changes) in PRESETS.items():
            key = f"lab-preset-{title}"
            st.button(title, key, explanation, on_click=_fill, args=(changes,))
    titles = {name: method.title for name, method in METHODS.items() if not method.is_random}
    later = {sweep.method for sweep in follow_ups} - {request.method}
    are_many = bool(later & titles.keys())
    name = choose_setting(
        "Method",
        {**titles, EVERY: "Every method"},
        EVERY if are_many else request.control_of or request.method,
        "method",
    )
    fields = draft.fields
    draft.every = name == EVERY
    if draft.every:
        name = next(iter(METHODS))
    method = METHODS[name]
    remark(HOW_FAR if draft.every else method.explanation)
    fields["method"] = name
    if method.granularity == "weight" and not draft.every:
        layers = run_of(request.scope)
        note = "Where weights may be removed. One layer alone shows that layer's isolated effect."
        fields["scope"] = choose_setting(
            "Scope", SCOPES, SOME_LAYERS if layers else request.scope, "scope", note
        )
        if fields["scope"] == SOME_LAYERS:
            layers = layers or range(1)
            with st.container(horizontal=True):
                low = st.number_input(
                    "First layer", 1, MAX_LAYERS, **setting("layer", layers.start + 1)
                )
                high = st.number_input(
                    "Last layer", 1, MAX_LAYERS, **setting("last-layer", layers.stop)
                )
            fields["scope"] = canonical(f"layers:{low - 1}-{high - 1}")
    seeds = f"{CONTROL_SEEDS[method.granularity]} seeds ({ONE_LAYER_SEEDS} for some layers alone)"
    note = (
        f"After the run, as much is removed at random, with {seeds}. Stored results are not "
        "computed again."
    )
    title = f"Random control{f' of {in_sentence(method.title)}' if draft.every else ''}"
    with_control = setting("with-control", bool(later - titles.keys()))
    draft.with_control = st.toggle(title, help=note, **with_control)
    with st.expander("More settings", key="lab-more"):
        first = {amounts: step for step, amounts in STEPS.items()}.get(request.amounts, LIST)
        step = choose_setting("Pruning amounts", STEP_NAMES, first, "step")
        fields["amounts"] = STEPS.get(step)
        if step == LIST:
            value = ", ".join(map(amount_text, request.amounts))
            note = "Comma-separated fractions."
            fields["amounts"] = type_setting("Amounts", "amounts", value, help=note)
        damage = request.until_damage or UNTIL_DAMAGE
        note = "Overall change: 1 − the mean similarity of all layers."
        stops = setting("until", request.until_damage is not None)
        is_bounded = not draft.every and st.checkbox(
            f"Stop at an overall change of {damage:g}", help=note, **stops
        )
        fields["until_damage"] = damage if is_bounded else None
        fields["points"] = choose_setting(
            "Measure after", POINTS, request.points, "points", "Where in each layer."
        )


def _fill(changes: Mapping[str, object]) -> None:
    """Fill in the settings of a preset; all others stay."""
    for name, value in changes.items():
        lab().fill(name, value)
    if changes.get("scope") == "all-linear":
        set_parameter("reduction", "tokens")


# ---------------------------------------------------------------- training, and layers alone


def _choose_further(draft: Draft) -> None:
    """Ask for a file of rows that only refit, and say how counted rows are divided.

    Raises:
        PrunescopeError: The file is unreadable, or the rows are too few.
    """
    labelled, others = draft.rows or (0, 0)
    train = ask_file(FURTHER, "lab-further")
    if train:
        draft.fields["train"] = train
        others += len(read_preview((uploads.find(train),), limits().rows).rows)
    if draft.rows:
        division = divide(labelled, others, bool(train), draft.fields["num_examples"])
        remark(plain(division_words(division)))


def offer_recovery(result: SweepResult) -> None:
    """Offer to train a stored result's model, pruned by one amount, again."""
    panel = st.expander(
        TRAIN_AGAIN,
        key=f"lab-again-{result.key}",
        icon=":material/replay:",
    )
    with panel, refusals_shown():
        st.markdown(TRAINS)
        key = f"lab-train-amount-{result.key}"
        amount = choose_amount(result.amounts[1:], key, beyond_working(result))
        training = {
            **vars(request_behind(result) or request_of(result)),
            "key": result.key,
            "amount": amount,
            "train": ask_file(ROWS_TO_TRAIN, "lab-further"),
        }
        ready = partial(RecoveryRequest.from_json, training)
        _offer_run(ready, start, forecast_training, TRAIN_AGAIN)


def offer_layers(result: SweepResult) -> None:
    """Offer to find out what pruning each half of the layers, and each layer, alone does."""
    requests = _layers_alone(result)
    if not requests:
        return
    panel = st.expander(HALVES_ALONE, key="layers-alone-box", on_change="rerun")
    if not panel.open:
        return
    row = panel.container(horizontal=True, vertical_alignment="center")
    with panel, refusals_shown(), row:
        note = ALONE_NOTE.format(ONE_LAYER_SEEDS)
        if st.button(ALONE, "layers-alone", note, icon=":material/layers:"):
            start(requests[0], follow_ups=requests[1:])
        _show_forecast(forecast(requests))


def _layers_alone(result: SweepResult) -> tuple[SweepRequest, ...]:
    """Return the requests that prune each layer and each half alone; empty if impossible here."""
    request = request_behind(result)
    if request is None or run_of(result.pruning.scope):
        return ()
    with suppress(PrunescopeError):  # a method that cannot prune single layers
        return tuple(map(checked, each_alone(request, result.checkpoint.num_layers)))
    return ()
