"""The settings of a sweep as widgets.

Choices that decide which other settings exist stand outside the form and take effect at once. Typed fields stand inside
it, or are closed while a job runs: a field with uncommitted text beside a running job would swallow the next click.
Every widget starts with what the request on show says; `ui.settings.forget_settings` resets them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os.path import isdir
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import PrunescopeError
from core.inputs.checkpoints import labels_at_hand
from core.request.amounts import amount_text, parse_amounts, stepped_amounts
from core.request.catalog import (
    CONTROL_SEEDS,
    DEFAULT_CONTROLLED,
    DEFAULT_EXAMPLES,
    DEFAULT_MEASURES,
    EMBEDDED,
    MEASURES,
    METHODS,
    MIN_EXAMPLES,
    ON_THE_HUB,
    POINTS,
    SHIPPED,
    SUPPORTED_MODEL_TYPES,
    TASKS,
    Task,
)
from core.request.controls import ONE_LAYER_SEEDS, UNTIL_DAMAGE, judged_beside, small_steps
from core.request.limits import is_hosted, limits
from core.request.scope import layer_of
from core.request.sweep_request import DATASET, OWN, TABLE_SUFFIXES, SweepRequest
from core.request.tasks import AUTO, AUTO_TITLE, made_task
from ui.own_dataset import choose_dataset
from ui.own_sentences import ChosenTable, choose_table
from ui.settings import begin
from ui.text import plain

KNOWN = {known.id: known for known in (*EMBEDDED.values(), *ON_THE_HUB)}
FIRST = next(iter(KNOWN.values()))
DEFAULT_REQUEST = SweepRequest(FIRST.id, FIRST.task)

# Choices after which something has to be typed; none of them is a name of the catalog.
OTHER = "other checkpoint"
FOLDER = "folder"
OWN_SENTENCES = "own sentences"
ON_HUB = "data set"
PLACEHOLDER = "./"  # begins the checkpoint of a result whose folder is not known (`core.results.provenance`)
ONE_LAYER = "one layer"
LIST = "list"
WITH_CONTROL = "with-control"

SCOPE_NAMES = {
    "encoder": "All encoder layers",
    "all-linear": "All linear layers (as published)",
    ONE_LAYER: "One encoder layer alone",
}
STEPS = ("0.01", "0.05", "0.1", "0.2")
STEP_NAMES = {**{step: f"In steps of {step}" for step in STEPS}, LIST: "A list of my own"}
MAX_LAYERS = 96
TYPED_WIDTH = 240  # pixels of a field for a number
KINDS = f"A fine-tuned sequence classifier of model type {', '.join(SUPPORTED_MODEL_TYPES)}."


@dataclass(frozen=True)
class Asked:
    """What the settings ask for.

    Attributes:
        run: Whether Run was pressed.
        measure: Whether it was asked how long a run takes.
        with_control: Whether the method's random control is to be computed after it.
        beside: The place beside the buttons.
        request: Makes the request; raises PrunescopeError if a typed folder or amount is invalid, or a file is missing.
    """

    run: bool
    measure: bool
    with_control: bool
    beside: DeltaGenerator
    request: Callable[[], SweepRequest]

    def follow_ups(self, request: SweepRequest) -> tuple[SweepRequest, ...]:
        """Return what is to be computed after the request that these settings make."""
        return judged_beside(request) if self.with_control else ()


def choose_sweep(shown: SweepRequest, busy: bool) -> Asked:
    """Draw the settings of a sweep.

    Args:
        shown: What they say at first.
        busy: Whether a run is going on, so that no other can be started.
    """
    left, right = st.columns(2, gap="medium")
    with left:
        model_choice = _choose_checkpoint(shown)
    with right:
        task = _choose_task(shown, model_choice)
    checkpoint = _type_checkpoint(shown, model_choice, busy)
    left, right = st.columns(2, gap="medium")
    with left:
        data_choice = _choose_data(shown, model_choice, task)
    with right:
        method = _choose_method(shown)
        controlled = _choose_controlled(shown, method)
    of_own = data_choice in (OWN_SENTENCES, ON_HUB)
    own = _choose_table(shown, task, checkpoint, model_choice, data_choice, busy) if of_own else None
    with st.expander("More settings", key="lab-more"):
        left, right = st.columns(2, gap="medium")
        with left:
            points = _choose("Compare", POINTS, shown.points, "points", "Where in a layer representations are taken.")
            scope = _choose_scope(shown) if METHODS[method].granularity == "weight" else None
        with right:
            step = _choose("Pruning amounts", STEP_NAMES, _step_of(shown.amounts), "step")
            largest = None if step == LIST else _choose_largest(shown)
        until = _choose_stop(shown)
        measures = _choose_measures(shown)
    with_control = _choose_control(method)
    with st.form("lab-form", border=False, enter_to_submit=False):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            data = _type_data(shown) if data_choice == FOLDER else data_choice
            scope = _type_layer(shown) if scope == ONE_LAYER else scope
            listed = _type_amounts(shown) if largest is None else ""
            examples = _type_examples(shown)
            seed = _type_seed(shown) if METHODS[method].seeded else 0
        with st.container(horizontal=True, vertical_alignment="center"):
            run = _run_button(busy)
            measure = st.form_submit_button(
                "How long?", disabled=busy, help="Measured on a few examples, on this machine."
            )
            beside = st.container(width="content")

    def request() -> SweepRequest:
        table = _decided(own) if of_own else None
        return SweepRequest(
            checkpoint=_existing(checkpoint) if model_choice == FOLDER else checkpoint,
            task=task,
            method=method,
            scope=scope,
            points=points,
            amounts=_listed_amounts(listed) if largest is None else stepped_amounts(float(step), largest),
            num_examples=examples,
            seed=seed,
            control_of=controlled,
            measures=measures,
            until_damage=until,
            data=table.data if table else _existing(data) if data_choice == FOLDER else data,
            split=table.split if table else None,
            text=table.text if table else (),
            label=table.label if table else None,
            label_map=table.label_map if table else (),
        )

    return Asked(run, measure, with_control, beside, request)


# ---------------------------------------------------------------- what the widgets begin with


def begin_with_control(wanted: bool) -> None:
    """After `ui.settings.forget_settings`, say whether the settings ask for the random control as well."""
    begin(WITH_CONTROL, wanted)


# ---------------------------------------------------------------- chosen, outside the form


def _choose(label: str, names: Mapping[str, str], chosen: str | None, name: str, note: str | None = None) -> str:
    """Draw a select box that starts with `chosen`, or with its first option if that is not among them."""
    first = chosen if chosen is not None and chosen in names else next(iter(names))
    key = begin(name, first)
    if st.session_state[key] not in names:
        st.session_state[key] = first
    return st.selectbox(label, list(names), format_func=lambda option: names[option], key=key, help=note)


def _folder(name: str) -> dict[str, str]:
    """Offer a folder as one more choice; a hosted server has none to offer."""
    return {} if is_hosted() else {FOLDER: name}


def _choose_checkpoint(shown: SweepRequest) -> str:
    names = {
        **{known.id: known.title for known in KNOWN.values()},
        OTHER: "Another one on the Hub",
        **_folder("A folder on this computer"),
    }
    note = (
        f"The first {len(EMBEDDED)} lie in this project; the others are downloaded from the Hugging Face Hub when they "
        f"are used. {KINDS}"
    )
    return _choose("Checkpoint", names, _checkpoint_choice(shown.checkpoint), "checkpoint", note)


def _checkpoint_choice(checkpoint: str) -> str:
    if checkpoint in KNOWN:
        return checkpoint
    is_place = checkpoint.startswith(PLACEHOLDER) or isdir(checkpoint)
    return FOLDER if is_place and not is_hosted() else OTHER


def _choose_task(shown: SweepRequest, checkpoint: str) -> str:
    """Ask for the task: a known checkpoint's own, else what its labels say; both can be changed."""
    own = KNOWN[checkpoint].task if checkpoint in KNOWN else AUTO
    preferred = shown.task if _checkpoint_choice(shown.checkpoint) == checkpoint else own
    presets = {name: f"{task.title}: {task.question}" for name, task in TASKS.items()}
    names = {**presets, AUTO: f"{AUTO_TITLE}, on data of my own"}
    return _choose("Task", names, preferred, f"task-{checkpoint}", "What the checkpoint was fine-tuned to decide.")


def _choose_data(shown: SweepRequest, checkpoint: str, task: str) -> str:
    """Embedded checkpoints start with what lies beside them, others with the Hub; without a preset a file it is."""
    names = {
        **(_preset_data(TASKS[task]) if task in TASKS else {}),
        OWN_SENTENCES: "A file of my own",
        ON_HUB: "A data set on the Hub",
    }
    embedded = checkpoint in KNOWN and KNOWN[checkpoint].folder is not None
    preferred = ("written" if embedded else "hub") if shown.data is None else _data_choice(shown.data)
    return _choose("Examples from", names, preferred, f"data-{embedded}" if task in TASKS else "data-own")


def _preset_data(task: Task) -> dict[str, str]:
    """Offer where a preset's examples are."""
    written = (SHIPPED / "subsets" / f"{task.name}.jsonl").is_file()
    glue = {
        "hub": f"GLUE's {task.split.replace('_', ' ')} split, from the Hub",
        **_folder("A folder in the Hub's layout"),
    }
    return {
        **({"written": "Sentences written for this project"} if written else {}),
        **(glue if task.dataset_id else {}),
    }


def _data_choice(data: str) -> str:
    if data.startswith(DATASET):
        return ON_HUB
    if data.startswith(OWN) or data.lower().endswith(TABLE_SUFFIXES):
        return OWN_SENTENCES
    return data if data in ("written", "hub") else FOLDER


def _choose_table(
    shown: SweepRequest, task: str, checkpoint: str, model_choice: str, data_choice: str, busy: bool
) -> ChosenTable | None:
    """Ask for a file or a data set; that of the run on show serves on."""
    if not checkpoint.strip() and task not in TASKS:
        st.info("The labels come from the checkpoint: say first which one it is.")
        return None
    data, is_on_hub = shown.data or "", data_choice == ON_HUB
    is_shown = shown.task == task and data.startswith(DATASET if is_on_hub else OWN)
    before = ChosenTable(data, shown.text, shown.label, shown.label_map, shown.split) if is_shown else None
    try:
        known = _known_task(task, checkpoint, model_choice)
        return choose_dataset(known, before, busy) if is_on_hub else choose_table(known, before)
    except PrunescopeError as error:
        st.error(plain(str(error)))
        return None


def _known_task(task: str, checkpoint: str, choice: str) -> Task:
    """Return a preset, or the task of a checkpoint's own labels, which are read where they are at hand."""
    if task in TASKS:
        return TASKS[task]
    with st.spinner("Reading the checkpoint's labels …", show_time=False):
        return made_task((), labels_at_hand(_existing(checkpoint) if choice == FOLDER else checkpoint))


def _decided(table: ChosenTable | None) -> ChosenTable:
    if table is None:
        raise PrunescopeError(
            "there are no examples to read yet: choose them and say what is in them, or choose others"
        )
    return table


def _choose_method(shown: SweepRequest) -> str:
    names = {name: method.title for name, method in METHODS.items()}
    explanations = "\n\n".join(f"**{method.title}.** {method.explanation}" for method in METHODS.values())
    return _choose("Method", names, shown.method, "method", explanations)


def _choose_controlled(shown: SweepRequest, method: str) -> str | None:
    """Ask which method a random one follows; None for other methods."""
    names = {name: known.title for name, known in METHODS.items() if known.control == method}
    if not names:
        return None
    preferred = shown.control_of if shown.method == method else None
    note = "As much is removed of each matrix or layer as this method removes there."
    return _choose("Control of", names, preferred or DEFAULT_CONTROLLED.get(method), f"control-of-{method}", note)


def _choose_control(method: str) -> bool:
    """Ask whether a method's control follows it; a control has none."""
    if METHODS[method].control is None:
        return False
    note = (
        f"After the run as much is removed at random, {CONTROL_SEEDS[METHODS[method].granularity]} times, in steps of "
        f"{small_steps()[1]:.0%} until the overall change is {UNTIL_DAMAGE:g}; of one layer alone {ONE_LAYER_SEEDS} "
        "times, in the steps of the run. No curve can be judged without it. Stored results are not computed again."
    )
    return st.toggle("With its random control", key=begin(WITH_CONTROL, False), help=note)


def _choose_scope(shown: SweepRequest) -> str:
    chosen = shown.scope if layer_of(shown.scope) is None else ONE_LAYER
    note = "Where weights may be removed. One layer alone shows that layer's isolated effect."
    return _choose("Prune in", SCOPE_NAMES, chosen, "scope", note)


def _step_of(amounts: tuple[float, ...]) -> str:
    """Return the step that gives these amounts, or LIST if there is none."""
    return next((step for step in STEPS if stepped_amounts(float(step), amounts[-1]) == amounts), LIST)


def _choose_largest(shown: SweepRequest) -> float:
    largest = shown.amounts[-1]
    key = begin("largest", largest if 0.05 <= largest <= 0.95 else 0.9)
    return st.slider("Largest amount", 0.05, 0.95, step=0.05, key=key)


def _choose_stop(shown: SweepRequest) -> float | None:
    """Ask whether a sweep stops once the model has changed as much as results are compared at."""
    damage = shown.until_damage or UNTIL_DAMAGE
    key, note = (
        begin("until", shown.until_damage is not None),
        "Overall change: 1 − the mean similarity of all layers.",
    )
    return damage if st.checkbox(f"Stop at an overall change of {damage:g}", key=key, help=note) else None


def _choose_measures(shown: SweepRequest) -> tuple[str, ...]:
    """Ask for the measures that are not always there."""
    wanted = [name for name in MEASURES if name in DEFAULT_MEASURES or _choose_measure(name, shown)]
    return tuple(wanted)


def _choose_measure(name: str, shown: SweepRequest) -> bool:
    key, measure = begin(f"measure-{name}", name in shown.measures), MEASURES[name]
    return st.checkbox(f"Measure {measure.title.lower()} as well", key=key, help=measure.explanation)


# ---------------------------------------------------------------- typed, inside the form


def _type_checkpoint(shown: SweepRequest, choice: str, busy: bool) -> str:
    """Ask for a checkpoint by its place; outside the form, for the page reads its labels."""
    if choice not in (OTHER, FOLDER):
        return choice
    is_known = _checkpoint_choice(shown.checkpoint) == choice and not shown.checkpoint.startswith(PLACEHOLDER)
    value = shown.checkpoint if is_known else ""
    if choice == FOLDER:
        return _type_folder("Folder of the checkpoint", value, "folder", busy)
    return st.text_input(
        "Id on the Hub",
        key=begin("hub-id", value),
        placeholder="owner/name or owner/name@revision",
        help=f"{KINDS} Without a revision, the newest one.",
        disabled=busy,
    )


def _type_data(shown: SweepRequest) -> str:
    value = shown.data if shown.data and _data_choice(shown.data) == FOLDER else ""
    return _type_folder("Folder of the data", value, "data-folder")


def _type_folder(label: str, value: str, name: str, disabled: bool = False) -> str:
    key = begin(name, value)
    return st.text_input(label, key=key, placeholder="a path on this computer", disabled=disabled)


def _type_layer(shown: SweepRequest) -> str:
    key = begin("layer", min((layer_of(shown.scope) or 0) + 1, MAX_LAYERS))
    number = st.number_input("Layer", 1, MAX_LAYERS, key=key, help="Layer 1 is the first.", width=TYPED_WIDTH)
    return f"layer:{number - 1}"


def _type_amounts(shown: SweepRequest) -> str:
    value = ", ".join(amount_text(amount) for amount in shown.amounts)
    note = "Fractions below 1. The baseline, 0, is always there."
    return st.text_input("Amounts", key=begin("amounts", value), help=note)


def _type_examples(shown: SweepRequest) -> int | None:
    most, asked = limits().examples, shown.num_examples
    return st.number_input(
        "Number of examples",
        MIN_EXAMPLES,
        most,
        None,
        key=begin("examples", None if asked is None else min(asked, most)),
        placeholder=f"all, or {DEFAULT_EXAMPLES}",
        help=f"Empty: all that there are, at most {DEFAULT_EXAMPLES}; of a file of your own at most half its rows.",
        width=TYPED_WIDTH,
    )


def _type_seed(shown: SweepRequest) -> int:
    key, note = begin("seed", shown.seed), "Of pruning; examples do not change."
    return st.number_input("Seed", 0, 2**32 - 1, key=key, help=note, width=TYPED_WIDTH)


def _run_button(busy: bool) -> bool:
    note = "One run at a time: the one below can be cancelled." if busy else None
    return st.form_submit_button("Run", type="primary", icon=":material/play_arrow:", disabled=busy, help=note)


def _existing(folder: str) -> str:
    """Check a typed folder; without the check, other text would be taken for an id on the Hub."""
    path = Path(folder.strip()).expanduser()
    if not folder.strip() or not isdir(path):
        shown = folder.strip()[:120]
        raise PrunescopeError(f"'{shown}' is not a folder on this computer: type the path of one that exists")
    return str(path)


def _listed_amounts(text: str) -> tuple[float, ...]:
    return parse_amounts(text.replace(",", " ").replace(";", " ").split())
