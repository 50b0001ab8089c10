"""A smaller model that is taken away answers as the study says, and its card names what it is."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import metadata_load
from safetensors.torch import load_file
from tiny import make_encoder, predicted_by_transformers

from core.errors import PrunescopeError
from core.exports.pruned_checkpoint import write_cut
from core.findings.words.numbers import decimals
from core.inputs.prepare import CutInputs
from core.request.limits import HOSTED_LIMITS
from core.results.cut import CutStudy
from tests.measured import measured
from tests.refusals import refusal

Made = tuple[Path, CutInputs, CutStudy]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return measured(tmp_path_factory.mktemp("taken"), "distilbert")


def taken(made: Made, left: int, share: float, folder: Path | None = None) -> Path:
    return write_cut(made[2], left, share, str(made[0]), lambda *_: None, folder)


@pytest.mark.parametrize(("left", "share"), [(2, 0.0), (1, 0.5), (3, 0.75)])
def test_the_folder_answers_as_the_study_and_its_card_say(made: Made, tmp_path: Path, left: int, share: float) -> None:
    base, inputs, found = made
    model = found.choice(left, share)
    folder = taken(made, left, share, tmp_path / "mine")
    assert folder == tmp_path / "mine"
    assert tuple(predicted_by_transformers(folder, [text for (text,) in inputs.subset.texts])) == model.judged
    assert {weight.dtype for weight in load_file(folder / "model.safetensors").values()} == {torch.float16}
    size, full = model.size, found.full.judged
    lost = np.equal(model.judged, found.task.gold).mean() - np.equal(full, found.task.gold).mean()
    assert size.bytes == sum(path.stat().st_size for path in folder.iterdir() if path.name != "README.md")
    card = (folder / "README.md").read_text("utf-8")
    assert metadata_load(folder / "README.md")["license"] == "apache-2.0"
    assert metadata_load(folder / "README.md")["tags"] == ["pruned", "cut"]
    for said in (
        f"`base`, content `{found.checkpoint.revision}`",
        f"| {size.parameters:,}, of the base {found.checkpoint.num_parameters:,} |",
        f"| {size.bytes:,}, of the base",
        f"| accuracy | {model.worth.metrics['accuracy']:.4f} |",
        f"beside the base | {decimals(lost, 4)} |",
        f"batch of 32 | {size.speeds[32].value:.4f} |",
        'from_pretrained("mine", dtype="float32")',
        f"--layers {left}" + (f" --width {share:g}" if share else "") + " --save ./SMALLER",
        "python -m core.cut --checkpoint ./base --task sst2",
        found.key,
    ):
        assert said in card
    assert ("counted from 1" in card, "of the feed-forward units of each layer" in card) == (left < 3, share > 0)
    assert str(base.parent) not in card


def test_what_cannot_be_taken_is_refused(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = made[2]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for left, share in ((0, 0.0), (2, 0.4), (7, 0.0)):
        with pytest.raises(PrunescopeError, match=f"offers no model of {left} layers"):
            taken(made, left, share)
    assert "give it with --checkpoint" in refusal(write_cut, found, 1, 0.0, None, lambda *_: None)
    other = make_encoder(tmp_path / "other", "distilbert", layers=3, seed=6)
    assert "give that checkpoint" in refusal(write_cut, found, 1, 0.0, str(other), lambda *_: None)
    assert list((tmp_path / "cache").rglob("*.safetensors")) == []


def test_hosted_it_is_a_zip_of_bounded_size(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, inputs, found = made
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("core.exports.pruned_checkpoint.is_hosted", lambda: True)
    archive = taken(made, 2, 0.0)
    assert [archive.suffix, *(path.name for path in archive.parent.iterdir())] == [".zip", archive.name]
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path / "opened")
    (folder,) = (tmp_path / "opened").iterdir()
    texts = [text for (text,) in inputs.subset.texts]
    assert tuple(predicted_by_transformers(folder, texts)) == found.choice(2).judged
    shutil.rmtree(archive.parent)
    assert HOSTED_LIMITS.export_bytes < float("inf")
    monkeypatch.setattr("core.exports.pruned_checkpoint.limits", lambda: type("", (), {"export_bytes": 2**15})())
    assert "more than the 0 allowed here" in refusal(taken, made, 2, 0.0)
    assert [*archive.parent.iterdir()] == []
