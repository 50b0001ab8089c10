"""A data set on the Hub as a visitor's own data: its name, its size, its download, and what its columns mean."""

from pathlib import Path
from typing import Any

import streamlit as st

from core.findings.data import download_note
from core.inputs.data import VALIDATION
from core.inputs.preview import read_preview
from core.inputs.tables import DataFile
from core.jobs import queue
from core.request.catalog import Task
from core.request.limits import limits
from core.request.sweep_request import DATASET, dataset_of
from ui.jobs import answer_to, ask_anew, ask_worker, is_awaited
from ui.lab.own_sentences import ChosenTable, ask_meaning
from ui.lab.settings import begun
from ui.remarks import remark
from ui.text import plain

QUICK_SECONDS = 1.0  # how long a page waits for an answer before it shows progress


def choose_dataset(task: Task, before: ChosenTable | None) -> ChosenTable | None:
    """Ask for a data set, say how large it is before it is downloaded, and ask what its columns mean.

    Args:
        task: What it is for: a preset, or made from the checkpoint's labels.
        before: The data set of the run on show.

    Returns:
        None if there is none yet, or something is still to be decided, which the page says.

    Raises:
        PrunescopeError: What was typed is no name, or the worker cannot be asked.
    """
    name, split = _ask_name(before)
    if before and f"{DATASET}{name}" == before.data and split == before.split:
        remark("The data set of the run on show is used again.")
        return before
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


def _ask_name(before: ChosenTable | None) -> tuple[str, str]:
    name = st.text_input(
        "Data set on the Hub",
        placeholder="owner/name, owner/name/configuration or owner/name@revision",
        **begun("dataset", before.data.removeprefix(DATASET) if before else ""),
    ).strip()
    split = st.text_input("Split", **begun("split", (before.split if before else None) or VALIDATION)).strip()
    return name, split or VALIDATION


def _is_asked(op: str, asked: dict[str, Any]) -> bool:
    """Whether the worker was asked this, and its answer, or its progress, is still known."""
    known, job_id = st.session_state.get(f"lab-{op}-asked", ({}, ""))
    return bool(known == asked and queue.get(job_id))


def _answer(op: str, **asked: Any) -> dict[str, Any] | None:
    """Ask the worker, once; None while it works, which the page shows, or where it fails, which the page says."""
    if not _is_asked(op, asked):
        job_id = ask_anew(f"lab-{op}-asked", asked, lambda: ask_worker(op, **asked))
        queue.wait(job_id, lambda job: job.ended, QUICK_SECONDS)
    answer = answer_to(f"lab-{op}-asked", asked)
    failed = answer is None and not is_awaited(f"lab-{op}-asked")
    if failed and st.button("Try again", key=f"lab-{op}-again", icon=":material/refresh:"):
        del st.session_state[f"lab-{op}-asked"]
        st.rerun()
    return answer
