"""What a seed draws, which weights an early stop keeps, and what is averaged."""

from itertools import chain, repeat
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer, TrainerState

from recipes import training
from recipes.table import MINILM, Recipe
from recipes.training import Averaging, fine_tune, make_trainer, mix

RECIPE = Recipe(MINILM, "cola", 1, 1e-3)  # five steps


def test_a_seed_draws_the_head_and_the_order_of_each_epoch(tiny_bert: Path, glue_folder: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    AutoModel.from_pretrained(tiny_bert).save_pretrained(base)
    AutoTokenizer.from_pretrained(tiny_bert).save_pretrained(base)
    heads, orders = [], []
    for seed in (0, 1, 0):
        torch.rand(seed + 1)  # whatever was drawn before
        trainer = make_trainer(RECIPE, seed, base, glue_folder, tmp_path / "work")
        sampler = trainer._get_train_sampler()
        for epoch in (0, 1):
            sampler.set_epoch(epoch)
            orders.append(list(sampler))
        heads.append(trainer.model.classifier.weight)
    assert torch.equal(heads[0], heads[2])
    assert not torch.equal(heads[0], heads[1])
    assert orders[:2] == orders[4:]
    assert len(set(map(tuple, orders[:4]))) == 4
    assert sorted(orders[0]) == list(range(160))


def test_an_early_stop_keeps_the_weights_with_the_best_score(
    tiny_bert: Path, glue_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = chain([0.1, 0.5, 0.2, 0.5], repeat(0.9))
    monkeypatch.setattr(training, "SAVE_EVERY", 1)
    monkeypatch.setattr(training, "SCORES", {"matthews_correlation": lambda gold, found: next(scores)})
    recipe = Recipe(MINILM, "cola", 1, 1e-3, early_stop=2)
    kept = load_file(fine_tune(recipe, 0, tiny_bert, glue_folder, tmp_path) / "model.safetensors")
    assert not (tmp_path / "checkpoint-5").exists(), "two scores without a better one end it"
    best = load_file(tmp_path / "checkpoint-2" / "model.safetensors")
    assert all(torch.equal(weights, kept[name]) for name, weights in best.items())


def test_half_of_what_is_stored_is_the_average_from_the_start_on() -> None:
    model, before = (torch.nn.Linear(1, 1, bias=False) for _ in range(2))
    torch.nn.init.constant_(model.weight, 1.0)
    torch.nn.init.constant_(before.weight, 1.0)
    averaging = Averaging(model)
    for step in range(1, 2 * training.AVERAGE_EVERY + 1):
        torch.nn.init.constant_(model.weight, 1.0 + step)
        averaging.on_step_end(None, TrainerState(global_step=step), None, model=model)
    assert averaging.averaged.module.weight.item() == pytest.approx((1 + 21 + 41) / 3)
    mix(before, averaging.averaged.module)
    assert before.weight.item() == pytest.approx((1 + 21) / 2)
