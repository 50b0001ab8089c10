"""A pruned checkpoint, loaded by transformers alone, gives the scores of its frame."""

import json
import shutil
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from huggingface_hub import metadata_load
from safetensors.torch import load_file
from tiny import make_bert, predicted_by_transformers, swept
from transformers import AutoConfig

from core.exports.pruned_checkpoint import write_pruned
from core.inputs.checkpoint_files import TRAINING_EXAMPLES
from core.results.schema import SweepResult
from tests.builders import open_preset
from tests.refusals import full_disk, refusal

AMOUNT = 0.6
REQUEST = {"amounts": (0.0, AMOUNT), "seed": 3}


def write(result: SweepResult, checkpoint: Path, data: Path | None = None, amount: float = AMOUNT) -> Path:
    return write_pruned(result, amount, str(checkpoint), None if data is None else str(data), lambda *_: None)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that calls about half of the examples positive, so that pruning changes some predictions."""
    folder = make_bert(tmp_path_factory.mktemp("checkpoints") / "base", seed=5, dtype=torch.float16)
    np.save(folder / TRAINING_EXAMPLES, np.arange(3, dtype=np.uint64))
    return folder


@pytest.fixture(scope="module")
def result(base: Path, glue_folder: Path) -> SweepResult:
    return swept(base, glue_folder, **REQUEST)


@pytest.mark.parametrize("method", ["magnitude", "random", "attribution"])
def test_the_folder_has_the_scores_of_the_frame_and_its_card_describes_it(
    base: Path, glue_folder: Path, method: str
) -> None:
    result = swept(base, glue_folder, method=method, **REQUEST)
    folder, frame, before = write(result, base, glue_folder), result.frames[1], load_file(base / "model.safetensors")
    assert {"config.json", "model.safetensors", "README.md", "tokenizer.json"} <= {p.name for p in folder.iterdir()}
    texts = open_preset("sst2", str(glue_folder)).subset(None).texts
    predictions = tuple(predicted_by_transformers(folder, [text for (text,) in texts]))
    assert predictions == frame.predictions != result.frames[0].predictions, "pruning must matter"
    written = load_file(folder / "model.safetensors")
    assert {name: weight.dtype for name, weight in written.items()} == dict.fromkeys(before, torch.float16)
    assert AutoConfig.from_pretrained(folder).dtype == torch.float16
    zeros = sum(int(((written[name] == 0) & (before[name] != 0)).sum()) for name in before)
    assert zeros / result.checkpoint.num_parameters == pytest.approx(frame.sparsity, abs=1e-9)
    assert (folder / TRAINING_EXAMPLES).read_bytes() == (base / TRAINING_EXAMPLES).read_bytes()
    card = (folder / "README.md").read_text("utf-8")
    assert metadata_load(folder / "README.md")["tags"] == ["pruned", method]
    for words in (
        f"`base`, content `{result.checkpoint.revision}`",
        f"| {method}, {result.pruning.scope or '-'}, {3 if method == 'random' else '-'} |",
        "| amount | 0.6 |",
        f"| {frame.sparsity:.4f} |",
        f"| the same of each layer | {', '.join(f'{share:.4f}' for share in frame.layer_sparsity)} |",
        f"| accuracy | {frame.metrics['accuracy']:.4f} |",
        "python -m core.precompute",
        result.key,
    ):
        assert words in card
    assert ("scored on 160 examples" in card, str(base.parent) in card) == (method == "attribution", False)


@pytest.mark.parametrize(
    ("dtype", "configured"), [(torch.float16, "float32"), (torch.bfloat16, None), (torch.float32, "float16")]
)
def test_weights_keep_their_dtype_whatever_the_configuration_says(
    glue_folder: Path, tmp_path: Path, dtype: torch.dtype, configured: str | None
) -> None:
    base = make_bert(tmp_path / "base", dtype=dtype)
    torch.save(load_file(base / "model.safetensors"), base / "pytorch_model.bin")
    (base / "model.safetensors").unlink()
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | {"dtype": configured}))
    folder = write(swept(base, glue_folder, **REQUEST), base)
    assert {weight.dtype for weight in load_file(folder / "model.safetensors").values()} == {dtype}


LICENCES = {b"---\nlicense: apache-2.0\n---\n": "apache-2.0", b"---\nlicense: [mit\n---\n": None, b"plain": None}


@pytest.mark.parametrize(("card", "licence"), LICENCES.items())
def test_the_card_names_a_licence_that_can_be_read(
    base: Path, result: SweepResult, tmp_path: Path, card: bytes, licence: str | None
) -> None:
    copy = shutil.copytree(base, tmp_path / base.name)
    (copy / TRAINING_EXAMPLES).unlink()
    (copy / "README.md").write_bytes(card)
    written = write(result, copy) / "README.md"
    assert metadata_load(written).get("license") == licence
    assert f"| licence | {licence or 'that of the base'} |" in written.read_text("utf-8")


def test_a_refused_or_interrupted_export_leaves_nothing_behind(
    base: Path, result: SweepResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert "amount 0.3 is not among" in refusal(write, result, base, amount=0.3)
    assert "give that checkpoint" in refusal(write, result, make_bert(tmp_path / "other", seed=2))
    with monkeypatch.context() as patch:
        patch.setattr("core.exports.pruned_checkpoint.model_card", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            write(result, base)
    with full_disk():
        assert "make room there" in refusal(write, result, base)
    assert list((tmp_path / "cache").rglob("*.safetensors")) == []
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert "make room there" in refusal(write, result, base)
