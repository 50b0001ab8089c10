"""The command that makes a checkpoint, and the recipe that stands in its folder if it is not shipped."""

import argparse
from pathlib import Path

from pydantic import ValidationError

from core.errors import PrunescopeError
from core.inputs.checkpoint_files import RECIPE_FILE
from core.request.catalog import WEIGHTS, Task
from core.results.schema import RecipeRecord, seed_twin


def arguments(task: Task, options: argparse.Namespace) -> list[str]:
    """Return the arguments that decide how a checkpoint is trained, folders left out."""
    given = ["--task", task.name, *([] if task.dataset_id else ["--data", "written"])]
    given += ["--syntax-steps", f"{options.syntax_steps}", "--dropout", f"{options.dropout:g}"]
    given += ["--epochs", f"{options.epochs:g}", "--batch-size", f"{options.batch_size}"]
    given += ["--accumulate", f"{options.accumulate}"] if options.accumulate > 1 else []
    given += ["--learning-rate", f"{options.learning_rate:g}", "--warmup", f"{options.warmup:g}"]
    given += ["--early-stop", f"{options.early_stop}"] if options.early_stop else []
    given += ["--average-epochs", f"{options.average_epochs:g}"]
    if options.average_epochs:
        given += ["--average-rate", f"{options.average_rate:g}", "--mix", f"{options.mix:g}"]
    given += ["--seed", f"{options.seed}", *(["--bf16"] if options.bf16 else [])]
    given += ["--frequent", f"{options.frequent}"] if options.frequent else []
    given += ["--full-vocabulary"] if options.full_vocabulary else []
    given += ["--extra", *["./EXTRA_FILE"] * len(options.extra)] if options.extra else []
    return given


def recipe_record(task: Task, options: argparse.Namespace) -> RecipeRecord | None:
    """Say which weights these are and how to make them again; None if they get no name.

    Raises:
        PrunescopeError: The name or the base's id has other characters than letters, digits and hyphens.
    """
    if options.recipe is None:
        return None
    name = seed_twin(options.recipe, options.seed)
    data = ["--data", "./DATA_FOLDER"] if task.dataset_id else []
    folders = ["--work", f"{WEIGHTS.name}/work/{name}", "--output", f"{WEIGHTS.name}/{name}"]
    base = ["--base", "./BASE_FOLDER", "--base-id", options.base_id, "--recipe", options.recipe]
    command = ["python -m core.finetune", *arguments(task, options), *base, *data, *folders]
    try:
        return RecipeRecord(family=options.recipe, seed=options.seed, command=" ".join(command))
    except ValidationError as error:
        raise PrunescopeError(
            f"the recipe '{options.recipe}' of '{options.base_id}' with seed {options.seed} cannot be written down "
            f"({error.errors()[0]['msg']}): use small letters, digits and hyphens, as in mpnet-l12-cola"
        ) from error


def write_recipe(record: RecipeRecord, folder: Path) -> None:
    """Leave a recipe beside the weights that it made."""
    (folder / RECIPE_FILE).write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")
