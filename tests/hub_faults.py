"""What can be wrong with the answers of a Hub: a table of changes of an answer, each with what is then said."""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from itertools import chain, repeat
from typing import Any

RESET = None  # the connection is reset
Piece = bytes | float | None  # bytes that are sent, seconds that are waited, or RESET
Pieces = Callable[[bytes], Iterable[Piece]]
EVERY = 10**9  # requests
LARGE = "*.safetensors *.bin *.parquet"  # stored as LFS
PAUSE = 0.02  # between bytes that trickle
HOURS = 3600.0


@dataclass(frozen=True)
class Answer:
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
    headers: dict[str, str] = field(default_factory=dict)
    head_pieces: Pieces | None = None
    pieces: Pieces | None = None


@dataclass(frozen=True)
class Fault:
    """What is wrong.

    Attributes:
        says: What the line must say.
        at: The answers that it changes: "api" describes a repository, "head" and "get" are of a file.
        change: The change.
        names: The files whose answers it changes, as globs.
        times: Of how many requests, the first ones.
        is_slow: Whether it ends with a deadline.
    """

    says: str
    at: str
    change: Callable[[Answer], Answer]
    names: str = "*"
    times: int = EVERY
    is_slow: bool = False


def matches(name: str, globs: str) -> bool:
    return any(fnmatch(name, glob) for glob in globs.split())


# ---------------------------------------------------------------- changes of an answer


def status(code: int, **headers: object) -> Callable[[Answer], Answer]:
    """A refusal; underscores in the names of headers stand for hyphens."""
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return lambda _: Answer(code, b"{}", named)


def refusal(code: int, error: str) -> Callable[[Answer], Answer]:
    """A refusal that the Hub explains."""
    return status(code, X_Error_Code=error, X_Error_Message=error)


def headed(**headers: object) -> Callable[[Answer], Answer]:
    """Other headers; None removes one."""

    def change(answer: Answer) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {**answer.headers, "Content-Length": str(len(answer.body)), **named}
        return replace(answer, headers={name: str(value) for name, value in kept.items() if value is not None})

    return change


def body(content: bytes, **headers: object) -> Callable[[Answer], Answer]:
    """Another body, of its own length."""
    return lambda answer: headed(**headers)(replace(answer, body=content))


def sent(pieces: Pieces, **headers: object) -> Callable[[Answer], Answer]:
    """A body that is sent in other pieces."""
    return lambda answer: headed(**headers)(replace(answer, pieces=pieces))


def head_sent(pieces: Pieces) -> Callable[[Answer], Answer]:
    """A head that is sent in other pieces."""
    return lambda answer: replace(answer, head_pieces=pieces)


def info(**fields: object) -> Callable[[Answer], Answer]:
    """A description with other fields."""
    return lambda answer: replace(answer, body=json.dumps({**json.loads(answer.body), **fields}).encode())


def siblings(change: Callable[[list[Any]], object]) -> Callable[[Answer], Answer]:
    """A description with other files."""

    def changed(answer: Answer) -> Answer:
        described = json.loads(answer.body)
        return replace(answer, body=json.dumps({**described, "siblings": change(described["siblings"])}).encode())

    return changed


def each(**fields: object) -> Callable[[Answer], Answer]:
    """A description with other fields of each file."""
    return siblings(lambda files: [{**file, **fields} for file in files])


def more(*files: object) -> Callable[[Answer], Answer]:
    """A description with more files."""
    return siblings(lambda known: [*known, *files])


def named(*names: object) -> Callable[[Answer], Answer]:
    return more(*({"rfilename": name, "size": 1} for name in names))


def corrupt(answer: Answer) -> Answer:
    """The last bytes flipped, in place of which the length tells nothing."""
    return replace(answer, body=answer.body[:-8] + bytes(byte ^ 0x5A for byte in answer.body[-8:]))


def trickle(content: bytes) -> Iterator[Piece]:
    for byte in content:
        yield bytes([byte])
        yield PAUSE


def slow(content: bytes) -> Iterator[Piece]:
    yield 0.2
    yield content


def silent(content: bytes) -> Iterator[Piece]:
    yield content[: len(content) // 2]
    yield HOURS


def cut(content: bytes) -> Iterator[Piece]:
    yield content[: len(content) // 2]
    yield RESET


def no_end(content: bytes) -> Iterator[Piece]:
    yield content
    yield from repeat(b"x" * 65536)


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


def no_end_of_chunks(content: bytes) -> Iterator[Piece]:
    yield from repeat(chunk(b"x" * 65536))


CHUNKED = {"Content_Length": None, "Transfer_Encoding": "chunked"}
CLOSED = {"Content_Length": None}
HTML = b"<html>Please log in to this network</html>"

# ---------------------------------------------------------------- what is said

BUSY = "has had too many requests"
SLOW = "did not answer in time"
TOO_SLOW = "arrives too slowly"
BREAKS = "the connection breaks off"
NOT_HUB = "the answer was not the Hub's"
DAMAGED = "arrived damaged"
DESCRIPTION = "the Hub's description is damaged"
ELSEWHERE = "redirects to where nothing can be fetched"
TOO_LARGE = "a file of it is larger than expected"
TOO_LONG = "its description is larger than 16 MiB"
OUTSIDE = "lists a file outside its folder"
GATED = "is gated"
NOT_WHOLE = "did not arrive whole"


def refused(code: int) -> str:
    return rf"the Hub refuses it \(status {code}\)"


def broken(code: int) -> str:
    return rf"the Hub has a fault \(status {code}\)"


FAULTS: dict[str, Fault] = {
    # The description is refused.
    **{f"api {code}": Fault(refused(code), "api", status(code)) for code in (400, 401, 403, 404, 410, 418, 451)},
    **{f"api {code}": Fault(broken(code), "api", status(code)) for code in (500, 502, 503, 504, 520)},
    **{f"api {code}": Fault(NOT_HUB, "api", lambda _, code=code: Answer(code)) for code in (204, 300, 304)},
    "api 408": Fault(SLOW, "api", status(408)),
    "api 429": Fault(f"{BUSY}: try again later", "api", status(429)),
    "api 429, soon": Fault(f"{BUSY}: try again in 2 seconds", "api", status(429, Retry_After=2)),
    "api 429, in a day": Fault(f"{BUSY}: try again in 24 hours", "api", status(429, Retry_After=86400)),
    "api 429, by a date": Fault(BUSY, "api", status(429, Retry_After="Wed, 21 Oct 2099 07:28:00 GMT")),
    "api 429, by its rate": Fault(f"{BUSY}: try again in 55 seconds", "api", status(429, RateLimit='"api";r=0;t=55')),
    "api 429, never": Fault(BUSY, "api", status(429, Retry_After="9" * 400)),
    "api 511": Fault(NOT_HUB, "api", status(511)),
    "api 503, in an hour": Fault(f"{broken(503)}: try again in 60 minutes", "api", status(503, Retry_After=3600)),
    "api 503, warned": Fault(broken(503), "api", status(503, X_HF_Warning="topic; a notice for the terminal")),
    "api 404, a list": Fault(NOT_HUB, "api", lambda _: Answer(404, b"[1, 2]")),
    "missing": Fault("is not on the Hub, or is private", "api", refusal(401, "RepoNotFound")),
    "private": Fault("is not on the Hub, or is private", "api", refusal(404, "RepoNotFound")),
    "no revision": Fault("has no revision 'main'", "api", refusal(404, "RevisionNotFound")),
    "disabled": Fault(
        "has been disabled", "api", status(403, X_Error_Message="Access to this resource is disabled.")
    ),
    "gated": Fault(GATED, "head get", refusal(401, "GatedRepo")),
    "gated for good": Fault(GATED, "api", refusal(403, "GatedRepo")),
    "500": Fault(broken(500), "api head get", status(500)),
    # A file is refused.
    **{f"head {code}": Fault(refused(code), "head", status(code)) for code in (400, 401, 403, 404, 416)},
    **{f"head {code}": Fault(broken(code), "head", status(code)) for code in (500, 503)},
    "head 429": Fault(BUSY, "head", status(429)),
    "head lost": Fault("lacks a file", "head", refusal(404, "EntryNotFound"), LARGE),
    **{f"get {code}": Fault(refused(code), "get", status(code), LARGE) for code in (401, 403, 404, 416)},
    **{f"get {code}": Fault(broken(code), "get", status(code), LARGE) for code in (500, 502)},
    "get 429, in an hour": Fault(f"{BUSY}: try again in 60 minutes", "get", status(429, Retry_After=3600), LARGE),
    "get 206": Fault(NOT_WHOLE, "get", lambda answer: replace(body(b"part")(answer), status=206), LARGE),
    # Time.
    "api silent": Fault(SLOW, "api", head_sent(lambda _: [HOURS]), is_slow=True),
    "api head trickles": Fault(SLOW, "api", head_sent(trickle), is_slow=True),
    "api body silent": Fault(SLOW, "api", sent(silent), is_slow=True),
    "api body trickles": Fault(SLOW, "api", sent(trickle), is_slow=True),
    "api informs without end": Fault(
        SLOW, "api", head_sent(lambda _: repeat(b"HTTP/1.1 102 Processing\r\n\r\n" * 99)), is_slow=True
    ),
    "head to itself, slowly": Fault(
        SLOW,
        "head",
        lambda answer: head_sent(slow)(status(302, Location="?again")(answer)),
        is_slow=True,
    ),
    "head silent": Fault(SLOW, "head", head_sent(silent), is_slow=True),
    "head trickles": Fault(SLOW, "head", head_sent(trickle), LARGE, is_slow=True),
    "get silent": Fault(SLOW, "get", head_sent(silent), LARGE, is_slow=True),
    "get head trickles": Fault(SLOW, "get", head_sent(trickle), LARGE, is_slow=True),
    "get body silent": Fault(SLOW, "get", sent(silent), LARGE, is_slow=True),
    "get body trickles": Fault(TOO_SLOW, "get", sent(trickle), LARGE, is_slow=True),
    "get config trickles": Fault(TOO_SLOW, "get", sent(trickle), "config.json", is_slow=True),
    # Bodies of another length.
    "api cut": Fault(BREAKS, "api", sent(cut)),
    "api without end": Fault(TOO_LONG, "api", sent(no_end, **CLOSED)),
    "api chunks without end": Fault(TOO_LONG, "api", sent(no_end_of_chunks, **CHUNKED)),
    "api of a terabyte": Fault(TOO_LONG, "api", headed(Content_Length=10**12)),
    "api 404 without end": Fault(TOO_LONG, "api", lambda _: sent(no_end, **CLOSED)(Answer(404))),
    "get cut": Fault(BREAKS, "get", sent(cut), LARGE),
    "get cut, small": Fault(BREAKS, "get", sent(cut), "vocab.txt"),
    "get short": Fault(NOT_WHOLE, "get", body(b"short"), LARGE),
    "get long": Fault(TOO_LARGE, "get", lambda answer: body(answer.body + b"more")(answer), LARGE),
    "get without end": Fault(TOO_LARGE, "get", sent(no_end, **CLOSED), LARGE),
    "get config without end": Fault(TOO_LARGE, "get", sent(no_end, **CLOSED), "config.json"),
    "get chunks without end": Fault(TOO_LARGE, "get", sent(no_end_of_chunks, **CHUNKED), LARGE),
    "get chunks cut": Fault(BREAKS, "get", sent(lambda content: [chunk(content[:9]), RESET], **CHUNKED), LARGE),
    "get chunks that are none": Fault(BREAKS, "get", sent(lambda _: [b"no chunk\r\n"], **CHUNKED), LARGE),
    "get of a terabyte": Fault(TOO_LARGE, "get", headed(Content_Length=10**12), LARGE),
    "get of a negative length": Fault(BREAKS, "get", headed(Content_Length=-5), LARGE),
    "get of no length": Fault(BREAKS, "get", headed(Content_Length="many"), LARGE),
    "get of a length without end": Fault(f"{BREAKS}|{NOT_HUB}", "get", headed(Content_Length="9" * 5000), LARGE),
    "get empty": Fault(NOT_WHOLE, "get", body(b""), LARGE),
    "get compressed": Fault(NOT_HUB, "get", body(gzip.compress(bytes(10**6)), Content_Encoding="gzip"), LARGE),
    "api compressed": Fault(NOT_HUB, "api", body(gzip.compress(bytes(10**6)), Content_Encoding="gzip")),
    "head of a terabyte": Fault(TOO_LARGE, "head", headed(Content_Length=10**12), LARGE),
    "head of 40 gigabytes": Fault(NOT_WHOLE, "head", headed(X_Linked_Size=40 * 10**9), LARGE),
    "head of a negative size": Fault(NOT_WHOLE, "head", headed(X_Linked_Size=-5), LARGE),
    # Other content.
    "corrupt": Fault(DAMAGED, "get", corrupt, LARGE),
    "corrupt config": Fault(DAMAGED, "get", corrupt, "config.json"),
    "corrupt vocabulary": Fault(DAMAGED, "get", corrupt, "vocab.txt"),
    "head of another digest": Fault(DAMAGED, "head", headed(ETag='"' + "a" * 64 + '"'), LARGE),
    "head without a digest": Fault(NOT_HUB, "head", headed(ETag=None)),
    "head of a digest outside": Fault(NOT_HUB, "head", headed(ETag='"../../../outside"')),
    "head of an absolute digest": Fault(NOT_HUB, "head", headed(X_Linked_ETag='"/tmp/outside"'), LARGE),
    "head without a commit": Fault(NOT_HUB, "head", headed(X_Repo_Commit=None)),
    "head of another commit": Fault(NOT_HUB, "head", headed(X_Repo_Commit="b" * 40)),
    "head of a commit outside": Fault(NOT_HUB, "head", headed(X_Repo_Commit="../../outside")),
    "html": Fault(NOT_HUB, "api", body(HTML, Content_Type="text/html")),
    "head html": Fault(NOT_HUB, "head", lambda _: Answer(200, HTML, {"Content-Type": "text/html"})),
    "get html": Fault(f"{NOT_WHOLE}|{TOO_LARGE}", "get", body(HTML), "*.txt"),
    # Elsewhere.
    **{
        f"{at} {name}": Fault(ELSEWHERE, at, status(302, Location=location), LARGE if at == "get" else "*")
        for at in ("api", "get")
        for name, location in {
            "to itself": "?again",
            "to a file": "file:///etc/passwd",
            "by ftp": "ftp://127.0.0.1/x",
            "to no address": "http://[:::",
        }.items()
    },
    "head to itself": Fault(ELSEWHERE, "head", status(302, Location="?again")),
    "head to a file": Fault(f"{NOT_HUB}|{ELSEWHERE}", "head", status(302, Location="file:///etc/passwd")),
    "api to a closed port": Fault("cannot be reached", "api", status(302, Location="http://127.0.0.1:9/x")),
    "get to a closed port": Fault("cannot be reached", "get", status(307, Location="http://127.0.0.1:9/x"), LARGE),
    "api to nowhere": Fault(NOT_HUB, "api", status(302)),
    # No HTTP.
    "api reset": Fault(BREAKS, "api", head_sent(lambda _: [RESET])),
    "api hung up": Fault(BREAKS, "api", head_sent(lambda _: [])),
    "api garbage": Fault(BREAKS, "api", head_sent(lambda _: [b"\x16\x03\x01 no HTTP at all\r\n\r\n"])),
    "api head cut": Fault(BREAKS, "api", head_sent(cut)),
    "api head without end": Fault(
        BREAKS, "api", head_sent(lambda _: chain([b"HTTP/1.1 200 OK\r\n"], repeat(b"A: b\r\n" * 99)))
    ),
    "head reset": Fault(BREAKS, "head", head_sent(lambda _: [RESET]), LARGE),
    "head garbage": Fault(BREAKS, "head", head_sent(lambda _: [b"SSH-2.0-OpenSSH_9.6\r\n"])),
    "get reset": Fault(BREAKS, "get", head_sent(lambda _: [RESET]), LARGE),
    # JSON of another kind.
    "json truncated": Fault(NOT_HUB, "api", lambda answer: body(answer.body[:-9])(answer)),
    **{
        f"json {content[:12].decode()}": Fault(NOT_HUB, "api", body(content))
        for content in (b"", b"[]", b"null", b"5", b'"words"', b"{}", b"\xc3\x28".replace(b"\xc3", b"("), b"NaN")
    },
    "json in latin-1": Fault(NOT_HUB, "api", body(b'{"id": "\xe9"}')),
    "json of a huge number": Fault(NOT_HUB, "api", body(b'{"id": ' + b"9" * 5000 + b"}")),
    "json too deep": Fault(NOT_HUB, "api", body(b"[" * 10**5)),
    "siblings null": Fault("has no config.json", "api", info(siblings=None)),
    "siblings empty": Fault("has no config.json", "api", info(siblings=[])),
    "siblings a word": Fault(NOT_HUB, "api", info(siblings="words")),
    "siblings a number": Fault(NOT_HUB, "api", info(siblings=5)),
    "siblings of null": Fault(NOT_HUB, "api", info(siblings=[None])),
    "siblings without names": Fault(NOT_HUB, "api", info(siblings=[{"size": 1}])),
    "name null": Fault(DESCRIPTION, "api", named(None)),
    "name empty": Fault(DESCRIPTION, "api", named("")),
    "name a number": Fault(DESCRIPTION, "api", named(5)),
    "name a list": Fault(DESCRIPTION, "api", named(["config.json"])),
    **{
        f"name {name!a}": Fault(OUTSIDE, "api", named(name))
        for name in (
            "../x",
            "/etc/passwd",
            "a/../../b",
            "model-../../x.safetensors",
            "a//b",
            "./a",
            "..",
            "C:\\x",
            "a\\..\\b",
            "a\u2028/../b",
            "model-\n.safetensors",
            "a\0b",
        )
    },
    "a million names": Fault(
        TOO_LONG, "api", lambda answer: body(b'{"siblings": [' + b'{"rfilename":"a"},' * 10**6)(answer)
    ),
    "three hundred shards": Fault(
        "has 303 files of weights",
        "api",
        siblings(
            lambda files: [
                *(file for file in files if not file["rfilename"].endswith(".safetensors")),
                *({"rfilename": f"model-{k}.safetensors", "size": 1} for k in range(300)),
                {"rfilename": "model.safetensors.index.json", "size": 1},
            ]
        ),
    ),
    "huge": Fault("is a download of .* MiB, more than the", "api", siblings(
        lambda files: [{**file, "size": 10**13} if "lfs" in file else file for file in files]
    )),
    **{
        f"size {size!a}": Fault(DESCRIPTION, "api", each(size=size))
        for size in (-1, 1.5, 1e999, "12", True, [1])
    },
    "size too small": Fault(TOO_LARGE, "api", each(size=1)),
    "lfs a word": Fault(NOT_HUB, "api", each(lfs="words")),
    "lfs without a digest": Fault(NOT_HUB, "api", each(lfs={"size": 1})),
    **{
        f"digest {digest!a}": Fault(DESCRIPTION, "api", each(lfs={"sha256": digest, "size": 1, "pointerSize": 1}))
        for digest in (None, 5, "short", "../x")
    },
    "digest of another file": Fault(
        DAMAGED, "api", each(lfs={"sha256": "c" * 64, "size": 1, "pointerSize": 1}, blobId=None)
    ),
    "blob a number": Fault(DESCRIPTION, "api", each(blobId=5, lfs=None)),
    **{f"sha {sha!a}": Fault(DESCRIPTION, "api", info(sha=sha)) for sha in (None, 5, "", "../../x", "main", ["a"])},
    "config of another type": Fault("has model type 'gpt2'", "api", info(config={"model_type": "gpt2"})),
    "config of two lines": Fault(r"has model type 'a\\nb'", "api", info(config={"model_type": "a\nb"})),
    "config of half a character": Fault("has model type", "api", info(config={"model_type": "\ud800"})),
    "config of a number": Fault("has model type '5'", "api", info(config={"model_type": 5})),
    "date a number": Fault(NOT_HUB, "api", info(lastModified=5)),
    "card a word": Fault(NOT_HUB, "api", info(cardData="words")),
    "widgets strange": Fault(NOT_HUB, "api", info(safetensors=[1])),
}  # fmt: skip

# Faults that pass: the run goes on.
PASSING: dict[str, Fault] = {
    "api 429 once": Fault("", "api", status(429), times=1),
    "api 429 once, soon": Fault("", "api", status(429, Retry_After=3), times=1),
    "api 503 twice": Fault("", "api", status(503, Retry_After=1), times=2),
    "api reset once": Fault("", "api", head_sent(lambda _: [RESET]), times=1),
    "api cut once": Fault("", "api", sent(cut), times=1),
    "head 503 once": Fault("", "head", status(503), times=1),
    "head hung up once": Fault("", "head", head_sent(lambda _: []), times=1),
    "get 502 once": Fault("", "get", status(502), LARGE, times=1),
    "get cut twice": Fault("", "get", sent(cut), LARGE, times=2),
    "more after the end": Fault("", "get", sent(no_end), LARGE),
    "get chunked": Fault(
        "", "get", sent(lambda content: [chunk(content[:9]), chunk(content[9:]), chunk(b"")], **CHUNKED), LARGE
    ),
    "get without length": Fault("", "get", sent(lambda content: [content], **CLOSED), LARGE),
    "config a list": Fault("", "api", info(config=[1])),
    "sizes null": Fault("", "api", each(size=None)),
    "name of half a character": Fault("", "api", named("model-\ud800.safetensors")),
    "unknown fields": Fault("", "api", info(future={"a": 1}, tags=None, cardData={"datasets": 5})),
    "warned": Fault("", "head", headed(X_HF_Warning="a notice for the terminal")),
}
