"""A small local server that speaks as much of the Hub's HTTP API as downloads need, with faults on request.

Used as a fixture by the tests here; other processes reach it with HF_ENDPOINT=hub.url.
"""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

LARGE = (".safetensors", ".bin", ".parquet")  # stored as LFS on the Hub: their SHA-256 is stated
FAULTS = ("gated", "500", "corrupt", "huge", "html")


class LocalHub:
    """Repositories in folders, and what is wrong with them.

    Attributes:
        url: The address for HF_ENDPOINT.
        models: Repository id -> folder.
        datasets: Repository id -> folder.
        faults: Repository id -> one of FAULTS: files closed to strangers; everything answered with status 500; large
            files with flipped bytes; sizes of terabytes stated; a web page instead of JSON.
        requests: (method, path, authorization header or None) of every request so far.
        branches: (repository id, branch or tag) -> folder with what is there.
        old: Repository id -> folders with what was there; they are found by their commits.
        sizes: (repository id, file) -> a size that is stated, in place of the true one.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.models: dict[str, Path] = {}
        self.datasets: dict[str, Path] = {}
        self.faults: dict[str, str] = {}
        self.requests: list[tuple[str, str, str | None]] = []
        self.branches: dict[tuple[str, str], Path] = {}
        self.old: dict[str, list[Path]] = {}
        self.sizes: dict[tuple[str, str], int] = {}

    def files(self, kind: str, repo_id: str) -> dict[str, bytes] | None:
        folder = (self.datasets if kind == "datasets" else self.models).get(repo_id)
        return None if folder is None else _content(folder)

    def at(self, kind: str, repo_id: str, revision: str) -> dict[str, bytes] | None:
        """The files at a branch, a tag or a commit."""
        now = self.files(kind, repo_id)
        if revision == "main":
            return now
        if (repo_id, revision) in self.branches:
            return _content(self.branches[repo_id, revision])
        further = [folder for (known, _), folder in self.branches.items() if known == repo_id]
        contents = [now or {}, *map(_content, (*further, *self.old.get(repo_id, ())))]
        return next((files for files in contents if commit_of(files) == revision), None)


@contextmanager
def local_hub() -> Iterator[LocalHub]:
    """Serves a LocalHub on a free port until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.hub = hub = LocalHub(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def _content(folder: Path) -> dict[str, bytes]:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def commit_of(files: dict[str, bytes]) -> str:
    """The commit hash: it changes with any file."""
    return hashlib.sha1(repr(sorted((name, _sha256(content)) for name, content in files.items())).encode()).hexdigest()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        hub: LocalHub = self.server.hub  # type: ignore[attr-defined]
        path = urlsplit(self.path).path
        hub.requests.append((self.command, unquote(path), self.headers.get("Authorization")))
        api = re.fullmatch(r"/api/(models|datasets)/([^/]+/[^/]+)(?:/(revision|tree)/(.+))?", path)
        file = re.fullmatch(r"/(?:(datasets)/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        if api:
            kind, repo_id, what, revision = api[1], api[2], api[3], unquote(api[4] or "main")
        elif file:
            kind, repo_id, what, revision = file[1] or "models", file[2], "file", unquote(file[3])
        else:
            return self._refuse(404, None)
        fault = hub.faults.get(repo_id)
        if fault == "500":
            return self._refuse(500, None)
        if hub.files(kind, repo_id) is None:
            return self._refuse(401, "RepoNotFound")
        files = hub.at(kind, repo_id, revision)
        if files is None:
            return self._refuse(404, "RevisionNotFound")
        if what == "file":
            return self._file(files, unquote(file[4]) if file else "", fault)
        if fault == "html":
            return self._answer(200, b"<html>Please log in to this network</html>", {"Content-Type": "text/html"})
        entries = [_entry(name, content, fault, hub.sizes.get((repo_id, name))) for name, content in files.items()]
        body = entries if what == "tree" else _info(repo_id, files, entries, fault)
        return self._answer(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _file(self, files: dict[str, bytes], name: str, fault: str | None) -> None:
        if fault == "gated":
            return self._refuse(401, "GatedRepo")
        if name not in files:
            return self._refuse(404, "EntryNotFound")
        content = files[name]
        headers = {"X-Repo-Commit": commit_of(files), "ETag": f'"{_sha256(content)}"'}
        if fault == "corrupt" and name.endswith(LARGE):
            content = content[:-64] + bytes(byte ^ 0x5A for byte in content[-64:])
        return self._answer(200, content, headers)

    def _refuse(self, status: int, code: str | None) -> None:
        self._answer(status, b"{}", {"X-Error-Code": code, "X-Error-Message": code} if code else {})

    def _answer(self, status: int, body: bytes, headers: dict[str, Any]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": len(body)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _entry(name: str, content: bytes, fault: str | None, stated: int | None) -> dict[str, Any]:
    """Describes a file as both the tree and the repository's description do."""
    size = 10**13 if fault == "huge" and name.endswith(LARGE) else stated or len(content)
    blob = hashlib.sha1(content).hexdigest()
    entry: dict[str, Any] = {"type": "file", "path": name, "rfilename": name, "size": size, "oid": blob, "blobId": blob}
    if name.endswith(LARGE):
        digest = _sha256(content)
        entry["lfs"] = {"oid": digest, "sha256": digest, "size": size, "pointerSize": 134}
    return entry


def _info(repo_id: str, files: dict[str, bytes], entries: list[dict[str, Any]], fault: str | None) -> dict[str, Any]:
    """Describes a repository."""
    config = json.loads(files.get("config.json", b"{}"))
    card = re.match(rb"---\n(.*?)\n---", files.get("README.md", b""), re.DOTALL)
    return {
        "id": repo_id,
        "sha": commit_of(files),
        "private": False,
        "gated": "manual" if fault == "gated" else False,
        "downloads": 0,
        "likes": 0,
        "tags": [],
        "config": {"model_type": config.get("model_type")} if config else None,
        "cardData": yaml.safe_load(card[1]) if card else None,
        "siblings": entries,
    }
