"""What the server process does once, after its first page, and the next pages would otherwise wait for."""

import gc
from collections.abc import Callable
from functools import cache
from importlib import import_module
from threading import Lock
from time import monotonic
from typing import Any

from starlette.exceptions import HTTPException
from streamlit.runtime import exists, get_instance
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from core.request.limits import is_hosted

VISIT_FILES = 4  # that a visit has in Streamlit's memory: its pages have two places to choose one
ALL_BYTES = 64 * 2**20  # of the files of all visits there
TIDY_SECONDS = 10.0  # between two looks at what no page refers to


@cache
def settle() -> None:
    """Import what not every page needs, and let the garbage collector pass over all that is there by now.

    statsmodels takes almost a second. A full collection, which is due again and again while hundreds of results are
    read, looks at every object of every package; nothing of them is ever garbage.
    """
    import_module("core.sweep.paired_tests")
    if exists():
        runtime = get_instance()
        tidy_seldom(runtime.media_file_mgr)
        keep_answers()
        if is_hosted():
            bound_uploads(runtime.uploaded_file_mgr, runtime.is_active_session)
    gc.freeze()


def tidy_seldom(manager: Any) -> None:
    """Let a file that was made on a click last until the browser has fetched it.

    No page refers to it, and Streamlit deletes it when two runs of any visitor's page have ended: a page that watches a
    job ends two runs a second.

    Args:
        manager: Streamlit's, which deletes at its second look what it has found without a page at the first.
    """
    tidy, last = manager.remove_orphaned_files, -TIDY_SECONDS

    def remove_orphaned_files() -> None:
        nonlocal last
        if monotonic() - last >= TIDY_SECONDS:
            last = monotonic()
            tidy()

    manager.remove_orphaned_files = remove_orphaned_files


def keep_answers() -> None:
    """Let a browser hear where a file is that was made on its click, also if the page runs again at that moment.

    Streamlit then drops all that it has not sent yet. Without the answer, the button waits for three minutes.
    """
    clear = ForwardMsgQueue.clear

    def clear_the_rest(
        queue: ForwardMsgQueue, retain_lifecycle_msgs: bool = False, fragment_ids_this_run: list[str] | None = None
    ) -> None:
        waiting = queue._queue if retain_lifecycle_msgs else ()
        answers = [message for message in waiting if message.WhichOneof("type") == "backend_operation_response"]
        clear(queue, retain_lifecycle_msgs, fragment_ids_this_run)
        queue._queue += [answer for answer in answers if answer not in queue._queue]

    ForwardMsgQueue.clear = clear_the_rest  # type: ignore[method-assign,assignment]


def bound_uploads(manager: Any, is_open: Callable[[str], bool]) -> None:
    """Bound what Streamlit holds in memory of visitors' files.

    It takes as many as a visit sends, asked or not, and holds them until some time after the visit. The oldest of a
    visit make room for its new ones, those of closed pages for anybody's; beyond the bound of all visits a new one is
    refused.

    Args:
        manager: Streamlit's, in whose memory they are.
        is_open: Whether a visit's page is open.
    """
    add, lock = manager.add_file, Lock()

    def held() -> int:
        return sum(len(known.data) for files in list(manager.file_storage.values()) for known in files.values())

    def add_file(session_id: str, file: UploadedFileRec) -> None:
        with lock:
            for old in list(manager.file_storage.get(session_id, ()))[: -VISIT_FILES + 1]:
                manager.remove_file(session_id, old)
            for visit in list(manager.file_storage):
                if held() + len(file.data) > ALL_BYTES and not is_open(visit):
                    manager.remove_session_files(visit)
            if held() + len(file.data) > ALL_BYTES:
                raise HTTPException(503, "Many files are open here: try again in a few minutes")
            add(session_id, file)

    manager.add_file = add_file
