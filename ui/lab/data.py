"""The first two steps of the Lab's settings.

The model: a checkpoint and the task that it answers. The data: where the examples come from, the
meaning of their columns and labels, and how many are evaluated.
"""

from os.path import expanduser
from pathlib import Path

import streamlit as st

from core.findings.words.choices import ASKING
from core.inputs.checkpoints import config_at_hand
from core.inputs.data import VALIDATION
from core.inputs.examples import usual_number
from core.inputs.labels import label_names
from core.inputs.tables import DataFile
from core.request import catalog
from core.request.limits import (
    DATASET,
    OWN,
    TABLE_SUFFIXES,
    dataset_of,
    is_hosted,
    is_made,
    is_upload,
    limits,
)
from core.request.sweep_request import (
    AUTO,
    AUTO_TITLE,
    DataRequest,
    SweepRequest,
    own_task,
    usual_task,
)
from core.results.provenance import PLACEHOLDER
from ui.jobs import answer_to, ask
from ui.lab.state import Draft, choose_setting, setting, type_setting
from ui.lab.table import ROWS, Fields, ask_meaning, choose_table, read_preview
from ui.text import refusals_shown, remark

OWN_REQUEST = SweepRequest(PLACEHOLDER, AUTO)  # the settings for a visitor's own model begin so
OTHER = "other checkpoint"  # a choice beside the catalog's checkpoints
KINDS = (
    f"A fine-tuned sequence classifier of model type {', '.join(catalog.SUPPORTED_MODEL_TYPES)}."
)
PLACES = (
    f"{len(catalog.EMBEDDED)} are bundled and work offline; others come from the Hub when they are "
    f"used. {KINDS}"
)
NETWORK = " · needs the network"
DATASET_EXAMPLE = "owner/name, owner/name/configuration or owner/name@revision"

# Sources of examples that ask for more, with what the visitor has to do.
OWN_SENTENCES = "own sentences"
ON_HUB = "data set"
MISSING = {OWN_SENTENCES: "Choose your file", ON_HUB: "Fetch a data set on the Hub"}


def chosen_checkpoint(request: DataRequest) -> str:
    """Return the checkpoint that the settings will show; OTHER if it is the visitor's own."""
    first = request.checkpoint if request.checkpoint in catalog.CHECKPOINTS else OTHER
    return st.session_state.get("lab-checkpoint", first)


def choose_model(request: DataRequest, draft: Draft) -> catalog.Task | None:
    """Draw the first step.

    Args:
        request: The request that the settings begin with.
        draft: Receives the checkpoint and the name of the task.

    Returns:
        The task; None while the labels of the checkpoint are unknown.
    """
    first = request.checkpoint if request.checkpoint in catalog.CHECKPOINTS else OTHER
    place_title = "Hub model id"
    example = "owner/name or owner/name@revision"
    if not is_hosted():
        place_title = f"Folder or {place_title}"
        example = f"~/models/my-bert or {example}"
    titles = {OTHER: f"My own checkpoint ({'Hub id' if is_hosted() else 'folder or Hub id'})"}
    for name, entry in catalog.CHECKPOINTS.items():
        titles[name] = entry.title + ("" if entry.folder else NETWORK)
    choice = place = choose_setting("Checkpoint", titles, first, "checkpoint", PLACES)
    if choice == OTHER:
        is_here = not request.checkpoint.startswith((PLACEHOLDER, catalog.RECIPE)) or is_made(
            request.checkpoint
        )
        value = request.checkpoint if first == OTHER and is_here else ""
        place = type_setting(
            place_title,
            "place",
            value,
            placeholder=example,
            help=KINDS,
        )
        if not place:
            draft.missing.append(f"Enter the {place_title} of your checkpoint")
        if not is_hosted():
            place = expanduser(place)
    tasks = {name: ASKING[task.title] for name, task in catalog.TASKS.items()}
    tasks[AUTO] = f"{AUTO_TITLE}, on data of my own"
    usual = request.task if first == choice else usual_task(choice)
    note = "What the checkpoint was fine-tuned to decide."
    task = choose_setting("Task", tasks, usual, f"task-{choice}", note)
    draft.fields |= {"checkpoint": place, "task": task}
    if task != AUTO or not place:
        return catalog.TASKS.get(task)
    with refusals_shown(), st.spinner("Reading the checkpoint's labels …"):
        return own_task(place, label_names(config_at_hand(place), place))
    return None


def choose_data(
    request: DataRequest,
    draft: Draft,
    task: catalog.Task | None,
    most: int = catalog.DEFAULT_EXAMPLES,
) -> None:
    """Draw the second step.

    Args:
        request: The request that the settings begin with.
        draft: Receives the place of the examples and their meaning; it has the model already.
        task: The task of the examples; None while it is unknown.
        most: The number of examples if none is asked for and there are as many.
    """
    name = draft.fields["task"]
    is_embedded = draft.fields["checkpoint"].startswith("embedded:")
    titles = {}
    preset = catalog.TASKS.get(name)
    if (catalog.SHIPPED / "subsets" / f"{name}.jsonl").is_file():
        titles["written"] = "Examples written for this project"
    if preset and preset.dataset_id:
        titles["hub"] = f"GLUE's {preset.split.replace('_', ' ')} split, from the Hub"
    titles |= {OWN_SENTENCES: "A file of my own", ON_HUB: "A data set on the Hub"}
    first = _source_of(request.data or ("written" if is_embedded else "hub"))
    choice = choose_setting(
        "Examples from", titles, first, f"data-{is_embedded if preset else 'own'}"
    )
    fields: Fields | str = {"data": choice}
    if choice in MISSING:
        fields = MISSING[choice]
        has_same_labels = request.task == name and (
            name != AUTO or request.checkpoint == draft.fields["checkpoint"]
        )
        if task is None:
            remark("The labels come from the checkpoint: enter its place above first.")
        else:
            choose_own = _choose_dataset if choice == ON_HUB else choose_table
            with refusals_shown():
                fields = choose_own(task, request if has_same_labels else None) or fields
    if isinstance(fields, str):
        draft.missing.append(fields)
    else:
        draft.rows = fields.pop(ROWS, None)
        draft.fields |= fields
    usual = min(most, limits().examples)
    most = limits().examples
    asked = request.num_examples
    # Other tables may have a split of their own to score on.
    if draft.rows and is_upload(draft.fields["data"]):
        usual = usual_number(draft.rows[0], usual)
    first_number = (
        min(asked, most) if asked and asked != usual else None
    )  # other data may have fewer
    draft.fields["num_examples"] = st.number_input(
        "Number of examples",
        catalog.MIN_EXAMPLES,
        most,
        placeholder=f"up to {usual:,}",
        help=(
            f"Leave empty for as many as there are, up to {usual:,}; of your own file, at most "
            "half the rows."
        ),
        **setting("examples", first_number),
    )


def _source_of(data: str) -> str:
    if data.startswith(DATASET):
        return ON_HUB
    return OWN_SENTENCES if data.startswith(OWN) or data.lower().endswith(TABLE_SUFFIXES) else data


def _choose_dataset(task: catalog.Task, before: DataRequest | None) -> Fields | str | None:
    """Ask for a data set on the Hub, and once it is fetched for the meaning of its columns.

    Args:
        task: The task, a preset or made from the checkpoint's labels.
        before: The run on show if its labels are the same, for its data set to be used again.

    Returns:
        The fields of the request; what the visitor has still to do; None if that is to fetch one,
        or to wait.

    Raises:
        PrunescopeError: The name is malformed, or the worker cannot be asked.
    """
    data = (before and before.data) or ""
    last = data.removeprefix(DATASET) if data.startswith(DATASET) else ""
    name = type_setting(
        "Data set on the Hub",
        "dataset",
        last,
        placeholder=DATASET_EXAMPLE,
    )
    split = type_setting("Split", "split", (before and before.split) or VALIDATION)
    if before and last and (name, split) == (last, before.split):
        remark("The data set of the run on show is used again.")
        return {
            field: getattr(before, field)
            for field in ("data", "split", "text", "label", "label_map")
        }
    fields = {"data": f"{DATASET}{name}", "split": split or VALIDATION}
    fetch = st.button(f"Fetch its first {limits().rows:,} rows", key="lab-fetch")
    remark("A loading script is never run.")
    if fetch:
        dataset_of(fields["data"])  # refuses a malformed name
        ask("lab-data-set", fields, "fetch", **fields)
    fetched = answer_to("lab-data-set", fields)
    if fetched is None:
        return None
    files = tuple(DataFile(Path(path), file) for path, file in fetched["files"])
    table = read_preview(files, limits().rows)
    return ask_meaning(fetched["data"], table, task, fields["split"])
