"""A pruned or cut checkpoint, loaded by transformers alone, gives the scores of its result."""

import json
import re
import shutil
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from huggingface_hub import metadata_load
from safetensors.torch import load_file
from tiny import (
    Studied,
    make_bert,
    make_cut_inputs,
    predicted_by_transformers,
    swept,
)

from core.exports.model_card import RESULT_FILE
from core.exports.pruned_checkpoint import write_cut, write_pruned
from core.findings.cut import frontier_of
from core.findings.words.numbers import decimals
from core.inputs.checkpoint_files import TRAINING_EXAMPLES
from core.request.limits import HOSTED_LIMITS
from core.results.schema import SweepResult
from core.results.store import parse
from tests.builders import open_preset
from tests.refusals import full_disk, refusal

AMOUNT = 0.6
REQUEST = {"amounts": (0.0, AMOUNT), "seed": 3}


def write(
    result: SweepResult,
    checkpoint: Path,
    data: Path | None = None,
    amount: float = AMOUNT,
) -> Path:
    return write_pruned(
        result,
        amount,
        str(checkpoint),
        None if data is None else str(data),
        lambda *_: None,
    )


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that calls half of the examples positive: pruning changes some predictions."""
    folder = make_bert(
        tmp_path_factory.mktemp("checkpoints") / "base",
        seed=5,
        dtype=torch.float16,
    )
    np.save(folder / TRAINING_EXAMPLES, np.arange(3, dtype=np.uint64))
    return folder


@pytest.fixture(scope="module")
def result(base: Path, glue_folder: Path) -> SweepResult:
    return swept(base, glue_folder, **REQUEST)


@pytest.mark.parametrize("method", ["magnitude", "random", "attribution"])
def test_the_folder_has_the_scores_of_the_frame_and_a_card(
    base: Path, glue_folder: Path, method: str
) -> None:
    result = swept(base, glue_folder, method=method, **REQUEST)
    folder = write(result, base, glue_folder)
    frame = result.frames[1]
    before = load_file(base / "model.safetensors")
    assert {
        "config.json",
        "model.safetensors",
        "README.md",
        "tokenizer.json",
    } <= {p.name for p in folder.iterdir()}
    texts = open_preset("sst2", str(glue_folder)).subset(None).texts
    predictions = tuple(predicted_by_transformers(folder, [text for (text,) in texts]))
    assert predictions == frame.predictions != result.frames[0].predictions, "pruning must matter"
    written = load_file(folder / "model.safetensors")
    assert {name: weight.dtype for name, weight in written.items()} == dict.fromkeys(
        before, torch.float16
    )
    zeros = sum(int(((written[name] == 0) & (before[name] != 0)).sum()) for name in before)
    assert zeros / result.checkpoint.num_parameters == pytest.approx(frame.sparsity, abs=1e-9)
    assert (folder / TRAINING_EXAMPLES).read_bytes() == (base / TRAINING_EXAMPLES).read_bytes()
    card = (folder / "README.md").read_text("utf-8")
    assert metadata_load(folder / "README.md")["tags"] == ["pruned", method]
    for words in (
        f"`base`, content `{result.checkpoint.revision}`",
        f"| {frame.sparsity:.4f} |",
        f"| accuracy | {frame.metrics['accuracy']:.4f} |",
        result.key,
    ):
        assert words in card
    assert ("scored on 160 examples" in card, str(base.parent) in card) == (
        method == "attribution",
        False,
    )


@pytest.mark.parametrize(
    ("dtype", "configured"),
    [
        (torch.float16, "float32"),
        (torch.bfloat16, None),
        (torch.float32, "float16"),
    ],
)
def test_dtypes_are_kept(
    glue_folder: Path,
    tmp_path: Path,
    dtype: torch.dtype,
    configured: str | None,
) -> None:
    base = make_bert(tmp_path / "base", dtype=dtype)
    torch.save(load_file(base / "model.safetensors"), base / "pytorch_model.bin")
    (base / "model.safetensors").unlink()
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | {"dtype": configured}))
    folder = write(swept(base, glue_folder, **REQUEST), base)
    assert {weight.dtype for weight in load_file(folder / "model.safetensors").values()} == {dtype}


LICENCES = {
    b"---\nlicense: apache-2.0\n---\n": "apache-2.0",
    b"---\nlicense: [mit\n---\n": None,
    b"plain": None,
}


@pytest.mark.parametrize(("card", "licence"), LICENCES.items())
def test_a_licence_is_named(
    base: Path,
    result: SweepResult,
    tmp_path: Path,
    card: bytes,
    licence: str | None,
) -> None:
    copy = shutil.copytree(base, tmp_path / base.name)
    (copy / TRAINING_EXAMPLES).unlink()
    (copy / "README.md").write_bytes(card)
    written = write(result, copy) / "README.md"
    assert metadata_load(written).get("license") == licence
    assert f"| licence | {licence or 'that of the base'} |" in written.read_text("utf-8")


def test_nothing_is_left(
    base: Path,
    result: SweepResult,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "amount 0.3 is not among" in refusal(write, result, base, amount=0.3)
    assert "give that checkpoint" in refusal(write, result, make_bert(tmp_path / "other", seed=2))
    with monkeypatch.context() as patch:
        patch.setattr(
            "core.exports.pruned_checkpoint.model_card",
            Mock(side_effect=KeyboardInterrupt),
        )
        with pytest.raises(KeyboardInterrupt):
            write(result, base)
    with full_disk():
        assert "make room there" in refusal(write, result, base)
    assert list((tmp_path / "cache").rglob("*.safetensors")) == []


# ---------------------------------------------------------------- a smaller model

OUT = {
    2: "Really removed: layer 3 of 3",
    1: "Really removed: layers 2 and 3 of 3",
}


def written(studied: Studied, left: int, **options: Path) -> Path:
    return write_cut(studied.study, left, studied.inputs, lambda *_: None, **options)


def expect_predictions(folder: Path, studied: Studied, left: int) -> None:
    """Expect the layers of the study in the weights, and its predictions from transformers."""
    layers = re.findall(
        r"transformer\.layer\.(\d+)\.",
        " ".join(load_file(folder / "model.safetensors")),
    )
    assert {*layers} == {*map(str, range(left))}
    (depth,) = (depth for depth in studied.study.depths if depth.layers == left)
    texts = [text for (text,) in studied.inputs.subset.texts]
    assert predicted_by_transformers(folder, texts) == [*depth.saved.predictions]


@pytest.mark.parametrize("left", [2, 1])
def test_the_folder_and_its_card_are_those_of_the_chosen_model(
    studied: Studied, left: int, tmp_path: Path
) -> None:
    study = studied.study
    mine = tmp_path / "mine"
    model = study.depths[2 - left]
    choice = frontier_of(study).choices[2 - left]
    folder = written(studied, left, **({"folder": mine} if left == 1 else {}))
    assert (folder == mine) == (left == 1)
    expect_predictions(folder, studied, left)
    card = (folder / "README.md").read_text("utf-8")
    metadata = metadata_load(folder / "README.md")
    assert (metadata["license"], metadata["tags"]) == (
        "apache-2.0",
        ["pruned", "cut"],
    )
    for words in (
        f"`base`, content `{study.checkpoint.revision}`",
        f"| bytes | {model.size.bytes:,}, of the base {study.full_size.bytes:,} |",
        f"| accuracy | {model.saved.metrics['accuracy']:.4f} |",
        f"beside the base | {decimals(choice.difference.value, 4)} |",
        f"batch of 32 | {model.size.speeds[32].value:.4f} |",
        f"\"text-classification\", '{folder.name}'",
        OUT[left],
        study.key,
    ):
        assert words in card
    assert str(studied.inputs.resolved.folder.parent) not in card
    assert "Refitted again" not in card
    weights = load_file(folder / "model.safetensors").values()
    assert {weight.dtype for weight in weights} == {torch.float16}
    assert (sum(map(torch.numel, weights)), {*model.size.speeds}) == (
        model.size.parameters,
        {1, 32},
    )
    sizes = [
        path.stat().st_size
        for path in folder.iterdir()
        if path.name not in ("README.md", RESULT_FILE)
    ]
    assert sum(sizes) == model.size.bytes
    assert parse(json.loads((folder / RESULT_FILE).read_text("utf-8")), "it") == study


def test_a_card_says_how_many_predictions_came_out_otherwise(
    studied: Studied,
) -> None:
    first, *others = studied.study.depths
    flipped = (1 - first.saved.predictions[0], *first.saved.predictions[1:])
    saved = first.saved.model_copy(update={"predictions": flipped})
    other = studied.study.model_copy(
        update={"depths": (first.model_copy(update={"saved": saved}), *others)}
    )
    card = (written(studied._replace(study=other), 2) / "README.md").read_text("utf-8")
    assert "Refitted again, it predicts 1 of 50 judged rows otherwise." in card


def test_an_unknown_model_and_another_checkpoint_are_refused(
    studied: Studied, tmp_path: Path, cache: Path
) -> None:
    assert "offers no smaller model of 3 layers" in refusal(written, studied, 3)
    other = make_cut_inputs(tmp_path, "distilbert", seed=6)
    assert "give that checkpoint" in refusal(written, studied._replace(inputs=other), 1)
    assert list(cache.rglob("*.safetensors")) == []


def test_hosted_it_is_a_zip_of_bounded_size(
    studied: Studied, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.exports.pruned_checkpoint.is_hosted", lambda: True)
    archive = written(studied, 2)
    assert [
        archive.suffix,
        *(path.name for path in archive.parent.iterdir()),
    ] == [
        ".zip",
        archive.name,
    ]
    shutil.unpack_archive(archive, tmp_path / "opened")
    (folder,) = (tmp_path / "opened").iterdir()
    expect_predictions(folder, studied, 2)
    archive.unlink()
    monkeypatch.setattr(
        "core.exports.pruned_checkpoint.limits",
        lambda: HOSTED_LIMITS._replace(export_bytes=2**15),
    )
    assert "more than the 0 allowed here" in refusal(written, studied, 2)
    assert [*archive.parent.iterdir()] == []
