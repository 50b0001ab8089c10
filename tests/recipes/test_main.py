"""The command, on a tiny encoder: what it writes, and that an interruption changes nothing."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import matthews_corrcoef
from tiny import predicted_by_transformers
from transformers import AutoConfig, Trainer

from core.inputs import checkpoints
from core.inputs.checkpoints import resolve
from core.inputs.examples import example_digests
from core.request import limits
from core.request.catalog import TASKS
from recipes import __main__ as command
from recipes import syntax, training
from recipes.table import MINILM, Recipe
from recipes.training import read_examples, texts
from tests.commands import call

COLA = TASKS["cola"]
NAME = "tiny-cola-seed-3"
TINY = Recipe(
    MINILM,
    "cola",
    2,
    1e-3,
    bf16=True,
    early_stop=9,
    syntax_steps=4,
    averaged=True,
)
Make = Callable[[Path], Path]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use few examples, and save at every step, of which an epoch has five."""
    monkeypatch.setattr(command, "RECIPES", {"tiny-cola": TINY})
    monkeypatch.setattr(syntax, "NUM_EXAMPLES", 256)
    monkeypatch.setattr(syntax, "SAVE_EVERY", 1)
    monkeypatch.setattr(training, "SAVE_EVERY", 1)
    monkeypatch.setattr(training, "AVERAGE_EVERY", 2)


@pytest.fixture
def make(tiny_bert: Path, glue_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Return a function that makes a checkpoint in its own folder, and returns that."""

    def run(folder: Path) -> Path:
        for module in (command, checkpoints, limits):
            monkeypatch.setattr(module, "WEIGHTS", folder)
        places = f"--base {tiny_bert} --data {glue_folder}"
        call(command, f"tiny-cola --seed 3 {places} --threads 1")
        return folder / NAME

    return run


def interrupt(stage: Path, step: int, make: Make, folder: Path) -> None:
    """Interrupt the making of a checkpoint once a step of a stage is saved, then while saving."""
    save = Trainer._save_checkpoint

    def interrupted(self: Trainer, *given: object) -> None:
        save(self, *given)
        if (Path(self.args.output_dir), self.state.global_step) == (
            stage,
            step,
        ):
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_save_checkpoint", interrupted)
        with pytest.raises(KeyboardInterrupt):
            make(folder)
    assert not (stage / "final").exists()
    half = shutil.copytree(stage / f"checkpoint-{step}", stage / f"checkpoint-{step + 1}")
    (half / "trainer_state.json").unlink()


def test_a_checkpoint_is_the_same_after_interruptions_in_any_stage(
    make: Make, tiny_bert: Path, glue_folder: Path, tmp_path: Path
) -> None:
    whole = make(tmp_path / "whole")
    folder = tmp_path / "resumed"
    work = folder / "work" / command.work_folder(TINY, NAME, tiny_bert, glue_folder).name

    interrupt(work / "syntax", 2, make, folder)
    interrupt(work, 7, make, folder)  # in the second epoch
    resumed = make(folder)

    names = {path.name for path in whole.iterdir()}
    assert {
        "README.md",
        "recipe.json",
        "model.safetensors",
        "tokenizer.json",
    } <= names
    for name in (
        *names,
        f"../work/{work.name}/syntax/final/model.safetensors",
    ):
        assert (resumed / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_checkpoint_comes_with_its_recipe_digests_and_scores(
    make: Make, glue_folder: Path, tmp_path: Path
) -> None:
    folder = make(tmp_path)

    assert json.loads((folder / "recipe.json").read_text()) == {
        "family": "tiny-cola",
        "seed": 3,
    }
    resolved = resolve(f"recipe:{NAME}")
    assert resolved.id == f"recipe:{NAME}"
    assert resolved.recipe.name == NAME
    train = texts(read_examples(glue_folder, COLA, "train"), COLA)
    assert np.array_equal(
        np.load(folder / "training_examples.npy"), np.unique(example_digests(train))
    )
    assert AutoConfig.from_pretrained(folder).dtype == torch.float16
    validation = read_examples(glue_folder, COLA, "validation")
    stored = predicted_by_transformers(folder, validation["sentence"])
    correlation = matthews_corrcoef(validation["label"], stored)
    card = (folder / "README.md").read_text()
    assert f"| matthews correlation | {correlation:.4f} |" in card
    assert "trained on 160 examples" in card
    assert "python -m recipes tiny-cola --seed 3 --base" in card
