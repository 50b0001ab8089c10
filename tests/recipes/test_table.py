"""The settings that the shipped results' weights were made with, and the data that are known for each."""

from dataclasses import asdict

from core.request.catalog import FAMILIES, TASKS
from recipes.table import MINILM, MODEL_TYPES, MPNET, RECIPES, Recipe

MPNET_SETTINGS = {"base": MPNET, "learning_rate": 3e-5, "warmup": 0.1, "bf16": True}
AVERAGED = {"averaged": True}
SETTINGS = {
    "mpnet-l12-cola": {**MPNET_SETTINGS, "task": "cola", "epochs": 3, "early_stop": 3},
    "mpnet-l12-sst2": {**MPNET_SETTINGS, "task": "sst2", "epochs": 1, "early_stop": 5},
    "mpnet-l12-qnli": {**MPNET_SETTINGS, "task": "qnli", "epochs": 3},
    "mpnet-l12-qqp": {**MPNET_SETTINGS, "task": "qqp", "epochs": 2},
    "minilm-l6-cola": {
        **{"task": "cola", "epochs": 5, "learning_rate": 8e-5, "dropout": 0.0, "bf16": True, "syntax_steps": 2500},
    },
    "minilm-l6-sst2": {**AVERAGED, "task": "sst2", "epochs": 4, "learning_rate": 5e-5},
    "minilm-l6-qnli": {**AVERAGED, "task": "qnli", "epochs": 8, "learning_rate": 8e-5},
    "minilm-l6-qqp": {**AVERAGED, "task": "qqp", "epochs": 4, "learning_rate": 8e-5},
    "minilm-l6-messages": {
        **{"task": "messages", "epochs": 6, "learning_rate": 8e-5, "batch_size": 16, "frequent": 8000},
    },
}
USUAL = {"base": MINILM, "warmup": 0.06, "batch_size": 32, "dropout": 0.1, "bf16": False}
USUAL |= {"early_stop": 0, "syntax_steps": 0, "averaged": False, "frequent": 0}


def test_every_family_has_the_settings_that_its_weights_were_made_with() -> None:
    assert {name: asdict(recipe) for name, recipe in RECIPES.items()} == {
        name: {**USUAL, **settings} for name, settings in SETTINGS.items()
    }


def test_every_recipe_is_of_a_known_family_task_and_encoder() -> None:
    assert set(RECIPES) <= set(FAMILIES)
    for name, recipe in RECIPES.items():
        assert isinstance(recipe, Recipe)
        assert recipe.task in TASKS
        assert name == {"bert": "minilm-l6-", "mpnet": "mpnet-l12-"}[MODEL_TYPES[recipe.base]] + recipe.task
