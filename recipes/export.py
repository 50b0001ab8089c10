"""Save trained weights as a checkpoint in float16, with few word pieces and a model card."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertTokenizerFast

from core.exports.model_card import score_table
from core.inputs.checkpoint_files import RECIPE_FILE, TRAINING_EXAMPLES
from core.inputs.examples import example_digests
from core.inputs.texts import CALIBRATION, EVALUATION, TRAINING_PART, read_written
from core.precompute import find, run
from core.request.catalog import TASKS
from core.request.limits import limits
from core.request.sweep_request import SweepRequest, checked
from core.results.schema import RecipeRecord
from recipes.table import BUNDLED_SEED, MINILM, Recipe
from recipes.training import read_examples, texts

CARD = Path(__file__).with_name("card.md")
MOST_FREQUENT = "the"  # in BERT's vocabulary, after special and unused tokens and single characters

# Single characters that every reduced vocabulary keeps: Latin-1 and what word processors type
# (dashes, quotes, …, €).
CHARACTERS = [chr(code) for code in (*range(0x21, 0x100), *range(0x2010, 0x2028), 0x20AC)]


def export(
    recipe: Recipe, record: RecipeRecord, trained: Path, data: Path | None, output: Path
) -> None:
    """Save the weights in `trained` as a checkpoint whose card has its validation scores."""
    task = TASKS[recipe.task]
    train = list(texts(read_examples(data, task, "train"), task))
    validation = list(texts(read_examples(data, task, task.split), task))
    tokenizer = AutoTokenizer.from_pretrained(trained, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(trained, local_files_only=True)
    full = len(tokenizer)
    if recipe.base == MINILM:
        seen = [*train, *validation]
        if record.seed == BUNDLED_SEED:  # the app runs it on all sentences written for this project
            for part in (EVALUATION, CALIBRATION, TRAINING_PART):
                seen += texts(read_written(task, part).cells, task)
        keep = kept_ids(tokenizer, seen, recipe.frequent)
        tokenizer = cut_vocabulary(model, tokenizer, keep)
    model.half().save_pretrained(output)
    tokenizer.save_pretrained(output)
    np.save(output / TRAINING_EXAMPLES, np.unique(example_digests(train)))
    (output / RECIPE_FILE).write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")
    count = min(len(validation), limits().examples)
    source = str(data) if task.dataset_id else "written"
    request = SweepRequest(
        str(output),
        task.name,
        amounts=(0.0,),
        num_examples=count,
        data=source,
    )
    result = run(find(checked(request)))
    card = CARD.read_text("utf-8").format(
        recipe=recipe,
        record=record,
        task=task,
        train=len(train),
        validation=count,
        kept=len(tokenizer),
        full=full,
        encoder=recipe.base.rpartition("/")[2],
        scores=score_table(result.frames[0]),
        metrics=", ".join(task.metrics),
        labels=", ".join(task.label_names),
        datasets=f"datasets: [{task.dataset_id}]\n" if task.dataset_id else "",
    )
    (output / "README.md").write_text(card, encoding="utf-8")


# ---------------------------------------------------------------- a smaller vocabulary


def kept_ids(tokenizer: Any, texts: Iterable[tuple[str, ...]], frequent: int = 0) -> list[int]:
    """Return the word pieces to keep: used and special ones, single characters and their ## forms.

    Args:
        tokenizer: The full BERT tokenizer, whose vocabulary lists frequent word pieces first.
        texts: All examples of the data, untruncated.
        frequent: Number of the most frequent word pieces to keep as well.

    Returns:
        Token ids of the full vocabulary, ascending.
    """
    vocabulary = tokenizer.get_vocab()
    encoded = tokenizer([text for example in texts for text in example])["input_ids"]
    used = {token for ids in encoded for token in ids}
    forms = [*CHARACTERS, *(f"##{character}" for character in CHARACTERS)]
    characters = {vocabulary[form] for form in forms if form in vocabulary}
    words = vocabulary[MOST_FREQUENT]
    most_frequent = range(words, min(words + frequent, len(vocabulary)))
    return sorted({*used, *characters, *most_frequent, *tokenizer.all_special_ids})


def cut_vocabulary(model: Any, tokenizer: Any, keep: Sequence[int]) -> BertTokenizerFast:
    """Reduce the model's word embeddings in place, and make a tokenizer for them.

    A word whose pieces are all kept is split into the same pieces as before: WordPiece takes the
    longest match, and a smaller vocabulary has no longer one.

    Args:
        model: A BERT.
        tokenizer: Its full tokenizer.
        keep: Token ids to keep, ascending; `keep[i]` becomes `i`.
    """
    keep = list(keep)
    full = model.get_input_embeddings().weight.data.clone()  # (full vocabulary, hidden)
    model.resize_token_embeddings(len(keep), mean_resizing=False)
    model.get_input_embeddings().weight.data.copy_(full[keep])  # (kept, hidden)
    vocabulary = {token: k for k, token in enumerate(tokenizer.convert_ids_to_tokens(keep))}
    lowers = tokenizer.backend_tokenizer.normalizer.lowercase
    return BertTokenizerFast(vocab=vocabulary, do_lower_case=lowers, model_max_length=512)
