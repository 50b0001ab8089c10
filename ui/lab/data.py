"""Steps 1 and 2 of the Lab's settings.

The model: a checkpoint, its place directly below, and the task that it answers. The data: where the examples come from,
what is in them, and how many are evaluated.
"""

from os.path import expanduser
from pathlib import Path
from typing import Any

import streamlit as st

from core.findings.words.choices import ASKING
from core.inputs.checkpoints import labels_at_hand
from core.inputs.data import VALIDATION
from core.inputs.tables import DataFile
from core.request import catalog
from core.request.limits import DATASET, OWN, TABLE_SUFFIXES, dataset_of, is_hosted, is_made, limits
from core.request.sweep_request import AUTO, AUTO_TITLE, SweepRequest, own_task, usual_task
from core.results.provenance import PLACEHOLDER
from ui.jobs import answer_to, ask, drop_question, job_of
from ui.lab.state import Asked, begun, choose_setting, lab, type_setting
from ui.lab.table import Fields, ask_meaning, choose_table, read_preview
from ui.text import refusals_shown, remark

OWN_REQUEST = SweepRequest(PLACEHOLDER, AUTO)  # of who comes with a model of their own
OTHER = "other checkpoint"  # a choice after which a place has to be typed; no name of the catalog
KINDS = f"A fine-tuned sequence classifier of model type {', '.join(catalog.SUPPORTED_MODEL_TYPES)}."
PLACES = (
    f"The first {len(catalog.EMBEDDED)} are bundled and work offline. The others are downloaded from the Hugging Face "
    f"Hub when they are used. {KINDS}"
)
EXAMPLE = "owner/name or owner/name@revision"


def chosen_checkpoint(shown: SweepRequest) -> str:
    """Return the known checkpoint that the step will show, before it is drawn; OTHER for one of the visitor's own.

    Args:
        shown: What it says at first.
    """
    first = shown.checkpoint if shown.checkpoint in catalog.CHECKPOINTS else OTHER
    return st.session_state.get("lab-checkpoint") or lab().settings.get("lab-checkpoint", first)


def choose_model(shown: SweepRequest, asked: Asked) -> catalog.Task | None:
    """Draw the step.

    Args:
        shown: What it says at first.
        asked: Gets the checkpoint and the name of the task.

    Returns:
        The task; None while the checkpoint's labels are not known.
    """
    first = shown.checkpoint if shown.checkpoint in catalog.CHECKPOINTS else OTHER
    place_title = "Hub model id" if is_hosted() else "Folder or Hub model id"
    names = {**{id_: known.title for id_, known in catalog.CHECKPOINTS.items()}, OTHER: f"Another one: {place_title}"}
    choice = place = choose_setting("Checkpoint", names, first, "checkpoint", PLACES)
    if choice == OTHER:
        is_here = not shown.checkpoint.startswith((PLACEHOLDER, catalog.RECIPE)) or is_made(shown.checkpoint)
        value = shown.checkpoint if first == OTHER and is_here else ""
        typed = type_setting(place_title, "place", value, placeholder=EXAMPLE, help=KINDS)
        place = typed if is_hosted() else expanduser(typed)
        if not place:
            asked.missing.append(f"Enter the {place_title} of your checkpoint")
    titles = {name: ASKING[task.title] for name, task in catalog.TASKS.items()}
    titles |= {AUTO: f"{AUTO_TITLE}, on data of my own"}
    usual = shown.task if first == choice else usual_task(choice)
    task = choose_setting("Task", titles, usual, f"task-{choice}", "What the checkpoint was fine-tuned to decide.")
    asked.fields |= {"checkpoint": place, "task": task}
    if task != AUTO or not place:
        return catalog.TASKS.get(task)
    with refusals_shown():
        with st.spinner("Reading the checkpoint's labels …", show_time=False):
            found = labels_at_hand(place)
        return own_task(place, found)
    return None


# Choices after which a place, a file or a name is asked for, and what is missing without it; no names of the catalog.
FOLDER, OWN_SENTENCES, ON_HUB = "folder", "own sentences", "data set"
UNDECIDED = {
    FOLDER: "Enter the path of your data folder",
    OWN_SENTENCES: "Choose your file",
    ON_HUB: "Name a data set on the Hub",
}
QUICK_SECONDS = 1.0  # how long a page waits for an answer before it shows progress


def choose_data(shown: SweepRequest, asked: Asked, task: catalog.Task | None) -> None:
    """Draw the step.

    Embedded checkpoints start with what lies beside them, others with the Hub; without a preset a file it is.

    Args:
        shown: What it says at first.
        asked: Gets where the examples are and what is in them; it holds the model already.
        task: What the examples are for; None while it is not known.
    """
    name, is_embedded = asked.fields["task"], asked.fields["checkpoint"].startswith("embedded:")
    names, preset = {}, catalog.TASKS.get(name)
    if (catalog.SHIPPED / "subsets" / f"{name}.jsonl").is_file():
        names["written"] = "Examples written for this project"
    if preset and preset.dataset_id:
        names["hub"] = f"GLUE's {preset.split.replace('_', ' ')} split, from the Hub"
        names |= {} if is_hosted() else {FOLDER: "A folder in the Hub's layout"}
    names |= {OWN_SENTENCES: "A file of my own", ON_HUB: "A data set on the Hub"}
    first = _choice_of(shown.data or ("written" if is_embedded else "hub"))
    choice = choose_setting("Examples from", names, first, f"data-{is_embedded if preset else 'own'}")
    fields: Fields | str | None = {"data": choice}
    if choice == FOLDER:
        value = (shown.data or "") if first == FOLDER else ""
        typed = type_setting("Folder of the data", "data-folder", value, placeholder="a path here")
        fields = {"data": expanduser(typed)} if typed else None
    elif choice in UNDECIDED:
        same_task = shown.task == name and (name != AUTO or shown.checkpoint == asked.fields["checkpoint"])
        fields, before = None, shown if same_task else None
        if task is None:
            remark("The labels come from the checkpoint: enter its place above first.")
        else:
            with refusals_shown():
                fields = _choose_dataset(task, before) if choice == ON_HUB else choose_table(task, before)
    if isinstance(fields, dict):
        asked.fields |= fields
    else:
        asked.missing.append(fields or UNDECIDED[choice])
    most, wanted, usual = limits().examples, shown.num_examples, f"up to {catalog.DEFAULT_EXAMPLES}"
    asked.fields["num_examples"] = st.number_input(
        "Number of examples",
        catalog.MIN_EXAMPLES,
        most,
        placeholder=usual,
        help=f"Leave empty for as many as there are, {usual}; of your own file, at most half the rows.",
        **begun("examples", None if wanted is None else min(wanted, most)),
    )


def _choice_of(data: str) -> str:
    if data.startswith(DATASET):
        return ON_HUB
    if data.startswith(OWN) or data.lower().endswith(TABLE_SUFFIXES):
        return OWN_SENTENCES
    return data if data in ("written", "hub") else FOLDER


def _choose_dataset(task: catalog.Task, before: SweepRequest | None) -> Fields | str | None:
    """Ask for a data set on the Hub, say how large it is before it is downloaded, and ask what its columns mean.

    Args:
        task: What it is for: a preset, or made from the checkpoint's labels.
        before: The run on show, if its labels are the same; its data set serves on.

    Returns:
        None if there is none yet; what has still to be done if something is undecided.

    Raises:
        PrunescopeError: What was typed is no name, or the worker cannot be asked.
    """
    serves = before is not None and (before.data or "").startswith(DATASET)
    known = (before.data or "").removeprefix(DATASET) if before and serves else ""
    example = "owner/name, owner/name/configuration or owner/name@revision"
    name = type_setting("Data set on the Hub", "dataset", known, placeholder=example)
    split = type_setting("Split", "split", (before.split if before else None) or VALIDATION)
    if before and serves and (name, split) == (known, before.split):
        remark("The data set of the run on show is used again.")
        return {field: getattr(before, field) for field in ("data", "split", "text", "label", "label_map")}
    if not name:
        remark("Its size is shown before anything is downloaded. A loading script is never run.")
        return None
    dataset_of(f"{DATASET}{name}")  # refused if it is no name
    found = _answer("locate", data=f"{DATASET}{name}", split=split or VALIDATION)
    if found is None:
        return None
    megabytes, data = sum(found["to_download"]) / 2**20, found["data"]
    label = f"Download it: at most {megabytes:,.1f} MiB, until {limits().rows:,} rows are there"
    if megabytes and not st.checkbox(label, **begun(f"fetch-{data}", value=False)):
        return None
    fetched = _answer("fetch", data=data, split=split or VALIDATION)
    if fetched is None:
        return None
    files = tuple(DataFile(Path(path), file) for path, file in fetched["files"])
    if not all(file.path.is_file() for file in files):  # they have made room for others since
        for op in ("locate", "fetch"):
            drop_question(f"lab-{op}-asked")
        st.rerun()
    return ask_meaning(data, read_preview(files, limits().rows), task, split=split or VALIDATION)


def _answer(op: str, /, **asked: Any) -> dict[str, Any] | None:
    """Ask the worker, once; None while it works, which the page shows, or where it fails, which the page says."""
    name = f"lab-{op}-asked"
    if job_of(name, asked) is None:
        ask(name, asked, op, wait=QUICK_SECONDS, **asked)
    return answer_to(name, asked)
