"""Open an uploaded result file: kept in the user's folder, or on a hosted server for this visit only."""

from functools import partial
from threading import Lock

import streamlit as st
from cachetools import LRUCache

from core.errors import PrunescopeError
from core.request.limits import is_hosted, limits
from core.results import store
from core.results.cut import Result, study_in, sweep_in
from core.results.fields import bytes_of
from ui.address import set_parameter, show
from ui.text import refusals_shown

MAX_KEPT = 4  # results of one visit on a hosted server, whose memory all visitors share
MOST_BYTES = 64 * 2**20  # of the results of all visits together there; one of twelve layers takes 2 MiB
RESULT_BYTES = 24 * 2**20  # of one of them: to draw more, the server would keep other visitors waiting
KEPT = "uploaded-results"  # of the session: key -> checksum
# Hosted, by checksum, which covers everything in a file.
_opened: LRUCache[str, Result] = LRUCache(MOST_BYTES, getsizeof=bytes_of)
_lock = Lock()


def show_upload(*, study: bool = False) -> None:
    """Let a visitor open a result file; the address names it from then on.

    Args:
        study: Whether it is to be a study of cuts, not a sweep.
    """
    where = "kept for this visit only" if is_hosted() else "kept among your results"
    st.file_uploader(
        "Open a result file",
        type="json",
        key="upload",
        max_upload_size=limits().upload_bytes // 2**20,
        help=f"A JSON file that Prunescope wrote, here or elsewhere; it is checked, and {where}.",
        on_change=_open,
        args=(study,),
    )


def _open(study: bool) -> None:
    """Open the file that was chosen; what is refused stands at the top of the page."""
    if file := st.session_state["upload"]:
        with refusals_shown():
            key = keep((study_in if study else sweep_in)(store.open_upload(file.getvalue(), file.name), file.name))
            set_parameter("job", None)  # which would be shown in its place; its page leads back to a run that goes on
            (partial(set_parameter, "study") if study else show)(key)


def keep(result: Result) -> str:
    """Keep a checked result where pages find it; return its key. A bundled result is never replaced.

    Args:
        result: From `core.results.store.open_upload`.

    Raises:
        PrunescopeError: The user's folder cannot be written, or the result is too large to keep it for a visit.
    """
    if store.is_shipped(result.key):
        return result.key
    if is_hosted():
        if bytes_of(result) > RESULT_BYTES:
            raise PrunescopeError(
                f"this result takes {bytes_of(result) / 2**20:,.0f} MiB of memory, at most {RESULT_BYTES // 2**20} "
                "are allowed here: open it on your own computer"
            )
        with _lock:
            _opened[result.checksum] = result
        known = [item for item in st.session_state.get(KEPT, {}).items() if item[0] != result.key]
        st.session_state[KEPT] = dict([*known, (result.key, result.checksum)][-MAX_KEPT:])
    else:
        store.save(result)
    return result.key


def kept() -> dict[str, Result]:
    """Return the results that this visit alone has opened, by key; others may have taken the place of some."""
    visit = st.session_state.get(KEPT, {})
    with _lock:
        return {key: _opened[checksum] for key, checksum in visit.items() if checksum in _opened}
