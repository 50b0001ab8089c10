"""Bound the Hub's client: how long it waits, how often it tries again, how much it reads, what it prints. No torch.

Importing this module sets the client of the whole process. `core/__init__.py` sets the client's environment variables,
which it reads when it is first imported.
"""

import logging
import os
import re
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import Any

import httpx2
from huggingface_hub import close_session, constants, get_session, set_client_factory
from huggingface_hub import logging as hub_logging

from core.inputs.hub_errors import NOT_THE_HUB, SLOW, HubError, busy, fault_of

TRIES = 3  # of one request
PAUSE_SECONDS = 1.0  # before the next try, where the Hub does not say how long
MAX_PAUSE_SECONDS = 10.0  # where the Hub says more, the next try is the reader's
RESUMES = 2  # of one file whose connection breaks off
SILENCE_SECONDS = 10.0  # without a byte
ANSWER_SECONDS = 20.0  # for a description, or for the head of a file's answer, redirects included
SPEED_SECONDS = 20.0  # over which a body's speed is taken
LEAST_SPEED = 20_000  # bytes a second
DESCRIPTION_BYTES = 16 * 2**20  # tens of thousands of files

THREAD = "request to the Hub"
constants.DOWNLOAD_CHUNK_SIZE = 1024**2  # downloads report and can be cancelled between chunks; 10 MiB are too coarse


@dataclass
class _Allowance:
    """What one file may still take.

    Attributes:
        size: Its most bytes.
        resumes: How often it may be resumed where the connection breaks off.
        seconds: How long its requests may take until their answers begin; the client follows some redirects itself.
    """

    size: int
    resumes: int
    seconds: float


_allowance: ContextVar[_Allowance | None] = ContextVar("allowance", default=None)  # None: a description is asked for


@contextmanager
def file_of(size: int) -> Iterator[None]:
    """Let one file be downloaded in this block.

    Args:
        size: Its most bytes.
    """
    token = _allowance.set(_Allowance(size, RESUMES, TRIES * ANSWER_SECONDS))
    try:
        yield
    finally:
        _allowance.reset(token)


class _Client(httpx2.Client):
    """An HTTP client that keeps time; proxies and certificates are the environment's, as in its base."""

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send a request, and once or twice again if the Hub is busy or hangs up.

        Raises:
            HubError: There is no answer that the Hub's client can use.
            OfflineModeIsEnabled: Offline mode is on.
        """
        # The client asks for some answers without any time-out; compressed ones can be larger than their length.
        request.extensions["timeout"] = httpx2.Timeout(SILENCE_SECONDS).as_dict()
        request.headers["Accept-Encoding"] = "identity"
        for tries in range(1, TRIES + 1):
            session: _Client = get_session() if self.is_closed else self  # another thread may have given this one up
            try:
                return _answer(partial(super(_Client, session).send, request, **options))
            except HubError as fault:
                pause = PAUSE_SECONDS if fault.asked_pause is None else fault.asked_pause
                if not fault.is_brief or pause > MAX_PAUSE_SECONDS or tries == TRIES:
                    raise
                time.sleep(pause)
        raise AssertionError("a last try returns or raises")


def _answer(send: Callable[[], httpx2.Response]) -> httpx2.Response:
    """Return the answer to one request, or raise what is wrong with it."""
    try:
        response = _in_time(send)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise fault_of(error) from error
    if response.status_code in (408, 429) or response.status_code >= 500:
        response.close()
        raise busy(response.status_code, response.headers)
    return response


def _in_time(send: Callable[[], httpx2.Response]) -> httpx2.Response:
    """Run a request in a thread that is given up in the end: a socket's time-out begins anew with every byte."""
    answer: Future[httpx2.Response] = Future()
    context, allowance, begun = copy_context(), _allowance.get(), time.monotonic()

    def run() -> None:
        try:
            answer.set_result(context.run(send))
        except BaseException as error:
            answer.set_exception(error)

    Thread(target=run, name=THREAD, daemon=True).start()
    is_late = not wait([answer], min(ANSWER_SECONDS, allowance.seconds) if allowance else ANSWER_SECONDS).done
    if allowance:
        allowance.seconds -= time.monotonic() - begun
    if is_late:
        close_session()  # its sockets too, which ends the thread with the next byte
        answer.add_done_callback(_close)
        raise HubError(SLOW)
    return answer.result()


def _close(late: "Future[httpx2.Response]") -> None:
    if not late.exception():
        late.result().close()


# ---------------------------------------------------------------- what an answer may be


class _Body(httpx2.SyncByteStream):
    """The body of an answer, of bounded size and least speed."""

    def __init__(self, stream: httpx2.SyncByteStream, allowance: _Allowance | None) -> None:
        self._stream = stream
        self._allowance = allowance

    def __iter__(self) -> Iterator[bytes]:
        chunks = iter(self._stream)
        size = recent = 0  # bytes: all, and those of the present stretch
        waited = 0.0  # seconds for the network in the present stretch, not for the disk or the reader
        while True:
            begun = time.monotonic()
            chunk = self._next(chunks)
            if chunk is None:
                return
            waited += time.monotonic() - begun
            size += len(chunk)
            recent += len(chunk)
            _check_size(size, self._allowance)
            if waited > SPEED_SECONDS:
                if recent < LEAST_SPEED * waited:
                    raise HubError(
                        f"cannot be fetched, it arrives too slowly, at less than {LEAST_SPEED / 1000:g} kB a second: "
                        "check the connection or try again later"
                    )
                waited, recent = 0.0, 0
            yield chunk

    def _next(self, chunks: Iterator[bytes]) -> bytes | None:
        """Return the next chunk; where the connection breaks off, let the client resume a file a few times."""
        try:
            return next(chunks, None)
        except httpx2.TransportError as error:
            if self._allowance is None or not self._allowance.resumes:
                raise fault_of(error) from error
            self._allowance.resumes -= 1
            raise httpx2.RemoteProtocolError(str(error)) from error  # the one kind that the client resumes after

    def close(self) -> None:
        self._stream.close()


def _check_size(size: int, allowance: _Allowance | None) -> None:
    """Refuse a body of too many bytes, of a file or else of a description."""
    if allowance is None and size > DESCRIPTION_BYTES:
        raise HubError(
            f"cannot be fetched, its description is larger than {DESCRIPTION_BYTES // 2**20} MiB: choose another",
            is_temporary=False,
        )
    if allowance and size > allowance.size:
        raise HubError(
            f"cannot be fetched, a file of it is larger than expected (more than {allowance.size:,} B): try again "
            "later, or choose another",
            is_temporary=False,
        )


def _check_answer(response: httpx2.Response) -> None:
    """Refuse an answer by its head, and bound its body; called for each of several redirects."""
    headers = response.headers
    allowance = _allowance.get() if response.is_success else None  # a refusal is as long as it is
    is_body = response.request.method != "HEAD"
    if not is_body:
        _check_names(response)
    length = headers.get("Content-Length", "")
    if length.isdigit() and (is_body or (allowance and "X-Repo-Commit" in headers)):
        _check_size(int(length), allowance)
    if headers.get("Content-Encoding", "identity") != "identity":
        raise HubError(NOT_THE_HUB)
    assert isinstance(response.stream, httpx2.SyncByteStream)
    response.stream = _Body(response.stream, allowance)


def _check_names(response: httpx2.Response) -> None:
    """Refuse what the client would make bad names of: it calls a file by its ETag, a folder by the commit."""
    headers: Mapping[str, str] = response.headers
    etag = headers.get("X-Linked-ETag") or ("" if response.is_redirect else headers.get("ETag", ""))
    commit = headers.get("X-Repo-Commit", "")
    asked = re.search("/resolve/([0-9a-f]{40})/", response.request.url.path)
    is_other = bool(asked and commit and commit != asked[1])
    if is_other or not re.fullmatch(r'((W/)?"?\w[^/\\"]*"?)?', etag) or not re.fullmatch("([0-9a-f]{40})?", commit):
        raise HubError(NOT_THE_HUB)


# ---------------------------------------------------------------- setting the client


def _install() -> None:
    """Set the client of the process, with what its own one does before each request; silence what it would print."""
    requested = get_session().event_hooks["request"]  # offline mode, the count of downloads
    set_client_factory(
        lambda: _Client(event_hooks={"request": requested, "response": [_check_answer]}, follow_redirects=True)
    )
    if "HF_HUB_VERBOSITY" not in os.environ:
        hub_logging.set_verbosity(logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"huggingface_hub\.")


_install()
