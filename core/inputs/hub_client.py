"""Bound the Hub's client: how long it waits, how often it tries again, how much it reads, what it prints. No torch.

Importing this module sets the client of the whole process. `core/__init__.py` sets the client's environment variables,
which it reads when it is first imported.
"""

import logging
import math
import os
import re
import ssl
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
from huggingface_hub.utils import parse_ratelimit_headers

TRIES = 3  # of one request
PAUSE_SECONDS = 1.0  # before the next try, where the Hub does not say how long
MAX_PAUSE_SECONDS = 10.0  # where the Hub says more, the next try is the reader's
RESUMES = 2  # of one file whose connection breaks off
SILENCE_SECONDS = 10.0  # without a byte
ANSWER_SECONDS = 20.0  # for a description, or for the head of a file's answer, redirects included
SPEED_SECONDS = 20.0  # over which a body's speed is taken
LEAST_SPEED = 20_000  # bytes a second
DESCRIPTION_BYTES = 32 * 2**20

THREAD = "request to the Hub"
NOT_THE_HUB = "cannot be fetched, the answer was not the Hub's but perhaps a log-in page's: check the connection"
_SLOW = "cannot be fetched, the Hub did not answer in time: check the connection or try again later"
_ELSEWHERE = "cannot be fetched, the Hub redirects to where nothing can be fetched: try again later"
_BROKEN = "cannot be fetched, the connection breaks off: check it or try again later"

constants.DOWNLOAD_CHUNK_SIZE = 1024**2  # downloads report and can be cancelled between chunks; 10 MiB are too coarse


class HubError(Exception):
    """The Hub, or the way to it, fails.

    The message is what follows the name of what was asked for: how it fails, and what to do. No class of the client's
    own is among its bases, so the client neither catches nor repeats it.

    Attributes:
        is_temporary: Whether the same request may succeed later.
        pause: Seconds until the next try; None if none is worth it.
    """

    def __init__(self, message: str, is_temporary: bool = True, pause: float | None = None) -> None:
        super().__init__(message)
        self.is_temporary = is_temporary
        self.pause = pause


@dataclass
class _Allowance:
    """What the body of an answer may take.

    Attributes:
        size: Its most bytes.
        resumes: How often it may still be resumed where the connection breaks off.
    """

    size: int
    resumes: int = 0


_allowance: ContextVar[_Allowance | None] = ContextVar("allowance", default=None)  # None: a description is asked for


@contextmanager
def file_of(size: int) -> Iterator[None]:
    """Let one file be downloaded in this block.

    Args:
        size: Its most bytes.
    """
    token = _allowance.set(_Allowance(size, RESUMES))
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
                if fault.pause is None or tries == TRIES:
                    raise
                time.sleep(fault.pause)
        raise AssertionError("a last try returns or raises")


def _answer(send: Callable[[], httpx2.Response]) -> httpx2.Response:
    """Return the answer to one request, or raise what is wrong with it."""
    try:
        response = _in_time(send)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise fault_of(error) from error
    if response.status_code in (408, 429) or response.status_code >= 500:
        response.close()
        raise _busy(response)
    return response


def _in_time(send: Callable[[], httpx2.Response]) -> httpx2.Response:
    """Run a request in a thread that is given up in the end: a socket's time-out begins anew with every byte."""
    answer: Future[httpx2.Response] = Future()
    context = copy_context()

    def run() -> None:
        try:
            answer.set_result(context.run(send))
        except BaseException as error:
            answer.set_exception(error)

    Thread(target=run, name=THREAD, daemon=True).start()
    if not wait([answer], ANSWER_SECONDS).done:
        close_session()  # its sockets too, which ends the thread with the next byte
        answer.add_done_callback(_close)
        raise HubError(_SLOW)
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
        most = self._allowance.size if self._allowance else DESCRIPTION_BYTES
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
            _check_size(size, most)
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


def _check_size(size: int, most: int) -> None:
    if size > most:
        raise HubError(
            f"cannot be fetched, more arrives than the {most:,} bytes expected: try again later, or choose another",
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
        _check_size(int(length), allowance.size if allowance else DESCRIPTION_BYTES)
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


# ---------------------------------------------------------------- what is wrong, and what to do


def fault_of(error: Exception) -> HubError:
    """Say why there is no answer.

    Args:
        error: From the HTTP client.
    """
    match error:
        case httpx2.TimeoutException():
            return HubError(_SLOW)
        case httpx2.ProxyError():
            return HubError("cannot be fetched, the proxy refuses the connection: check HTTPS_PROXY")
        case httpx2.ConnectError() if _is_distrusted(error):
            return HubError(
                "cannot be fetched, the certificate of the connection is not valid: check this computer's clock and "
                "its network"
            )
        case httpx2.ConnectError():
            return HubError(
                "cannot be fetched, the Hub cannot be reached and the local cache lacks it: check the connection"
            )
        case httpx2.TooManyRedirects() | httpx2.UnsupportedProtocol() | httpx2.InvalidURL():
            return HubError(_ELSEWHERE)
        case httpx2.RemoteProtocolError(__context__=httpx2.InvalidURL()):  # in a redirect
            return HubError(_ELSEWHERE)
        case httpx2.TransportError():
            return HubError(_BROKEN, pause=PAUSE_SECONDS)
    return HubError(NOT_THE_HUB)


def _is_distrusted(error: BaseException | None) -> bool:
    """Whether a certificate is at fault, by the causes of an error."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def _busy(response: httpx2.Response) -> HubError:
    """Say what a status means that may be another one soon, and how long that takes."""
    status = response.status_code
    asked = _asked_pause(response.headers)
    pause = PAUSE_SECONDS if asked is None else asked
    message = {
        408: _SLOW,
        429: f"cannot be fetched, the Hub has had too many requests: wait {_in_words(asked)}",
    }.get(status, f"cannot be fetched, the Hub has a fault (status {status}): try again later")
    return HubError(message, pause=pause if pause <= MAX_PAUSE_SECONDS else None)


def _in_words(seconds: float | None) -> str:
    """Write a time to wait in the unit that gives at least two of it."""
    if seconds is None:
        return "a few minutes"
    length, unit = next((length, unit) for length, unit in _UNITS if seconds >= 2 * length or unit == "second")
    count = math.ceil(seconds / length)
    return f"{count} {unit}{'s' * (count != 1)}"


_UNITS = ((3600, "hour"), (60, "minute"), (1, "second"))


def _asked_pause(headers: httpx2.Headers) -> float | None:
    """Return the seconds after which the Hub wants to be asked again; None if it does not say."""
    asked = headers.get("Retry-After", "").strip()
    if asked.isdigit():
        return float(asked)
    rate = parse_ratelimit_headers(headers)
    return float(rate.reset_in_seconds) if rate and not rate.remaining else None


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
