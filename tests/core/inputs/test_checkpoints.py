import json
import os
import re
import shutil
from dataclasses import replace

import pytest

from core.encoder.architectures import ARCHITECTURES
from core.encoder.loading import load
from core.errors import PrunescopeError
from core.inputs import checkpoints
from core.inputs.checkpoints import resolve
from core.request import catalog, places


@pytest.fixture
def copy(tiny_bert, tmp_path):
    """A copy of the tiny checkpoint that may be damaged."""
    return shutil.copytree(tiny_bert, tmp_path / "my-bert")


def refusal(folder):
    """The message that refuses a folder: one line with its name and no path."""
    with pytest.raises(PrunescopeError) as caught:
        resolve(str(folder))
    message = str(caught.value)
    assert "\n" not in message
    assert folder.name in message
    assert str(folder.parent) not in message
    return message


class TestResolve:
    def test_a_folder_is_named_by_itself_and_pinned_by_its_content(self, tiny_bert, copy):
        original, copied = resolve(str(tiny_bert)), resolve(str(copy))
        assert (copied.id, copied.source, copied.folder) == ("my-bert", "folder", copy)
        assert copied.revision == original.revision
        assert re.fullmatch("[0-9a-f]{64}", copied.revision)

    def test_files_that_decide_the_numbers_decide_the_revision_and_no_others(self, copy):
        before = resolve(str(copy)).revision
        for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
            content = (copy / name).read_bytes()
            (copy / name).write_bytes(content.replace(b"{", b"{ ", 1))
            assert resolve(str(copy)).revision != before
            (copy / name).write_bytes(content)
        (copy / "README.md").write_text("a model card")
        (copy / "pytorch_model.bin").write_bytes(b"not read beside safetensors")
        assert resolve(str(copy)).revision == before

    def test_weights_made_by_a_recipe_are_called_by_it_wherever_they_lie(self, copy, monkeypatch):
        before = resolve(str(copy))
        recipe = {"family": "tiny-sst2", "seed": 3}
        (copy / "recipe.json").write_text(json.dumps(recipe))
        made = resolve(str(copy))
        assert (made.id, made.source, made.revision) == ("recipe:tiny-sst2-seed-3", "folder", before.revision)
        assert load(made).record.recipe == made.recipe
        monkeypatch.setattr(checkpoints, "WEIGHTS", copy.parent)
        monkeypatch.setattr(places, "WEIGHTS", copy.parent)
        assert resolve("recipe:my-bert") == made
        with pytest.raises(PrunescopeError, match="'recipe:another' is not a checkpoint here"):
            resolve("recipe:another")

    @pytest.mark.parametrize(
        "change",
        [{"family": "a/b"}, {"family": "tiny; rm x"}, {"seed": "3; rm x"}, {"seed": -1}],
    )
    def test_a_recipe_is_a_command_of_this_project_and_nothing_else(self, copy, change):
        recipe = {"family": "tiny-sst2", "seed": 3} | change
        (copy / "recipe.json").write_text(json.dumps(recipe))
        assert "has a recipe.json that is not a recipe" in refusal(copy)

    def test_weights_that_would_take_for_ever_to_read_are_refused_by_their_size(self, copy):
        os.truncate(copy / "model.safetensors", 100 * 2**30)  # sparse: it takes no room
        assert "a model.safetensors of 102,400.0 MiB, more than the 6144 MiB allowed" in refusal(copy)

    def test_an_embedded_checkpoint_keeps_its_name(self, tiny_bert, monkeypatch):
        known = catalog.KnownCheckpoint("embedded:tiny", "Tiny", "sst2", tiny_bert)
        monkeypatch.setitem(catalog.EMBEDDED, "tiny", known)
        resolved = resolve("embedded:tiny")
        assert (resolved.id, resolved.source, resolved.folder) == ("embedded:tiny", "embedded", tiny_bert)
        assert resolved.revision == resolve(str(tiny_bert)).revision
        monkeypatch.setitem(catalog.EMBEDDED, "gone", replace(known, folder=tiny_bert / "gone"))
        with pytest.raises(PrunescopeError, match="'embedded:gone' has no config"):
            resolve("embedded:gone")

    def test_a_hub_id_loses_its_revision_and_is_pinned_to_the_commit(self, hub, tiny_bert):
        hub.models["someone/tiny-bert"] = tiny_bert
        resolved = resolve("someone/tiny-bert@main")
        assert (resolved.id, resolved.source) == ("someone/tiny-bert", "hub")
        assert re.fullmatch("[0-9a-f]{40}", resolved.revision)
        assert resolve(f"someone/tiny-bert@{resolved.revision}") == resolved
        requests = len(hub.requests)
        assert load(resolved).record.revision == resolved.revision
        assert len(hub.requests) == requests  # loading asks the Hub nothing

    def test_the_catalog_and_the_architectures_support_the_same(self):
        assert set(catalog.SUPPORTED_MODEL_TYPES) == set(ARCHITECTURES)
