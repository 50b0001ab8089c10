"""Step 1 of the Lab's settings, the model: a checkpoint, its place directly below, and the task that it answers."""

from dataclasses import dataclass
from os.path import isdir

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import PrunescopeError, first_few
from core.inputs.checkpoints import labels_at_hand
from core.request.catalog import EMBEDDED, ON_THE_HUB, RECIPE, SUPPORTED_MODEL_TYPES, TASKS, Task
from core.request.limits import is_hosted
from core.request.sweep_request import SweepRequest, is_made
from core.request.tasks import AUTO, AUTO_TITLE, made_task
from core.results.provenance import PLACEHOLDER
from ui.lab.settings import FOLDER, begun, choose_setting, existing_folder, folder_option, type_folder
from ui.remarks import refusals_shown, remark
from ui.text import plain

KNOWN = {known.id: known for known in (*EMBEDDED.values(), *ON_THE_HUB)}
OTHER = "other checkpoint"  # a choice after which an id has to be typed; no name of the catalog
MAX_LABELS_LISTED = 8
NO_WEIGHTS = "The weights of the result on show are not bundled, so these settings begin with another checkpoint."
KINDS = f"A fine-tuned sequence classifier of model type {', '.join(SUPPORTED_MODEL_TYPES)}."


@dataclass(frozen=True)
class ChosenModel:
    """What the first step asks for.

    Attributes:
        choice: An id from KNOWN, OTHER or FOLDER.
        place: That id, or what was typed.
        task: A name from `core.request.tasks.TASK_NAMES`.
        known: The task itself; None while the checkpoint's labels are not known.
    """

    choice: str
    place: str
    task: str
    known: Task | None

    @property
    def is_embedded(self) -> bool:
        """Whether the checkpoint lies in this project."""
        return self.choice in KNOWN and KNOWN[self.choice].folder is not None

    def checkpoint(self) -> str:
        """Return the checkpoint as a request names it.

        Raises:
            PrunescopeError: Nothing was typed, or no folder.
        """
        return _placed(self.choice, self.place)

    def is_still(self, checkpoint: str) -> bool:
        """Whether a checkpoint is asked for, and it is this one."""
        try:
            return self.checkpoint() == checkpoint
        except PrunescopeError:
            return False


def choose_model(shown: SweepRequest) -> ChosenModel:
    """Draw the step.

    Args:
        shown: What it says at first.
    """
    choice = _choose_checkpoint(shown)
    if _lacks_weights(shown):
        remark(NO_WEIGHTS)
    place = _type_place(shown, choice)
    labels = st.container()
    task = _choose_task(shown, choice)
    return ChosenModel(choice, place, task, _known_task(task, choice, place, labels))


def _placed(choice: str, place: str) -> str:
    if choice == FOLDER:
        return place if place.startswith(RECIPE) else existing_folder(place, "checkpoint")
    if not place.strip():
        raise PrunescopeError("Enter the Hub model id of your checkpoint, such as owner/name")
    return place.strip()


def _choose_checkpoint(shown: SweepRequest) -> str:
    names = {
        **{known.id: known.title for known in KNOWN.values()},
        OTHER: "Another one on the Hub",
        **folder_option("A folder on this computer"),
    }
    note = (
        f"The first {len(EMBEDDED)} are bundled and work offline. The others are downloaded from the Hugging Face Hub "
        f"when they are used. {KINDS}"
    )
    return choose_setting("Checkpoint", names, _choice_of(shown), "checkpoint", note)


def _choice_of(shown: SweepRequest) -> str:
    """Return the option that a request begins with; in place of weights that are not here, a known one of the task."""
    checkpoint = shown.checkpoint
    if checkpoint in KNOWN:
        return checkpoint
    if _lacks_weights(shown):
        return next((known.id for known in KNOWN.values() if known.task == shown.task), OTHER)
    is_place = checkpoint.startswith((PLACEHOLDER, RECIPE)) or isdir(checkpoint)
    return FOLDER if is_place and not is_hosted() else OTHER


def _lacks_weights(shown: SweepRequest) -> bool:
    return shown.checkpoint.startswith(RECIPE) and not is_made(shown.checkpoint)


def _type_place(shown: SweepRequest, choice: str) -> str:
    """Ask for a checkpoint by its place."""
    if choice not in (OTHER, FOLDER):
        return choice
    is_shown = _choice_of(shown) == choice and not shown.checkpoint.startswith(PLACEHOLDER)
    value = shown.checkpoint if is_shown else ""
    if choice == FOLDER:
        return type_folder("Folder of the checkpoint", value, "folder")
    typed: str = st.text_input(
        "Hub model id",
        placeholder="owner/name or owner/name@revision",
        help=f"{KINDS} Without a revision, the newest one.",
        **begun("hub-id", value),
    )
    return typed


def _choose_task(shown: SweepRequest, choice: str) -> str:
    """Ask for the task: a known checkpoint's own, else, as a guess, what its labels say."""
    own = KNOWN[choice].task if choice in KNOWN else AUTO
    preferred = shown.task if _choice_of(shown) == choice else own
    names = {
        **{name: f"{task.title}: {task.question}" for name, task in TASKS.items()},
        AUTO: f"{AUTO_TITLE}, on data of my own",
    }
    note = "What the checkpoint was fine-tuned to decide."
    guess = None if choice in KNOWN else own
    return choose_setting("Task", names, preferred, f"task-{choice}", note, guess)


def _known_task(task: str, choice: str, place: str, beside: DeltaGenerator) -> Task | None:
    """Return a preset, or the task of a checkpoint's own labels, which are read as soon as its place is known."""
    if task in TASKS:
        return TASKS[task]
    if not place.strip():
        return None
    with beside, refusals_shown():
        with st.spinner("Reading the checkpoint's labels …", show_time=False):
            labels = labels_at_hand(_placed(choice, place))
        remark(plain(f"Its {len(labels)} labels: {first_few(labels, MAX_LABELS_LISTED)}."))
        return made_task((), labels)
    return None
