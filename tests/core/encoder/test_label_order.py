"""A checkpoint whose classifier has its labels in another order than the task."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from strangers import changed
from tiny import UNLIKE, make_bert, make_encoder, swept, write_split

from core.encoder.loading import load
from core.exports.pruned_checkpoint import write_pruned
from core.inputs.checkpoints import resolve
from core.request.catalog import TASKS
from core.sweep.meter import silent

AMOUNTS = (0.0, 0.5)
WEIGHTS = "model.safetensors"


def reordered(folder: Path, output: Path, names: Sequence[str], rows: Sequence[int]) -> Path:
    """Copy a checkpoint, name its labels and move the rows of its classifier with them."""
    shutil.copytree(folder, output)
    changed("config.json", id2label=dict(enumerate(names)), label2id={name: k for k, name in enumerate(names)})(output)
    weights = load_file(output / WEIGHTS)
    for head in ("classifier", "classifier.out_proj"):
        for kind in ("weight", "bias"):
            if f"{head}.{kind}" in weights:
                weights[f"{head}.{kind}"] = weights[f"{head}.{kind}"][list(rows)].contiguous()
    save_file(weights, output / WEIGHTS, metadata={"format": "pt"})
    return output


@pytest.fixture(scope="module")
def nli(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """Return one model with labels in the task's order and in another, that of cross-encoders; and the data."""
    root = tmp_path_factory.mktemp("nli")
    plain = make_bert(root / "plain", labels=3)
    for seed, split in enumerate(("validation_matched", "train")):
        write_split(root / "glue", TASKS["mnli"], split, 40, seed=seed)
    other = reordered(plain, root / "other", ("contradiction", "entailment", "neutral"), (2, 0, 1))
    return plain, other, str(root / "glue")


@pytest.mark.parametrize("method", ["attribution", "attribution-residual", "magnitude"])
def test_the_order_of_labels_changes_no_result(nli: tuple[Path, Path, str], method: str) -> None:
    """Attribution scores the gold label; in scope all-linear the classifier's own rows are pruned, too."""
    *folders, data = nli
    scope = None if method.startswith("attribution") else "all-linear"
    results = (swept(folder, data, "mnli", method=method, scope=scope, amounts=AMOUNTS) for folder in folders)
    before, after = ([(frame.similarity, frame.predictions) for frame in result.frames] for result in results)
    assert before == after


@pytest.mark.parametrize("model_type", UNLIKE)
def test_the_classifier_is_found_in_every_architecture(model_type: str, tmp_path: Path) -> None:
    plain = make_encoder(tmp_path / "plain", model_type)
    swapped = str(reordered(plain, tmp_path / "swapped", ("POSITIVE", "NEGATIVE"), (1, 0)))
    found = resolve(str(plain)), resolve(swapped), resolve(swapped, task="sst2")
    expected, stored, sorted_ = (load(resolved).model.state_dict() for resolved in found)
    assert all(torch.equal(values, expected[name]) for name, values in sorted_.items())
    assert sum(not torch.equal(values, expected[name]) for name, values in stored.items()) == 2, "weight and bias"


def test_a_saved_pruned_checkpoint_follows_the_tasks_order(nli: tuple[Path, Path, str]) -> None:
    _, other, data = nli
    result = swept(other, data, "mnli", amounts=AMOUNTS)
    folder = write_pruned(result, 0.5, str(other), None, silent)
    labels = {"entailment": 0, "neutral": 1, "contradiction": 2}
    assert json.loads((folder / "config.json").read_text())["label2id"] == labels
    assert "entailment, neutral, contradiction." in (folder / "README.md").read_text("utf-8")
    assert swept(folder, data, "mnli", amounts=AMOUNTS).frames[0].predictions == result.frames[1].predictions
