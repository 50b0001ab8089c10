"""The Hub on good and bad days: each fault of `hub_faults`, or of the machine, is one clear line and leaves nothing."""

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
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hub_faults import FAULTS, PASSING, Fault, status
from huggingface_hub import close_session, constants, file_download
from local_hub import LocalHub, commit_of

from core.errors import PrunescopeError
from core.inputs import hub as module
from core.inputs import hub_client
from core.inputs.hub import fetch, fetch_one, is_intact, list_files, snapshot
from core.request import limits

REPO, DATA = "someone/small", "someone/data"
WEIGHTS = bytes(range(256)) * 8
PARQUET = "data/validation-00000-of-00001.parquet"
NAMES = ["config.json", "vocab.txt", "model.safetensors"]
JARGON = r"\b[A-Z]\w*(Error|Exception|Timeout|Enabled)\b|https?://|Errno|Traceback|huggingface_hub|httpx|/tmp|\n|\x1b"


@pytest.fixture
def repo(hub: LocalHub, tmp_path: Path) -> LocalHub:
    """Serves as much of a checkpoint as downloads look at, and a data set of one file."""
    for name, content in zip(NAMES, (b'{"model_type": "bert"}'.ljust(256), b"[UNK]\na\nb\n", WEIGHTS), strict=True):
        (tmp_path / "repo").mkdir(exist_ok=True)
        (tmp_path / "repo" / name).write_bytes(content)
    (tmp_path / "data" / "data").mkdir(parents=True)
    (tmp_path / "data" / PARQUET).write_bytes(WEIGHTS)
    hub.models[REPO], hub.datasets[DATA] = tmp_path / "repo", tmp_path / "data"
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


@pytest.fixture
def quiet(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Checks that nothing is printed, or logged as a warning or worse, whether a logger shows it or not."""
    warned: list[str] = []
    handle = logging.Logger.handle

    def note(logger: logging.Logger, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            warned.append(record.getMessage())
        handle(logger, record)

    def check() -> None:
        assert (capfd.readouterr(), warned) == (("", ""), [])

    monkeypatch.setattr(logging.Logger, "handle", note)
    return check


def fetch_data(report: Any = None) -> Path:
    return fetch_one(DATA, PARQUET, kind="data set", report=report)


def refusal(ask: Callable[[], object] = lambda: snapshot(REPO, "main"), name: str = REPO) -> str:
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


def offline(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(constants, "HF_HUB_OFFLINE", True)


def closed_port(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")


def hurry(patch: pytest.MonkeyPatch) -> None:
    """Short deadlines, and a long one for what was given up to end."""
    patch.setattr(hub_client, "PATIENCE_SECONDS", 0.3)
    patch.setattr(hub_client, "SILENCE_SECONDS", 3.0)
    patch.setattr(module, "SILENCE_SECONDS", 0.2)
    patch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.2)


def asked_for(repo: LocalHub) -> list[str]:
    """The files that were asked for, content or not."""
    return [path.rpartition("/")[2] for _, path, _ in repo.requests if "/resolve/" in path]


def check_good_day(repo: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint is had, whole, and offline as well."""
    folder, commit = snapshot(REPO, "main")
    stated = repo.files("models", REPO) or {}
    assert commit == commit_of(stated)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == stated
    offline(monkeypatch)
    assert snapshot(REPO, "main") == snapshot(REPO, commit) == (folder, commit)


# ---------------------------------------------------------------- good days


def test_only_what_is_needed_is_asked_for(repo, monkeypatch):
    """Safetensors before PyTorch's own weights, and these where there are no others."""
    folder = repo.models[REPO]
    for name in ("pytorch_model.bin", "tf_model.h5", "README.md", "training_args.bin", "evil.py"):
        (folder / name).write_bytes(b"not wanted")
    assert {path.name for path in snapshot(REPO, "main")[0].iterdir()} == set(NAMES)
    (folder / "model.safetensors").unlink()
    assert (snapshot(REPO, "main")[0] / "pytorch_model.bin").is_file()


def test_it_reports_rising_bytes_up_to_the_total(repo):
    seen: list[tuple[str, int, int]] = []
    snapshot(REPO, "main", lambda *progress: seen.append(progress))
    size = len(WEIGHTS) + len(b"[UNK]\na\nb\n")  # the configuration is read before
    assert {stage for stage, _, _ in seen} == {"downloading"}
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert seen[-1][1:] == (size, size)


def test_an_exception_in_report_ends_the_download_and_leaves_no_part(repo, cache, monkeypatch):
    class CancelledError(Exception):
        pass

    def report(*_: object) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        snapshot(REPO, "main", report)
    assert leftovers(cache) == []
    check_good_day(repo, monkeypatch)


@pytest.mark.parametrize("state", ["offline", "no network", "api 504", "api silent", "api html", "sha None"])
def test_a_cached_snapshot_will_do_while_the_hub_is_out_of_reach(repo, waits, monkeypatch, state):
    first = snapshot(REPO, "main")
    match state:
        case "offline":
            offline(monkeypatch)
        case "no network":
            closed_port(monkeypatch)
        case _:
            repo.faults[REPO] = FAULTS.get(state) or FAULTS.get(f"api {state}") or Fault("", "api", status(504))
            hurry(monkeypatch)
    assert snapshot(REPO, "main") == snapshot(REPO, first[1]) == first
    (first[0] / "model.safetensors").unlink()
    refusal()


def test_the_token_is_sent_at_home_but_never_on_a_hosted_server(repo, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    snapshot(REPO, "main")
    assert any(header for _, _, header in repo.requests)
    repo.requests.clear()
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    snapshot(REPO, "main")
    assert repo.requests
    assert not any(header for _, _, header in repo.requests)


def test_a_file_of_a_data_set_is_asked_for_only_once(repo):
    seen: list[tuple[str, int, int]] = []
    path = fetch_data(lambda *progress: seen.append(progress))
    assert path.read_bytes() == WEIGHTS
    assert seen[-1] == ("downloading", len(WEIGHTS), len(WEIGHTS))
    repo.requests.clear()
    assert fetch_data() == path
    assert not repo.requests
    assert "has no file other.parquet" in refusal(lambda: fetch_one(DATA, "other.parquet", kind="data set"), DATA)


def test_a_renamed_repository_is_found(repo):
    repo.renamed["someone/old"] = REPO
    folder, commit = snapshot("someone/old", "main")
    assert commit == commit_of(repo.files("models", REPO) or {})
    assert (folder / "model.safetensors").is_file()


def test_another_host_is_followed_without_the_token(repo, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    folder, commit = snapshot(REPO, "main")
    shutil.rmtree(folder.parent.parent)
    repo.requests.clear()
    elsewhere = repo.url.replace("127.0.0.1", "localhost") + f"/someone/copy/resolve/{commit}/model.safetensors"
    repo.models["someone/copy"] = repo.models[REPO]
    linked = {"X_Repo_Commit": commit, "X_Linked_ETag": f'"{hashlib.sha256(WEIGHTS).hexdigest()}"'}
    change = status(302, Location=elsewhere, X_Linked_Size=len(WEIGHTS), **linked)
    repo.faults[REPO] = Fault("", "head get", change, "model.safetensors")
    assert (snapshot(REPO, "main")[0] / "model.safetensors").read_bytes() == WEIGHTS
    tokens = {path: token for method, path, token in repo.requests if method == "GET"}
    assert tokens[f"/someone/copy/resolve/{commit}/model.safetensors"] is None
    assert tokens[f"/api/models/{REPO}/revision/main"] is not None


def test_proxies_of_the_environment_are_used(repo, cache, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", repo.url)
    monkeypatch.setenv("NO_PROXY", "")
    template = "http://the-hub.invalid/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", "http://the-hub.invalid")
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    close_session()  # the client reads them when it is made
    try:
        assert snapshot(REPO, "main")
        shutil.rmtree(cache)
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        close_session()
        assert "the connection to the Hub fails" in refusal()
    finally:
        close_session()


# ---------------------------------------------------------------- bad days


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_clear_line_and_leaves_nothing(repo, cache, waits, monkeypatch, quiet, name):
    fault = FAULTS[name]
    repo.faults[REPO] = fault
    with monkeypatch.context() as patch:
        if fault.is_slow:
            hurry(patch)
        message = refusal()
    assert re.search(fault.says, message), message
    quiet()
    assert sum(waits) <= 10
    assert len(repo.requests) < 40
    assert leftovers(cache) == []
    assert {path.name for path in cache.parent.iterdir()} <= {"repo", "data", "hub-cache"}, "nothing outside"
    with monkeypatch.context() as patch:
        offline(patch)
        refusal()
    for thread in threading.enumerate():
        if thread.name == hub_client.THREAD:
            thread.join(10)
            assert not thread.is_alive(), "what was given up ends"
    del repo.faults[REPO]
    check_good_day(repo, monkeypatch)


@pytest.mark.parametrize("name", PASSING)
def test_a_fault_that_passes_ends_no_run(repo, waits, monkeypatch, quiet, name):
    repo.faults[REPO] = PASSING[name]
    check_good_day(repo, monkeypatch)
    quiet()
    assert sum(waits) <= 10


@pytest.mark.parametrize(
    "name", ["api 429", "api b'[]'", "api name '../x'", "api 404", "gated", "get cut", "get without end", "get corrupt"]
)
def test_data_sets_are_fetched_as_carefully(repo, cache, waits, monkeypatch, name):
    repo.faults[DATA] = name
    assert re.search(FAULTS[name].says, refusal(fetch_data, DATA))
    assert leftovers(cache) == []
    del repo.faults[DATA]
    assert fetch_data().read_bytes() == WEIGHTS


def test_hosted_no_log_in_is_offered(repo, monkeypatch):
    repo.faults[REPO] = "gated"
    assert "hf auth login" in refusal()
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    assert "log in" not in refusal()


def test_what_is_too_large_is_refused_before_any_file_is_asked_for(repo, monkeypatch):
    repo.faults[REPO] = "huge"
    assert re.search(r"9,536,743 MiB, more than the 6,144 MiB allowed", refusal())
    del repo.faults[REPO]
    monkeypatch.setattr(limits, "HOSTED_LIMITS", replace(limits.HOSTED_LIMITS, download_bytes=1000))
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    assert "more than the 0 MiB allowed" in refusal()
    assert "more than the 0 MiB allowed" in refusal(lambda: fetch_one(REPO, "config.json", most=100))
    assert asked_for(repo) == []


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("config.json", '{"model_type": "gpt2"}', "model type 'gpt2'"),
        ("config.json", None, "no config.json"),
        ("model.safetensors", None, "no weights"),
        ("vocab.txt", None, "no tokenizer file"),
        ("config.json", '{"model_type": "deberta-v2", "conv_kernel_size": 3}', "has a convolution"),
    ],
)
def test_a_checkpoint_that_cannot_be_loaded_is_not_downloaded(repo, name, content, expected):
    path = repo.models[REPO] / name
    path.unlink() if content is None else path.write_text(content)
    assert expected in refusal()
    assert set(asked_for(repo)) <= {"config.json"}


# ---------------------------------------------------------------- the machine's own faults


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
    "closed port": ("the connection to the Hub fails", closed_port),
    "no TLS": ("the connection to the Hub fails", no_tls),
    "unknown host": ("the connection to the Hub fails", no_name),
    "offline": ("offline mode is on: unset HF_HUB_OFFLINE", offline),
    "disk full": ("cannot be stored .No space left on device.: free", failing("http_get", errno.ENOSPC)),
    "quota": ("cannot be stored", failing("http_get", errno.EDQUOT)),
    "read-only": ("to a folder that is writable", failing("http_get", errno.EROFS)),
    "not permitted": ("to a folder that is writable", failing("_create_symlink", errno.EACCES)),
    "disk broken": ("cannot be stored", failing("http_get", errno.EIO)),
    "too many files": ("cannot be stored", failing("_chmod_and_move", errno.EMFILE)),
    "a file for a folder": ("cannot be stored", file_for_a_folder),
}


@pytest.mark.parametrize("name", MACHINE)
def test_a_fault_of_the_machine_is_one_clear_line(repo, cache, waits, monkeypatch, quiet, name):
    says, arrange = MACHINE[name]
    with monkeypatch.context() as patch:
        arrange(patch)
        assert re.search(says, refusal())
    quiet()
    assert leftovers(cache) == []
    check_good_day(repo, monkeypatch)


# ---------------------------------------------------------------- the local cache


@pytest.fixture
def cached(repo: LocalHub) -> Path:
    """A snapshot in the local cache."""
    return snapshot(REPO, "main")[0]


def alter(path: Path) -> None:
    content = path.read_bytes()
    path.resolve().write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "change", [alter, lambda path: path.resolve().write_bytes(b""), lambda path: path.resolve().unlink()]
)
@pytest.mark.parametrize("state", ["offline", "api head get 500"])
def test_a_file_altered_in_the_cache_is_not_used(repo, cached, monkeypatch, waits, name, change, state):
    change(cached / name)
    with monkeypatch.context() as patch:
        if state == "offline":
            offline(patch)
        else:
            repo.faults[REPO] = state
        refusal()
    repo.faults.clear()
    check_good_day(repo, monkeypatch)


def test_configurations_and_data_are_compared_as_well(repo, cached):
    parquet, listing = fetch_data(), list_files(DATA, "main", "data set")
    assert fetch(listing, PARQUET) == parquet
    asks: list[tuple[Path, Callable[[], object]]] = [
        (cached / "config.json", lambda: fetch_one(REPO, "config.json")),
        (parquet, fetch_data),
        (parquet, lambda: fetch(listing, PARQUET)),
    ]
    for path, ask in asks:
        content = path.read_bytes()
        alter(path)
        ask()
        assert path.read_bytes() == content, "fetched again"


def test_a_cache_that_cannot_be_written_is_refused_for_its_content_alone(cached, monkeypatch):
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    alter(cached / "vocab.txt")
    monkeypatch.setattr(Path, "unlink", denied)
    assert "set HF_HOME to a folder that is writable" in refusal()
    offline(monkeypatch)
    refusal()


def test_git_and_sha_digests_are_distinguished(tmp_path):
    path, sha = tmp_path / "ce013625030ba8dba906f756967f9e9ca394464a", hashlib.sha256(b"hello\n").hexdigest()
    path.write_bytes(b"hello\n")  # which git hash-object calls so
    assert is_intact(path)
    assert is_intact(path, sha)
    assert not is_intact(path, sha[::-1])
    path.write_bytes(b"hello")
    assert not is_intact(path)
    named = tmp_path / "words.txt"
    named.write_bytes(b"anything")
    assert is_intact(named), "a name that is no digest states nothing"
    assert not is_intact(tmp_path / "missing")


def test_parts_of_broken_downloads_are_swept(repo, cached):
    blob = (cached / "model.safetensors").resolve()
    names = (f"{blob.name}.0123abcd.incomplete", "b" * 40 + ".incomplete", "c.0.incomplete")
    part, old, recent = map(blob.with_name, names)
    for path in (part, old, recent):
        path.write_bytes(b"part")
    os.utime(old, (0, 0))
    snapshot(REPO, "main")
    assert not part.exists(), "its file is there"
    assert not old.exists(), "nobody writes it"
    assert recent.exists(), "another process may be writing it"


@pytest.mark.parametrize("name", NAMES)
def test_a_part_of_a_snapshot_is_never_used(repo, waits, monkeypatch, name):
    repo.faults[REPO] = Fault("", "get", status(500), name)
    refusal()
    offline(monkeypatch)
    for revision in ("main", commit_of(repo.files("models", REPO) or {})):
        assert "offline mode is on" in refusal(lambda revision=revision: snapshot(REPO, revision))


# ---------------------------------------------------------------- a whole process


def run_python(repo: LocalHub, code: str, cache: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "HF_ENDPOINT": repo.url, "HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "0"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", code], env=environment, text=True, **pipes)  # type: ignore[call-overload]


def test_a_process_prints_nothing_of_the_client(repo, cache):
    names = {f"someone/{k}": name for k, name in enumerate(("head of 40 gigabytes", "api 503, warned", "get cut"))}
    for place, name in names.items():
        repo.models[place], repo.faults[place] = repo.models[REPO], FAULTS[name]
    code = f"""
from core.inputs import hub, hub_client
from core.errors import PrunescopeError
hub_client.PAUSES = (0.0,)
for place in {list(names)!r}:
    try:
        hub.snapshot(place, "main")
    except PrunescopeError as error:
        print(error)
"""
    printed, warned = run_python(repo, code, cache).communicate(timeout=60)
    assert warned == ""
    for name, line in zip(names.values(), printed.splitlines(), strict=True):
        assert re.search(FAULTS[name].says, line)


def test_a_killed_download_is_made_good_by_the_next(repo, cache, monkeypatch):
    repo.faults[REPO] = FAULTS["get body silent"]
    part = f"{hashlib.sha256(WEIGHTS).hexdigest()}*.incomplete"
    with run_python(repo, f"from core.inputs.hub import snapshot; snapshot({REPO!r}, 'main')", cache) as process:
        while not (begun := list(cache.rglob(part))) and process.poll() is None:
            threading.Event().wait(0.01)
        process.kill()
    assert begun
    with monkeypatch.context() as patch:
        offline(patch)
        refusal()
    del repo.faults[REPO]
    check_good_day(repo, monkeypatch)
    assert leftovers(cache) == []
