import json
import re

import pytest

from core.encoder.loading import load
from core.inputs import checkpoints
from core.inputs.checkpoints import resolve
from core.request import catalog, limits
from tests.refusals import refusal


def test_a_folder_is_named_by_itself_and_not_pinned_by_other_files(tiny_bert, copy):
    (copy / "README.md").write_text("a model card")
    (copy / "pytorch_model.bin").write_bytes(b"not read beside safetensors")

    resolved = resolve(str(copy))

    assert resolved.id == "my-bert"
    assert resolved.source == "folder"
    assert resolved.folder == copy
    assert re.fullmatch("[0-9a-f]{64}", resolved.revision)
    assert resolve(str(tiny_bert)).revision == resolved.revision


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ],
)
def test_a_folder_is_pinned_by_the_files_that_decide_the_numbers(copy, name):
    before = resolve(str(copy)).revision
    content = (copy / name).read_bytes()

    (copy / name).write_bytes(content.replace(b"{", b"{ ", 1))

    assert resolve(str(copy)).revision != before


def test_weights_made_by_a_recipe_are_called_by_it_wherever_they_lie(copy, monkeypatch):
    before = resolve(str(copy))
    (copy / "recipe.json").write_text(json.dumps({"family": "tiny-sst2", "seed": 3}))

    resolved = resolve(str(copy))

    assert resolved.id == "recipe:tiny-sst2-seed-3"
    assert resolved.revision == before.revision
    assert load(resolved).record.recipe == resolved.recipe
    monkeypatch.setattr(checkpoints, "WEIGHTS", copy.parent)
    monkeypatch.setattr(limits, "WEIGHTS", copy.parent)
    assert resolve("recipe:my-bert") == resolved
    assert "'recipe:another' is not a checkpoint here" in refusal(resolve, "recipe:another")


def test_an_embedded_checkpoint_keeps_its_name(tiny_bert, monkeypatch):
    entry = catalog.KnownCheckpoint("Tiny", "sst2", tiny_bert)
    monkeypatch.setitem(catalog.EMBEDDED, "embedded:tiny", entry)

    resolved = resolve("embedded:tiny")

    assert resolved.id == "embedded:tiny"
    assert resolved.source == "embedded"
    assert resolved.folder == tiny_bert
    gone = entry._replace(folder=tiny_bert / "gone")
    monkeypatch.setitem(catalog.EMBEDDED, "embedded:tiny", gone)
    assert "'embedded:tiny' has no config" in refusal(resolve, "embedded:tiny")


def test_a_hub_id_loses_its_revision_and_is_pinned_to_the_commit(hub, tiny_bert):
    hub.models["someone/tiny-bert"] = tiny_bert

    resolved = resolve("someone/tiny-bert@main")

    assert resolved.id == "someone/tiny-bert"
    assert resolved.source == "hub"
    assert re.fullmatch("[0-9a-f]{40}", resolved.revision)
    assert resolve(f"someone/tiny-bert@{resolved.revision}") == resolved
    hub.requests.clear()
    assert load(resolved).record.revision == resolved.revision
    assert not hub.requests, "loading asks the Hub nothing"
