"""Step 1 of the Lab's settings, the model: a checkpoint, its place directly below, and the task that it answers."""

from os.path import expanduser

import streamlit as st

from core.errors import first_few
from core.inputs.checkpoints import labels_at_hand
from core.request.catalog import CHECKPOINTS, EMBEDDED, RECIPE, SUPPORTED_MODEL_TYPES, TASKS, Task
from core.request.limits import is_hosted
from core.request.places import is_made
from core.request.sweep_request import SweepRequest
from core.request.tasks import AUTO, AUTO_TITLE, own_task, usual_task
from core.results.provenance import PLACEHOLDER
from ui.lab.state import Asked, begun, choose_setting, lab
from ui.text import plain, refusals_shown, remark

OWN_REQUEST = SweepRequest(PLACEHOLDER, AUTO)  # of who comes with a model of their own
OTHER = "other checkpoint"  # a choice after which a place has to be typed; no name of the catalog
MAX_LABELS_LISTED = 8
KINDS = f"A fine-tuned sequence classifier of model type {', '.join(SUPPORTED_MODEL_TYPES)}."
PLACES = (
    f"The first {len(EMBEDDED)} are bundled and work offline. The others are downloaded from the Hugging Face Hub when "
    f"they are used. {KINDS}"
)
EXAMPLE = "owner/name or owner/name@revision"


def chosen_checkpoint(shown: SweepRequest) -> str:
    """Return the known checkpoint that the step will show, before it is drawn; OTHER for one of the visitor's own.

    Args:
        shown: What it says at first.
    """
    first = shown.checkpoint if shown.checkpoint in CHECKPOINTS else OTHER
    return st.session_state.get("lab-checkpoint") or lab().settings.get("lab-checkpoint", first)


def choose_model(shown: SweepRequest, asked: Asked) -> Task | None:
    """Draw the step.

    Args:
        shown: What it says at first.
        asked: Gets the checkpoint and the name of the task.

    Returns:
        The task; None while the checkpoint's labels are not known.
    """
    first = shown.checkpoint if shown.checkpoint in CHECKPOINTS else OTHER
    place_title = "Hub model id" if is_hosted() else "Folder or Hub model id"
    names = {**{id_: known.title for id_, known in CHECKPOINTS.items()}, OTHER: f"Another one: {place_title}"}
    choice = place = choose_setting("Checkpoint", names, first, "checkpoint", PLACES)
    if choice == OTHER:
        is_here = not shown.checkpoint.startswith((PLACEHOLDER, RECIPE)) or is_made(shown.checkpoint)
        value = shown.checkpoint if first == OTHER and is_here else ""
        typed = st.text_input(place_title, placeholder=EXAMPLE, help=KINDS, **begun("place", value)).strip()
        place = typed if is_hosted() else expanduser(typed)
        if not place:
            asked.missing.append(f"Enter the {place_title} of your checkpoint")
    titles = {name: f"{task.title}: {task.question}" for name, task in TASKS.items()}
    titles |= {AUTO: f"{AUTO_TITLE}, on data of my own"}
    usual = shown.task if first == choice else usual_task(choice)
    task = choose_setting("Task", titles, usual, f"task-{choice}", "What the checkpoint was fine-tuned to decide.")
    asked.fields |= {"checkpoint": place, "task": task}
    if task != AUTO or not place:
        return TASKS.get(task)
    with refusals_shown():
        with st.spinner("Reading the checkpoint's labels …", show_time=False):
            found = labels_at_hand(place)
        remark(plain(f"Its {len(found)} labels: {first_few(found, MAX_LABELS_LISTED)}."))
        return own_task(place, found)
    return None
