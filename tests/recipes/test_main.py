"""The command, on a tiny encoder: what it writes, and that an interruption changes nothing."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, matthews_corrcoef
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

COLA = TASKS["cola"]
NAME = "tiny-cola-seed-3"
TINY = Recipe(MINILM, "cola", 2, 1e-3, bf16=True, early_stop=9, syntax_steps=4, averaged=True)
Make = Callable[[Path], Path]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use few examples, and save at every step, of which an epoch has five."""
    monkeypatch.setattr(command, "RECIPES", {"tiny-cola": TINY})
    monkeypatch.setattr(syntax, "NUM_EXAMPLES", 256)
    for module in (syntax, training):
        monkeypatch.setattr(module, "SAVE_EVERY", 1)
    monkeypatch.setattr(training, "AVERAGE_EVERY", 2)


@pytest.fixture
def make(tiny_bert: Path, glue_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Return a function that makes a checkpoint in its own folder, and returns that."""

    def run(folder: Path) -> Path:
        for module in (command, checkpoints, limits):
            monkeypatch.setattr(module, "WEIGHTS", folder)
        places = ["--base", str(tiny_bert), "--data", str(glue_folder)]
        assert command.main(["tiny-cola", "--seed", "3", *places, "--threads", "1"]) == 0
        return folder

    return run


def test_a_checkpoint_is_the_same_after_interruptions_in_any_stage(
    make: Make, tiny_bert: Path, glue_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make(tmp_path / "whole")
    resumed = tmp_path / "resumed"
    work = resumed / "work" / command.work_folder(TINY, NAME, tiny_bert, glue_folder).name
    save = Trainer._save_checkpoint
    for stage, step in ((work / "syntax", 2), (work, 7)):  # step 7 is in the second epoch

        def interrupted(
            self: Trainer, *given: object, stage: Path = stage, step: int = step
        ) -> None:
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
    for name in (*names, f"../work/{work.name}/syntax/final/model.safetensors"):
        assert (resumed / NAME / name).read_bytes() == (whole / NAME / name).read_bytes(), name
    folder = whole / NAME
    assert json.loads((folder / "recipe.json").read_text()) == {"family": "tiny-cola", "seed": 3}
    resolved = resolve(f"recipe:{NAME}")
    assert (resolved.id, resolved.recipe and resolved.recipe.name) == (f"recipe:{NAME}", NAME)
    validation, train = (
        read_examples(glue_folder, COLA, split) for split in ("validation", "train")
    )
    assert np.array_equal(
        np.load(folder / "training_examples.npy"), example_digests(texts(train, COLA))
    )
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
