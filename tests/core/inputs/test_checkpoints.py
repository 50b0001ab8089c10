import json
import re

from core.encoder.loading import load
from core.inputs import checkpoints
from core.inputs.checkpoints import resolve
from core.request import catalog, limits
from tests.refusals import refusal


def test_a_folder_is_named_by_itself_and_pinned_by_the_files_that_decide_the_numbers(
    tiny_bert, copy
):
    found = resolve(str(copy))
    assert (found.id, found.source, found.folder) == ("my-bert", "folder", copy)
    assert resolve(str(tiny_bert)).revision == (before := found.revision)
    assert re.fullmatch("[0-9a-f]{64}", before)
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        content = (copy / name).read_bytes()
        (copy / name).write_bytes(content.replace(b"{", b"{ ", 1))
        assert resolve(str(copy)).revision != before
        (copy / name).write_bytes(content)
    (copy / "README.md").write_text("a model card")
    (copy / "pytorch_model.bin").write_bytes(b"not read beside safetensors")
    assert resolve(str(copy)).revision == before


def test_weights_made_by_a_recipe_are_called_by_it_wherever_they_lie(copy, monkeypatch):
    before = resolve(str(copy))
    recipe = {"family": "tiny-sst2", "seed": 3}
    (copy / "recipe.json").write_text(json.dumps(recipe))
    made = resolve(str(copy))
    assert (made.id, made.source, made.revision) == (
        "recipe:tiny-sst2-seed-3",
        "folder",
        before.revision,
    )
    assert load(made).record.recipe == made.recipe
    monkeypatch.setattr(checkpoints, "WEIGHTS", copy.parent)
    monkeypatch.setattr(limits, "WEIGHTS", copy.parent)
    assert resolve("recipe:my-bert") == made
    assert "'recipe:another' is not a checkpoint here" in refusal(resolve, "recipe:another")


def test_an_embedded_checkpoint_keeps_its_name(tiny_bert, monkeypatch):
    known = catalog.KnownCheckpoint("Tiny", "sst2", tiny_bert)
    monkeypatch.setitem(catalog.EMBEDDED, "embedded:tiny", known)
    found = resolve("embedded:tiny")
    assert (found.id, found.source, found.folder) == ("embedded:tiny", "embedded", tiny_bert)
    assert found.revision == resolve(str(tiny_bert)).revision
    monkeypatch.setitem(
        catalog.EMBEDDED, "embedded:tiny", known._replace(folder=tiny_bert / "gone")
    )
    assert "'embedded:tiny' has no config" in refusal(resolve, "embedded:tiny")


def test_a_hub_id_loses_its_revision_and_is_pinned_to_the_commit(hub, tiny_bert):
    hub.models["someone/tiny-bert"] = tiny_bert
    resolved = resolve("someone/tiny-bert@main")
    assert (resolved.id, resolved.source) == ("someone/tiny-bert", "hub")
    assert re.fullmatch("[0-9a-f]{40}", resolved.revision)
    assert resolve(f"someone/tiny-bert@{resolved.revision}") == resolved
    requests = len(hub.requests)
    assert load(resolved).record.revision == resolved.revision
    assert len(hub.requests) == requests  # loading asks the Hub nothing
