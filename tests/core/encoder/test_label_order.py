"""A checkpoint whose classifier has its labels in another order than the task."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import make_bert, make_encoder, swept, write_split

from core.encoder.architectures import ARCHITECTURES
from core.encoder.loading import load
from core.errors import PrunescopeError
from core.exports.pruned_checkpoint import write_pruned
from core.inputs.checkpoints import resolve, suited
from core.inputs.prepare import prepare
from core.request.catalog import TASKS
from core.request.sweep_request import SweepRequest, checked
from core.sweep.meter import silent

AMOUNTS = (0.0, 0.5)
WEIGHTS = "model.safetensors"


def named(folder: Path, output: Path, names: Sequence[str]) -> Path:
    """Copies a checkpoint and names its labels."""
    shutil.copytree(folder, output)
    config = json.loads((output / "config.json").read_text())
    config |= {"id2label": dict(enumerate(names)), "label2id": {name: k for k, name in enumerate(names)}}
    (output / "config.json").write_text(json.dumps(config))
    return output


def reordered(folder: Path, output: Path, names: Sequence[str], rows: Sequence[int]) -> Path:
    """Copies a checkpoint, names its labels and moves the rows of its classifier with them."""
    named(folder, output, names)
    weights = load_file(output / WEIGHTS)
    for head in ("classifier", "classifier.out_proj"):
        for kind in ("weight", "bias"):
            if f"{head}.{kind}" in weights:
                weights[f"{head}.{kind}"] = weights[f"{head}.{kind}"][list(rows)].contiguous()
    save_file(weights, output / WEIGHTS, metadata={"format": "pt"})
    return output


def swapped(folder: Path, output: Path) -> Path:
    return reordered(folder, output, ("POSITIVE", "NEGATIVE"), (1, 0))


@pytest.fixture(scope="module")
def nli(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """One model twice: in the task's order, and with contradiction first, as cross-encoders have it; and data."""
    root = tmp_path_factory.mktemp("nli")
    plain = make_bert(root / "plain", labels=3)
    for seed, split in enumerate(("validation_matched", "train")):
        write_split(root / "glue", TASKS["mnli"], split, 40, seed=seed)
    other = reordered(plain, root / "other", ("contradiction", "entailment", "neutral"), (2, 0, 1))
    return plain, other, str(root / "glue")


@pytest.mark.parametrize("method", ["attribution", "attribution-residual", "magnitude", "random"])
def test_every_method_removes_the_same(nli: tuple[Path, Path, str], method: str) -> None:
    """Attribution scores the gold label; in scope all-linear the classifier's own rows are pruned too."""
    *folders, data = nli
    scope = None if method.startswith("attribution") else "all-linear"
    results = (swept(folder, data, "mnli", method=method, scope=scope, amounts=AMOUNTS) for folder in folders)
    before, after = ([(frame.similarity, frame.predictions) for frame in result.frames] for result in results)
    assert before == after


@pytest.mark.parametrize("model_type", sorted(ARCHITECTURES))
def test_the_classifier_is_found_in_every_architecture(model_type: str, tmp_path: Path) -> None:
    plain = make_encoder(tmp_path / "plain", model_type)
    other = resolve(str(swapped(plain, tmp_path / "swapped")))
    expected = load(resolve(str(plain))).model.state_dict()
    found, stored = (load(of).model.state_dict() for of in (suited(other, "sst2"), other))
    assert all(torch.equal(values, expected[name]) for name, values in found.items())
    assert sum(not torch.equal(values, expected[name]) for name, values in stored.items()) == 2, "weight and bias"


def test_a_pruned_checkpoint_has_the_tasks_order_in_rows_and_names(nli: tuple[Path, Path, str]) -> None:
    _, other, data = nli
    result = swept(other, data, "mnli", amounts=AMOUNTS)
    folder = write_pruned(result, 0.5, str(other), None, silent)
    config = json.loads((folder / "config.json").read_text())
    assert config["id2label"] == {"0": "entailment", "1": "neutral", "2": "contradiction"}
    assert config["label2id"] == {"entailment": 0, "neutral": 1, "contradiction": 2}
    assert "entailment, neutral, contradiction." in (folder / "README.md").read_text("utf-8")
    assert swept(folder, data, "mnli", amounts=AMOUNTS).frames[0].predictions == result.frames[1].predictions


def test_names_of_another_task_are_refused_before_a_weight_is_read(tiny_bert: Path, tmp_path: Path) -> None:
    other = named(tiny_bert, tmp_path / "other", ("entailment", "not_entailment"))
    (other / WEIGHTS).write_bytes(b"damaged")
    with pytest.raises(PrunescopeError, match="'other' has 2 labels, entailment, not_entailment, which do"):
        prepare(checked(SweepRequest(str(other), "sst2", data="written")))
