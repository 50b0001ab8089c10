"""The Hub's bad days: every fault of `hub_faults`, and those of the machine, is one clear line and leaves nothing."""

import errno
import hashlib
import logging
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from hub_faults import FAULTS, PASSING, TOO_SLOW, Fault, status
from huggingface_hub import close_session, constants, file_download
from local_hub import LocalHub, commit_of

from core.errors import PrunescopeError
from core.inputs import hub_cache, hub_client
from core.inputs.hub import config_folder, dataset_file, dataset_listing, listed_file, snapshot

REPO = "someone/small"
DATA = "someone/data"
WEIGHTS = bytes(range(256)) * 8
WEIGHTS_DIGEST = hashlib.sha256(WEIGHTS).hexdigest()
PARQUET = "data/validation-00000-of-00001.parquet"
DAMAGED_HERE = "is damaged in the local cache"
JARGON = r"\b[A-Z]\w*(Error|Exception|Timeout|Enabled)\b|https?://|Errno|Traceback|huggingface_hub|httpx|/tmp|\n|\x1b"
LONGEST_WAIT = (hub_client.TRIES - 1) * hub_client.MAX_PAUSE_SECONDS  # for one request


@pytest.fixture
def repo(hub: LocalHub, tmp_path: Path) -> LocalHub:
    """Serves as much of a checkpoint as downloads look at, and a data set of one file."""
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "bert"}'.ljust(256))  # long enough to trickle
    (folder / "vocab.txt").write_text("[UNK]\na\nb\n")
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    (tmp_path / "data" / "data").mkdir(parents=True)
    (tmp_path / "data" / PARQUET).write_bytes(bytes(range(256)) * 8)
    hub.models[REPO], hub.datasets[DATA] = folder, tmp_path / "data"
    return hub


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses before another try, none of which is waited for."""
    pauses: list[float] = []
    timeless = SimpleNamespace(sleep=pauses.append, monotonic=time.monotonic)
    monkeypatch.setattr(hub_client, "time", timeless)
    monkeypatch.setattr(file_download, "time", timeless)
    return pauses


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "hub-cache"


def hurry(monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    """Short deadlines, of the kind alone that the fault is told by: no other is over before it on a busy computer."""
    names = ("SPEED_SECONDS",) if fault.says == TOO_SLOW else ("SILENCE_SECONDS", "ANSWER_SECONDS")
    for name in names:
        monkeypatch.setattr(hub_client, name, 0.3)
    monkeypatch.setattr(hub_client, "RESUMES", 1)


def refusal(ask: Callable[[], object], name: str = REPO) -> str:
    """The message of what is refused, checked to be one line in plain words about what was asked for."""
    with pytest.raises(PrunescopeError) as caught:
        ask()
    message = str(caught.value)
    message.encode()
    assert not re.search(JARGON, message), message
    assert name in message
    assert len(message) < 320
    assert ": " in message.partition("' ")[2] or ": " in message.partition("': ")[2], "a remedy"
    return message


def leftovers(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*") if re.search(r"\.incomplete|^tmp", path.name)]


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is logged as a warning or worse, whether a logger shows it or not."""
    messages: list[str] = []
    handle = logging.Logger.handle

    def note(logger: logging.Logger, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            messages.append(record.getMessage())
        handle(logger, record)

    monkeypatch.setattr(logging.Logger, "handle", note)
    return messages


def check_quiet(capfd: pytest.CaptureFixture[str], warned: list[str]) -> None:
    assert capfd.readouterr() == ("", "")
    assert warned == []


def check_good_day(repo: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint is had, whole, and offline as well."""
    folder, commit = snapshot(REPO, "main")
    stated = repo.files("models", REPO) or {}
    assert commit == commit_of(stated)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == stated
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert snapshot(REPO, "main") == (folder, commit)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_clear_line_and_leaves_nothing(
    repo: LocalHub,
    cache: Path,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    warned: list[str],
    name: str,
) -> None:
    fault = FAULTS[name]
    repo.faults[REPO] = fault
    with monkeypatch.context() as patch:
        if fault.is_slow:
            hurry(patch, fault)
        message = refusal(lambda: snapshot(REPO, "main"))
    assert re.search(fault.says, message), message
    check_quiet(capfd, warned)
    assert sum(waits) <= LONGEST_WAIT
    assert len(repo.requests) < 40
    assert leftovers(cache) == []
    assert {path.name for path in cache.parent.iterdir()} <= {"repo", "data", "hub-cache"}, "nothing outside"
    with monkeypatch.context() as patch:
        patch.setattr(constants, "HF_HUB_OFFLINE", True)
        refusal(lambda: snapshot(REPO, "main"))
    for thread in threading.enumerate():
        if thread.name == hub_client.THREAD:
            thread.join(10)
            assert not thread.is_alive(), "what was given up ends"
    del repo.faults[REPO]
    check_good_day(repo, monkeypatch)


@pytest.mark.parametrize("name", PASSING)
def test_a_fault_that_passes_ends_no_run(
    repo: LocalHub,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    warned: list[str],
    name: str,
) -> None:
    repo.faults[REPO] = PASSING[name]
    check_good_day(repo, monkeypatch)
    check_quiet(capfd, warned)
    assert sum(waits) <= LONGEST_WAIT
    if "Retry" in name or "soon" in name:
        assert waits == [3.0]


def test_the_wait_is_what_the_hub_asks_for_up_to_a_bound(repo: LocalHub, waits: list[float]) -> None:
    repo.faults[REPO] = Fault("", "api", status(503, Retry_After=int(hub_client.MAX_PAUSE_SECONDS)))
    refusal(lambda: snapshot(REPO, "main"))
    assert waits == [hub_client.MAX_PAUSE_SECONDS] * (hub_client.TRIES - 1)
    waits.clear()
    repo.faults[REPO] = Fault("", "api", status(503, Retry_After=int(hub_client.MAX_PAUSE_SECONDS) + 1))
    refusal(lambda: snapshot(REPO, "main"))
    assert waits == []


def test_a_renamed_repository_is_found(repo: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.renamed["someone/old"] = REPO
    folder, commit = snapshot("someone/old", "main")
    assert commit == commit_of(repo.files("models", REPO) or {})
    assert (folder / "model.safetensors").is_file()


def test_another_host_is_followed_without_the_token(repo: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    folder, commit = snapshot(REPO, "main")
    shutil.rmtree(folder.parent.parent)
    repo.requests.clear()
    elsewhere = repo.url.replace("127.0.0.1", "localhost") + f"/someone/copy/resolve/{commit}/model.safetensors"
    repo.models["someone/copy"] = repo.models[REPO]
    content = (repo.models[REPO] / "model.safetensors").read_bytes()
    repo.faults[REPO] = Fault(
        "",
        "head get",
        lambda answer: status(302, Location=elsewhere, X_Linked_Size=len(content), **_linked(answer.headers))(answer),
        "model.safetensors",
    )
    assert (snapshot(REPO, "main")[0] / "model.safetensors").read_bytes() == content
    tokens = {path: token for method, path, token in repo.requests if method == "GET"}
    assert tokens[f"/someone/copy/resolve/{commit}/model.safetensors"] is None
    assert tokens[f"/api/models/{REPO}/revision/main"] is not None


def _linked(headers: dict[str, str]) -> dict[str, str]:
    return {"X_Repo_Commit": headers["X-Repo-Commit"], "X_Linked_ETag": headers["ETag"]}


def test_proxies_of_the_environment_are_used(repo: LocalHub, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", repo.url)
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setattr(constants, "ENDPOINT", "http://the-hub.invalid")
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", "http://the-hub.invalid/{repo_id}/resolve/{revision}/{filename}"
    )
    close_session()  # the client reads them when it is made
    try:
        assert snapshot(REPO, "main")
        shutil.rmtree(cache)
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        close_session()
        assert "cannot be reached" in refusal(lambda: snapshot(REPO, "main"))
    finally:
        close_session()


# ---------------------------------------------------------------- the machine's own


def closed_port(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")


def no_tls(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(constants, "ENDPOINT", str(constants.ENDPOINT).replace("http:", "https:"))


def no_name(patch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise OSError(-2, "Name or service not known")

    patch.setattr("socket.getaddrinfo", unknown)


def failing(name: str, number: int) -> Callable[[pytest.MonkeyPatch], None]:
    """One function of the operating system fails."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), "/tmp/secret/place")

    return lambda patch: patch.setattr(file_download, name, fail)


def file_for_a_folder(patch: pytest.MonkeyPatch) -> None:
    place = Path(constants.HF_HUB_CACHE).with_name("repo") / "config.json"
    patch.setattr(constants, "HF_HUB_CACHE", str(place))


MACHINE: dict[str, tuple[str, Callable[[pytest.MonkeyPatch], None]]] = {
    "closed port": ("cannot be reached", closed_port),
    "no TLS": ("cannot be reached", no_tls),
    "unknown host": ("cannot be reached", no_name),
    "offline": ("offline mode is on", lambda patch: patch.setattr(constants, "HF_HUB_OFFLINE", True)),
    "disk full": ("the disk is full", failing("http_get", errno.ENOSPC)),
    "quota": ("the disk is full", failing("http_get", errno.EDQUOT)),
    "read-only": ("is not writable", failing("http_get", errno.EROFS)),
    "not permitted": ("is not writable", failing("_create_symlink", errno.EACCES)),
    "disk broken": (r"cannot be stored \(Input/output error\)", failing("http_get", errno.EIO)),
    "too many files": (r"cannot be stored \(Too many open files\)", failing("_chmod_and_move", errno.EMFILE)),
    "a file for a folder": (r"cannot be stored \(Not a directory\)", file_for_a_folder),
}


@pytest.mark.parametrize("name", MACHINE)
def test_a_fault_of_the_machine_is_one_clear_line(
    repo: LocalHub,
    cache: Path,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    warned: list[str],
    name: str,
) -> None:
    says, arrange = MACHINE[name]
    with monkeypatch.context() as patch:
        arrange(patch)
        message = refusal(lambda: snapshot(REPO, "main"))
    assert re.search(says, message), message
    check_quiet(capfd, warned)
    assert leftovers(cache) == []
    check_good_day(repo, monkeypatch)


def test_a_report_that_ends_the_download_ends_it_amid_a_body(repo: LocalHub, cache: Path) -> None:
    class StoppedError(Exception):
        pass

    def stop(*_: object) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        snapshot(REPO, "main", stop)
    assert leftovers(cache) == []


# ---------------------------------------------------------------- the local cache


@pytest.fixture
def cached(repo: LocalHub) -> Path:
    """A snapshot in the local cache."""
    return snapshot(REPO, "main")[0]


def alter(path: Path) -> None:
    content = path.read_bytes()
    path.resolve().write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.mark.parametrize("name", ["config.json", "vocab.txt", "model.safetensors"])
@pytest.mark.parametrize(
    "change", [alter, lambda path: path.resolve().write_bytes(b""), lambda path: path.resolve().unlink()]
)
@pytest.mark.parametrize("state", ["offline", "500"])
def test_a_file_altered_in_the_cache_is_not_used(
    repo: LocalHub, cached: Path, monkeypatch: pytest.MonkeyPatch, waits: list[float], name: str, change, state: str
) -> None:
    change(cached / name)
    with monkeypatch.context() as patch:
        if state == "offline":
            patch.setattr(constants, "HF_HUB_OFFLINE", True)
        else:
            repo.faults[REPO] = state
        refusal(lambda: snapshot(REPO, "main"))
    repo.faults.clear()
    check_good_day(repo, monkeypatch)


def test_an_altered_file_is_named_and_fetched_again(
    repo: LocalHub, cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alter(cached / "model.safetensors")
    with monkeypatch.context() as patch:
        patch.setattr(constants, "HF_HUB_OFFLINE", True)
        message = refusal(lambda: snapshot(REPO, "main"))
    assert f"model.safetensors {DAMAGED_HERE}" in message
    alter(cached / "vocab.txt")
    check_good_day(repo, monkeypatch)


def test_configurations_and_data_are_compared_as_well(
    repo: LocalHub, cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet = dataset_file(DATA, PARQUET)
    listing = dataset_listing(DATA, "main")
    assert listed_file(listing, PARQUET) == parquet
    for path, ask in (
        (cached / "config.json", lambda: config_folder(REPO, "main")),
        (parquet, lambda: dataset_file(DATA, PARQUET)),
        (parquet, lambda: listed_file(listing, PARQUET)),
    ):
        content = path.read_bytes()
        alter(path)
        ask()
        assert path.read_bytes() == content, "fetched again"
    alter(parquet)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert DAMAGED_HERE in refusal(lambda: listed_file(listing, PARQUET), DATA)


def test_a_cache_that_cannot_be_written_is_refused_for_its_content_alone(
    cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alter(cached / "vocab.txt")

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "unlink", denied)
    assert "set HF_HOME to a folder that is writable" in refusal(lambda: snapshot(REPO, "main"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert DAMAGED_HERE in refusal(lambda: snapshot(REPO, "main"))


def test_git_and_sha_digests_are_distinguished(tmp_path: Path) -> None:
    path = tmp_path / "ce013625030ba8dba906f756967f9e9ca394464a"  # git hash-object of "hello\n"
    path.write_bytes(b"hello\n")
    assert hub_cache.is_intact(path)
    assert hub_cache.is_intact(path, "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")
    assert not hub_cache.is_intact(path, "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be04")
    path.write_bytes(b"hello")
    assert not hub_cache.is_intact(path)
    named = tmp_path / "words.txt"
    named.write_bytes(b"anything")
    assert hub_cache.is_intact(named), "a name that is no digest states nothing"
    assert not hub_cache.is_intact(tmp_path / "missing")


def test_parts_of_broken_downloads_are_swept(repo: LocalHub, cached: Path) -> None:
    blob = (cached / "model.safetensors").resolve()
    part, old, recent = (
        blob.with_name(name)
        for name in (f"{blob.name}.0123abcd.incomplete", "b" * 40 + ".incomplete", "c.0.incomplete")
    )
    for path in (part, old, recent):
        path.write_bytes(b"part")
    os.utime(old, (0, 0))
    snapshot(REPO, "main")
    assert not part.exists(), "its file is there"
    assert not old.exists(), "nobody writes it"
    assert recent.exists(), "another process may be writing it"


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.txt", "config.json"])
def test_a_part_of_a_snapshot_is_never_used(
    repo: LocalHub, waits: list[float], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    repo.faults[REPO] = Fault("", "get", status(500), name)
    refusal(lambda: snapshot(REPO, "main"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    commit = commit_of(repo.files("models", REPO) or {})
    for revision in ("main", commit):
        refusal(lambda revision=revision: snapshot(REPO, revision))


# ---------------------------------------------------------------- data sets, and a whole process


@pytest.mark.parametrize(
    "name",
    [
        "api 429",
        "json []",
        "name '../x'",
        "api 404",
        "gated",
        "get cut",
        "get without end",
        "corrupt",
        "siblings of null",
        "sha None",
    ],
)
def test_data_sets_are_fetched_as_carefully(repo: LocalHub, cache: Path, waits: list[float], name: str) -> None:
    repo.faults[DATA] = name
    for fetch in (
        lambda: dataset_file(DATA, PARQUET),
        lambda: listed_file(dataset_listing(DATA, "main"), PARQUET),
    ):
        assert re.search(FAULTS[name].says, refusal(fetch, DATA))
        assert leftovers(cache) == []
    del repo.faults[DATA]
    assert dataset_file(DATA, PARQUET).read_bytes() == (repo.datasets[DATA] / PARQUET).read_bytes()


def test_a_process_prints_nothing_of_the_client(repo: LocalHub, tmp_path: Path) -> None:
    names = {f"someone/{k}": name for k, name in enumerate(("head of 40 gigabytes", "api 503, warned", "get cut"))}
    for place, name in names.items():
        repo.models[place], repo.faults[place] = repo.models[REPO], FAULTS[name]
    code = f"""
from core.inputs import hub, hub_client
from core.errors import PrunescopeError
hub_client.PAUSE_SECONDS, hub_client.RESUMES = 0.0, 1
for place in {list(names)!r}:
    try:
        hub.snapshot(place, "main")
    except PrunescopeError as error:
        print(error)
"""
    environment = {**os.environ, "HF_ENDPOINT": repo.url, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    for name, line in zip(names.values(), done.stdout.splitlines(), strict=True):
        assert re.search(FAULTS[name].says, line)


def test_a_killed_download_is_made_good_by_the_next(
    repo: LocalHub, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.faults[REPO] = FAULTS["get body silent"]
    environment = {**os.environ, "HF_ENDPOINT": repo.url, "HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "0"}
    code = f"from core.inputs.hub import snapshot; snapshot({REPO!r}, 'main')"
    with subprocess.Popen([sys.executable, "-c", code], env=environment) as process:
        while not (begun := list(cache.rglob(f"{WEIGHTS_DIGEST}*.incomplete"))) and process.poll() is None:
            threading.Event().wait(0.01)
        process.kill()
    assert begun
    with monkeypatch.context() as patch:
        patch.setattr(constants, "HF_HUB_OFFLINE", True)
        refusal(lambda: snapshot(REPO, "main"))
    del repo.faults[REPO]
    check_good_day(repo, monkeypatch)
    assert leftovers(cache) == []
