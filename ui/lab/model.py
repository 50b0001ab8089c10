"""Step 1 of the Lab's settings, the model: a checkpoint, its place directly below, and the task that it answers."""

from functools import partial
from os.path import isdir

import streamlit as st

from core.errors import PrunescopeError, first_few
from core.inputs.checkpoints import labels_at_hand
from core.request.catalog import EMBEDDED, ON_THE_HUB, RECIPE, SUPPORTED_MODEL_TYPES, TASKS, Task
from core.request.limits import is_hosted
from core.request.sweep_request import SweepRequest, is_made
from core.request.tasks import AUTO, AUTO_TITLE, made_task, usual_task
from core.results.provenance import PLACEHOLDER
from ui.lab.state import FOLDER, Asked, begun, choose_setting, existing_folder, folder_option, type_folder
from ui.text import plain, refusals_shown, remark

KNOWN = {known.id: known for known in (*EMBEDDED.values(), *ON_THE_HUB)}
DEFAULT_REQUEST = SweepRequest(next(iter(KNOWN)), usual_task(next(iter(KNOWN))))
OWN_REQUEST = SweepRequest(PLACEHOLDER, AUTO)  # of who comes with a model of their own; hosted, it is one on the Hub
OTHER = "other checkpoint"  # a choice after which an id has to be typed; no name of the catalog
MAX_LABELS_LISTED = 8
NO_WEIGHTS = "The weights of the result on show are not bundled, so these settings begin with another checkpoint."
KINDS = f"A fine-tuned sequence classifier of model type {', '.join(SUPPORTED_MODEL_TYPES)}."
PLACES = (
    f"The first {len(EMBEDDED)} are bundled and work offline. The others are downloaded from the Hugging Face Hub when "
    f"they are used. {KINDS}"
)


def choose_model(shown: SweepRequest, asked: Asked) -> Task | None:
    """Draw the step.

    Args:
        shown: What it says at first.
        asked: Gets the checkpoint and the name of the task.

    Returns:
        The task; None while the checkpoint's labels are not known.
    """
    lacks_weights = shown.checkpoint.startswith(RECIPE) and not is_made(shown.checkpoint)
    first = _first_choice(shown, lacks_weights)
    titles = {known.id: known.title for known in KNOWN.values()}
    names = {**titles, OTHER: "Another one on the Hub", **folder_option("A folder on this computer")}
    choice = choose_setting("Checkpoint", names, first, "checkpoint", PLACES)
    if lacks_weights:
        remark(NO_WEIGHTS)
    place = _type_place(choice, shown.checkpoint if first == choice else "")
    asked.read("checkpoint", partial(_checkpoint_at, choice, place))
    labels = st.container()
    usual = usual_task(choice)
    task = choose_setting(
        "Task",
        {
            **{name: f"{task.title}: {task.question}" for name, task in TASKS.items()},
            AUTO: f"{AUTO_TITLE}, on data of my own",
        },
        shown.task if first == choice else usual,
        f"task-{choice}",
        "What the checkpoint was fine-tuned to decide.",
        guess=None if choice in KNOWN else usual,
    )
    asked.fields["task"] = task
    if task in TASKS:
        return TASKS[task]
    if place.strip():
        with labels, refusals_shown():
            with st.spinner("Reading the checkpoint's labels …", show_time=False):
                found = labels_at_hand(_checkpoint_at(choice, place))
            remark(plain(f"Its {len(found)} labels: {first_few(found, MAX_LABELS_LISTED)}."))
            return made_task((), found)
    return None


def _first_choice(shown: SweepRequest, lacks_weights: bool) -> str:
    """Return the option that a request begins with; in place of weights that are not here, a known one of the task."""
    if shown.checkpoint in KNOWN:
        return shown.checkpoint
    if lacks_weights:
        return next((known.id for known in KNOWN.values() if known.task == shown.task), OTHER)
    is_place = shown.checkpoint.startswith((PLACEHOLDER, RECIPE)) or isdir(shown.checkpoint)
    return FOLDER if is_place and not is_hosted() else OTHER


def _type_place(choice: str, first: str) -> str:
    """Ask for a checkpoint by its place, unless it is a known one."""
    if choice not in (OTHER, FOLDER):
        return choice
    value = "" if first.startswith(PLACEHOLDER) else first
    if choice == FOLDER:
        return type_folder("Folder of the checkpoint", value, "folder")
    note, example = f"{KINDS} Without a revision, the newest one.", "owner/name or owner/name@revision"
    typed: str = st.text_input("Hub model id", placeholder=example, help=note, **begun("hub-id", value))
    return typed


def _checkpoint_at(choice: str, place: str) -> str:
    """Return a checkpoint as a request names it."""
    place = place.strip()
    if choice == FOLDER:
        return place if place.startswith(RECIPE) else existing_folder(place, "checkpoint")
    if not place:
        raise PrunescopeError("Enter the Hub model id of your checkpoint, such as owner/name")
    return place
