"""Turn what the Hub's client raises into one line: what failed, and what to do. No torch."""

import errno
import math
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

import httpx2
from huggingface_hub.errors import (
    DisabledRepoError,
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import parse_ratelimit_headers

from core.errors import PrunescopeError
from core.request.limits import is_hosted

Kind = Literal["checkpoint", "data set"]
NOT_THE_HUB = "cannot be fetched, the answer was not the Hub's but perhaps a log-in page's: check the connection"
SLOW = "cannot be fetched, the Hub did not answer in time: check the connection or try again later"
_ELSEWHERE = "cannot be fetched, the Hub redirects to where nothing can be fetched: try again later"
_BROKEN = "cannot be fetched, the connection breaks off: check it or try again later"


class HubError(Exception):
    """The Hub, or the way to it, fails.

    The message is what follows the name of what was asked for: how it fails, and what to do. No class of the client's
    own is among its bases, so the client neither catches nor repeats it.

    Attributes:
        is_temporary: Whether the same request may succeed later.
        is_brief: Whether it may in a few seconds.
        asked_pause: The seconds that the Hub asks for until then; None if it does not say.
    """

    def __init__(
        self, message: str, is_temporary: bool = True, is_brief: bool = False, asked_pause: float | None = None
    ) -> None:
        super().__init__(message)
        self.is_temporary = is_temporary
        self.is_brief = is_brief
        self.asked_pause = asked_pause


# What the client raises; HfHubHTTPError is an OSError, and the last five come of answers that it does not expect.
FAILURES = (
    HubError,
    OSError,
    httpx2.HTTPError,
    ValueError,
    RuntimeError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
)


@contextmanager
def explained(
    what: str, revision: str, kind: Kind = "checkpoint", passed: type[Exception] | tuple[()] = ()
) -> Iterator[None]:
    """Turn every failure of the client into one line.

    Args:
        what: What is fetched.
        revision: Its revision.
        kind: What it is.
        passed: The failures that are to pass.

    Raises:
        PrunescopeError: The client fails.
    """
    try:
        yield
    except FAILURES as error:
        if isinstance(error, passed):
            raise
        raise PrunescopeError(f"'{what}' {_explanation(error, revision, kind)}") from error


def is_temporary(error: BaseException) -> bool:
    """Whether the same request may succeed later: no network, offline mode, a fault of the Hub, an answer not its own.

    Args:
        error: One of FAILURES.
    """
    error = _first_cause(error)
    if isinstance(error, HubError):
        return error.is_temporary
    return isinstance(error, OfflineModeIsEnabled) or not isinstance(error, OSError)  # a refusal, a full disk


def _first_cause(error: BaseException) -> BaseException:
    """Return what the client has wrapped: most failures of a download are in a LocalEntryNotFoundError."""
    while isinstance(error, LocalEntryNotFoundError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def _explanation(error: BaseException, revision: str, kind: Kind) -> str:
    """Say what failed and what to do about it."""
    match _first_cause(error):
        case HubError() as fault:
            return str(fault)
        case GatedRepoError():  # a subclass of RepositoryNotFoundError
            remedy = "" if is_hosted() else "accept its terms on the Hub and log in with `hf auth login`, or "
            return f"is gated: {remedy}choose an open {kind}"
        case RepositoryNotFoundError():
            return "is not on the Hub, or is private: check the spelling, which is owner/name"
        case RevisionNotFoundError():
            return f"has no revision '{revision}': leave it out, or give an existing branch, tag or commit"
        case RemoteEntryNotFoundError():
            return f"lacks a file that it needs, by the Hub's answer: choose another {kind}"
        case DisabledRepoError():
            return f"has been disabled on the Hub: choose another {kind}"
        case OfflineModeIsEnabled():
            return (
                "is not in the local cache and offline mode is on: unset HF_HUB_OFFLINE to download it, "
                "or choose a bundled checkpoint with written examples"
            )
        case HfHubHTTPError() as refusal:
            status = refusal.response.status_code
            return f"cannot be fetched, the Hub refuses it (status {status}): choose another {kind}"
        case httpx2.HTTPError() as failure:
            return str(fault_of(failure))
        case FileMetadataError():
            return NOT_THE_HUB
        case OSError() as failure:
            return _storage(failure)
    return NOT_THE_HUB


def _storage(error: OSError) -> str:
    """Say why a file cannot be stored, and what to do about it."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "cannot be stored, the disk is full: free some space or set HF_HOME to a folder on a larger disk"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "cannot be stored, the cache folder is not writable: set HF_HOME to a writable folder"
    if error.errno is None:  # the client compares lengths
        return "cannot be fetched, it did not arrive whole: try again"
    return f"cannot be stored ({error.strerror}): set HF_HOME to another folder"


# ---------------------------------------------------------------- no answer, or none that serves


def fault_of(error: Exception) -> HubError:
    """Say why there is no answer.

    Args:
        error: From the HTTP client.
    """
    match error:
        case httpx2.TimeoutException():
            return HubError(SLOW)
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
            return HubError(_BROKEN, is_brief=True)
    return HubError(NOT_THE_HUB)


def _is_distrusted(error: BaseException | None) -> bool:
    """Whether a certificate is at fault, by the causes of an error."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def busy(status: int, headers: Mapping[str, str]) -> HubError:
    """Say what an answer means whose status may be another one soon: 408, 429, 500 and more.

    Args:
        status: The status.
        headers: The answer's headers.
    """
    asked = _asked_pause(headers)
    later = "later" if asked is None else f"in {_in_words(asked)}"
    message = {
        408: SLOW,
        429: f"cannot be fetched, the Hub has had too many requests: try again {later}",
        511: NOT_THE_HUB,  # what such a page itself should say
    }.get(status, f"cannot be fetched, the Hub has a fault (status {status}): try again {later}")
    return HubError(message, is_brief=True, asked_pause=asked)


def _in_words(seconds: float) -> str:
    """Write a time to wait in the largest unit that gives at least two of it."""
    length, unit = next((length, unit) for length, unit in _UNITS if seconds >= 2 * length or unit == "second")
    count = math.ceil(seconds / length)
    return f"{count} {unit}{'s' * (count != 1)}"


_UNITS = ((3600, "hour"), (60, "minute"), (1, "second"))


def _asked_pause(headers: Mapping[str, str]) -> float | None:
    """Return the seconds after which the Hub wants to be asked again; None if it does not say."""
    asked = headers.get("Retry-After", "").strip()
    if re.fullmatch("[0-9]{1,9}", asked):
        return float(asked)
    rate = parse_ratelimit_headers(headers)
    return float(rate.reset_in_seconds) if rate and not rate.remaining else None
