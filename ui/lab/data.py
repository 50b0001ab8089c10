"""Step 2 of the Lab's settings, the data: where the examples come from, what is in them, and how many are evaluated."""

from pathlib import Path
from typing import Any

import streamlit as st

from core.findings.words.lab import download_note
from core.inputs.data import VALIDATION
from core.inputs.preview import read_preview
from core.inputs.tables import DataFile
from core.jobs import queue
from core.request.catalog import DEFAULT_EXAMPLES, MIN_EXAMPLES, SHIPPED, TASKS, Task
from core.request.limits import limits
from core.request.sweep_request import DATASET, OWN, TABLE_SUFFIXES, SweepRequest, dataset_of
from core.request.tasks import AUTO
from ui.jobs import answer_to, ask_anew, ask_worker, is_awaited
from ui.lab.state import FOLDER, Asked, begun, choose_setting, existing_folder, folder_option, type_folder
from ui.lab.table import Fields, ask_meaning, choose_table, data_fields
from ui.text import plain, refusals_shown, remark

# Choices after which a file or a name is asked for, and what is missing without it; none of them is a catalog's name.
OWN_SENTENCES, ON_HUB = "own sentences", "data set"
UNDECIDED = {
    OWN_SENTENCES: "Choose your file and say what is in it",
    ON_HUB: "Name a data set on the Hub and say what is in it",
}
QUICK_SECONDS = 1.0  # how long a page waits for an answer before it shows progress


def choose_data(shown: SweepRequest, asked: Asked, task: Task | None) -> None:
    """Draw the step.

    Embedded checkpoints start with what lies beside them, others with the Hub; without a preset a file it is.

    Args:
        shown: What it says at first.
        asked: Gets where the examples are and what is in them; it holds the model already.
        task: What the examples are for; None while it is not known.
    """
    is_embedded = str(asked.fields.get("checkpoint", "")).startswith("embedded:")
    names = {OWN_SENTENCES: "A file of my own", ON_HUB: "A data set on the Hub"}
    if preset := TASKS.get(asked.fields["task"]):
        split = preset.split.replace("_", " ")
        glue = {"hub": f"GLUE's {split} split, from the Hub", **folder_option("A folder in the Hub's layout")}
        written = (SHIPPED / "subsets" / f"{preset.name}.jsonl").is_file()
        names = {
            **({"written": "Examples written for this project"} if written else {}),
            **(glue if preset.dataset_id else {}),
            **names,
        }
    usual = "written" if is_embedded else "hub"
    first = usual if shown.data is None else _choice_of(shown.data)
    choice = choose_setting("Examples from", names, first, f"data-{is_embedded}" if preset else "data-own")
    asked.fields["data"] = choice
    if choice == FOLDER:
        typed = type_folder("Folder of the data", (shown.data or "") if first == FOLDER else "", "data-folder")
        asked.read("data", lambda: existing_folder(typed, "data"))
    elif choice in UNDECIDED:
        fields = _choose_table(shown, asked, task, is_on_hub=choice == ON_HUB)
        asked.fields |= fields or {}
        asked.refusals += [] if fields else [UNDECIDED[choice]]
    most, wanted = limits().examples, shown.num_examples
    asked.fields["num_examples"] = st.number_input(
        "Number of examples",
        MIN_EXAMPLES,
        most,
        placeholder=f"up to {DEFAULT_EXAMPLES}",
        help=f"Empty: as many as there are, up to {DEFAULT_EXAMPLES}; of a file of your own, at most half its rows.",
        **begun("examples", None if wanted is None else min(wanted, most)),
    )


def _choice_of(data: str) -> str:
    if data.startswith(DATASET):
        return ON_HUB
    if data.startswith(OWN) or data.lower().endswith(TABLE_SUFFIXES):
        return OWN_SENTENCES
    return data if data in ("written", "hub") else FOLDER


def _choose_table(shown: SweepRequest, asked: Asked, task: Task | None, is_on_hub: bool) -> Fields | None:
    """Ask for a file or a data set; that of the run on show serves on."""
    if task is None:
        remark("The labels come from the checkpoint: enter its folder or Hub id above first.")
        return None
    serves = shown.task == asked.fields["task"] and (shown.data or "").startswith(DATASET if is_on_hub else OWN)
    if is_on_hub and shown.task == AUTO and asked.fields.get("checkpoint") != shown.checkpoint:
        serves = False  # its labels are others
    before = shown if serves else None
    with refusals_shown():
        return _choose_dataset(task, before) if is_on_hub else choose_table(task, before)
    return None


# ---------------------------------------------------------------- a data set on the Hub


def _choose_dataset(task: Task, before: SweepRequest | None) -> Fields | None:
    """Ask for a data set, say how large it is before it is downloaded, and ask what its columns mean.

    Args:
        task: What it is for: a preset, or made from the checkpoint's labels.
        before: The run on show, if its data set serves on.

    Returns:
        None if there is none yet, or something is still to be decided, which the page says.

    Raises:
        PrunescopeError: What was typed is no name, or the worker cannot be asked.
    """
    known = (before.data or "").removeprefix(DATASET) if before else ""
    example = "owner/name, owner/name/configuration or owner/name@revision"
    name = st.text_input("Data set on the Hub", placeholder=example, **begun("dataset", known)).strip()
    typed: str = st.text_input("Split", **begun("split", (before.split if before else None) or VALIDATION))
    split = typed.strip() or VALIDATION
    if before and (name, split) == (known, before.split):
        remark("The data set of the run on show is used again.")
        return data_fields(before)
    if not name:
        remark("Its size is shown before anything is downloaded. A loading script is never run.")
        return None
    dataset_of(f"{DATASET}{name}")  # refused if it is no name
    found = _answer("locate", data=f"{DATASET}{name}", split=split)
    if found is None:
        return None
    asked = {"data": found["data"], "split": split}
    if found["to_download"] and not _is_asked("fetch", asked):
        remark(plain(download_note(split, found["to_download"], limits().rows)))
        if not st.button("Download and read it", key="lab-fetch", icon=":material/download:"):
            return None
    fetched = _answer("fetch", **asked)
    if fetched is None:
        return None
    files = tuple(DataFile(Path(path), file) for path, file in fetched["files"])
    return ask_meaning(fetched["data"], read_preview(files, limits().rows), task, split)


def _is_asked(op: str, asked: dict[str, Any]) -> bool:
    """Whether the worker was asked this, and its answer, or its progress, is still known."""
    known, job_id = st.session_state.get(f"lab-{op}-asked", ({}, ""))
    return bool(known == asked and queue.get(job_id))


def _answer(op: str, **asked: Any) -> dict[str, Any] | None:
    """Ask the worker, once; None while it works, which the page shows, or where it fails, which the page says."""
    name = f"lab-{op}-asked"
    if not _is_asked(op, asked):
        job_id = ask_anew(name, asked, lambda: ask_worker(op, **asked))
        queue.wait(job_id, lambda job: job.ended, QUICK_SECONDS)
    answer = answer_to(name, asked)
    failed = answer is None and not is_awaited(name)
    if failed and st.button("Try again", key=f"lab-{op}-again", icon=":material/refresh:"):
        del st.session_state[name]
        st.rerun()
    return answer
