import re
import shutil
from dataclasses import replace

import pytest
from huggingface_hub import constants
from local_hub import commit_of

from core.errors import PrunescopeError
from core.inputs import hub_client
from core.inputs.hub import dataset_file, snapshot
from core.request import limits

REPO = "someone/tiny-bert"
DATA = "nyu-mll/glue"
FILE = "sst2/validation-00000-of-00001.parquet"


@pytest.fixture
def repo(hub, tiny_bert):
    """Serves the tiny checkpoint as REPO."""
    hub.models[REPO] = tiny_bert
    return hub


def refusal(repo_id=REPO, revision="main"):
    """The message of a snapshot that is refused, checked to be one line that names what was asked for."""
    with pytest.raises(PrunescopeError) as caught:
        snapshot(repo_id, revision)
    message = str(caught.value)
    assert "\n" not in message
    assert repo_id in message
    return message


class TestSnapshot:
    def test_brings_the_files_of_one_commit(self, repo, tiny_bert):
        folder, commit = snapshot(REPO, "main")
        assert commit == commit_of(repo.files("models", REPO))
        for path in tiny_bert.iterdir():
            assert (folder / path.name).read_bytes() == path.read_bytes()

    def test_asks_for_safetensors_only_and_for_no_other_files(self, hub, tiny_bert, tmp_path):
        hub.models[REPO] = shutil.copytree(tiny_bert, tmp_path / "repo")
        for name in ("pytorch_model.bin", "tf_model.h5", "README.md", "training_args.bin", "evil.py"):
            (tmp_path / "repo" / name).write_bytes(b"not wanted")
        folder, _ = snapshot(REPO, "main")
        assert {path.name for path in folder.iterdir()} == {path.name for path in tiny_bert.iterdir()}

    def test_takes_pytorch_weights_where_there_are_no_others(self, hub, tiny_bert, tmp_path):
        hub.models[REPO] = shutil.copytree(tiny_bert, tmp_path / "repo")
        (tmp_path / "repo" / "model.safetensors").rename(tmp_path / "repo" / "pytorch_model.bin")
        assert (snapshot(REPO, "main")[0] / "pytorch_model.bin").is_file()

    def test_reports_rising_bytes_up_to_the_total(self, repo, tiny_bert):
        seen = []
        snapshot(REPO, "main", lambda *progress: seen.append(progress))
        size = sum(path.stat().st_size for path in tiny_bert.iterdir() if path.name != "config.json")  # read before
        assert {stage for stage, _, _ in seen} == {"downloading"}
        assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
        assert seen[-1][1:] == (size, size)

    def test_an_exception_in_report_ends_the_download_and_leaves_no_part(self, repo, tmp_path):
        class CancelledError(Exception):
            pass

        def report(*_):
            raise CancelledError

        with pytest.raises(CancelledError):
            snapshot(REPO, "main", report)
        assert not list(tmp_path.rglob("*.incomplete"))
        assert snapshot(REPO, "main")

    @pytest.mark.parametrize("state", ["offline", "no network", "api 504", "api silent", "html", "sha None"])
    def test_a_cached_snapshot_will_do_while_the_hub_is_out_of_reach(self, repo, monkeypatch, state):
        first = snapshot(REPO, "main")
        if state == "offline":
            monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        elif state == "no network":
            monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
        else:
            repo.faults[REPO] = state
            monkeypatch.setattr(hub_client, "PAUSE_SECONDS", 0.0)
            monkeypatch.setattr(hub_client, "SILENCE_SECONDS", 0.2)
        assert snapshot(REPO, "main") == first
        assert snapshot(REPO, first[1]) == first

    def test_a_snapshot_without_weights_will_not_do(self, repo, monkeypatch):
        folder, _ = snapshot(REPO, "main")
        (folder / "model.safetensors").unlink()
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        assert "offline mode is on" in refusal()

    def test_sends_the_token_at_home_but_never_on_a_hosted_server(self, repo, monkeypatch):
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        snapshot(REPO, "main")
        assert any(header for _, _, header in repo.requests)
        repo.requests.clear()
        monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
        snapshot(REPO, "main")
        assert repo.requests
        assert not any(header for _, _, header in repo.requests)


class TestRefusals:
    def test_unknown_repository(self, repo):
        assert "not on the Hub, or is private" in refusal("someone/missing")

    def test_bad_revision(self, repo):
        assert "no revision 'v9'" in refusal(revision="v9")

    def test_gated(self, repo, monkeypatch):
        repo.faults[REPO] = "gated"
        assert "hf auth login" in refusal()
        monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
        message = refusal()
        assert "is gated" in message
        assert "log in" not in message

    def test_no_network(self, repo, monkeypatch):
        monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
        assert "cannot be reached" in refusal()

    def test_offline_mode(self, repo, monkeypatch):
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        assert "unset HF_HUB_OFFLINE" in refusal()
        assert not repo.requests

    def test_a_corrupt_file_is_deleted_and_the_next_try_recovers(self, repo, tmp_path, tiny_bert):
        repo.faults[REPO] = "corrupt"
        assert "model.safetensors arrived damaged" in refusal()
        size = (tiny_bert / "model.safetensors").stat().st_size
        assert not [path for path in (tmp_path / "hub-cache").rglob("*") if path.stat().st_size == size]
        del repo.faults[REPO]
        folder, _ = snapshot(REPO, "main")
        assert (folder / "model.safetensors").read_bytes() == (tiny_bert / "model.safetensors").read_bytes()

    def test_too_large_is_refused_before_any_file_is_asked_for(self, repo):
        repo.faults[REPO] = "huge"
        assert re.search(r"9,536,743 MiB, more than the 6,144 MiB allowed", refusal())
        assert [method for method, path, _ in repo.requests if "/resolve/" in path] == []

    def test_hosted_bounds_are_lower(self, repo, monkeypatch):
        monkeypatch.setattr(limits, "HOSTED_LIMITS", replace(limits.HOSTED_LIMITS, download_bytes=1000))
        assert snapshot(REPO, "main")
        monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
        assert "more than the 0 MiB allowed" in refusal()

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            (lambda folder: (folder / "config.json").write_text('{"model_type": "gpt2"}'), "model type 'gpt2'"),
            (lambda folder: (folder / "config.json").unlink(), "no config.json"),
            (lambda folder: (folder / "model.safetensors").unlink(), "no weights"),
            (lambda folder: (folder / "tokenizer.json").unlink(), "no tokenizer file"),
        ],
    )
    def test_a_checkpoint_that_cannot_be_loaded_is_not_downloaded(self, hub, tiny_bert, tmp_path, change, expected):
        hub.models[REPO] = shutil.copytree(tiny_bert, tmp_path / "repo")
        change(tmp_path / "repo")
        assert expected in refusal()
        assert [path for _, path, _ in hub.requests if "/resolve/" in path] == []

    def test_a_convolution_is_found_before_the_weights_are_downloaded(self, hub, tiny_bert, tmp_path):
        hub.models[REPO] = shutil.copytree(tiny_bert, tmp_path / "repo")
        (tmp_path / "repo" / "config.json").write_text('{"model_type": "deberta-v2", "conv_kernel_size": 3}')
        assert "has a convolution" in refusal()
        assert {path.rpartition("/")[2] for _, path, _ in hub.requests if "/resolve/" in path} == {"config.json"}


class TestDatasetFile:
    @pytest.fixture(autouse=True)
    def _data(self, hub, glue_folder):
        hub.datasets[DATA] = glue_folder

    def test_brings_one_file_and_asks_only_once(self, hub, glue_folder):
        seen = []
        path = dataset_file(DATA, FILE, lambda *progress: seen.append(progress))
        assert path.read_bytes() == (glue_folder / FILE).read_bytes()
        assert seen[-1] == ("downloading", path.stat().st_size, path.stat().st_size)
        assert [path for method, path, _ in hub.requests if method == "GET" and "/resolve/" in path] == [
            f"/datasets/{DATA}/resolve/main/{FILE}"
        ]
        hub.requests.clear()
        assert dataset_file(DATA, FILE) == path
        assert not hub.requests

    def test_refuses_a_file_that_does_not_exist(self):
        with pytest.raises(PrunescopeError, match=r"no file sst2/other\.parquet"):
            dataset_file(DATA, "sst2/other.parquet")

    def test_deletes_a_corrupt_file(self, hub):
        hub.faults[DATA] = "corrupt"
        with pytest.raises(PrunescopeError, match="arrived damaged"):
            dataset_file(DATA, FILE)
        del hub.faults[DATA]
        assert dataset_file(DATA, FILE).is_file()

    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [("HF_HUB_OFFLINE", True, "offline mode is on"), ("ENDPOINT", "http://127.0.0.1:9", "cannot be reached")],
    )
    def test_says_why_it_cannot_be_had(self, monkeypatch, name, value, expected):
        monkeypatch.setattr(constants, name, value)
        with pytest.raises(PrunescopeError, match=expected):
            dataset_file(DATA, FILE)
