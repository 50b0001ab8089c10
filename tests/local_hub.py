"""A local server with as much of the Hub's HTTP API as downloads need, and faults.

Used as a fixture by the tests here; other processes reach it with HF_ENDPOINT=hub.url.
"""

import hashlib
import json
import re
import socket
import struct
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from hub_faults import (
    LARGE,
    RESET,
    Answer,
    Fault,
    Piece,
    matches,
    refusal,
)


@dataclass
class LocalHub:
    """Repositories in folders, with their faults.

    Attributes:
        url: The address for HF_ENDPOINT.
        models: Repository id -> folder.
        datasets: Repository id -> folder.
        faults: Repository id -> a fault.
        requests: (method, path, authorization header or None) of every request so far.
        branches: (repository id, branch or tag) -> folder with what is there, also found by its
            commit.
        over: Set when nothing need be waited for any more.
    """

    url: str
    models: dict[str, Path] = field(default_factory=dict)
    datasets: dict[str, Path] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    branches: dict[tuple[str, str], Path] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)
    _met: Counter[str] = field(default_factory=Counter)

    def files(self, kind: str, repo_id: str) -> dict[str, bytes] | None:
        """Return the files of the main branch."""
        folder = (self.datasets if kind == "datasets" else self.models).get(repo_id)
        return None if folder is None else _content(folder)

    def at(self, kind: str, repo_id: str, revision: str) -> dict[str, bytes] | None:
        """Return the files at a branch, a tag or a commit."""
        named = {"main": self.files(kind, repo_id) or {}}
        for (repo, name), folder in self.branches.items():
            if repo == repo_id:
                named[name] = _content(folder)
        commits = {commit_of(files): files for files in named.values()}
        return (named | commits).get(revision)

    def spoilt(self, answer: Answer, repo_id: str, at: str, name: str) -> Answer:
        """Return an answer changed by the repository's fault, if it has one."""
        fault = self.faults.get(repo_id)
        if fault is None or at not in fault.at.split() or not matches(name, fault.names):
            return answer
        self._met[repo_id] += 1
        return fault.change(answer) if self._met[repo_id] <= fault.times else answer


@contextmanager
def local_hub() -> Iterator[LocalHub]:
    """Serve a LocalHub on a free port until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.hub = hub = LocalHub(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True).start()
    try:
        yield hub
    finally:
        hub.over.set()
        server.shutdown()
        server.server_close()


def _content(folder: Path) -> dict[str, bytes]:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def commit_of(files: dict[str, bytes]) -> str:
    """Return a commit hash, which changes with any file."""
    digests = sorted((name, _sha256(content)) for name, content in files.items())
    return hashlib.sha1(repr(digests).encode()).hexdigest()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _blob(content: bytes) -> str:
    """Return the digest that git gives a file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Print nothing: clients hang up."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(*_)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # no head waits for the client to acknowledge an earlier body

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        hub: LocalHub = self.server.hub  # type: ignore[attr-defined]
        path = urlsplit(self.path).path
        hub.requests.append((self.command, unquote(path), self.headers.get("Authorization")))
        api = re.fullmatch(r"/api/(models|datasets)/([^/]+/[^/]+)(?:/revision/(.+))?", path)
        file = re.fullmatch(r"/(?:(datasets)/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        if api:
            kind, repo_id, revision = api.groups("main")
            name = ""
            at = "api"
        elif file:
            kind, repo_id, revision, name = file.groups("models")
            at = self.command.lower()
        else:
            return self._send(Answer(404))
        answer = _answer(hub, kind, repo_id, unquote(revision), unquote(name))
        spoilt = hub.spoilt(answer, repo_id, at, unquote(name))
        self.close_connection |= spoilt is not answer
        return self._send(spoilt)

    do_HEAD = do_GET  # noqa: N815 (so the server calls it)

    def _send(self, answer: Answer) -> None:
        headers = {"Connection": "close"} if self.close_connection else {}
        if answer.pieces is None:
            headers["Content-Length"] = str(len(answer.body))
        lines = [f"HTTP/1.1 {answer.status} Said"]
        lines += [f"{name}: {value}" for name, value in {**headers, **answer.headers}.items()]
        head = "\r\n".join([*lines, "", ""]).encode()
        body = b"" if self.command == "HEAD" else answer.body
        if not answer.head_pieces and not answer.pieces:
            return self._write([head + body])
        self._write(answer.head_pieces(head) if answer.head_pieces else [head])
        if body:
            self._write(answer.pieces(body) if answer.pieces else [body])

    def _write(self, pieces: Iterable[Piece]) -> None:
        hub: LocalHub = self.server.hub  # type: ignore[attr-defined]
        with suppress(OSError):  # the client has had enough
            for piece in pieces:
                if isinstance(piece, float):
                    hub.over.wait(piece)
                elif piece is not RESET:
                    self.wfile.write(piece)
                else:
                    lingering = struct.pack("ii", 1, 0)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingering)
                    self.connection.close()
                if hub.over.is_set():
                    return


def _answer(hub: LocalHub, kind: str, repo_id: str, revision: str, name: str) -> Answer:
    """Return a flawless answer about a file, or without a name about the repository."""
    if hub.files(kind, repo_id) is None:
        return refusal(401, "RepoNotFound")(Answer(200))
    files = hub.at(kind, repo_id, revision)
    if files is None:
        return refusal(404, "RevisionNotFound")(Answer(200))
    if not name:
        siblings = [{"rfilename": file, "size": len(content)} for file, content in files.items()]
        described = {
            "id": repo_id,
            "sha": commit_of(files),
            "siblings": siblings,
        }
        return Answer(
            200,
            json.dumps(described).encode(),
            {"Content-Type": "application/json"},
        )
    if name not in files:
        return refusal(404, "EntryNotFound")(Answer(200))
    digest = _sha256(files[name]) if matches(name, LARGE) else _blob(files[name])
    return Answer(
        200,
        files[name],
        {"X-Repo-Commit": commit_of(files), "ETag": f'"{digest}"'},
    )
