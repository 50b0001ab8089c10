"""`python -m core.finetune`: fine-tunes an encoder of any supported architecture on a task.

There are five steps; the first can be left out, and so can the third with the fourth. In the syntax stage the encoder
learns to find the words at fault in corrupted sentences. Training writes float32 weights with the full vocabulary to
`--work`; interrupted, the same command goes on from the last save. Averaging trains on at a constant rate and averages
the weights along the way. Mixing takes a point between the two. Export stores float16, of a BERT with only the word
pieces that the data need, scores the *stored file* on the validation split and writes the model card, so the card's
scores are those of the file itself.
"""

import argparse
import hashlib
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from datasets import Dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from core.command_line import OneLineParser, run_command
from core.encoder.loading import borrow
from core.errors import PrunescopeError
from core.inputs.checkpoint_files import TRAINING_EXAMPLES
from core.inputs.prepare import prepare
from core.inputs.training_overlap import example_digests
from core.request.catalog import TASKS, Task
from core.request.limits import limits
from core.request.sweep_request import SweepRequest, checked
from core.results.digest import digest
from core.results.schema import RecipeRecord, SweepResult
from core.sweep.metrics import SCORES
from core.sweep.sweep import sweep
from core.training.averaging import average, mix
from core.training.fine_tuning import SAVE_EVERY, fine_tune
from core.training.model_card import BASE_ID, model_card
from core.training.recipe import recipe_record, write_recipe
from core.training.splits import read_examples, texts
from core.training.stages import check_options
from core.training.syntax import learn_syntax
from core.training.vocabulary import can_be_cut, cut_vocabulary, kept_ids

TRAINED_BY = (  # what decides the weights in the folder of the training, besides what it reads
    *("task", "syntax_steps", "dropout", "epochs", "batch_size", "accumulate", "learning_rate", "warmup"),
    *("early_stop", "average_epochs", "average_rate", "seed", "bf16", "base_id"),
)
DIGEST_CHARS = 12


def score(folder: Path, task: Task, data: Path) -> SweepResult:
    """Evaluate a stored checkpoint on the validation split of `data`, as far as the limits allow, unpruned."""
    count = min(len(read_examples(data, task, task.split)), limits().examples)
    request = SweepRequest(str(folder), task.name, amounts=(0.0,), num_examples=count, data=str(data))
    inputs = prepare(checked(request))
    with borrow(inputs.resolved) as checkpoint:
        *_, result = sweep(checkpoint, inputs, request)
    assert isinstance(result, SweepResult)  # the last event of a sweep
    return result


def export(task: Task, options: argparse.Namespace, trained: Path, recipe: RecipeRecord | None) -> None:
    """Store, score and describe the weights in the folder `trained`."""
    splits = {split: list(texts(read_examples(options.data, task, split), task)) for split in ("train", task.split)}
    tokenizer = AutoTokenizer.from_pretrained(trained, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(trained, local_files_only=True)
    sizes = {"train": len(splits["train"])}
    if can_be_cut(tokenizer) and not options.full_vocabulary:
        written = [example for path in options.extra for example in texts(Dataset.from_json(str(path)), task)]
        keep = kept_ids(tokenizer, chain(*splits.values(), written), options.frequent)
        sizes |= {"kept": len(keep), "full": len(tokenizer)}
        tokenizer = cut_vocabulary(model, tokenizer, keep)
    model.half().save_pretrained(options.output)
    tokenizer.save_pretrained(options.output)
    np.save(options.output / TRAINING_EXAMPLES, example_digests(iter(splits["train"])))
    scored = score(options.output, task, options.data)
    sizes["validation"] = len(scored.task.examples)
    if recipe:
        write_recipe(recipe, options.output)
    card = model_card(task, options, model.config, scored, sizes)
    (options.output / "README.md").write_text(card, encoding="utf-8")


def decided_by(task: Task, options: argparse.Namespace) -> dict[str, str | float]:
    """Return what decides the weights: options, and the content of what is read, wherever it lies.

    Raises:
        PrunescopeError: There is no pretrained checkpoint, or there are no examples.
    """
    if not options.base.is_dir():
        raise PrunescopeError(f"--base {options.base.name} is not a folder: give that of a pretrained checkpoint")
    base = hashlib.sha256()
    for path in sorted(path for path in options.base.iterdir() if path.is_file()):
        base.update(path.name.encode() + path.read_bytes())
    data = [read_examples(options.data, task, split)[:] for split in ("train", task.split)]
    digests = {"base": base.hexdigest(), "data": digest(data)}
    contents = {name: f"with the content {found[:DIGEST_CHARS]}" for name, found in digests.items()}
    return {**{name: getattr(options, name) for name in TRAINED_BY}, **contents}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = OneLineParser(prog="python -m core.finetune", description=__doc__)
    parser.add_argument("--task", required=True, choices=sorted(TASKS))
    parser.add_argument("--data", required=True, type=Path, help="folder in the Hub's GLUE layout, or written")
    parser.add_argument("--base", required=True, type=Path, help="folder of the pretrained checkpoint")
    parser.add_argument("--base-id", default=BASE_ID, help="its id on the Hub, for the model card")
    parser.add_argument(
        "--recipe", metavar="FAMILY", help="of weights that are not shipped: their name without the seed"
    )
    parser.add_argument("--output", required=True, type=Path, help="folder to write the checkpoint to")
    parser.add_argument("--work", required=True, type=Path, help="folder for the resumable training state")
    parser.add_argument("--extra", type=Path, nargs="*", default=[], help="JSON lines whose words are kept too")
    parser.add_argument("--frequent", type=int, default=0, help="keep this many of the most frequent word pieces too")
    parser.add_argument("--syntax-steps", type=int, default=0, help="steps of the syntax stage before fine-tuning")
    parser.add_argument("--bf16", action="store_true", help="train in bfloat16 where the processor has it")
    parser.add_argument(
        "--full-vocabulary",
        action="store_true",
        help="keep all word pieces of a BERT (other models always keep theirs)",
    )
    parser.add_argument("--dropout", type=float, default=0.1, help="dropout in fine-tuning and averaging")
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--accumulate", type=int, default=1, help="batches whose gradients make one step")
    parser.add_argument(
        "--early-stop",
        type=int,
        default=0,
        metavar="N",
        help=f"score the validation split every {SAVE_EVERY} steps, stop after N scores without a better one, and keep "
        "the best weights",
    )
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--warmup", type=float, default=0.06, help="fraction of all steps")
    parser.add_argument(
        "--average-epochs", type=float, default=1, help="further epochs to average weights over; 0: none"
    )
    parser.add_argument("--average-rate", type=float, default=3e-5, help="their constant learning rate")
    parser.add_argument("--mix", type=float, default=0.5, help="share of the averaged weights in what is stored")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train where there are no trained weights yet, then export.

    Raises:
        PrunescopeError: An option or the data cannot be used.
    """
    options = parse(arguments)
    task = TASKS[options.task]
    recipe = recipe_record(task, options)
    check_options(options.work, decided_by(task, options))
    if options.syntax_steps and not (options.work / "syntax" / "final").is_dir():
        learn_syntax(
            options.base, options.data, options.work / "syntax", options.syntax_steps, options.seed, options.bf16
        )
    if not (options.work / "final").is_dir():
        base = options.work / "syntax" / "final" if options.syntax_steps else options.base
        fine_tune(task, options, base, SCORES[task.main_metric])
    if options.average_epochs and not (options.work / "averaged").is_dir():
        average(task, options)
    if options.average_epochs:
        mix(options)
    export(task, options, options.work / ("mixed" if options.average_epochs else "final"), recipe)
    print(options.output)
    return 0


if __name__ == "__main__":
    run_command(main)
