"""Save trained weights as a checkpoint: float16, few word pieces, digests of training data, recipe, model card."""

from pathlib import Path

import numpy as np
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from core.exports.model_card import score_table
from core.inputs.checkpoint_files import RECIPE_FILE, TRAINING_EXAMPLES
from core.inputs.examples import example_digests
from core.inputs.texts import CALIBRATION, EVALUATION, TRAINING_PART, read_written
from core.precompute import find, run
from core.request.catalog import TASKS
from core.request.limits import limits
from core.request.sweep_request import SweepRequest, checked
from core.results.schema import RecipeRecord
from recipes.examples import read_examples, texts
from recipes.table import BUNDLED_SEED, MINILM, Recipe
from recipes.vocabulary import cut_vocabulary, kept_ids

CARD = Path(__file__).with_name("card.md")


def export(recipe: Recipe, record: RecipeRecord, trained: Path, data: Path | None, output: Path) -> None:
    """Save the weights in `trained` as a checkpoint, and write its card, with scores on the validation split."""
    task = TASKS[recipe.task]
    train, validation = (list(texts(read_examples(data, task, split), task)) for split in ("train", task.split))
    tokenizer = AutoTokenizer.from_pretrained(trained, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(trained, local_files_only=True)
    full = len(tokenizer)
    if recipe.base == MINILM:
        seen = [*train, *validation]
        if record.seed == BUNDLED_SEED:  # the app runs it on all sentences written for this project
            for part in (EVALUATION, CALIBRATION, TRAINING_PART):
                seen += texts(read_written(task, part).cells, task)
        tokenizer = cut_vocabulary(model, tokenizer, kept_ids(tokenizer, seen, recipe.frequent))
    model.half().save_pretrained(output)
    tokenizer.save_pretrained(output)
    np.save(output / TRAINING_EXAMPLES, example_digests(train))
    (output / RECIPE_FILE).write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")
    count, source = min(len(validation), limits().examples), str(data) if task.dataset_id else "written"
    request = SweepRequest(str(output), task.name, amounts=(0.0,), num_examples=count, data=source)
    scores = score_table(run(find(checked(request))).frames[0])
    card = CARD.read_text("utf-8").format(
        recipe=recipe,
        record=record,
        task=task,
        scores=scores,
        train=len(train),
        validation=count,
        kept=len(tokenizer),
        full=full,
        encoder=recipe.base.rpartition("/")[2],
        metrics=", ".join(task.metrics),
        labels=", ".join(task.label_names),
        datasets=f"datasets: [{task.dataset_id}]\n" if task.dataset_id else "",
    )
    (output / "README.md").write_text(card, encoding="utf-8")
