"""The visitor's own results: links, and on one's own computer their folder and deletion."""

import streamlit as st

from core.findings.words.choices import distinguishing_labels
from core.request.limits import is_hosted
from core.results import library, store
from ui.address import link_to, set_parameter
from ui.results import own_results
from ui.text import plain, refusals_shown, remark

MAX_LISTED = 12


def show_history(on_show: str | None) -> None:
    """List the newest results, folded away; the other pages have the rest.

    Args:
        on_show: The key of the result on the page, which is marked.
    """
    entries = own_results(library.Entry)
    with st.expander(
        f"Your results ({len(entries)})",
        key="lab-history-box",
        icon=":material/history:",
    ):
        if is_hosted():
            remark(
                "This visit's results only. Download those you need; they are lost when the server "
                "restarts."
            )
        else:
            if files := library.unreadable():
                reasons = "".join(f"\n- {plain(reason)}" for reason in files[:5])
                st.warning(f"{len(files)} of the files in your folder cannot be shown:{reasons}")
            remark(
                "Finished runs are saved as files in this folder, which the other pages read as "
                "well:"
            )
            st.code(str(store.user_folder()), language=None, wrap_lines=True)
        labels = distinguishing_labels(entries)
        for entry in entries[:MAX_LISTED]:
            with st.container(horizontal=True, vertical_alignment="center"):
                mark = " · on show" if entry.key == on_show else ""
                label = f"{plain(labels[entry.key])} · {plain(entry.created_at[:10])}{mark}"
                link_to("Lab", label, ":material/open_in_new:", result=entry.key, job="")
                if not is_hosted():
                    _offer_deletion(entry.key)


def _offer_deletion(key: str) -> None:
    with st.popover("Delete", key=f"lab-delete-{key}", type="tertiary"):
        st.markdown("This deletes the file for good.")
        if st.button("Delete this result", key=f"lab-deleted-{key}"):
            with refusals_shown():
                library.delete_own(key)
                for name in ("result", "other"):
                    if st.query_params.get(name) == key:
                        set_parameter(name, None)
                st.rerun()
