"""What can be wrong with the answers of a Hub, and what is then said."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatch
from itertools import chain, repeat
from typing import Any, NamedTuple

RESET = None  # the connection is reset
Piece = bytes | float | None  # bytes that are sent, seconds that are waited, or RESET
Pieces = Callable[[bytes], Iterable[Piece]]
LARGE = "*.safetensors *.bin *.parquet"  # stored as LFS


class Answer(NamedTuple):
    """An answer to one request.

    Attributes:
        status: The HTTP status.
        body: The body.
        headers: The headers; Content-Length is added, unless it is here or `pieces` are.
        head_pieces: How the head is sent; at once if None.
        pieces: How the body is sent; at once if None.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}
    head_pieces: Pieces | None = None
    pieces: Pieces | None = None


Change = Callable[[Answer], Answer]


class Fault(NamedTuple):
    """A change of some answers ("api" describes a repository; "head" and "get" are about a file).

    Attributes:
        at: The answers.
        change: The change.
        says: What the line must say.
        names: The files whose answers it changes, as globs.
        times: Of how many requests, the first ones.
        is_slow: Whether it ends with a deadline.
    """

    at: str
    change: Change
    says: str = "cannot be fetched from the Hub: check the connection, or try again later"
    names: str = LARGE
    times: int = 10**9
    is_slow: bool = False


def matches(name: str, globs: str) -> bool:
    return not name or any(fnmatch(name, glob) for glob in globs.split())


def named(headers: Mapping[str, object]) -> dict[str, str]:
    """Name headers as HTTP does, with hyphens; leave out those that are None."""
    return {
        name.replace("_", "-"): str(value) for name, value in headers.items() if value is not None
    }


def status(code: int, **headers: object) -> Change:
    """Refuse with a status."""
    return lambda _: Answer(code, b"{}", named(headers))


def refusal(code: int, error: str) -> Change:
    """Refuse with an explanation of the Hub."""
    return status(code, X_Error_Code=error, X_Error_Message=error)


def headed(**headers: object) -> Change:
    """Change headers; None removes one."""

    def change(answer: Answer) -> Answer:
        length = {"Content_Length": len(answer.body)}
        return answer._replace(headers=named({**answer.headers, **length, **headers}))

    return change


def body(content: bytes, **headers: object) -> Change:
    """Replace the body and its length."""
    return lambda answer: headed(**headers)(answer._replace(body=content))


def sent(pieces: Pieces, **headers: object) -> Change:
    """Send the body in other pieces."""
    return lambda answer: headed(**headers)(answer._replace(pieces=pieces))


def head_sent(pieces: Pieces) -> Change:
    """Send the head in other pieces."""
    return lambda answer: answer._replace(head_pieces=pieces)


def info(**edits: Callable[[Any], object]) -> Change:
    """Edit fields of the description."""

    def change(answer: Answer) -> Answer:
        described = json.loads(answer.body)
        changed = {name: edit(described[name]) for name, edit in edits.items()}
        return answer._replace(body=json.dumps({**described, **changed}).encode())

    return change


def sized(size: object) -> Change:
    """Describe each file with another size."""
    return info(siblings=lambda files: [{**file, "size": size} for file in files])


def corrupt(answer: Answer) -> Answer:
    """Flip the last bytes and keep the length."""
    return answer._replace(body=answer.body[:-8] + bytes(byte ^ 0x5A for byte in answer.body[-8:]))


def trickle(content: bytes) -> Iterator[Piece]:
    return chain.from_iterable((bytes([byte]), 0.02) for byte in content)


def silent(content: bytes) -> Iterable[Piece]:
    return [content[: len(content) // 2], 3600.0]


def cut(content: bytes) -> Iterable[Piece]:
    return [content[: len(content) // 2], RESET]


def no_end(content: bytes) -> Iterable[Piece]:
    return chain([content], repeat(b"x" * 65536))


CLOSED: dict[str, Any] = {"Content_Length": None}
HTML = b"<html>Please log in to this network</html>"
TOO_LARGE = "is larger than the Hub states"

FAULTS: dict[str, Fault] = {
    # Refusals.
    "api 500": Fault("api", status(500)),
    "everything 503": Fault("api head get", status(503, Retry_After=86400)),
    "missing": Fault(
        "api",
        refusal(401, "RepoNotFound"),
        "is not on the Hub, or is private",
    ),
    "gated": Fault("head get", refusal(401, "GatedRepo"), "is gated", "*"),
    # Time.
    "get silent": Fault("get", head_sent(silent), is_slow=True),
    "api trickles": Fault("api", sent(trickle), is_slow=True),
    # Bodies of another length.
    "get cut": Fault("get", sent(cut)),
    "get without end": Fault("get", sent(no_end, **CLOSED), TOO_LARGE),
    "head of 40 gigabytes": Fault("head", headed(X_Linked_Size=40 * 10**9)),
    # Other content.
    "get corrupt": Fault("get", corrupt, "damaged .*, or has changed meanwhile"),
    "head without a digest": Fault("head", headed(ETag=None)),
    "api html": Fault("api", body(HTML, Content_Type="text/html")),
    # Elsewhere, and no HTTP.
    "api to itself": Fault("api", status(302, Location="?again")),
    "api to a file": Fault("api", status(302, Location="file:///etc/passwd")),
    "api reset": Fault("api", head_sent(lambda _: [RESET])),
    "head garbage": Fault("head", head_sent(lambda _: [b"\x16\x03\x01 no HTTP at all\r\n\r\n"])),
    # JSON of another kind.
    "api null": Fault("api", body(b"null")),
    "api deep": Fault("api", body(b"[" * 10**5)),
    "api sha": Fault("api", info(sha=lambda _: "../../x")),
    "size a word": Fault("api", sized("many")),
    "size too small": Fault("api", sized(-1), TOO_LARGE),
}

# Faults that pass, or that nothing depends on: the run goes on.
PASSING: dict[str, Fault] = {
    "head 503 once": Fault("head", status(503), times=1),
    "get hung up twice": Fault(
        "get",
        sent(lambda content: [content[:99]], Content_Length=2048),
        times=2,
    ),
    "get without length": Fault("get", sent(lambda content: [content], **CLOSED)),
    "sizes null": Fault("api", sized(None)),
    "name outside": Fault(
        "api",
        info(
            siblings=lambda files: [
                *files,
                {"rfilename": "../../x", "size": 1},
            ]
        ),
    ),
    "warned": Fault("head", headed(X_HF_Warning="topic; a notice for the terminal")),
}
