"""Prunescope in a notebook that runs from the repository's root.

    from core.api import sweep, recover, load_result

    result = sweep("embedded:sst2", sentences, labels, amounts=[0, 0.3, 0.6, 0.9])
    result                      # as the last line of a cell: the player
    result.to_frame()           # a pandas table
    result.save("result.json")  # for load_result, and for the app
    recover(result, amount=0.6).frames  # trained again, step by step

These three functions keep their names, arguments and results; everything else in `core` may change.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from core.command_line import use_machine
from core.errors import PrunescopeError
from core.exports.notebook import NotebookResult
from core.inputs.tables import as_text
from core.inputs.uploads import LABEL, keep_sentences, label_mark, name_of
from core.precompute import find, run
from core.recover import run as train_again
from core.request.amounts import DEFAULT_AMOUNTS
from core.request.sweep_request import SweepRequest
from core.results.key import sealed
from core.results.recovery import Recovery
from core.results.store import load

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def sweep(
    model: "str | Path | tuple[PreTrainedModel, PreTrainedTokenizerBase]",
    sentences: Iterable[str] | Iterable[tuple[str, str]],
    labels: Iterable[str | int],
    *,
    method: str = "magnitude",
    amounts: float | Iterable[float] = DEFAULT_AMOUNTS,
    scope: str | None = None,
    points: str = "attention",
    examples: int | None = None,
    seed: int = 0,
    control_of: str | None = None,
    until_damage: float | None = None,
    task: str | None = None,
    label_map: Mapping[str | int, str | None] | None = None,
    device: str | None = None,
    dtype: str = "float32",
) -> NotebookResult:
    """Prune a classifier step by step, and compare its layers with the unpruned ones.

    As on the command line (`python -m core.precompute --help`), half of the sentences are
    evaluated, at most 256; the others remain for scoring, so that every method is measured on the
    same ones. `result.task.examples` holds their positions in `sentences`. The sentences are kept
    in the user's cache directory, like a file chosen in the Lab.

    Args:
        model: `embedded:NAME`, a folder, an id on the Hub with an optional `@revision`, or a loaded
            model with its tokenizer, `(model, tokenizer)`. A loaded model is copied, never pruned
            itself, and named after its origin.
        sentences: Texts, or pairs of texts: a list, a pandas series, or any other iterable.
        labels: A label's name for each sentence. Numbers are unambiguous for GLUE, and for labels
            called LABEL_0, LABEL_1, …; others need a `label_map`.
        method: The pruning method; `python -m core.precompute --help` lists them.
        amounts: A fraction in [0, 1), or several; 0 is always included.
        scope: The weights that a weight method prunes: encoder (default), all-linear, layer:K, or
            layers:A-B, from 0.
        points: The points where layers are compared: attention, layer, or both.
        examples: The number of sentences to evaluate, by default half.
        seed: The seed of a random method.
        control_of: The method whose allocation a random method follows.
        until_damage: The damage, 1 − the mean own CKA, after which to stop.
        task: A task of GLUE, or auto for one made from the checkpoint's own labels; None for that
            of a known checkpoint, else auto.
        label_map: The meanings of labels that are not a label's name, such as
            `{1: "bad", 5: "good", 3: None}`; None omits their sentences.
        device: The device that runs the model, also in later calls: auto, cpu, cuda, cuda:N or mps;
            None leaves it to PRUNESCOPE_DEVICE, else auto. It is no part of the result's key.
        dtype: The dtype of forward passes, float32 or bfloat16.

    Returns:
        The result, which a notebook shows as the player; it has `to_frame()`, `save(path)`, and the
        fields of a result file.

    Raises:
        PrunescopeError: Bad input, in one line that says what to do.
    """
    data, text = keep_sentences(sentences, labels)
    meanings = [
        (as_text(label_mark(label, "a label in label_map")), meaning)
        for label, meaning in (label_map or {}).items()
    ]
    use_machine(None, device)
    with _named(model) as checkpoint:
        request = SweepRequest.from_json(
            {
                "checkpoint": checkpoint,
                "task": task,
                "data": data,
                "text": text,
                "label": LABEL,
                "label_map": meanings,
                "method": method,
                "scope": scope,
                "points": points,
                "amounts": [*amounts] if isinstance(amounts, Iterable) else [amounts],
                "num_examples": examples,
                "seed": seed,
                "control_of": control_of,
                "until_damage": until_damage,
                "dtype": dtype,
            }
        )
        return NotebookResult.of(run(find(request)))


def recover(
    result: NotebookResult,
    amount: float | None = None,
    model: "str | Path | tuple[PreTrainedModel, PreTrainedTokenizerBase] | None" = None,
    **options: Any,
) -> Recovery:
    """Train a result's pruned model again, with its zeros held, and measure what returns.

    As on the command line (`python -m core.recover --help`), sentences that the result did not
    evaluate are trained on. The unpruned model is trained as long, once; what that gives is kept.

    Args:
        result: What `sweep` or `load_result` returns.
        amount: The fraction to remove; None for the first amount beyond the working range.
        model: The model that was swept, unless it is on the Hub or bundled; see `sweep`.
        options: Further options of the command line: `steps`, `seed`, `device`, and the places
            `data` and `train`.

    Returns:
        The recovery: `frames` by step, each with its metrics and similarities, and those of the
        `unpruned` model.

    Raises:
        PrunescopeError: Bad input, in one line that says what to do.
    """
    if result.task.source == "file" and result.task.files:  # perhaps sentences that `sweep` kept
        file = result.task.files[0]
        options.setdefault("data", name_of(file.name, file.sha256 or ""))
    with nullcontext() if model is None else _named(model) as checkpoint:
        return sealed(train_again(result, amount=amount, checkpoint=checkpoint, **options))


def load_result(path: str | Path) -> NotebookResult:
    """Read a result file from `result.save`, the command line, or a download from the app.

    Raises:
        PrunescopeError: It is missing, damaged, or not a result that can be shown.
    """
    return NotebookResult.of(load(Path(path)))


@contextmanager
def _named(model: "str | Path | tuple[PreTrainedModel, PreTrainedTokenizerBase]") -> Iterator[str]:
    """Yield a checkpoint's name for a request; a loaded model's is a temporary folder."""
    if isinstance(model, str | os.PathLike):
        yield os.fsdecode(model)
    elif isinstance(model, tuple) and len(model) == 2:
        from core.encoder.in_memory import write_folder

        with TemporaryDirectory(prefix="prunescope-", ignore_cleanup_errors=True) as parent:
            yield str(write_folder(*model, Path(parent)))
    else:
        fault = f"a {type(model).__name__} is not a checkpoint"
        remedy = "give a name, a folder, or a model and its tokenizer, (model, tokenizer)"
        raise PrunescopeError(f"{fault}: {remedy}")
