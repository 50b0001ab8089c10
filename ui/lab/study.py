"""The settings of a study of cuts: the Lab's model and data, rows that refit alone, and the bar that runs it."""

import streamlit as st

from core.findings.words.cut import FURTHER
from core.findings.words.lab import division_words
from core.inputs import uploads
from core.inputs.forecast import forecast_cut
from core.request.cut_request import MOST_JUDGED, CutRequest, divide
from core.request.limits import TABLE_SUFFIXES, limits
from core.request.sweep_request import DataRequest
from ui.jobs import start_study, visitor
from ui.lab.data import choose_data, choose_model
from ui.lab.settings import offer_run
from ui.lab.state import Draft
from ui.lab.table import privacy, read_preview
from ui.text import plain, refusals_shown, remark


def offer_study(request: DataRequest) -> None:
    """Draw the settings, which begin with a request, and the bar that runs a study."""
    draft = Draft()
    st.markdown("**1 · Model**")
    task = choose_model(request, draft)
    st.markdown("**2 · Rows**")
    choose_data(request, draft, task, MOST_JUDGED)
    with refusals_shown():
        _choose_further(draft)
    offer_run(lambda: draft.checked(CutRequest), start_study, forecast_cut)


def _choose_further(draft: Draft) -> None:
    """Ask for a file of rows that refit alone, and say how all rows are divided, if they are counted.

    Raises:
        PrunescopeError: The file is unreadable, or the rows are too few.
    """
    most = limits().upload_bytes // 2**20
    file = st.file_uploader(FURTHER, TABLE_SUFFIXES, key="lab-further", max_upload_size=most, help=privacy())
    labelled, others = draft.rows or (0, 0)
    if file:
        draft.fields["train"] = uploads.keep(file.name, file.getvalue(), visitor())
        others += len(read_preview((uploads.find(draft.fields["train"]),), limits().rows).rows)
    if draft.rows:
        remark(plain(division_words(divide(labelled, others, bool(file), draft.fields["num_examples"]))))
