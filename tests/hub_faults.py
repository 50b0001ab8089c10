"""What can be wrong with the answers of a Hub: a table of changes of an answer, each with what is then said."""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
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


Change = Callable[[Answer], Answer]


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
    change: Change
    names: str = "*"
    times: int = EVERY
    is_slow: bool = False


def matches(name: str, globs: str) -> bool:
    return any(fnmatch(name, glob) for glob in globs.split())


def faults(says: str, at: str, changes: Mapping[Any, Change], names: str = "*", **options: Any) -> dict[str, Fault]:
    return {f"{at} {name}": Fault(says, at, change, names, **options) for name, change in changes.items()}


# ---------------------------------------------------------------- changes of an answer


def status(code: int, **headers: object) -> Change:
    """A refusal; underscores in the names of headers stand for hyphens."""
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return lambda _: Answer(code, b"{}", named)


def refusal(code: int, error: str) -> Change:
    """A refusal that the Hub explains."""
    return status(code, X_Error_Code=error, X_Error_Message=error)


def headed(**headers: object) -> Change:
    """Other headers; None removes one."""

    def change(answer: Answer) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {**answer.headers, "Content-Length": str(len(answer.body)), **named}
        return replace(answer, headers={name: str(value) for name, value in kept.items() if value is not None})

    return change


def body(content: bytes, **headers: object) -> Change:
    """Another body, of its own length."""
    return lambda answer: headed(**headers)(replace(answer, body=content))


def sent(pieces: Pieces, **headers: object) -> Change:
    """A body that is sent in other pieces."""
    return lambda answer: headed(**headers)(replace(answer, pieces=pieces))


def head_sent(pieces: Pieces) -> Change:
    """A head that is sent in other pieces."""
    return lambda answer: replace(answer, head_pieces=pieces)


def info(**fields: object) -> Change:
    """A description with other fields; a function is given the old value."""

    def change(answer: Answer) -> Answer:
        described = json.loads(answer.body)
        changed = {name: value(described[name]) if callable(value) else value for name, value in fields.items()}
        return replace(answer, body=json.dumps({**described, **changed}).encode())

    return change


def each(**fields: object) -> Change:
    """A description with other fields of each file."""
    return info(siblings=lambda files: [{**file, **fields} for file in files])


def named(name: object) -> Change:
    """A description with one file more."""
    return info(siblings=lambda files: [*files, {"rfilename": name, "size": 1}])


def corrupt(answer: Answer) -> Answer:
    """The last bytes flipped, in place of which the length tells nothing."""
    return replace(answer, body=answer.body[:-8] + bytes(byte ^ 0x5A for byte in answer.body[-8:]))


def trickle(content: bytes) -> Iterator[Piece]:
    for byte in content:
        yield from (bytes([byte]), PAUSE)


def no_end(content: bytes) -> Iterator[Piece]:
    return chain([content], repeat(b"x" * 65536))


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


silent: Pieces = lambda content: [content[: len(content) // 2], HOURS]  # noqa: E731
cut: Pieces = lambda content: [content[: len(content) // 2], RESET]  # noqa: E731
no_end_of_chunks: Pieces = lambda _: repeat(chunk(b"x" * 65536))  # noqa: E731
CHUNKED: dict[str, Any] = {"Content_Length": None, "Transfer_Encoding": "chunked"}
CLOSED: dict[str, Any] = {"Content_Length": None}
HTML = b"<html>Please log in to this network</html>"
ZIPPED = body(gzip.compress(bytes(10**6)), Content_Encoding="gzip")
ELSEWHERE = {
    f"to {location}": status(302, Location=location)
    for location in ("?again", "file:///etc/passwd", "ftp://127.0.0.1/x", "http://[:::", "http://127.0.0.1:9/x")
}

# ---------------------------------------------------------------- what is said

BUSY = "is busy or has a fault"
SLOW = "did not answer in time"
BROKEN = "the connection to the Hub fails"
NOT_HUB = "is not what the Hub should send"
REFUSED = "the Hub refuses it"
DAMAGED = "is damaged"
TOO_LARGE = "sends more than the .* bytes expected"
TOO_MUCH = "is a download of .* MiB, more than the"
OUTSIDE = "lists a file outside its folder"
GATED = "is gated"
MISSING = "is not on the Hub, or is private"

FAULTS: dict[str, Fault] = {
    # It is refused.
    **faults(REFUSED, "api", {code: status(code) for code in (400, 401, 403, 404, 410, 418, 451)}),
    **faults(REFUSED, "head", {code: status(code) for code in (400, 401, 403, 404, 416)}),
    **faults(REFUSED, "get", {code: status(code) for code in (401, 403, 404, 416)}, LARGE),
    **faults(BUSY, "api", {code: status(code) for code in (408, 429, 500, 502, 503, 504, 511, 520)}),
    **faults(BUSY, "head", {code: status(code) for code in (429, 500, 503)}),
    **faults(BUSY, "get", {code: status(code) for code in (500, 502)}, LARGE),
    **faults(NOT_HUB, "api", {code: lambda _, code=code: Answer(code) for code in (204, 300, 304)}),
    **faults(BUSY, "api", {
        "429, soon": status(429, Retry_After=2),
        "429, in a day": status(429, Retry_After=86400),
        "429, by a date": status(429, Retry_After="Wed, 21 Oct 2099 07:28:00 GMT"),
        "429, by its rate": status(429, RateLimit='"api";r=0;t=55'),
        "429, never": status(429, Retry_After="9" * 400),
        "503, warned": status(503, X_HF_Warning="topic; a notice for the terminal"),
    }),
    "get 429, in an hour": Fault(BUSY, "get", status(429, Retry_After=3600), LARGE),
    "api head get 500": Fault(BUSY, "api head get", status(500)),
    **faults(MISSING, "api", {"missing": refusal(401, "RepoNotFound"), "private": refusal(404, "RepoNotFound")}),
    "no revision": Fault("has no revision 'main'", "api", refusal(404, "RevisionNotFound")),
    "disabled": Fault(REFUSED, "api", status(403, X_Error_Message="Access to this resource is disabled.")),
    "gated": Fault(GATED, "head get", refusal(401, "GatedRepo")),
    "gated for good": Fault(GATED, "api", refusal(403, "GatedRepo")),
    "head lost": Fault(REFUSED, "head", refusal(404, "EntryNotFound"), LARGE),
    # Time.
    **faults(SLOW, "api", {
        "silent": head_sent(lambda _: [HOURS]),
        "head trickles": head_sent(trickle),
        "body silent": sent(silent),
        "body trickles": sent(trickle),
        "informs without end": head_sent(lambda _: repeat(b"HTTP/1.1 102 Processing\r\n\r\n" * 99)),
    }, is_slow=True),
    **faults(SLOW, "head", {
        "silent": head_sent(silent),
        "trickles": head_sent(trickle),
        "to itself, slowly": lambda answer: head_sent(lambda head: [0.2, head])(status(302, Location="?again")(answer)),
    }, is_slow=True),
    **faults(SLOW, "get", {
        "silent": head_sent(silent),
        "head trickles": head_sent(trickle),
        "body silent": sent(silent),
        "body trickles": sent(trickle),
    }, LARGE, is_slow=True),
    "get config trickles": Fault(SLOW, "get", sent(trickle), "config.json", is_slow=True),
    # Bodies of another length.
    **faults(TOO_LARGE, "api", {
        "without end": sent(no_end, **CLOSED),
        "chunks without end": sent(no_end_of_chunks, **CHUNKED),
        "404 without end": lambda _: sent(no_end, **CLOSED)(Answer(404)),
        "a million names": lambda answer: body(b'{"siblings": [' + b'{"rfilename":"a"},' * 10**6)(answer),
    }),
    **faults(TOO_LARGE, "get", {
        "long": lambda answer: body(answer.body + b"more")(answer),
        "without end": sent(no_end, **CLOSED),
        "chunks without end": sent(no_end_of_chunks, **CHUNKED),
    }, LARGE),
    "get config without end": Fault(TOO_LARGE, "get", sent(no_end, **CLOSED), "config.json"),
    **faults(BROKEN, "api", {"cut": sent(cut), "of a terabyte": headed(Content_Length=10**12)}),
    "get cut, small": Fault(BROKEN, "get", sent(cut), "vocab.txt"),
    **faults(f"{BROKEN}|{NOT_HUB}", "get", {
        "cut": sent(cut),
        "chunks cut": sent(lambda content: [chunk(content[:9]), RESET], **CHUNKED),
        "chunks that are none": sent(lambda _: [b"no chunk\r\n"], **CHUNKED),
        "of a terabyte": headed(Content_Length=10**12),
        "of a negative length": headed(Content_Length=-5),
        "of no length": headed(Content_Length="many"),
        "of a length without end": headed(Content_Length="9" * 5000),
        "short": body(b"short"),
        "empty": body(b""),
        "206": lambda answer: replace(body(b"part")(answer), status=206),
        "compressed": ZIPPED,
    }, LARGE),
    "api compressed": Fault(NOT_HUB, "api", ZIPPED),
    **faults(NOT_HUB, "head", {
        "of a terabyte": headed(Content_Length=10**12),
        "of 40 gigabytes": headed(X_Linked_Size=40 * 10**9),
        "of a negative size": headed(X_Linked_Size=-5),
    }, LARGE),
    # Other content.
    **faults(DAMAGED, "get", {"corrupt": corrupt}, LARGE),
    "corrupt config": Fault(DAMAGED, "get", corrupt, "config.json"),
    "corrupt vocabulary": Fault(DAMAGED, "get", corrupt, "vocab.txt"),
    "head of another digest": Fault(DAMAGED, "head", headed(ETag='"' + "a" * 64 + '"'), LARGE),
    "head of an absolute digest": Fault(NOT_HUB, "head", headed(X_Linked_ETag='"/tmp/outside"'), LARGE),
    **faults(NOT_HUB, "head", {
        "without a digest": headed(ETag=None),
        "of a digest outside": headed(ETag='"../../../outside"'),
        "without a commit": headed(X_Repo_Commit=None),
        "of another commit": headed(X_Repo_Commit="b" * 40),
        "of a commit outside": headed(X_Repo_Commit="../../outside"),
        "html": lambda _: Answer(200, HTML, {"Content-Type": "text/html"}),
    }),
    "api html": Fault(NOT_HUB, "api", body(HTML, Content_Type="text/html")),
    "get html": Fault(f"{NOT_HUB}|{TOO_LARGE}", "get", body(HTML), "*.txt"),
    # Elsewhere, and no HTTP.
    **faults(BROKEN, "api", ELSEWHERE),
    **faults(BROKEN, "get", ELSEWHERE, LARGE),
    **faults(f"{BROKEN}|{NOT_HUB}", "head", {name: ELSEWHERE[name] for name in ("to ?again", "to file:///etc/passwd")}),
    "api to nowhere": Fault(NOT_HUB, "api", status(302)),
    **faults(BROKEN, "api", {
        "reset": head_sent(lambda _: [RESET]),
        "hung up": head_sent(lambda _: []),
        "garbage": head_sent(lambda _: [b"\x16\x03\x01 no HTTP at all\r\n\r\n"]),
        "head cut": head_sent(cut),
        "head without end": head_sent(lambda _: chain([b"HTTP/1.1 200 OK\r\n"], repeat(b"A: b\r\n" * 99))),
    }),
    "head reset": Fault(BROKEN, "head", head_sent(lambda _: [RESET]), LARGE),
    "head garbage": Fault(BROKEN, "head", head_sent(lambda _: [b"SSH-2.0-OpenSSH_9.6\r\n"])),
    "get reset": Fault(BROKEN, "get", head_sent(lambda _: [RESET]), LARGE),
    # JSON of another kind.
    **faults(NOT_HUB, "api", {
        "truncated": lambda answer: body(answer.body[:-9])(answer),
        **{str(content[:12]): body(content) for content in (b"", b"[]", b"null", b"5", b'"words"', b"{}", b"((")},
        "in latin-1": body(b'{"id": "\xe9"}'),
        "of a huge number": body(b'{"id": ' + b"9" * 5000 + b"}"),
        "too deep": body(b"[" * 10**5),
        "siblings a word": info(siblings="words"),
        "siblings a number": info(siblings=5),
        "siblings of null": info(siblings=[None]),
        "siblings without names": info(siblings=[{"size": 1}]),
        "name null": named(None),
        "name a number": named(5),
        "name a list": named(["config.json"]),
        **{f"size {size!a}": each(size=size) for size in ("many", [1])},
        "lfs a word": each(lfs="words"),
        "lfs without a digest": each(lfs={"size": 1}),
        "date a number": info(lastModified=5),
        "card a word": info(cardData="words"),
        "widgets strange": info(safetensors=[1]),
    }),
    **faults("has no config.json", "api", {"siblings null": info(siblings=None), "siblings empty": info(siblings=[])}),
    **faults(OUTSIDE, "api", {
        f"name {name!a}": named(name)
        for name in (
            *("", "../x", "/etc/passwd", "a/../../b", "model-../../x.safetensors", "a//b", "./a", "..", "C:\\x"),
            *("a\\..\\b", "a\u2028/../b", "model-\n.safetensors", "a\0b"),
        )
    }),
    "three hundred shards": Fault(f"{REFUSED}|has no weights", "api", info(siblings=lambda files: [
        *(file for file in files if not file["rfilename"].endswith(".safetensors")),
        *({"rfilename": f"model-{k}.safetensors", "size": 1} for k in range(300)),
        {"rfilename": "model.safetensors.index.json", "size": 1},
    ])),
    "huge": Fault(TOO_MUCH, "api", info(
        siblings=lambda files: [{**file, "size": 10**13} if "lfs" in file else file for file in files]
    )),
    "size without end": Fault(f"{TOO_MUCH}|{NOT_HUB}", "api", each(size=1e999)),
    **faults(TOO_LARGE, "api", {f"size {size!a}": each(size=size) for size in (-1, 1, 1.5, True)}),
    "digest of another file": Fault(
        DAMAGED, "api", each(lfs={"sha256": "c" * 64, "size": 1, "pointerSize": 1}, blobId=None)
    ),
    **faults("names no commit", "api", {
        f"sha {sha!a}": info(sha=sha) for sha in (None, 5, "", "../../x", "main", ["a"])
    }),
    **faults("has model type", "api", {
        f"config of {kind!a}": info(config={"model_type": kind}) for kind in ("gpt2", "a\nb", "\ud800", 5)
    }),
}  # fmt: skip

# Faults that pass: the run goes on.
PASSING: dict[str, Fault] = {
    **faults("", "api", {
        "429 once": status(429),
        "429 once, soon": status(429, Retry_After=3),
        "reset once": head_sent(lambda _: [RESET]),
        "cut once": sent(cut),
    }, times=1),
    "api 503 twice": Fault("", "api", status(503, Retry_After=1), times=2),
    **faults("", "head", {"503 once": status(503), "hung up once": head_sent(lambda _: [])}, times=1),
    "get 502 once": Fault("", "get", status(502), LARGE, times=1),
    "get cut twice": Fault("", "get", sent(cut), LARGE, times=2),
    **faults("", "get", {
        "more after the end": sent(no_end),
        "chunked": sent(lambda content: [chunk(content[:9]), chunk(content[9:]), chunk(b"")], **CHUNKED),
        "without length": sent(lambda content: [content], **CLOSED),
    }, LARGE),
    **faults("", "api", {
        "config a list": info(config=[1]),
        "sizes null": each(size=None),
        "name of half a character": named("model-\ud800.safetensors"),
        "blob a number": each(blobId=5, lfs=None),
        "unknown fields": info(future={"a": 1}, tags=None, cardData={"datasets": 5}),
        **{
            f"lfs digest {digest!a}": each(lfs={"sha256": digest, "size": 1, "pointerSize": 1})
            for digest in (None, 5, "short", "../x")
        },
    }),
    "warned": Fault("", "head", headed(X_HF_Warning="a notice for the terminal")),
}  # fmt: skip
