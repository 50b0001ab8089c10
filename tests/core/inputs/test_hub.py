"""The Hub on good and bad days.

Each fault of `hub_faults`, or of the machine, is one clear line and leaves nothing.
"""

import errno
import os
import re
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from hub_faults import FAULTS, PASSING
from huggingface_hub import constants, file_download
from huggingface_hub.utils import _http
from local_hub import commit_of

from core.inputs import hub as module
from core.inputs.hub import Repository, fetch_one, snapshot
from tests.refusals import refusal

REPO = "someone/small"
MODEL = Repository(REPO)
WEIGHTS = bytes(range(256)) * 8
FILES = {
    "config.json": b'{"model_type": "bert"}'.ljust(256),
    "vocab.txt": b"[UNK]\na\n",
    "model.safetensors": WEIGHTS,
}
JARGON = r"\b[A-Z]\w*(Error|Exception|Timeout|Enabled)\b|https?://|Errno|Traceback|huggingface_hub|httpx|/tmp|\n|\x1b"


@pytest.fixture
def repo(hub, tmp_path):
    """Serve the parts of a checkpoint that downloads look at."""
    folder = hub.models[REPO] = tmp_path / "repo"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    return hub


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "hub-cache"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    """Let the client retry without a pause, and let no deadline pass on a busy machine."""
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 600.0)
    timeless = SimpleNamespace(sleep=lambda _: None, monotonic=time.monotonic, time=time.time)
    monkeypatch.setattr(_http, "time", timeless)
    monkeypatch.setattr(file_download, "time", timeless)


def refused(ask=lambda: snapshot(MODEL)):
    """Return the message of a refusal; check that it is one plain line about the repository."""
    message = refusal(ask)
    message.encode()
    assert not re.search(JARGON, message), message
    assert message.startswith(f"'{REPO}' ")
    assert len(message) < 320
    assert ": " in message, "a remedy"
    return message


def leftovers(cache):
    return [path for path in cache.rglob("*") if re.search(r"\.incomplete|^tmp", path.name)]


def offline(patch):
    patch.setattr(constants, "HF_HUB_OFFLINE", True)


def check_good_day(repo, monkeypatch):
    """Check that the whole checkpoint can be fetched, and found offline."""
    folder, commit = snapshot(MODEL)
    assert commit == commit_of(repo.files("models", REPO) or {})
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    offline(monkeypatch)
    assert snapshot(MODEL) == snapshot(Repository(REPO, commit)) == (folder, commit)


# ---------------------------------------------------------------- good days


def test_only_what_is_needed_is_downloaded_and_reported(repo):
    for name in ("pytorch_model.bin", "tf_model.h5", "README.md", "evil.py"):
        (repo.models[REPO] / name).write_bytes(b"not wanted")
    report = Mock()

    folder, _ = snapshot(MODEL, report)

    assert {path.name for path in folder.iterdir()} == set(FILES)
    reports = {call.args for call in report.mock_calls}
    for name, content in FILES.items():
        assert (f"downloading {name}", len(content), len(content)) in reports


def test_one_file_is_downloaded_once(repo):
    path = fetch_one(MODEL, "config.json")
    repo.requests.clear()

    assert fetch_one(MODEL, "config.json") == path

    assert not repo.requests
    assert path.read_bytes() == FILES["config.json"]
    assert "has no file other.json" in refused(lambda: fetch_one(MODEL, "other.json"))


def test_an_exception_in_report_ends_the_download_and_leaves_no_part(repo, cache, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        snapshot(MODEL, Mock(side_effect=KeyboardInterrupt))
    assert leftovers(cache) == []
    check_good_day(repo, monkeypatch)


@pytest.mark.parametrize("fault", ["everything 503", "api html", "api reset"])
def test_a_cached_snapshot_will_do_while_the_hub_is_out_of_reach(repo, fault):
    folder, commit = snapshot(MODEL)
    repo.faults[REPO] = FAULTS[fault]

    assert snapshot(MODEL) == snapshot(Repository(REPO, commit)) == (folder, commit)

    (folder / "model.safetensors").unlink()
    refused()


def test_the_token_is_sent_at_home_but_never_on_a_hosted_server(repo, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    repo.faults[REPO] = FAULTS["gated"]
    assert "hf auth login" in refused()
    assert any(header for _, _, header in repo.requests)
    repo.requests.clear()
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    assert "on your own computer" in refused()
    assert repo.requests
    assert not any(header for _, _, header in repo.requests)


# ---------------------------------------------------------------- bad days


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_clear_line_and_leaves_nothing(repo, cache, monkeypatch, capfd, name):
    fault = FAULTS[name]
    repo.faults[REPO] = fault

    with monkeypatch.context() as patch:
        if fault.is_slow:
            patch.setattr(module, "PATIENCE_SECONDS", 0.3)
            # After this time, what is given up frees its lock.
            patch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 1.0)
        message = refused()

    assert re.search(fault.says, message), message
    assert capfd.readouterr() == ("", "")
    assert len(repo.requests) < 40
    assert fault.is_slow or leftovers(cache) == []
    places = {path.name for path in cache.parent.iterdir()}
    assert places <= {"repo", "hub-cache"}, "nothing outside"
    with monkeypatch.context() as patch:
        offline(patch)
        refused()
    del repo.faults[REPO]
    check_good_day(repo, monkeypatch)


@pytest.mark.parametrize("name", PASSING)
def test_a_fault_that_passes_ends_no_run(repo, monkeypatch, capfd, name):
    repo.faults[REPO] = PASSING[name]
    check_good_day(repo, monkeypatch)
    assert capfd.readouterr() == ("", "")


def test_a_checkpoint_that_cannot_be_loaded_is_not_downloaded(repo):
    (repo.models[REPO] / "config.json").write_text('{"model_type": "gpt2"}')

    assert "model type 'gpt2'" in refused()

    names = {Path(path).name for _, path, _ in repo.requests if "/resolve/" in path}
    assert names == {"config.json"}


# ---------------------------------------------------------------- the machine's own faults


DISK_FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/tmp/secret/place")
MACHINE = {
    "closed port": (
        "check the connection",
        lambda patch: patch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9"),
    ),
    "offline": ("offline mode is on: unset HF_HUB_OFFLINE", offline),
    "disk full": (
        "cannot be stored .No space left on device.: free",
        lambda patch: patch.setattr(file_download, "http_get", Mock(side_effect=DISK_FULL)),
    ),
}


@pytest.mark.parametrize("name", MACHINE)
def test_a_fault_of_the_machine_is_one_clear_line(repo, cache, monkeypatch, capfd, name):
    says, arrange = MACHINE[name]
    with monkeypatch.context() as patch:
        arrange(patch)
        assert re.search(says, refused())
    assert capfd.readouterr() == ("", "")
    assert leftovers(cache) == []
    check_good_day(repo, monkeypatch)


# ---------------------------------------------------------------- the local cache


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("is_gone", [False, True])
def test_a_file_altered_in_the_cache_is_not_used(repo, monkeypatch, name, is_gone):
    folder, _ = snapshot(MODEL)
    blob = (folder / name).resolve()
    content = blob.read_bytes()
    blob.unlink()
    if not is_gone:
        blob.write_bytes(content[:-1] + b"?")
    with monkeypatch.context() as patch:
        offline(patch)
        refused()
    check_good_day(repo, monkeypatch)


def test_what_a_killed_download_has_left_goes_with_the_next(repo, cache, monkeypatch):
    part = cache / "models--someone--small" / "blobs" / f"{'0' * 64}.incomplete"
    part.parent.mkdir(parents=True)
    part.write_bytes(WEIGHTS[:99])
    os.utime(part, (0, 0))  # a young one may be another process's
    check_good_day(repo, monkeypatch)
    assert leftovers(cache) == []
