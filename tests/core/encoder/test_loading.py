"""Loading a checkpoint: what is read, what is refused, and one user at a time."""

import hashlib
import json
import os
import pickle
import re
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from tiny import make_bert, make_encoder, make_texts
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from core.encoder.loading import borrow, check_labels, load
from core.errors import PrunescopeError
from core.inputs.checkpoints import resolve
from core.inputs.prepare import prepare
from core.request import limits
from core.request.catalog import TASKS
from core.request.sweep_request import SweepRequest, checked
from core.results.schema import SweepResult
from core.sweep.runner import Progress, make_plan
from core.sweep.sweep import sweep


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


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def refusal(folder):
    """The message that refuses a folder: one line with its name and no path."""
    with pytest.raises(PrunescopeError) as caught:
        load(resolve(str(folder)))
    message = str(caught.value)
    assert "\n" not in message
    assert folder.name in message
    assert str(folder.parent) not in message
    return message


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

    def test_answers_by_name_whatever_its_configuration_asks_for(self, copy):
        change_config(copy, return_dict=False)
        checkpoint = load(resolve(str(copy)))
        assert checkpoint.model(**checkpoint.tokenizer("a film", return_tensors="pt")).logits.shape == (1, 2)

    @pytest.mark.parametrize("size", [0, 7, 10**6, -1, 0.5, "all", [], None])
    def test_feeds_forward_in_one_piece_whatever_its_configuration_asks_for(self, copy, tiny_bert, size):
        """In pieces its parts would run several times a pass, or not at all."""
        change_config(copy, chunk_size_feed_forward=size, num_labels=2)
        checkpoint = load(resolve(str(copy)))
        inputs = checkpoint.tokenizer("a film", return_tensors="pt")
        with torch.no_grad():
            assert torch.equal(checkpoint.model(**inputs).logits, load(resolve(str(tiny_bert))).model(**inputs).logits)

    def test_half_precision_becomes_float32(self, tmp_path):
        model = load(resolve(str(make_bert(tmp_path / "half", dtype=torch.float16)))).model
        assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
        assert not model.training

    def test_a_tokenizer_may_be_a_sentencepiece_model_alone(self, tmp_path):
        folder = make_encoder(tmp_path / "v3", "deberta-v2", layers=1)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            (folder / name).unlink()
        with pytest.raises(PrunescopeError, match="has no tokenizer file"):
            resolve(str(folder))
        SentencePieceTrainer.train(
            sentence_iterator=iter(make_texts(50)),
            model_prefix=str(folder / "spm"),
            vocab_size=60,
            **{"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3},
            **{"pad_piece": "[PAD]", "bos_piece": "[CLS]", "eos_piece": "[SEP]", "unk_piece": "[UNK]"},
            minloglevel=2,
        )
        pieces = SentencePieceProcessor(model_file=str(folder / "spm.model"))
        tokenizer = load(resolve(str(folder))).tokenizer
        for text in make_texts(5, seed=1):
            assert tokenizer(text)["input_ids"] == [1, *pieces.encode(text), 2]

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

    def test_weights_of_its_layers_that_the_architecture_ignores(self, copy):
        name = "bert.encoder.layer.1.attention.self.distance_embedding.weight"
        change_weights(copy, lambda weights: weights.update({name: torch.zeros(3, 8)}))
        assert f"does not read, such as {name}" in refusal(copy)

    def test_a_head_for_another_task_whose_weights_fit(self, copy):
        change_config(copy, architectures=["BertForTokenClassification"])
        assert "is a BertForTokenClassification" in refusal(copy)

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_weights_that_are_not_finite(self, copy, value):
        change_weights(copy, lambda weights: weights["bert.pooler.dense.weight"].view(-1)[5:6].fill_(value))
        assert "bert.pooler.dense.weight is not finite" in refusal(copy)

    def test_weights_of_another_shape(self, copy):
        change_config(copy, intermediate_size=48)
        assert "has shape (64,), but its config.json says (48,)" in refusal(copy)

    def test_a_tokenizer_with_more_tokens_than_the_model(self, copy):
        def cut(weights):
            weights["bert.embeddings.word_embeddings.weight"] = weights["bert.embeddings.word_embeddings.weight"][:50]

        change_weights(copy, cut)
        change_config(copy, vocab_size=50)
        assert "tokens beyond the 50 that its model knows" in refusal(copy)

    def test_a_model_that_reads_too_few_tokens(self, copy):
        change_config(copy, max_position_embeddings=64)
        assert "at most 64 tokens, fewer than the 128 needed" in refusal(copy)

    def test_settings_that_fail_only_where_the_model_runs(self, tmp_path):
        padless = make_encoder(tmp_path / "roberta", "roberta", layers=1)
        change_config(padless, pad_token_id=None)
        assert "cannot be loaded, a file is damaged or has the wrong format" in refusal(padless)
        pooling = make_encoder(tmp_path / "deberta", "deberta-v2", layers=1)
        change_config(pooling, pooler_hidden_act="no such function")
        assert "cannot be loaded, a file is damaged or has the wrong format" in refusal(pooling)

    def test_positions_that_the_padding_takes_do_not_count(self, tmp_path):
        short = make_encoder(tmp_path / "roberta", "roberta", layers=1)
        change_config(short, max_position_embeddings=128)
        assert "at most 127 tokens, fewer than the 128 needed" in refusal(short)

    def test_too_many_parameters_before_any_is_read(self, copy):
        change_config(copy, vocab_size=10**6, hidden_size=2048)  # would take 8 GB
        assert "has 2,086,586,498 parameters, more than the 1,000,000,000 allowed here" in refusal(copy)

    def test_hosted_bounds_are_lower(self, copy, monkeypatch):
        change_config(copy, hidden_dropout_prob=0.4)
        monkeypatch.setattr(limits, "HOSTED_LIMITS", replace(limits.HOSTED_LIMITS, parameters=1000))
        resolved = resolve(str(copy))
        monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
        with pytest.raises(PrunescopeError, match=r"26,594 parameters, more than the 1,000 allowed here"):
            load(resolved)

    @pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
    @pytest.mark.parametrize("content", [b"", b"not what it should be", b"{}"])
    def test_damaged_files(self, copy, name, content):
        (copy / name).write_bytes(content)
        assert re.search("cannot be loaded|is not JSON", refusal(copy))

    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ({"use_cache": 0}, "Field 'use_cache' expected bool, got int"),
            ({"num_attention_heads": 0}, "cannot be loaded, a file is damaged or has the wrong format"),
            ({"dtype": "float99"}, "no attribute 'float99'"),
            ({"num_hidden_layers": 0}, "num_hidden_layers is 0 in config.json, expected 1 to 96"),
        ],
    )
    def test_a_config_that_the_libraries_do_not_expect(self, copy, values, said):
        change_config(copy, **values)
        assert said in refusal(copy)

    @pytest.mark.parametrize("change", [lambda whole: None, lambda whole: {**whole, "version": "9"}])
    def test_a_tokenizer_that_the_libraries_do_not_expect(self, copy, change):
        path = copy / "tokenizer.json"
        path.write_text(json.dumps(change(json.loads(path.read_text()))))
        assert "cannot be loaded" in refusal(copy)

    @pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
    def test_a_lack_of_memory_is_not_the_checkpoints_fault(self, copy, monkeypatch, error):
        def full(*_, **__):
            raise error

        monkeypatch.setattr(AutoTokenizer, "from_pretrained", full)
        with pytest.raises(type(error)) as caught:
            load(resolve(str(copy)))
        assert caught.value is error

    @pytest.mark.parametrize("save", [torch.save, lambda values, path: path.write_bytes(pickle.dumps(values))])
    def test_a_pickle_that_runs_code_is_not_run(self, copy, tmp_path, recwarn, save):
        (copy / "model.safetensors").unlink()
        save({"classifier.weight": Bomb(tmp_path / "exploded")}, copy / "pytorch_model.bin")
        assert "contains code, which is never run" in refusal(copy)
        assert not (tmp_path / "exploded").exists()
        assert [str(warning.message) for warning in recwarn] == [], "torch warns of the second kind of pickle"

    def test_code_of_the_checkpoint_is_not_run(self, copy, tmp_path):
        code = f"import pathlib; pathlib.Path({str(tmp_path / 'exploded')!r}).mkdir()"
        (copy / "modeling_evil.py").write_text(code)
        change_config(copy, auto_map={"AutoModelForSequenceClassification": "modeling_evil.Evil"})
        load(resolve(str(copy)))
        assert not (tmp_path / "exploded").exists()

    def test_malformed_training_digests(self, copy):
        np.save(copy / "training_examples.npy", np.zeros(3))
        assert "training_examples.npy" in refusal(copy)


class TestChangedFiles:
    """Numbers belong to the content that their key names, whatever happens to the folder meanwhile."""

    @pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", "added_tokens.json"])
    def test_what_is_written_between_the_digest_and_the_loading_is_refused(self, copy, name):
        resolved = resolve(str(copy))
        if name == "model.safetensors":
            change_weights(copy, lambda weights: weights["classifier.bias"].add_(1))
        elif name == "added_tokens.json":
            (copy / name).write_text("{}")
        else:
            (copy / name).write_text((copy / name).read_text() + " ")
        with pytest.raises(PrunescopeError, match=r"'my-bert' has changed while it was read.*: wait until nothing"):
            load(resolved)
        assert load(resolve(str(copy))).record.revision != resolved.revision

    def test_old_times_do_not_hide_a_change(self, copy):
        resolved, path = resolve(str(copy)), copy / "model.safetensors"
        stat = path.stat()
        change_weights(copy, lambda weights: weights["classifier.bias"].add_(1))
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert (path.stat().st_size, path.stat().st_mtime_ns) == (stat.st_size, stat.st_mtime_ns)
        with pytest.raises(PrunescopeError, match="has changed while it was read"):
            load(resolved)

    def test_what_has_not_changed_is_not_read_again(self, copy, monkeypatch):
        resolved = resolve(str(copy))
        monkeypatch.setattr(hashlib, "file_digest", None)
        assert load(resolved).record.revision == resolved.revision

    @pytest.mark.parametrize("safetensors", [True, False])
    def test_a_loaded_model_keeps_its_weights_whatever_is_written_to_its_files(self, tmp_path, safetensors):
        """A float32 file would be mapped into memory."""
        folder = make_bert(tmp_path / "mapped", safetensors=safetensors)
        model = load(resolve(str(folder))).model
        before = {name: weight.clone() for name, weight in model.state_dict().items()}
        path = folder / ("model.safetensors" if safetensors else "pytorch_model.bin")
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
        assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


def test_check_labels_compares_with_the_task(tiny_bert):
    checkpoint = load(resolve(str(tiny_bert)))
    check_labels(checkpoint, TASKS["sst2"])
    with pytest.raises(PrunescopeError, match=r"'tiny-bert' has 2 labels \(LABEL_0, LABEL_1\), task mnli has 3"):
        check_labels(checkpoint, TASKS["mnli"])


class TestBorrow:
    def test_keeps_the_last_one_only(self, tiny_bert, copy):
        change_config(copy, hidden_dropout_prob=0.2)
        first, second = resolve(str(tiny_bert)), resolve(str(copy))
        with borrow(first) as loaded:
            pass
        with borrow(first) as again:
            assert again is loaded
        with borrow(second) as other:
            assert other is not loaded
        with borrow(first) as again:
            assert again is not loaded

    def test_two_threads_get_the_numbers_of_one(self, tiny_bert, glue_folder):
        """Both would prune the same model in place: the second begins in the middle of the first's sweep, and waits."""
        first, second = (request(tiny_bert, glue_folder, method) for method in ("magnitude", "random"))
        alone = [swept(first), swept(second)]
        started, inside, found = threading.Event(), threading.Event(), {}
        other = threading.Thread(target=lambda: (started.wait(), found.update(second=swept(second, inside.set))))
        other.start()

        def in_the_middle():
            started.set()
            assert not inside.wait(0.5), "the second waits until the model is given back"

        found["first"] = swept(first, in_the_middle)
        other.join()
        assert inside.is_set()
        assert [found["first"], found["second"]] == alone

    def test_a_thread_that_holds_a_model_is_refused_another(self, tiny_bert):
        resolved = resolve(str(tiny_bert))
        with borrow(resolved), pytest.raises(PrunescopeError, match="while this thread uses a model: end the run"):
            borrow(resolved).__enter__()
        with borrow(resolved):
            pass

    def test_an_error_or_a_cancel_gives_the_model_back(self, tiny_bert):
        resolved = resolve(str(tiny_bert))
        with pytest.raises(KeyboardInterrupt), borrow(resolved) as before:
            raise KeyboardInterrupt
        with borrow(resolved) as checkpoint:
            assert checkpoint is before

    def test_a_planning_that_is_cancelled_gives_the_model_back(self, tiny_bert, glue_folder):
        asked = request(tiny_bert, glue_folder, "wanda")
        inputs = prepare(asked)

        def cancel(stage, done, total):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt) as caught, borrow(inputs.resolved) as before:
            make_plan(before, inputs.calibration, asked, cancel)
        with borrow(inputs.resolved) as again:
            assert again is before, f"not loaded anew while the traceback of {caught} is alive"

    def test_a_model_that_an_unfinished_sweep_holds_is_not_lent_again(self, tiny_bert, glue_folder):
        asked = request(tiny_bert, glue_folder, "magnitude")
        inputs = prepare(asked)
        with borrow(inputs.resolved) as left:
            before = {name: values.clone() for name, values in left.model.state_dict().items()}
            events = sweep(left, inputs, asked)
            while not (isinstance(event := next(events), Progress) and event.amount == 0.5):
                pass
        assert any(not torch.equal(values, before[name]) for name, values in left.model.state_dict().items()), "pruned"
        with borrow(inputs.resolved) as lent:
            assert all(torch.equal(values, before[name]) for name, values in lent.model.state_dict().items())
        events.close()

    def test_one_that_cannot_be_loaded_blocks_nobody(self, tiny_bert, copy):
        (copy / "model.safetensors").write_bytes(b"damaged")
        with pytest.raises(PrunescopeError, match="cannot be loaded"), borrow(resolve(str(copy))):
            pass
        with borrow(resolve(str(tiny_bert))):
            pass


def request(folder: Path, glue: Path, method: str) -> SweepRequest:
    asked = SweepRequest(str(folder), "sst2", method, amounts=(0.0, 0.5), num_examples=40, data=str(glue))
    return checked(asked)


def swept(asked: SweepRequest, in_the_middle: Callable[[], object] = lambda: None) -> object:
    """Runs a sweep; returns its frames."""
    inputs = prepare(asked)
    with borrow(inputs.resolved) as checkpoint:
        is_new = True
        for event in sweep(checkpoint, inputs, asked):
            if is_new and isinstance(event, Progress) and event.amount:  # the model is pruned
                is_new = False
                in_the_middle()
            if isinstance(event, SweepResult):
                return event.frames
    raise AssertionError
