"""Prepare the server process, once, after its first page; serve the HTML of pages."""

import gc
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import streamlit
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from streamlit.runtime import exists, get_instance
from streamlit.runtime.context import StreamlitHeaders
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from core.request.limits import is_hosted
from core.request.pages import PAGES
from core.wall.turns import Stored, Visitor, address_in, surplus

VISIT_FILES = (
    2  # a visit's files in Streamlit's memory: the one in use, and the one that replaces it
)
ALL_BYTES = 64 * 2**20  # of all visits' files there
BASE = "<script>window.__streamlit = {BACKEND_BASE_URL: new URL('.', location).href};</script>"


def shells() -> list[Route]:
    """Return routes to Streamlit's HTML, with the server's address, for all pages but the first.

    Without that, Streamlit's script asks for a server below the page's address, and waits 0.1 s
    after each refusal.
    """
    html = (Path(streamlit.__file__).parent / "static" / "index.html").read_text("utf-8")
    html = html.replace("<head>", f"<head>{BASE}", 1)

    async def shell(_: Request) -> HTMLResponse:
        return HTMLResponse(html, headers={"Cache-Control": "no-cache"})

    return [Route(f"/{page.address}", shell) for page in PAGES.values() if page.address]


@cache
def settle() -> None:
    """Import what only some pages need; exempt everything loaded from garbage collection.

    statsmodels takes almost a second to import. A full collection, which reading hundreds of
    results triggers again and again, visits every object of every package, though none of them is
    ever garbage.
    """
    import core.sweep.paired_tests  # noqa: F401

    if is_hosted() and exists():
        bound_uploads(get_instance().uploaded_file_mgr)
    gc.freeze()


def bound_uploads(manager: Any) -> None:
    """Bound the memory that Streamlit gives to uploaded files.

    `server.maxUploadSize` bounds a single file. Streamlit accepts any number of them, even where no
    page asks for one, and keeps them until some time after the visit, so one visitor could fill the
    memory of a hosted server. It has no option for that; this replaces its method `add_file`. A
    visit's new files push out its oldest. If all files together are too large, those of closed
    pages go first, then the oldest of the address that holds most.

    Args:
        manager: Streamlit's file manager, which keeps the files in memory.
    """
    add = manager.add_file
    lock = Lock()

    def held() -> list[Stored[tuple[str, str]]]:
        files = [
            (holder_of(session) or "", len(file.data), (session, name))
            for session, files in list(manager.file_storage.items())
            for name, file in list(files.items())
        ]
        return [
            Stored(
                holder,
                age,
                size,
                place,
            )
            for age, (holder, size, place) in enumerate(files)
        ]

    def add_file(session_id: str, file: UploadedFileRec) -> None:
        with lock:
            for old in list(manager.file_storage.get(session_id, ()))[: -VISIT_FILES + 1]:
                manager.remove_file(session_id, old)
            add(session_id, file)
            if sum(item.size for item in held()) > ALL_BYTES:
                for closed in [
                    session for session in manager.file_storage if holder_of(session) is None
                ]:
                    manager.remove_session_files(closed)
            for place in surplus(held(), ALL_BYTES):
                manager.remove_file(*place)

    manager.add_file = add_file


def holder_of(session: str) -> str | None:
    """Return the turn-taking name of a session's visitor; None if its page is closed."""
    context = getattr(get_instance().get_client(session), "client_context", None)
    if context is None:
        return None
    address = address_in(
        StreamlitHeaders(context.headers).get_all("X-Forwarded-For"), context.remote_ip
    )
    return Visitor(session, address).holder
