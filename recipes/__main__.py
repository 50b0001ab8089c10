"""`python -m recipes FAMILY --seed N --base FOLDER --data FOLDER`: make a checkpoint.

The weights are written to `weights/NAME`, where NAME is `FAMILY-seed-N`, the state of training to a
folder in `weights/work`. After an interruption, the same command continues from the last save; on
the same machine with the same number of threads, it arrives at the same weights. `docs/recipes.md`
says where pretrained encoders and data come from.
"""

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

from core.command_line import OneLineParser, run_command, use_threads
from core.errors import PrunescopeError
from core.inputs.checkpoint_files import CONFIG, read_config, sha256_of
from core.request.catalog import WEIGHTS
from core.results.key import digest
from core.results.schema import RecipeRecord
from recipes.export import export
from recipes.syntax import learn_syntax
from recipes.table import MODEL_TYPES, RECIPES, Recipe
from recipes.training import average, fine_tune

MAX_SEED = 2**32 - 2  # averaging takes the next one


def work_folder(recipe: Recipe, name: str, base: Path, data: Path | None) -> Path:
    """Return the folder of a training's state, one for each base, data and settings.

    Raises:
        PrunescopeError: The base is another encoder.
    """
    if read_config(base / CONFIG, f"--base {base.name}")["model_type"] != MODEL_TYPES[recipe.base]:
        raise PrunescopeError(
            f"--base {base.name} is not {recipe.base}: docs/recipes.md says where to get it"
        )
    files = sorted(base.iterdir()) + sorted(data.glob(f"{recipe.task}/*.parquet") if data else [])
    inputs = digest([asdict(recipe), *(sha256_of(path) for path in files if path.is_file())])
    return WEIGHTS / "work" / f"{name}-{inputs[:8]}"


def make_parser() -> OneLineParser:
    """Define the options."""
    parser = OneLineParser(prog="python -m recipes", description=__doc__)
    add = parser.add_argument
    add("family", choices=sorted(RECIPES), help="the recipe")
    add(
        "--seed",
        type=int,
        default=0,
        help="draws the new head, the dropout and the examples' order",
    )
    add("--base", type=Path, required=True, help="folder of the pretrained encoder")
    add("--data", type=Path, help="folder in the Hub's GLUE layout; minilm-l6-messages needs none")
    parser.add_threads()
    add("--output", type=Path, help="folder to write the checkpoint to, by default weights/NAME")
    return parser


def main(options: Namespace) -> None:
    """Train, or continue a training, then save the checkpoint and print its folder."""
    if not 0 <= options.seed <= MAX_SEED:
        raise PrunescopeError(f"seed {options.seed}: choose 0 to {MAX_SEED}")
    recipe = RECIPES[options.family]
    record = RecipeRecord(family=options.family, seed=options.seed)
    work = work_folder(recipe, record.name, options.base, options.data)
    weights = options.base
    use_threads(options.threads)
    for is_part, stage, finished in (
        (recipe.syntax_steps, learn_syntax, work / "syntax" / "final"),
        (True, fine_tune, work / "final"),
        (recipe.averaged, average, work / "mixed"),
    ):
        if is_part and not finished.is_dir():
            stage(recipe, options.seed, weights, options.data, finished)
        weights = finished if is_part else weights
    output = options.output or WEIGHTS / record.name
    export(recipe, record, weights, options.data, output)
    print(output)


if __name__ == "__main__":
    run_command(make_parser(), main)
