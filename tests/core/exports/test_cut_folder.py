"""A smaller model in its folder has the layers of the study, and its card describes it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from huggingface_hub import metadata_load
from safetensors.torch import load_file
from tiny import loaded, make_encoder
from transformers import AutoModelForSequenceClassification

from core.exports.model_card import STUDY_FILE
from core.exports.pruned_checkpoint import write_cut
from core.findings.cut import frontier_of
from core.findings.words.numbers import decimals
from core.inputs.checkpoints import resolve
from core.request.limits import HOSTED_LIMITS
from core.results.cut import CutStudy
from core.results.store import parse
from tests.builders import with_own_key
from tests.refusals import refusal
from tests.studies import make_study

KEPT = {2: (0, 1), 1: (0,)}
OUT = {2: "Really removed: layer 3 of 3", 1: "Really removed: layers 2 and 3 of 3"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_encoder(tmp_path_factory.mktemp("cut") / "base", "distilbert", layers=3, dtype=torch.float16)
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    return folder


@pytest.fixture
def study(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CutStudy:
    """A study of the base, whose folder is known, as that of a bundled checkpoint is."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("core.exports.pruned_checkpoint.locate_checkpoint", lambda *_: str(base))
    made = make_study(num_layers=3)
    return with_own_key(made, checkpoint=loaded(resolve(str(base))).record)


def written(study: CutStudy, left: int) -> Path:
    return write_cut(study, left, lambda *_: None)


def expect_layers(folder: Path, base: Path, kept: tuple[int, ...]) -> None:
    """Expects the kept layers in the weights, and a model of as many that transformers loads whole."""
    weights = load_file(folder / "model.safetensors")
    layer = "distilbert.transformer.layer.{}."
    for name, weight in load_file(base / "model.safetensors").items():
        for position, number in enumerate(kept):
            if name.startswith(layer.format(number)):
                assert torch.equal(weights.pop(name.replace(layer.format(number), layer.format(position))), weight)
    assert not [name for name in weights if name.startswith(layer.partition("{")[0])], "no other layer"
    model, info = AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
    assert (model.config.num_hidden_layers, *map(len, info.values())) == (len(kept), *[0] * len(info))


@pytest.mark.parametrize("left", [2, 1])
def test_the_folder_and_its_card_are_those_of_the_chosen_model(study: CutStudy, base: Path, left: int) -> None:
    model, choice = study.depths[2 - left], frontier_of(study).choices[2 - left]
    folder = written(study, left)
    expect_layers(folder, base, KEPT[left])
    card, metadata = (folder / "README.md").read_text("utf-8"), metadata_load(folder / "README.md")
    assert (metadata["license"], metadata["tags"]) == ("apache-2.0", ["pruned", "cut"])
    for words in (
        f"`base`, content `{study.checkpoint.revision}`",
        f"| parameters | {left}00,000, of the base 300,000 |",
        f"| bytes | {left},000,000, of the base 3,000,000 |",
        f"| accuracy | {model.saved.metrics['accuracy']:.4f} |",
        f"beside the base | {decimals(choice.difference.value, 4)} |",
        f"batch of 32 | {model.size.speeds[32].value:.4f} |",
        f"\"text-classification\", '{folder.name}'",
        OUT[left],
        study.key,
    ):
        assert words in card
    assert str(base.parent) not in card
    assert parse(json.loads((folder / STUDY_FILE).read_text("utf-8")), "it") == study


def test_an_unknown_model_and_another_checkpoint_are_refused(
    study: CutStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for left in (0, 3, 7):
        assert f"offers no smaller model of {left} layers" in refusal(written, study, left)
    other = make_encoder(tmp_path / "other", "distilbert", layers=3, seed=6)
    monkeypatch.setattr("core.exports.pruned_checkpoint.locate_checkpoint", lambda *_: str(other))
    assert "give that checkpoint" in refusal(written, study, 1)
    assert list((tmp_path / "cache").rglob("*.safetensors")) == []


def test_a_hosted_server_writes_a_zip_of_bounded_size(
    study: CutStudy, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.exports.pruned_checkpoint.is_hosted", lambda: True)
    archive = written(study, 2)
    assert [archive.suffix, *(path.name for path in archive.parent.iterdir())] == [".zip", archive.name]
    shutil.unpack_archive(archive, tmp_path / "opened")
    (folder,) = (tmp_path / "opened").iterdir()
    expect_layers(folder, base, KEPT[2])
    archive.unlink()
    assert HOSTED_LIMITS.export_bytes < float("inf")
    monkeypatch.setattr("core.exports.pruned_checkpoint.limits", lambda: replace(HOSTED_LIMITS, export_bytes=2**15))
    assert "more than the 0 allowed here" in refusal(written, study, 2)
    assert [*archive.parent.iterdir()] == []
