"""The settings of a sweep as widgets.

What decides which other settings there are stands outside the form and takes effect at once. Whatever is typed stands
inside it: a field with uncommitted text beside a running job would swallow the next click.
"""

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from core.catalog import (
    DEFAULT_EXAMPLES,
    EMBEDDED,
    METHODS,
    MIN_EXAMPLES,
    ON_THE_HUB,
    POINTS,
    SHIPPED,
    TASKS,
    SweepRequest,
    amount_text,
    is_hosted,
    limits,
    parse_amounts,
    stepped_amounts,
)
from core.errors import PrunescopeError

KNOWN = {known.id: known for known in (*EMBEDDED.values(), *ON_THE_HUB)}
FIRST = next(iter(KNOWN.values()))
DEFAULT_REQUEST = SweepRequest(FIRST.id, FIRST.task)

# Choices after which something has to be typed; none of them is a name of the catalog.
OTHER = "other checkpoint"
FOLDER = "folder"
ONE_LAYER = "one layer"
LIST = "list"

SCOPE_NAMES = {
    "encoder": "All encoder layers",
    "all-linear": "All linear layers (as published)",
    ONE_LAYER: "One encoder layer alone",
}
STEPS = ("0.05", "0.1", "0.2")
STEP_NAMES = {**{step: f"In steps of {step}" for step in STEPS}, LIST: "A list of my own"}
MOST_LAYERS = 96
TYPED_WIDTH = 240  # pixels of a field for a number


def choose_sweep(shown: SweepRequest, busy: bool) -> SweepRequest | None:
    """Draws the settings of a sweep.

    Args:
        shown: What they say at first.
        busy: Whether a run is going on, so that no other can be started.

    Returns:
        What was asked for, if Run was pressed.

    Raises:
        PrunescopeError: A typed folder does not exist, or a typed amount is none.
    """
    left, middle, right = st.columns(3, gap="medium")
    with left:
        model_choice = _choose_checkpoint(shown)
    with middle:
        task = _choose_task(shown, model_choice)
    with right:
        method = _choose_method(shown)
    with st.expander("More settings", key="lab-more"):
        left, middle, right = st.columns(3, gap="medium")
        with left:
            data_choice = _choose_data(shown, model_choice, task)
            points = _choose("Compare", POINTS, shown.points, "points", "Where in a layer representations are taken.")
        with middle:
            scope = _choose_scope(shown) if METHODS[method].granularity == "weight" else None
        with right:
            step = _choose("Pruning amounts", STEP_NAMES, _step_of(shown.amounts), "step")
            largest = None if step == LIST else _choose_largest(shown)
    with st.form("lab-form", border=False):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            checkpoint = _type_checkpoint(shown, model_choice)
            data = _type_data(shown) if data_choice == FOLDER else data_choice
            scope = _type_layer(shown) if scope == ONE_LAYER else scope
            listed = _type_amounts(shown) if largest is None else ""
            examples = _type_examples(shown)
            seed = _type_seed(shown) if METHODS[method].seeded else 0
        pressed = _run_button(busy)
    if not pressed:
        return None
    if model_choice == FOLDER:
        checkpoint = _existing(checkpoint)
    if data_choice == FOLDER:
        data = _existing(data)
    amounts = _listed_amounts(listed) if largest is None else stepped_amounts(float(step), largest)
    return SweepRequest(
        checkpoint=checkpoint,
        task=task,
        method=method,
        scope=scope,
        points=points,
        amounts=amounts,
        num_examples=examples,
        seed=seed,
        data=data,
    )


# ---------------------------------------------------------------- chosen, outside the form


def _choose(label: str, names: Mapping[str, str], chosen: str | None, key: str, note: str | None = None) -> str:
    """A select box that starts with `chosen`, or with its first option if that is not among them."""
    options = list(names)
    index = options.index(chosen) if chosen is not None and chosen in names else 0
    return st.selectbox(label, options, index, format_func=lambda name: names[name], key=f"lab-{key}", help=note)


def _folder(name: str) -> dict[str, str]:
    """A folder as one more choice; a hosted server has none to offer."""
    return {} if is_hosted() else {FOLDER: name}


def _choose_checkpoint(shown: SweepRequest) -> str:
    names = {
        **{known.id: known.title for known in KNOWN.values()},
        OTHER: "Another one on the Hub",
        **_folder("A folder on this computer"),
    }
    note = "The first one lies in this project; the others are downloaded from the Hugging Face Hub when they are used."
    return _choose("Checkpoint", names, _checkpoint_choice(shown.checkpoint), "checkpoint", note)


def _checkpoint_choice(checkpoint: str) -> str:
    if checkpoint in KNOWN:
        return checkpoint
    return FOLDER if not is_hosted() and Path(checkpoint).is_dir() else OTHER


def _choose_task(shown: SweepRequest, checkpoint: str) -> str:
    """The task follows a known checkpoint's own, but can be changed."""
    own = KNOWN[checkpoint].task if checkpoint in KNOWN else shown.task
    preferred = shown.task if _checkpoint_choice(shown.checkpoint) == checkpoint else own
    names = {name: f"{task.title}: {task.question}" for name, task in TASKS.items()}
    return _choose("Task", names, preferred, f"task-{checkpoint}", "What the checkpoint was fine-tuned to decide.")


def _choose_data(shown: SweepRequest, checkpoint: str, task: str) -> str:
    """Embedded checkpoints start with what lies beside them, others with the Hub."""
    written = (SHIPPED / "subsets" / f"{task}.jsonl").is_file()
    names = {
        **({"written": "Sentences written for this project"} if written else {}),
        "hub": f"GLUE's {TASKS[task].split.replace('_', ' ')} split, from the Hub",
        **_folder("A folder in the Hub's layout"),
    }
    embedded = checkpoint in KNOWN and KNOWN[checkpoint].folder is not None
    preferred = ("written" if embedded else "hub") if shown.data is None else _data_choice(shown.data)
    return _choose("Examples from", names, preferred, f"data-{embedded}")


def _data_choice(data: str) -> str:
    return data if data in ("written", "hub") else FOLDER


def _choose_method(shown: SweepRequest) -> str:
    names = {name: method.title for name, method in METHODS.items()}
    explanations = "\n\n".join(f"**{method.title}.** {method.explanation}" for method in METHODS.values())
    return _choose("Method", names, shown.method, "method", explanations)


def _choose_scope(shown: SweepRequest) -> str:
    chosen = ONE_LAYER if shown.scope and shown.scope.startswith("layer:") else shown.scope
    note = "Where weights may be removed. One layer alone shows that layer's isolated effect."
    return _choose("Prune in", SCOPE_NAMES, chosen, "scope", note)


def _step_of(amounts: tuple[float, ...]) -> str:
    """The step that gives these amounts; a list if there is none."""
    return next((step for step in STEPS if stepped_amounts(float(step), amounts[-1]) == amounts), LIST)


def _choose_largest(shown: SweepRequest) -> float:
    largest = shown.amounts[-1]
    return st.slider("Largest amount", 0.05, 0.95, largest if largest >= 0.05 else 0.9, 0.05, key="lab-largest")


# ---------------------------------------------------------------- typed, inside the form


def _type_checkpoint(shown: SweepRequest, choice: str) -> str:
    if choice not in (OTHER, FOLDER):
        return choice
    value = shown.checkpoint if _checkpoint_choice(shown.checkpoint) == choice else ""
    if choice == FOLDER:
        return _type_folder("Folder of the checkpoint", value, "lab-folder")
    return st.text_input(
        "Id on the Hub",
        value,
        key="lab-hub-id",
        placeholder="owner/name or owner/name@revision",
        help="Any BERT that was fine-tuned for sequence classification. Without a revision, the newest one.",
    )


def _type_data(shown: SweepRequest) -> str:
    value = shown.data if shown.data and _data_choice(shown.data) == FOLDER else ""
    return _type_folder("Folder of the data", value, "lab-data-folder")


def _type_folder(label: str, value: str, key: str) -> str:
    return st.text_input(label, value, key=key, placeholder="a path on this computer")


def _type_layer(shown: SweepRequest) -> str:
    known = shown.scope is not None and shown.scope.startswith("layer:")
    index = int(shown.scope.removeprefix("layer:")) if known and shown.scope else 0
    number = st.number_input(
        "Layer", 1, MOST_LAYERS, index + 1, key="lab-layer", help="Layer 1 is the first.", width=TYPED_WIDTH
    )
    return f"layer:{number - 1}"


def _type_amounts(shown: SweepRequest) -> str:
    value = ", ".join(amount_text(amount) for amount in shown.amounts)
    return st.text_input(
        "Amounts", value, key="lab-amounts", help="Fractions below 1. The baseline, 0, is always there."
    )


def _type_examples(shown: SweepRequest) -> int | None:
    return st.number_input(
        "Number of examples",
        MIN_EXAMPLES,
        limits().examples,
        shown.num_examples,
        key="lab-examples",
        placeholder=f"all, or {DEFAULT_EXAMPLES}",
        help=f"Empty: all that there are, at most {DEFAULT_EXAMPLES}.",
        width=TYPED_WIDTH,
    )


def _type_seed(shown: SweepRequest) -> int:
    return st.number_input(
        "Seed", 0, 2**32 - 1, shown.seed, key="lab-seed", help="Of pruning; examples do not change.", width=TYPED_WIDTH
    )


def _run_button(busy: bool) -> bool:
    note = "One run at a time: the one below can be cancelled." if busy else None
    return st.form_submit_button("Run", type="primary", icon=":material/play_arrow:", disabled=busy, help=note)


def _existing(folder: str) -> str:
    """Checks a typed folder; what is none would be taken for an id on the Hub."""
    path = Path(folder.strip()).expanduser()
    if not folder.strip() or not path.is_dir():
        raise PrunescopeError(f"'{folder.strip()}' is no folder on this computer: type the path of one that exists")
    return str(path)


def _listed_amounts(text: str) -> tuple[float, ...]:
    return parse_amounts(text.replace(",", " ").replace(";", " ").split())
