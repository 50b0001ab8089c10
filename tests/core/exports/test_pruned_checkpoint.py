"""A pruned checkpoint is loaded by transformers alone, and does what its frame says."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import metadata_load
from safetensors.torch import load_file, save_file
from tiny import make_bert, write_split

from core.encoder.loading import borrow
from core.errors import PrunescopeError
from core.exports.pruned_checkpoint import folder_for, write_pruned
from core.inputs.checkpoint_files import TRAINING_EXAMPLES
from core.inputs.examples import open_preset
from core.inputs.prepare import prepare
from core.request.catalog import TASKS
from core.request.sweep_request import SweepRequest, checked
from core.results.schema import SweepResult
from core.sweep.sweep import sweep

AMOUNT = 0.6


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("glue")
    write_split(folder, TASKS["sst2"], "validation", 48, seed=1)
    write_split(folder, TASKS["sst2"], "train", 64, seed=2)
    return folder


def swept(checkpoint: Path, data: Path, method: str) -> SweepResult:
    scope = "encoder" if method in ("magnitude", "random") else None
    request = checked(
        SweepRequest(str(checkpoint), "sst2", method, scope, amounts=(0.0, AMOUNT), data=str(data), seed=3)
    )
    inputs = prepare(request)
    with borrow(inputs.resolved) as checkpoint:
        result = sweep(checkpoint, inputs, request)
    return result


def silent(stage: str, done: int, total: int) -> None:
    pass


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """A checkpoint that calls half of the examples positive: then any pruning changes some predictions."""
    folder = make_bert(tmp_path_factory.mktemp("checkpoints") / "base")
    weights = load_file(folder / "model.safetensors")
    gap = logits(folder, data) @ torch.tensor([-1.0, 1.0])  # (examples,)
    weights["classifier.bias"][1] -= float(np.median(gap))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.fixture(scope="module")
def magnitude(base: Path, data: Path) -> SweepResult:
    return swept(base, data, "magnitude")


def logits(folder: Path, data: Path) -> torch.Tensor:
    """What plain transformers makes of the evaluation examples, (examples, labels)."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    texts = [text for (text,) in open_preset(TASKS["sst2"], str(data)).subset(None).texts]
    with torch.inference_mode():
        return model(**tokenizer(texts, padding=True, return_tensors="pt")).logits


@pytest.mark.parametrize("method", ["magnitude", "random", "attribution"])
def test_the_folder_gives_the_frame(base: Path, data: Path, method: str) -> None:
    result = swept(base, data, method)
    folder = write_pruned(result, AMOUNT, str(base), str(data), silent)
    assert folder == folder_for(result, AMOUNT)
    assert {"config.json", "model.safetensors", "README.md", "tokenizer.json"} <= {p.name for p in folder.iterdir()}
    found, frame = logits(folder, data).argmax(-1).tolist(), result.frames[1]
    assert tuple(found) == frame.predictions
    assert frame.predictions != result.frames[0].predictions, "pruning must matter, or this proves nothing"
    assert np.mean(np.array(found) == result.task.gold) == frame.metrics["accuracy"]


def test_as_much_is_zero_as_the_frame_says_and_the_baseline_is_as_before(
    magnitude: SweepResult, base: Path, data: Path
) -> None:
    before = load_file(base / "model.safetensors")
    written = load_file(write_pruned(magnitude, AMOUNT, str(base), None, silent) / "model.safetensors")
    zeros = sum(int(((written[name] == 0) & (before[name] != 0)).sum()) for name in before)
    assert zeros / magnitude.checkpoint.num_parameters == pytest.approx(magnitude.frames[1].sparsity, abs=1e-9)
    with borrow(prepare(checked(SweepRequest(str(base), "sst2", data=str(data)))).resolved) as kept:
        assert all(torch.equal(kept.model.state_dict()[name], weight) for name, weight in before.items())


def test_the_card_names_base_method_amount_sparsity_and_scores(magnitude: SweepResult, base: Path) -> None:
    path = write_pruned(magnitude, AMOUNT, str(base), None, silent) / "README.md"
    card, frame = path.read_text("utf-8"), magnitude.frames[1]
    assert metadata_load(path)["tags"] == ["pruned", "magnitude"]
    for said in (
        f"`base`, content `{magnitude.checkpoint.revision}`",
        "| method | magnitude |",
        "| amount | 0.6 |",
        f"| {frame.sparsity:.4f} |",
        f"| accuracy | {frame.metrics['accuracy']:.4f} |",
        "python -m core.precompute",
        magnitude.key,
    ):
        assert said in card
    assert str(base.parent) not in card, "no machine's path"


def test_training_digests_are_copied_and_another_checkpoint_is_refused(tmp_path: Path, data: Path) -> None:
    mine = make_bert(tmp_path / "mine", seed=1)
    np.save(mine / TRAINING_EXAMPLES, np.arange(3, dtype=np.uint64))
    (mine / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    result = swept(mine, data, "magnitude")
    folder = write_pruned(result, AMOUNT, str(mine), None, silent)
    assert (folder / TRAINING_EXAMPLES).read_bytes() == (mine / TRAINING_EXAMPLES).read_bytes()
    assert metadata_load(folder / "README.md")["license"] == "apache-2.0"
    with pytest.raises(PrunescopeError, match="give that checkpoint"):
        write_pruned(result, AMOUNT, str(make_bert(tmp_path / "other", seed=2)), None, silent)


@pytest.mark.parametrize(
    "card", [b"---\nlicense: [mit\n---\n", b"---\n- mit\n---\n", b"---\nlicense: \xff\n---\n", b"plain"]
)
def test_a_model_card_that_cannot_be_read_names_no_licence(
    magnitude: SweepResult, base: Path, tmp_path: Path, card: bytes
) -> None:
    copy = shutil.copytree(base, tmp_path / base.name)
    (copy / "README.md").write_bytes(card)
    written = write_pruned(magnitude, AMOUNT, str(copy), None, silent) / "README.md"
    assert "license" not in metadata_load(written)
    assert "Its own licence applies." in written.read_text("utf-8")


@pytest.mark.parametrize(
    ("amount", "hosted", "says"), [(0.3, "", r"amount 0\.3 is not among"), (AMOUNT, "1", "your own")]
)
def test_other_amounts_and_hosted_servers_are_refused(
    magnitude: SweepResult, base: Path, amount: float, hosted: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
    with pytest.raises(PrunescopeError, match=says):
        write_pruned(magnitude, amount, str(base), None, silent)


def test_an_export_that_is_stopped_leaves_nothing_behind(
    magnitude: SweepResult, base: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "Writing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_pruned(magnitude, AMOUNT, str(base), None, stop)
    assert list(tmp_path.rglob("*.safetensors")) == []
