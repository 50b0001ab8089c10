"""Bound the Hub's client: how long it waits, how much it reads, and what is said when it fails. No torch.

Importing this module sets the client of the whole process. `core/__init__.py` sets the client's environment variables,
which it reads when it is first imported.
"""

import logging
import os
import re
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from math import inf
from threading import Thread
from typing import Any, Literal, TypeVar

import httpx2
from huggingface_hub import close_session, constants, get_session, set_client_factory
from huggingface_hub import logging as hub_logging
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from core.errors import PrunescopeError
from core.request.limits import is_hosted

Kind = Literal["checkpoint", "data set"]
T = TypeVar("T")

PAUSES = (1.0, 3.0)  # seconds before another try
ANSWERS = 3  # to one try that may hold a file: the client resumes where the connection breaks off
SILENCE_SECONDS = 10.0  # without a byte
PATIENCE_SECONDS = 20.0  # for one try, and as long again as what arrives takes at the least speed
LEAST_SPEED = 20_000  # bytes a second
DESCRIPTION_BYTES = 16 * 2**20  # tens of thousands of files
THREAD = "request to the Hub"

constants.DOWNLOAD_CHUNK_SIZE = 2**18  # downloads report and can be cancelled between chunks; 10 MiB are too coarse

SLOW = "cannot be fetched, the Hub did not answer in time: check the connection or try again later"
BROKEN = "cannot be fetched, the connection to the Hub fails: check it or try again later"
NOT_THE_HUB = (
    "cannot be fetched, what arrives is not what the Hub should send, but perhaps a log-in page or a part: check the "
    "connection or try again later"
)


class HubError(PrunescopeError):
    """The Hub, or the way to it, fails. The client neither catches it nor repeats what ended in it.

    Attributes:
        is_temporary: Whether the same request may succeed later.
        is_brief: Whether that may be in a moment.
    """

    def __init__(self, message: str, is_temporary: bool = True, is_brief: bool = False) -> None:
        super().__init__(message)
        self.is_temporary, self.is_brief = is_temporary, is_brief


# What the client raises; HfHubHTTPError is an OSError, and the last five come of answers that it does not expect.
FAILURES = (
    *(HubError, OSError, httpx2.HTTPError, ValueError, RuntimeError),
    *(ArithmeticError, AssertionError, AttributeError, LookupError, TypeError),
)


def _fault_of(error: BaseException, revision: str, kind: Kind) -> HubError:
    """Say what one of FAILURES means and what to do; what was asked for is named before."""
    while isinstance(error, LocalEntryNotFoundError) and error.__cause__ is not None:
        error = error.__cause__  # the client has wrapped it
    is_temporary = isinstance(error, OfflineModeIsEnabled) or not isinstance(error, OSError)
    match error:
        case HubError():
            return error
        case GatedRepoError():  # a subclass of RepositoryNotFoundError
            remedy = "" if is_hosted() else "accept its terms on the Hub and log in with `hf auth login`, or "
            said = f"is gated: {remedy}choose an open {kind}"
        case RepositoryNotFoundError():
            said = "is not on the Hub, or is private: check the spelling, which is owner/name"
        case RevisionNotFoundError():
            said = f"has no revision '{revision}': leave it out, or give an existing branch, tag or commit"
        case OfflineModeIsEnabled():
            said = (
                "is not in the local cache and offline mode is on: unset HF_HUB_OFFLINE to download it, "
                "or choose a bundled checkpoint with written examples"
            )
        case HfHubHTTPError():
            said = f"cannot be fetched, the Hub refuses it (status {error.response.status_code}): choose another {kind}"
        case httpx2.HTTPError():
            said = BROKEN
        case OSError(errno=int()):
            said = f"cannot be stored ({error.strerror}): free some space, or set HF_HOME to a folder that is writable"
        case _:
            said = NOT_THE_HUB
    return HubError(said, is_temporary)


# ---------------------------------------------------------------- bounds


@dataclass
class _Call:
    """One try of a call of the client.

    Attributes:
        most: The bytes that an answer may have.
        received: The bytes that have arrived.
        answers: The answers that may hold a file.
        is_over: Whether nobody waits for it any more.
    """

    most: float
    received: int = 0
    answers: int = 0
    is_over: bool = False


_ETAG = r'(W/)?"?\w[^/\\"]*"?'
_call: ContextVar[_Call] = ContextVar("call")


def ask(
    function: Callable[[], T], repo_id: str, revision: str, kind: Kind = "checkpoint", most: int = DESCRIPTION_BYTES
) -> T:
    """Call the Hub's client within bounds of time and size, and once or twice again if the Hub is busy or hangs up.

    Args:
        function: Calls the client.
        repo_id: What is asked for, for the message.
        revision: Its revision.
        kind: What it is.
        most: The bytes that an answer may have.

    Raises:
        HubError: There is no answer that serves; the client's own exception is its cause.
    """
    for pause in (*PAUSES, None):
        try:
            return _in_time(function, _Call(most))
        except FAILURES as error:
            fault = _fault_of(error, revision, kind)
            if pause is None or not fault.is_brief:
                raise HubError(f"'{repo_id}' {fault}", fault.is_temporary) from error
            time.sleep(pause)
    raise AssertionError("the last try returns or raises")


def _in_time(function: Callable[[], T], call: _Call) -> T:
    """Run a call in a thread that is given up in the end: a socket's time-out begins anew with every byte."""
    answer: Future[T] = Future()

    def run() -> None:
        _call.set(call)
        try:
            answer.set_result(function())
        except BaseException as error:
            answer.set_exception(error)

    begun = time.monotonic()
    Thread(target=copy_context().run, args=(run,), name=THREAD, daemon=True).start()
    try:
        while not wait([answer], 0.1).done:
            if time.monotonic() - begun > PATIENCE_SECONDS + call.received / LEAST_SPEED:
                call.is_over = True
                close_session()  # its sockets too, which ends the thread with the next byte
                wait([answer], SILENCE_SECONDS)
                raise HubError(SLOW)
    finally:
        call.is_over = True
    return answer.result()


class _Client(httpx2.Client):
    """An HTTP client whose faults the Hub's client does not repeat; proxies and certificates are the environment's."""

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send a request.

        Raises:
            HubError: There is no answer that the Hub's client can use.
            OfflineModeIsEnabled: Offline mode is on.
        """
        request.headers["Accept-Encoding"] = "identity"  # what is compressed can be larger than its length
        try:
            return super().send(request, **options)
        except httpx2.TimeoutException as error:
            raise HubError(SLOW) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            is_brief = isinstance(error, httpx2.ReadError | httpx2.RemoteProtocolError)
            raise HubError(BROKEN, is_brief=is_brief) from error


class _Body(httpx2.SyncByteStream):
    """The body of an answer, of bounded size."""

    def __init__(self, stream: httpx2.SyncByteStream, call: _Call, most: float) -> None:
        self._stream, self._call, self._most = stream, call, most

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        try:
            for chunk in self._stream:
                size += len(chunk)
                self._call.received += len(chunk)
                if size > self._most:
                    raise HubError(
                        f"cannot be fetched, the Hub sends more than the {self._most:,} bytes expected: choose another",
                        is_temporary=False,
                    )
                if self._call.is_over:
                    raise HubError(SLOW)
                yield chunk
        except httpx2.ReadError as error:
            raise httpx2.RemoteProtocolError(str(error)) from error  # the one kind that the client resumes after

    def close(self) -> None:
        self._stream.close()


def _check_answer(response: httpx2.Response) -> None:
    """Refuse an answer by its head, and bound its body; called for each of several redirects."""
    call, headers, status = _call.get(None) or _Call(inf), response.headers, response.status_code
    if call.is_over:
        raise HubError(SLOW)
    if status in (408, 429) or status >= 500:
        raise HubError(
            f"cannot be fetched, the Hub is busy or has a fault (status {status}): try again later", is_brief=True
        )
    if response.request.method == "HEAD":  # the client calls a file by its ETag, a folder by the commit
        asked = re.search("/resolve/([0-9a-f]{40})/", response.request.url.path)
        forms = {
            "X-Repo-Commit": asked[1] if asked else "[0-9a-f]{40}",
            **dict.fromkeys(("ETag", "X-Linked-ETag"), _ETAG),
        }
        if not all(re.fullmatch(form, headers[name]) for name, form in forms.items() if name in headers):
            raise HubError(NOT_THE_HUB)
    elif response.is_success:
        call.answers += 1
        if call.answers > ANSWERS:
            raise HubError(BROKEN)
    if headers.get("Content-Encoding", "identity") != "identity":
        raise HubError(NOT_THE_HUB)
    assert isinstance(response.stream, httpx2.SyncByteStream)
    response.stream = _Body(response.stream, call, call.most if response.is_success else DESCRIPTION_BYTES)


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
