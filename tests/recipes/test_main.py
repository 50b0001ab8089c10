"""The command, on tiny encoders: what it writes and refuses, and that an interruption changes nothing."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, matthews_corrcoef
from tiny import VOCABULARY, make_bert, predicted_by_transformers, write_split
from transformers import AutoConfig, AutoTokenizer, Trainer

from core.inputs import checkpoints
from core.inputs.checkpoints import resolve
from core.inputs.examples import example_digests
from core.inputs.texts import read_written
from core.request import limits
from core.request.catalog import TASKS
from recipes import __main__ as command
from recipes import export, syntax, training
from recipes.examples import read_examples, texts
from recipes.table import MINILM, MPNET, Recipe
from tests.refusals import refusal

COLA = TASKS["cola"]
NAME = "tiny-cola-seed-3"
RECIPES = {
    "tiny-cola": Recipe(MINILM, "cola", 2, 1e-3, bf16=True, early_stop=9, syntax_steps=4, averaged=True),
    "tiny-messages": Recipe(MINILM, "messages", 1, 1e-3, batch_size=160),
    "tiny-mpnet": Recipe(MPNET, "qnli", 1, 1e-3),
}
Make = Callable[..., Path]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use few examples, and save at every step, of which an epoch has five."""
    monkeypatch.setattr(command, "RECIPES", RECIPES)
    monkeypatch.setattr(syntax, "NUM_EXAMPLES", 256)
    for module in (syntax, training):
        monkeypatch.setattr(module, "SAVE_EVERY", 1)
    monkeypatch.setattr(training, "AVERAGE_EVERY", 2)


@pytest.fixture
def make(tiny_bert: Path, glue_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Return a function that makes a checkpoint in its own folder, and returns that."""

    def run(folder: Path, *, family: str = "tiny-cola", base: Path = tiny_bert, data: Path = glue_folder) -> Path:
        for module in (command, checkpoints, limits):
            monkeypatch.setattr(module, "WEIGHTS", folder)
        assert command.main([family, "--seed", "3", "--base", str(base), "--data", str(data), "--threads", "1"]) == 0
        return folder

    return run


def test_a_checkpoint_is_the_same_after_interruptions_in_any_stage(
    make: Make, glue_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make(tmp_path / "whole")
    resumed = tmp_path / "resumed"
    work = resumed / "work" / NAME
    save = Trainer._save_checkpoint
    for stage, step in ((work / "syntax", 2), (work, 7)):  # step 7 is in the second epoch

        def interrupted(self: Trainer, *given: object, stage: Path = stage, step: int = step) -> None:
            save(self, *given)
            if (Path(self.args.output_dir), self.state.global_step) == (stage, step):
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Trainer, "_save_checkpoint", interrupted)
            with pytest.raises(KeyboardInterrupt):
                make(resumed)
        assert not (stage / "final").exists()
        half = shutil.copytree(stage / f"checkpoint-{step}", stage / f"checkpoint-{step + 1}")
        (half / "trainer_state.json").unlink()  # as if interrupted while saving
    make(resumed)
    names = [path.name for path in (whole / NAME).iterdir()]
    assert {"README.md", "recipe.json", "model.safetensors", "tokenizer.json"} <= set(names)
    for name in (*names, f"../work/{NAME}/syntax/final/model.safetensors"):
        assert (resumed / NAME / name).read_bytes() == (whole / NAME / name).read_bytes(), name
    folder = whole / NAME
    assert json.loads((folder / "recipe.json").read_text()) == {"family": "tiny-cola", "seed": 3}
    resolved = resolve(f"recipe:{NAME}")
    assert (resolved.id, resolved.recipe and resolved.recipe.name) == (f"recipe:{NAME}", NAME)
    validation, train = (read_examples(glue_folder, COLA, split) for split in ("validation", "train"))
    assert np.array_equal(np.load(folder / "training_examples.npy"), example_digests(texts(train, COLA)))
    stored = predicted_by_transformers(folder, validation["sentence"])
    assert AutoConfig.from_pretrained(folder).dtype == torch.float16
    card = (folder / "README.md").read_text()
    for words in (
        f"| accuracy | {accuracy_score(validation['label'], stored):.4f} |",
        f"| matthews correlation | {matthews_corrcoef(validation['label'], stored):.4f} |",
        "trained on 160 examples",
        "python -m recipes tiny-cola --seed 3 --base",
    ):
        assert words in card


def test_unusable_input_is_refused_and_a_training_cannot_change_its_input(
    make: Make, tiny_bert: Path, glue_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(message: str, **changed: object) -> None:
        assert message in refusal(make, tmp_path / "weights", **changed)

    assert "seed -1: choose 0 to" in refusal(command.main, ["tiny-cola", "--base", str(tiny_bert), "--seed=-1"])
    refused(r"no cola/train-….parquet: give --data", data=tmp_path)
    shutil.rmtree(tmp_path / "weights")
    base, data = shutil.copytree(tiny_bert, tmp_path / "base"), shutil.copytree(glue_folder, tmp_path / "data")
    monkeypatch.setattr(command, "learn_syntax", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "weights", base=base, data=data)
    write_split(data, COLA, "train", 160, seed=3)
    refused(f"{NAME} holds a training that began with another base, other data", base=base, data=data)
    refused("--base base is not sentence-transformers/all-mpnet-base-v2", family="tiny-mpnet", base=base)
    refused("'--base nowhere' has no config.json", base=tmp_path / "nowhere")


def test_a_bundled_checkpoint_keeps_all_words_written_for_this_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, seen = TASKS["messages"], []
    base = make_bert(tmp_path / "base", labels=len(task.label_names))
    keep = export.kept_ids
    monkeypatch.setattr(export, "kept_ids", lambda *given: seen.extend(given[1]) or keep(*given))
    monkeypatch.setattr(command, "WEIGHTS", tmp_path)
    output = tmp_path / "stored"
    assert command.main(["tiny-messages", "--base", str(base), "--output", str(output)]) == 0
    for part in ("training", "evaluation", "calibration"):
        assert {(text,) for text in read_written(task, part).column("sentence")} <= set(seen), part
    assert AutoConfig.from_pretrained(output).id2label == dict(enumerate(task.label_names))
    card = (output / "README.md").read_text()
    assert "on 128 validation examples" in card
    assert f"{len(AutoTokenizer.from_pretrained(output))} of {len(VOCABULARY)} word pieces" in card
    assert "nyu-mll" not in card
