"""What has yet to be downloaded for a request."""

from dataclasses import replace
from pathlib import Path

from local_hub import LocalHub

from core.inputs.hub import fetch_one, snapshot
from core.inputs.missing_inputs import to_download
from core.request.sweep_request import SweepRequest, checked


def test_what_the_cache_lacks_has_yet_to_be_downloaded() -> None:
    assert to_download(checked(SweepRequest("owner/name", "sst2"))) == "checkpoint"
    assert to_download(checked(SweepRequest("embedded:sst2", "sst2", against="owner/name"))) == "checkpoint"
    assert to_download(checked(SweepRequest("embedded:sst2", "sst2", data="hub"))) == "data"
    assert to_download(checked(SweepRequest("embedded:sst2", "sst2"))) is None


def test_neither_is_what_lacks_its_weights_or_its_training_examples(
    hub: LocalHub, tiny_bert: Path, glue_folder: Path
) -> None:
    hub.models["owner/name"], hub.datasets["nyu-mll/glue"] = tiny_bert, glue_folder
    request = checked(SweepRequest("owner/name", "sst2", data="hub"))
    fetch_one("owner/name", "config.json")
    assert to_download(request) == "checkpoint", "its labels have been looked at"
    snapshot("owner/name", "main")
    assert to_download(request) == "data"
    fetch_one("nyu-mll/glue", "sst2/validation-00000-of-00001.parquet", kind="data set")
    assert to_download(request) is None
    assert to_download(replace(request, method="wanda")) == "data"
    named = replace(request, data="hub:nyu-mll/glue")
    assert to_download(named) is None
    assert to_download(replace(named, data="hub:someone/moods")) == "data"
