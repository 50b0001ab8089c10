"""A smaller model in its folder answers as the study says, and its card describes it."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from huggingface_hub import metadata_load
from safetensors.torch import load_file
from tiny import loaded, make_encoder, predicted_by_transformers, write_sst2

from core.encoder.loading import save
from core.exports.pruned_checkpoint import write_cut
from core.findings.cut import frontier_of
from core.findings.words.numbers import decimals
from core.inputs.examples import open_examples
from core.inputs.prepare import prepare
from core.pruning.cut import cut
from core.request.limits import HOSTED_LIMITS
from core.request.sweep_request import SweepRequest, checked
from core.results.cut import CutStudy
from tests.builders import with_own_key
from tests.refusals import refusal
from tests.studies import made_cut, make_study, with_sizes

KEPT = (0, 1, 2), (0, 2), (1,)
Made = tuple[Path, list[str], CutStudy]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A classifier of three layers in float16, sentences, and a study of it made with transformers alone."""
    folder = tmp_path_factory.mktemp("taken")
    write_sst2(folder)
    base = make_encoder(folder / "base", "distilbert", layers=3, seed=5, dtype=torch.float16)
    (base / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    request = checked(SweepRequest(str(base), "sst2", data=str(folder), num_examples=40))
    inputs = prepare(request)
    checkpoint, subset = loaded(inputs.resolved), inputs.subset
    calibration = open_examples(request, inputs.resolved.label_names).calibration(subset)
    cuts = []
    for layers in KEPT:
        save(cut(checkpoint.model, layers), inputs.resolved, place := folder / f"{len(layers)}")
        examples = ([text for (text,) in known.texts] for known in (calibration, subset))
        cuts.append(made_cut(layers, subset.record, *(tuple(predicted_by_transformers(place, t)) for t in examples)))
    records = {"task": subset.record, "calibration": calibration.record, "checkpoint": checkpoint.record}
    study = with_sizes(make_study(num_layers=3).model_copy(update={**records, "cuts": tuple(cuts)}))
    return base, [text for (text,) in subset.texts], with_own_key(study)


@pytest.fixture
def found(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """The same, with the checkpoint's folder known, as that of a bundled one is."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("core.exports.pruned_checkpoint.locate_checkpoint", lambda *_: str(made[0]))
    return made


def taken(study: CutStudy, left: int) -> Path:
    return write_cut(study, left, lambda *_: None)


@pytest.mark.parametrize("left", [2, 1])
def test_the_folder_answers_as_the_study_and_its_card_say(found: Made, left: int) -> None:
    _, texts, study = found
    model, choice = study.cuts[3 - left], frontier_of(study).choices[2 - left]
    folder = taken(study, left)
    assert tuple(predicted_by_transformers(folder, texts)) == model.judged
    assert {weight.dtype for weight in load_file(folder / "model.safetensors").values()} == {torch.float16}
    card = (folder / "README.md").read_text("utf-8")
    assert metadata_load(folder / "README.md")["license"] == "apache-2.0"
    assert metadata_load(folder / "README.md")["tags"] == ["pruned", "cut"]
    for said in (
        f"`base`, content `{study.checkpoint.revision}`",
        f"| parameters | {left}00,000, of the base 300,000 |",
        f"| bytes | {left},000,000, of the base 3,000,000 |",
        f"| accuracy | {model.worth.metrics['accuracy']:.4f} |",
        f"beside the base | {decimals(choice.difference.value, 4)} |",
        f"batch of 32 | {model.size.speeds[32].value:.4f} |",
        f"folder = '{folder.name}'",
        "Really removed: layer 2 of 3" if left == 2 else "Really removed: layers 1 and 3 of 3",
        study.key,
    ):
        assert said in card
    assert str(found[0].parent) not in card


def test_an_unknown_model_and_another_checkpoint_are_refused(
    found: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for left in (0, 3, 7):
        assert f"offers no smaller model of {left} layers" in refusal(taken, found[2], left)
    other = make_encoder(tmp_path / "other", "distilbert", layers=3, seed=6)
    monkeypatch.setattr("core.exports.pruned_checkpoint.locate_checkpoint", lambda *_: str(other))
    assert "give that checkpoint" in refusal(taken, found[2], 1)
    assert list((tmp_path / "cache").rglob("*.safetensors")) == []


def test_a_hosted_server_writes_a_zip_of_bounded_size(
    found: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.exports.pruned_checkpoint.is_hosted", lambda: True)
    archive = taken(found[2], 2)
    assert [archive.suffix, *(path.name for path in archive.parent.iterdir())] == [".zip", archive.name]
    shutil.unpack_archive(archive, tmp_path / "opened")
    (folder,) = (tmp_path / "opened").iterdir()
    assert tuple(predicted_by_transformers(folder, found[1])) == found[2].cuts[1].judged
    archive.unlink()
    assert HOSTED_LIMITS.export_bytes < float("inf")
    monkeypatch.setattr("core.exports.pruned_checkpoint.limits", lambda: replace(HOSTED_LIMITS, export_bytes=2**15))
    assert "more than the 0 allowed here" in refusal(taken, found[2], 2)
    assert [*archive.parent.iterdir()] == []
