"""The visitor's own results: a list with links and, run locally, the files' folder and a way to delete them."""

from datetime import datetime

import streamlit as st

from core.errors import PrunescopeError
from core.request.limits import is_hosted
from core.results import library, store
from core.results.library import Entry
from core.results.schema import SweepResult
from ui.address import set_parameter
from ui.header import link_to
from ui.jobs import original_request
from ui.lab.state import lab
from ui.results import by_key, own_results
from ui.text import plain, remark
from ui.view_state import link_parameters

OF_THIS_VISIT = (
    "Only results of this visit are listed. Bookmark results you need; they are lost when the server restarts."
)
FIRST, MOST = 8, 24  # results that are listed at first, and on request
MAX_REASONS = 5  # for files that cannot be shown


def show_history(shown: SweepResult | None) -> None:
    """Show the list, folded: the newest; the others are found by search on the other pages.

    Args:
        shown: The result on the page, which is marked.
    """
    entries = own_results()
    with st.expander(f"Your results ({len(entries)})", key="lab-history-box", icon=":material/history:"):
        if not is_hosted() and (files := library.unreadable()):
            reasons = "".join(f"\n- {plain(file.reason)}" for file in files[:MAX_REASONS])
            st.warning(f"{len(files)} of the files in your folder cannot be shown:{reasons}")
        if not entries:
            remark("Finished runs are saved, and listed here.")
            return
        if is_hosted():
            remark(OF_THIS_VISIT)
        else:
            remark("They are files in this folder, which the other pages read as well:")
            st.code(str(store.user_folder()), language=None, wrap_lines=True)
        if len(entries) > MOST:
            link_to("Grid", "See all at once", ":material/grid_on:")
        more = f"Show all {len(entries)}" if len(entries) <= MOST else f"Show the newest {MOST}"
        all_listed = len(entries) <= FIRST or st.toggle(more, key="lab-history-all")
        for entry in entries[: MOST if all_listed else FIRST]:
            _row(entry, shown is not None and shown.key == entry.key)


def _row(entry: Entry, is_shown: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        label = f"{plain(entry.name)} · {_day(entry.created_at)}{' · on show' if is_shown else ''}"
        icon = ":material/visibility:" if is_shown else ":material/open_in_new:"
        st.page_link("pages/lab.py", label=label, icon=icon, query_params=link_parameters("Lab", result=entry.key))
        if not is_hosted():
            with st.popover("Delete", key=f"lab-delete-{entry.key}", type="tertiary"):
                st.markdown("This deletes the file for good. The settings that made it stay as they are.")
                st.button("Delete this result", key=f"lab-deleted-{entry.key}", on_click=_delete, args=(entry.key,))
    if error := st.session_state.pop(f"lab-not-deleted-{entry.key}", None):
        st.error(plain(error))


def _delete(key: str) -> None:
    shown = by_key(key) if st.query_params.get("result") == key else None
    try:
        library.delete_own(key)
    except PrunescopeError as error:
        st.session_state[f"lab-not-deleted-{key}"] = str(error)
        return
    if shown:
        lab().begins, lab().follows = (original_request(shown), False), ""
    for name in ("result", "other"):
        if st.query_params.get(name) == key:
            set_parameter(name, None)


def _day(created_at: str) -> str:
    try:
        moment = datetime.fromisoformat(created_at)
    except ValueError:
        return plain(created_at)
    return f"{moment:%d %b %Y, %H:%M} UTC"
