"""What has yet to be downloaded for a request."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from core.inputs import missing_inputs as module
from core.inputs.missing_inputs import to_download
from core.request.sweep_request import SweepRequest, checked


def test_what_the_cache_lacks_has_yet_to_be_downloaded() -> None:
    assert to_download(checked(SweepRequest("owner/name", "sst2"))) == "checkpoint"
    assert to_download(checked(SweepRequest("embedded:sst2", "sst2", against="owner/name"))) == "checkpoint"
    assert to_download(checked(SweepRequest("embedded:sst2", "sst2", data="hub"))) == "data"
    assert to_download(checked(SweepRequest("embedded:sst2", "sst2"))) is None


def test_neither_is_what_lacks_its_weights_or_its_training_examples(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = {("owner/name", "config.json"): str(tmp_path / "config.json")}
    monkeypatch.setattr(module, "try_to_load_from_cache", lambda name, file, **_: cached.get((name, file)))
    shutil.copy(tiny_bert / "config.json", tmp_path)
    request = checked(SweepRequest("owner/name", "sst2", data="hub"))
    assert to_download(request) == "checkpoint", "its labels have been looked at"
    shutil.copytree(tiny_bert, tmp_path, dirs_exist_ok=True)
    assert to_download(request) == "data"
    cached["nyu-mll/glue", "sst2/validation-00000-of-00001.parquet"] = "here"
    assert to_download(request) is None
    assert to_download(replace(request, method="wanda")) == "data"
