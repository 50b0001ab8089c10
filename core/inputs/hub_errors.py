"""Turn what the Hub's client raises into one line: what failed, and what to do. No torch."""

import errno
from collections.abc import Iterator
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

from core.errors import PrunescopeError
from core.inputs.hub_client import NOT_THE_HUB, HubError, fault_of
from core.request.limits import is_hosted

Kind = Literal["checkpoint", "data set"]
# What the client raises; HfHubHTTPError is an OSError, and the last four come of answers that it does not expect.
FAILURES = (
    HubError,
    OSError,
    httpx2.HTTPError,
    ValueError,
    RuntimeError,
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
    """Whether the same request may succeed later: no network, offline mode, a fault of the Hub."""
    error = _first_cause(error)
    return error.is_temporary if isinstance(error, HubError) else isinstance(error, OfflineModeIsEnabled)


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
                "or choose an embedded checkpoint with written examples"
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
