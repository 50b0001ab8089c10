"""A smaller model in its folder has the layers of the study, and its card describes it."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from huggingface_hub import metadata_load
from safetensors.torch import load_file
from tiny import loaded, make_cut_inputs, predicted_by_transformers

from core.exports.model_card import STUDY_FILE
from core.exports.pruned_checkpoint import write_cut
from core.findings.cut import frontier_of
from core.findings.words.numbers import decimals
from core.inputs.cut_rows import CutInputs
from core.request.limits import HOSTED_LIMITS
from core.results.cut import CutStudy
from core.results.key import sealed
from core.results.store import parse
from core.training.cut_study import study as made_study
from tests.refusals import refusal

OUT = {2: "Really removed: layer 3 of 3", 1: "Really removed: layers 2 and 3 of 3"}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> CutInputs:
    inputs = make_cut_inputs(tmp_path_factory.mktemp("cut"), "distilbert", dtype=torch.float16)
    (inputs.resolved.folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    return inputs


@pytest.fixture(scope="module")
def study(inputs: CutInputs) -> CutStudy:
    return sealed(made_study(loaded(inputs.resolved), inputs))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def written(study: CutStudy, left: int, inputs: CutInputs, **options: Path) -> Path:
    return write_cut(study, left, inputs, lambda *_: None, **options)


def expect_predictions(folder: Path, study: CutStudy, left: int, inputs: CutInputs) -> None:
    """Expects the layers of the study in the weights, and its predictions from plain transformers."""
    layers = re.findall(r"transformer\.layer\.(\d+)\.", " ".join(load_file(folder / "model.safetensors")))
    assert {*layers} == {*map(str, range(left))}
    (depth,) = (depth for depth in study.depths if depth.layers == left)
    texts = [text for (text,) in inputs.subset.texts]
    assert predicted_by_transformers(folder, texts) == [*depth.saved.predictions]


@pytest.mark.parametrize("left", [2, 1])
def test_the_folder_and_its_card_are_those_of_the_chosen_model(
    study: CutStudy, inputs: CutInputs, left: int, tmp_path: Path
) -> None:
    model, choice = study.depths[2 - left], frontier_of(study).choices[2 - left]
    folder = written(study, left, inputs)
    expect_predictions(folder, study, left, inputs)
    card, metadata = (folder / "README.md").read_text("utf-8"), metadata_load(folder / "README.md")
    assert (metadata["license"], metadata["tags"]) == ("apache-2.0", ["pruned", "cut"])
    for words in (
        f"`base`, content `{study.checkpoint.revision}`",
        f"| parameters | {model.size.parameters:,}, of the base {study.full_size.parameters:,} |",
        f"| bytes | {model.size.bytes:,}, of the base {study.full_size.bytes:,} |",
        f"| accuracy | {model.saved.metrics['accuracy']:.4f} |",
        f"beside the base | {decimals(choice.difference.value, 4)} |",
        f"batch of 32 | {model.size.speeds[32].value:.4f} |",
        f"\"text-classification\", '{folder.name}'",
        OUT[left],
        study.key,
    ):
        assert words in card
    assert str(inputs.resolved.folder.parent) not in card
    assert "Refitted again" not in card
    assert parse(json.loads((folder / STUDY_FILE).read_text("utf-8")), "it") == study
    assert written(study, left, inputs, folder=tmp_path / "mine") == tmp_path / "mine"
    expect_predictions(tmp_path / "mine", study, left, inputs)


def test_a_card_says_how_many_predictions_came_out_otherwise(study: CutStudy, inputs: CutInputs) -> None:
    first, *others = study.depths
    flipped = (1 - first.saved.predictions[0], *first.saved.predictions[1:])
    saved = first.saved.model_copy(update={"predictions": flipped})
    other = study.model_copy(update={"depths": (first.model_copy(update={"saved": saved}), *others)})
    card = (written(other, 2, inputs) / "README.md").read_text("utf-8")
    assert "Refitted again, it predicts 1 of 50 judged rows otherwise." in card


def test_an_unknown_model_and_another_checkpoint_are_refused(
    study: CutStudy, inputs: CutInputs, tmp_path: Path, cache: Path
) -> None:
    for left in (0, 3, 7):
        assert f"offers no smaller model of {left} layers" in refusal(written, study, left, inputs)
    other = make_cut_inputs(tmp_path, "distilbert", seed=6)
    assert "give that checkpoint" in refusal(written, study, 1, other)
    assert list(cache.rglob("*.safetensors")) == []


def test_a_hosted_server_writes_a_zip_of_bounded_size(
    study: CutStudy, inputs: CutInputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.exports.pruned_checkpoint.is_hosted", lambda: True)
    archive = written(study, 2, inputs)
    assert [archive.suffix, *(path.name for path in archive.parent.iterdir())] == [".zip", archive.name]
    shutil.unpack_archive(archive, tmp_path / "opened")
    (folder,) = (tmp_path / "opened").iterdir()
    expect_predictions(folder, study, 2, inputs)
    archive.unlink()
    assert HOSTED_LIMITS.export_bytes < float("inf")
    monkeypatch.setattr("core.exports.pruned_checkpoint.limits", lambda: replace(HOSTED_LIMITS, export_bytes=2**15))
    assert "more than the 0 allowed here" in refusal(written, study, 2, inputs)
    assert [*archive.parent.iterdir()] == []
