import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import make_bert
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from core.encoder.architectures import ARCHITECTURES
from core.encoder.loading import check_labels, load
from core.errors import PrunescopeError
from core.inputs.checkpoints import resolve
from core.request import catalog, limits
from core.request.catalog import TASKS


@pytest.fixture
def copy(tiny_bert, tmp_path):
    """A copy of the tiny checkpoint that may be damaged."""
    return shutil.copytree(tiny_bert, tmp_path / "my-bert")


def change_weights(folder, change):
    """Applies `change` to the dictionary of weights."""
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def change_config(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def refusal(folder):
    """The message that refuses a folder: one line with its name and no path."""
    with pytest.raises(PrunescopeError) as caught:
        load(resolve(str(folder)))
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

    @pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"])
    def test_what_decides_the_numbers_decides_the_revision(self, copy, name):
        before = resolve(str(copy)).revision
        content = (copy / name).read_bytes()
        (copy / name).write_bytes(content.replace(b"{", b"{ ", 1))
        assert resolve(str(copy)).revision != before
        (copy / name).write_bytes(content)
        assert resolve(str(copy)).revision == before

    def test_the_model_card_does_not_decide_the_revision(self, copy):
        before = resolve(str(copy)).revision
        (copy / "README.md").write_text("a model card")
        (copy / "pytorch_model.bin").write_bytes(b"not read beside safetensors")
        assert resolve(str(copy)).revision == before

    def test_an_embedded_checkpoint_keeps_its_name(self, tiny_bert, monkeypatch):
        known = catalog.KnownCheckpoint("embedded:tiny", "Tiny", "sst2", tiny_bert)
        monkeypatch.setitem(catalog.EMBEDDED, "tiny", known)
        resolved = resolve("embedded:tiny")
        assert (resolved.id, resolved.source, resolved.folder) == ("embedded:tiny", "embedded", tiny_bert)
        assert resolved.revision == resolve(str(tiny_bert)).revision

    def test_an_embedded_checkpoint_that_is_not_there_is_refused(self, tmp_path, monkeypatch):
        known = catalog.KnownCheckpoint("embedded:gone", "Gone", "sst2", tmp_path / "gone")
        monkeypatch.setitem(catalog.EMBEDDED, "gone", known)
        with pytest.raises(PrunescopeError, match="embedded:gone"):
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

    @pytest.mark.parametrize(
        ("name", "expected"),
        [("config.json", "no config.json"), ("model.safetensors", "no weights"), ("tokenizer.json", "no tokenizer")],
    )
    def test_an_incomplete_folder_is_refused(self, copy, name, expected):
        (copy / name).unlink()
        assert expected in refusal(copy)

    @pytest.mark.parametrize("config", ["", "[]", '{"num_labels": 2}', '{"model_type": "gpt2"}'])
    def test_an_unusable_configuration_is_refused(self, copy, config):
        (copy / "config.json").write_text(config)
        assert "model_type" in refusal(copy) or "model type 'gpt2'" in refusal(copy)

    def test_needs_no_torch(self, tiny_bert):
        code = (
            "import sys; from core.inputs.checkpoints import resolve; import core.inputs.examples; "
            "resolve(sys.argv[1]); "
            "print({'torch', 'transformers', 'datasets'} & set(sys.modules))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(tiny_bert)], capture_output=True, text=True, check=True, cwd=catalog.ROOT
        )
        assert done.stdout.strip() == "set()"

    def test_the_catalog_and_the_architectures_support_the_same(self):
        assert set(catalog.SUPPORTED_MODEL_TYPES) == set(ARCHITECTURES)


class TestLoad:
    def test_describes_the_model(self, tiny_bert):
        record = load(resolve(str(tiny_bert))).record
        assert (record.id, record.source, record.architecture) == (
            "tiny-bert",
            "folder",
            "BertForSequenceClassification",
        )
        assert (record.num_layers, record.hidden_size) == (2, 32)
        assert record.num_prunable == 2 * (4 * 32 * 32 + 2 * 32 * 64)
        weights = load_file(tiny_bert / "model.safetensors")
        assert record.num_parameters == sum(weight.numel() for weight in weights.values())

    @pytest.mark.parametrize("form", ["safetensors", "bin", "shards", "bin shards"])
    def test_every_form_of_the_weights_gives_the_same_model(self, tiny_bert, tmp_path, form):
        weights = load_file(tiny_bert / "model.safetensors")
        folder = shutil.copytree(tiny_bert, tmp_path / "copy")
        name = "pytorch_model.bin" if "bin" in form else "model.safetensors"
        write = torch.save if "bin" in form else lambda part, path: save_file(part, path, metadata={"format": "pt"})
        (folder / "model.safetensors").unlink()
        if "shards" in form:
            stem, suffix = name.split(".")
            shards = [f"{stem}-0000{k}-of-00002.{suffix}" for k in (1, 2)]
            of = {key: shards[i % 2] for i, key in enumerate(weights)}
            for shard in shards:
                write({key: weights[key] for key in weights if of[key] == shard}, folder / shard)
            (folder / f"{name}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": of}))
        else:
            write(weights, folder / name)
        loaded = load(resolve(str(folder))).model.state_dict()
        assert all(torch.equal(loaded[key], weight) for key, weight in weights.items())

    def test_computes_what_transformers_computes(self, tiny_bert):
        checkpoint = load(resolve(str(tiny_bert)))
        texts = ["the film is good .", "a dull story"]
        plain = AutoModelForSequenceClassification.from_pretrained(tiny_bert).eval()
        tokens = AutoTokenizer.from_pretrained(tiny_bert)(texts, padding=True, return_tensors="pt")
        ours = checkpoint.tokenizer(texts, padding=True, return_tensors="pt")
        assert torch.equal(ours["input_ids"], tokens["input_ids"])
        with torch.no_grad():
            assert torch.equal(checkpoint.model(**ours).logits, plain(**tokens).logits)

    def test_half_precision_becomes_float32(self, tmp_path):
        model = load(resolve(str(make_bert(tmp_path / "half", dtype=torch.float16)))).model
        assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
        assert not model.training

    def test_keeps_the_last_one_only(self, tiny_bert, copy):
        change_config(copy, hidden_dropout_prob=0.2)
        first, second = resolve(str(tiny_bert)), resolve(str(copy))
        loaded = load(first)
        assert load(first) is loaded
        assert load(second) is not loaded
        assert load(first) is not loaded

    def test_says_nothing(self, copy):
        change_weights(copy, lambda weights: weights.update({"unused.weight": torch.zeros(3)}))
        code = "import sys; from core.inputs.checkpoints import load, resolve; load(resolve(sys.argv[1]))"
        done = subprocess.run(
            [sys.executable, "-c", code, str(copy)], capture_output=True, text=True, check=True, cwd=catalog.ROOT
        )
        assert (done.stdout, done.stderr) == ("", "")

    def test_brings_the_digests_of_its_training_data(self, copy):
        assert load(resolve(str(copy))).training_digests is None
        digests = np.array([1, 2, 2**64 - 1], dtype=np.uint64)
        np.save(copy / "training_examples.npy", digests)
        change_config(copy, hidden_dropout_prob=0.3)
        assert np.array_equal(load(resolve(str(copy))).training_digests, digests)


class TestRefusals:
    def test_a_missing_head(self, copy):
        change_weights(copy, lambda weights: weights.pop("classifier.weight"))
        assert "classifier.weight" in refusal(copy)

    def test_a_missing_layer(self, copy):
        change_config(copy, num_hidden_layers=3)
        assert "bert.encoder.layer.2" in refusal(copy)

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_weights_that_are_not_finite(self, copy, value):
        change_weights(copy, lambda weights: weights["bert.pooler.dense.weight"].view(-1)[5:6].fill_(value))
        assert "bert.pooler.dense.weight is not finite" in refusal(copy)

    def test_weights_of_another_shape(self, copy):
        change_config(copy, intermediate_size=48)
        assert "has shape (64,), its config.json says (48,)" in refusal(copy)

    def test_a_tokenizer_that_knows_more_than_the_model(self, copy):
        def cut(weights):
            weights["bert.embeddings.word_embeddings.weight"] = weights["bert.embeddings.word_embeddings.weight"][:50]

        change_weights(copy, cut)
        change_config(copy, vocab_size=50)
        assert "but the model only 50" in refusal(copy)

    def test_a_model_that_reads_too_few_tokens(self, copy):
        change_config(copy, max_position_embeddings=64)
        assert "at most 64 tokens: 128 are needed" in refusal(copy)

    def test_too_many_parameters_before_any_is_read(self, copy):
        change_config(copy, vocab_size=10**9)  # would take 128 GB
        assert "parameters: at most 1,000,000,000 here" in refusal(copy)

    def test_hosted_bounds_are_lower(self, copy, monkeypatch):
        change_config(copy, hidden_dropout_prob=0.4)
        monkeypatch.setattr(limits, "HOSTED_LIMITS", limits.Limits(512, 21, parameters=1000, download_bytes=10**9))
        resolved = resolve(str(copy))
        monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
        with pytest.raises(PrunescopeError, match=r"26,594 parameters: at most 1,000 here"):
            load(resolved)

    @pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
    @pytest.mark.parametrize("content", [b"", b"not what it should be", b"{}"])
    def test_damaged_files(self, copy, name, content):
        (copy / name).write_bytes(content)
        assert "cannot be loaded" in refusal(copy)

    def test_a_pickle_that_runs_code_is_not_run(self, copy, tmp_path):
        class Bomb:
            def __reduce__(self):
                return (tmp_path.joinpath("exploded").mkdir, ())

        (copy / "model.safetensors").unlink()
        torch.save({"classifier.weight": Bomb()}, copy / "pytorch_model.bin")
        assert "holds code, which is never run" in refusal(copy)
        assert not (tmp_path / "exploded").exists()

    def test_code_of_the_checkpoint_is_not_run(self, copy, tmp_path):
        code = f"import pathlib; pathlib.Path({str(tmp_path / 'exploded')!r}).mkdir()"
        (copy / "modeling_evil.py").write_text(code)
        change_config(copy, auto_map={"AutoModelForSequenceClassification": "modeling_evil.Evil"})
        load(resolve(str(copy)))
        assert not (tmp_path / "exploded").exists()

    def test_malformed_training_digests(self, copy):
        np.save(copy / "training_examples.npy", np.zeros(3))
        assert "training_examples.npy" in refusal(copy)


def test_check_labels_compares_with_the_task(tiny_bert):
    checkpoint = load(resolve(str(tiny_bert)))
    check_labels(checkpoint, TASKS["sst2"])
    with pytest.raises(PrunescopeError, match="'tiny-bert' has 2 labels, task mnli has 3"):
        check_labels(checkpoint, TASKS["mnli"])
