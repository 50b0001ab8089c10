"""A data set on the Hub as a visitor's own data: its name, its download by the worker, and what its columns mean."""

from pathlib import Path

import streamlit as st

from core.inputs.tables import DataFile, read_table
from core.jobs import queue
from core.jobs.job import Job
from core.request.catalog import Task
from core.request.limits import limits
from core.request.sweep_request import DATASET, dataset_of
from ui.jobs import ask_worker, follow
from ui.own_sentences import ChosenTable, ask_meaning
from ui.settings import begin
from ui.text import plain

VALIDATION = "validation"
FETCHING = "lab-fetching"  # of the session: the data set and split asked for, and the id of the job


def choose_dataset(task: Task, before: ChosenTable | None) -> ChosenTable | None:
    """Ask for a data set, let the worker download what is read of it, and ask what its columns mean.

    Args:
        task: What it is for: a preset, or made from the checkpoint's labels.
        before: The data set of the run on show.

    Returns:
        None if there is none yet, or something is still to be decided, which the page says.
    """
    name, split = _ask_name(before)
    if before and f"{DATASET}{name}" == before.data and split == before.split:
        st.markdown(":small[The data set of the run on show is used again.]")
        return before
    job = _job_for(name, split)
    if job is None:
        st.markdown(
            f":small[Only files that hold its first {limits().rows:,} rows are downloaded; a loading script is never "
            "run.]"
        )
        return None
    if not job.ended:
        follow(job)
        return None
    if job.outcome is None:
        st.error(plain(job.message))
        return None
    files = tuple(DataFile(Path(path), file) for path, file in job.outcome["files"])
    return ask_meaning(job.outcome["data"], read_table(files, limits().rows), task, split)


def _ask_name(before: ChosenTable | None) -> tuple[str, str]:
    """Draw the fields and the button, which starts the download."""
    name_key = begin("dataset", before.data.removeprefix(DATASET) if before else "")
    split_key = begin("split", (before.split if before else None) or VALIDATION)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Data set on the Hub",
            key=name_key,
            placeholder="owner/name, owner/name/configuration or owner/name@revision",
        ).strip()
        split = st.text_input("Split", key=split_key, width=200).strip() or VALIDATION
        pressed = st.button("Read it", key="lab-fetch", icon=":material/download:")
    if name:
        dataset_of(f"{DATASET}{name}")  # refused if it is no name
    if pressed and name:
        job_id = ask_worker("fetch", data=f"{DATASET}{name}", split=split)
        st.session_state[FETCHING] = name, split, job_id
        queue.wait(job_id, lambda job: job.ended, 1.0)
    return name, split


def _job_for(name: str, split: str) -> Job | None:
    """Return the download of this data set; None if it was not asked for."""
    asked = st.session_state.get(FETCHING, ("", "", ""))
    return queue.get(asked[2]) if asked[:2] == (name, split) else None
