"""Loading a checkpoint: what is read, what is refused, and what stays loaded.

A hostile one is refused in one line, and none runs code, hangs or reads outside its folder.
"""

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from strangers import CHECKPOINTS, CONFIG, Change, changed, text, weights
from tiny import UNLIKE, make_bert, make_encoder, make_texts, swept, write_split

from core.encoder.loading import borrow, load
from core.errors import PrunescopeError
from core.exports.pruned_checkpoint import write_pruned
from core.inputs.checkpoints import resolve
from core.request import limits
from core.request.catalog import TASKS
from core.sweep.meter import silent
from tests.refusals import refusal


def test_a_loaded_checkpoint_describes_its_model(tiny_bert: Path) -> None:
    record = load(resolve(str(tiny_bert))).record
    assert (record.id, record.source, record.architecture) == (
        "tiny-bert",
        "folder",
        "BertForSequenceClassification",
    )
    assert (record.num_layers, record.hidden_size) == (2, 32)
    assert record.num_prunable == 2 * (4 * 32 * 32 + 2 * 32 * 64)
    stored = load_file(tiny_bert / "model.safetensors")
    assert record.num_parameters == sum(weight.numel() for weight in stored.values())


@pytest.mark.parametrize("form", ["safetensors", "bin", "shards", "bin shards"])
def test_every_form_of_the_weights_gives_the_same_model(copy: Path, form: str) -> None:
    stored = load_file(copy / "model.safetensors")
    name = "pytorch_model.bin" if "bin" in form else "model.safetensors"
    write = (
        torch.save
        if "bin" in form
        else lambda part, path: save_file(part, path, metadata={"format": "pt"})
    )
    (copy / "model.safetensors").unlink()
    if "shards" in form:
        stem, suffix = name.split(".")
        shards = [f"{stem}-0000{k}-of-00002.{suffix}" for k in (1, 2)]
        places = {key: shards[i % 2] for i, key in enumerate(stored)}
        for shard in shards:
            write(
                {key: stored[key] for key in stored if places[key] == shard},
                copy / shard,
            )
        (copy / f"{name}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    else:
        write(stored, copy / name)
    model = load(resolve(str(copy))).model
    assert all(torch.equal(model.state_dict()[key], weight) for key, weight in stored.items())
    assert {value.dtype for value in model.parameters()} == {torch.float32}
    assert not model.training


@pytest.mark.parametrize("size", [7, "all"])
def test_its_config_cannot_make_it_answer_in_chunks_or_tuples(
    copy: Path, tiny_bert: Path, size: object
) -> None:
    changed(CONFIG, chunk_size_feed_forward=size, num_labels=2, return_dict=False)(copy)
    checkpoint = load(resolve(str(copy)))
    inputs = checkpoint.tokenizer("a film", return_tensors="pt")
    with torch.no_grad():
        assert torch.equal(
            checkpoint.model(**inputs).logits,
            load(resolve(str(tiny_bert))).model(**inputs).logits,
        )


def test_a_tokenizer_may_be_a_sentencepiece_model_alone(tmp_path: Path) -> None:
    folder = make_encoder(tmp_path / "v3", "deberta-v2", layers=1)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    assert "has no tokenizer file" in refusal(resolve, str(folder))
    texts = make_texts(50)
    ids = {"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3}
    names = {
        "pad_piece": "[PAD]",
        "bos_piece": "[CLS]",
        "eos_piece": "[SEP]",
        "unk_piece": "[UNK]",
    }
    prefix = str(folder / "spm")
    SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_prefix=prefix,
        vocab_size=60,
        **ids,
        **names,
    )
    pieces = SentencePieceProcessor(model_file=f"{prefix}.model")
    assert load(resolve(str(folder))).tokenizer(texts[0])["input_ids"] == [
        1,
        *pieces.encode(texts[0]),
        2,
    ]


def test_positions_reserved_for_padding_do_not_count(tmp_path: Path) -> None:
    short = make_encoder(tmp_path / "roberta", "roberta", layers=1, max_position_embeddings=128)
    assert "'roberta' reads 127 tokens, 128 are needed" in refusal(load, resolve(str(short)))


def test_hosted_limits_are_lower(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HOSTED_LIMITS", limits.HOSTED_LIMITS._replace(parameters=1000))
    resolved = resolve(str(copy))
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    assert "26,594 parameters, more than the 1,000 allowed here" in refusal(load, resolved)


CHANGES: dict[str, Change] = {
    "weights": weights(lambda stored: stored["classifier.bias"].add_(1)),
    "another file": text("added_tokens.json", "{}"),
    "a setting": changed(CONFIG, hidden_dropout_prob=0.4),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_folder_changed_before_loading_is_refused(
    copy: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    resolved = resolve(str(copy))
    with monkeypatch.context() as patch:
        patch.setattr(hashlib, "file_digest", None)  # unchanged files are not read again
        assert load(resolved).record.revision == resolved.revision
    stats = {path: path.stat() for path in copy.iterdir()}
    CHANGES[name](copy)
    for path, stat in stats.items():
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # old times do not hide a change
    with pytest.raises(
        PrunescopeError,
        match=r"'my-bert' has changed while it was read.*: wait until nothing",
    ):
        load(resolved)
    assert load(resolve(str(copy))).record.revision != resolved.revision


def test_the_last_model_stays_loaded(tiny_bert: Path, copy: Path) -> None:
    changed(CONFIG, hidden_dropout_prob=0.2)(copy)
    first = resolve(str(tiny_bert))
    second = resolve(str(copy))
    with pytest.raises(KeyboardInterrupt), borrow(first) as loaded:
        raise KeyboardInterrupt
    with borrow(first) as again:
        assert again is loaded, "an error or a cancellation returns it"
    with borrow(second) as other:
        assert other is not loaded
    (copy / "model.safetensors").write_bytes(b"damaged")
    with (
        pytest.raises(PrunescopeError, match="cannot be loaded"),
        borrow(resolve(str(copy))),
    ):
        pass
    with borrow(first) as again:
        assert again is not loaded


def test_a_thread_waits_until_the_model_is_given_back(tiny_bert: Path) -> None:
    """Both would prune the same model in place."""
    inside = threading.Event()

    def second() -> None:
        with borrow(resolve(str(tiny_bert))):
            inside.set()

    thread = threading.Thread(target=second)
    with borrow(resolve(str(tiny_bert))):
        thread.start()
        assert not inside.wait(0.2)
    thread.join()
    assert inside.is_set()


# ---------------------------------------------------------------- strangers' checkpoints


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_hostile_checkpoint_is_refused_in_a_line(
    copy: Path, name: str, recwarn: pytest.WarningsRecorder
) -> None:
    CHECKPOINTS[name](copy)
    message = refusal(lambda: load(resolve(str(copy))))
    assert message.startswith("'my-bert'")
    assert len(message) < 400
    assert str(copy.parent) not in message, "no machine path"
    assert any(
        remedy in message for remedy in ("choose", "correct", "merge it", "remove that file")
    )
    assert not recwarn.list


@pytest.mark.parametrize(
    "change",
    [
        changed("config.json", _attn_implementation="someone/kernel"),
        changed("config.json", attn_implementation="flash_attention_2"),
        changed(
            "config.json",
            auto_map={"AutoModelForSequenceClassification": "evil.Model"},
        ),
        changed(
            "tokenizer_config.json",
            tokenizer_file="/etc/passwd",
            vocab_file="../../outside",
        ),
    ],
)
def test_settings_that_would_fetch_or_run_code_have_no_effect(
    copy: Path, tiny_bert: Path, change
) -> None:  # type: ignore[no-untyped-def]
    change(copy)
    (copy / "evil.py").write_text("raise SystemExit(66)")
    loaded = load(resolve(str(copy)))
    sound = load(resolve(str(tiny_bert)))
    assert loaded.model.config._attn_implementation == "sdpa"
    assert loaded.tokenizer("a good film").input_ids == sound.tokenizer("a good film").input_ids


# ---------------------------------------------------------------- labels in another order than the
# task's

AMOUNTS = (0.0, 0.5)
WEIGHTS = "model.safetensors"


def reordered(folder: Path, output: Path, names: Sequence[str], rows: Sequence[int]) -> Path:
    """Copy a checkpoint, name its labels and move the rows of its classifier with them."""
    shutil.copytree(folder, output)
    changed(
        "config.json",
        id2label=dict(enumerate(names)),
        label2id={name: k for k, name in enumerate(names)},
    )(output)
    weights = load_file(output / WEIGHTS)
    for head in ("classifier", "classifier.out_proj"):
        for kind in ("weight", "bias"):
            if f"{head}.{kind}" in weights:
                weights[f"{head}.{kind}"] = weights[f"{head}.{kind}"][list(rows)].contiguous()
    save_file(weights, output / WEIGHTS, metadata={"format": "pt"})
    return output


@pytest.fixture(scope="module")
def nli(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """Return one model with labels in the task's order and in another, that of cross-encoders.

    And the data.
    """
    root = tmp_path_factory.mktemp("nli")
    plain = make_bert(root / "plain", labels=3)
    for seed, split in enumerate(("validation_matched", "train")):
        write_split(root / "glue", TASKS["mnli"], split, 40, seed=seed)
    other = reordered(
        plain,
        root / "other",
        ("contradiction", "entailment", "neutral"),
        (2, 0, 1),
    )
    return plain, other, str(root / "glue")


@pytest.mark.parametrize("method", ["attribution", "attribution-residual", "magnitude"])
def test_the_order_of_labels_changes_no_result(nli: tuple[Path, Path, str], method: str) -> None:
    """Attribution scores the gold label.

    In scope all-linear the classifier's own rows are pruned, too.
    """
    *folders, data = nli
    scope = None if method.startswith("attribution") else "all-linear"
    results = (
        swept(folder, data, "mnli", method=method, scope=scope, amounts=AMOUNTS)
        for folder in folders
    )
    before, after = (
        [(frame.similarity, frame.predictions) for frame in result.frames] for result in results
    )
    assert before == after


@pytest.mark.parametrize("model_type", UNLIKE)
def test_the_classifier_is_found_in_every_architecture(model_type: str, tmp_path: Path) -> None:
    plain = make_encoder(tmp_path / "plain", model_type)
    swapped = str(reordered(plain, tmp_path / "swapped", ("POSITIVE", "NEGATIVE"), (1, 0)))
    found = resolve(str(plain)), resolve(swapped), resolve(swapped, task="sst2")
    expected, stored, sorted_ = (load(resolved).model.state_dict() for resolved in found)
    assert all(torch.equal(values, expected[name]) for name, values in sorted_.items())
    assert sum(not torch.equal(values, expected[name]) for name, values in stored.items()) == 2, (
        "weight and bias"
    )


def test_a_saved_pruned_checkpoint_follows_the_tasks_order(
    nli: tuple[Path, Path, str],
) -> None:
    _, other, data = nli
    result = swept(other, data, "mnli", amounts=AMOUNTS)
    folder = write_pruned(result, 0.5, str(other), None, silent)
    labels = {"entailment": 0, "neutral": 1, "contradiction": 2}
    assert json.loads((folder / "config.json").read_text())["label2id"] == labels
    assert "entailment, neutral, contradiction." in (folder / "README.md").read_text("utf-8")
    assert (
        swept(folder, data, "mnli", amounts=AMOUNTS).frames[0].predictions
        == result.frames[1].predictions
    )
