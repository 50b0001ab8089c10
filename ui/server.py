"""What the server process does once, after its first page, and the next pages would otherwise wait for."""

import gc
from collections.abc import Callable
from functools import cache
from importlib import import_module
from threading import Lock
from time import monotonic
from typing import Any

from streamlit.runtime import exists, get_instance
from streamlit.runtime.context import StreamlitHeaders
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from core.request.limits import is_hosted
from core.wall.turns import Stored, Visitor, address_in, surplus

VISIT_FILES = 2  # of a visit in Streamlit's memory: the one that it uses, and the one that takes its place
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
            bound_uploads(runtime.uploaded_file_mgr, holder_of)
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


def bound_uploads(manager: Any, holder_of: Callable[[str], str | None]) -> None:
    """Bound what Streamlit holds in memory of visitors' files.

    It takes as many as a visit sends, asked or not, and holds them until some time after the visit. The oldest of a
    visit make room for its new ones. Where all are too much, those of closed pages go, then the oldest of the address
    that holds most.

    Args:
        manager: Streamlit's, in whose memory they are.
        holder_of: Names the holder of a session's files; None if its page is closed.
    """
    add, lock, arrivals = manager.add_file, Lock(), dict[str, float]()

    def held() -> list[Stored[tuple[str, str]]]:
        return [
            Stored(holder_of(session) or "", arrivals.get(name, 0.0), len(file.data), (session, name))
            for session, files in list(manager.file_storage.items())
            for name, file in list(files.items())
        ]

    def add_file(session_id: str, file: UploadedFileRec) -> None:
        with lock:
            for old in list(manager.file_storage.get(session_id, ()))[: -VISIT_FILES + 1]:
                manager.remove_file(session_id, old)
            add(session_id, file)
            arrivals[file.file_id] = monotonic()
            for closed in [visit for visit in manager.file_storage if holder_of(visit) is None]:
                if sum(item.size for item in held()) > ALL_BYTES:
                    manager.remove_session_files(closed)
            for place in surplus(held(), ALL_BYTES):
                manager.remove_file(*place)
            for gone in arrivals.keys() - {item.place[1] for item in held()}:
                del arrivals[gone]

    manager.add_file = add_file


def holder_of(session: str) -> str | None:
    """Return under which name an open page takes turns; None if it is closed."""
    client = get_instance().get_client(session)
    context = client.client_context if client else None
    if context is None:
        return None
    address = address_in(StreamlitHeaders(context.headers).get_all("X-Forwarded-For"), context.remote_ip)
    return Visitor(session, address).holder
