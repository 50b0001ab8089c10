"""Prunescope in a notebook: `from core.api import sweep, load_result`, run from the repository's root.

    result = sweep("embedded:sst2", sentences, labels, amounts=[0, 0.3, 0.6, 0.9])
    result                      # as the last line of a cell: the player
    result.to_frame()           # a pandas table
    result.save("result.json")  # for load_result, and for the app

These two names and what they take and return stay as they are; everything else in `core` may change.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from core.errors import PrunescopeError
from core.exports.notebook import NotebookResult
from core.inputs.in_memory import LABEL, keep_sentences, mark_of, plain
from core.inputs.tables import as_text
from core.precompute import find, run
from core.request.amounts import DEFAULT_AMOUNTS, parse_amounts
from core.request.sweep_request import SweepRequest
from core.results.store import load

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["load_result", "sweep"]


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
) -> NotebookResult:
    """Prune a classifier step by step; compare its layers with the unpruned ones, and score it, at every step.

    As on the command line (`python -m core.precompute --help`), half of the sentences are evaluated, at most 256; the
    others are left to score on, so that every method is measured on the same ones. `result.task.examples` are their
    places in `sentences`. The sentences are kept in the user's cache directory, like a file that is chosen in the Lab.

    Args:
        model: `embedded:NAME`, a folder, an id on the Hub with an optional `@revision`, or a loaded model with its
            tokenizer, `(model, tokenizer)`. A loaded one is copied, never pruned itself, and called as what it was
            loaded from.
        sentences: Texts, or pairs of texts: a list, a pandas series, or whatever gives one after the other.
        labels: For each sentence its label, by name. Numbers serve where they say which label is meant: GLUE's, and
            those of labels called LABEL_0, LABEL_1, …; others take a `label_map`.
        method: What is removed first, a method that `python -m core.precompute --help` lists.
        amounts: A fraction in [0, 1), or several; 0 is always among them.
        scope: What a weight method prunes: encoder (default), all-linear, layer:K, or layers:A-B, from 0.
        points: Where layers are compared: attention, layer, or both.
        examples: How many sentences are evaluated, if not half.
        seed: Of a random method.
        control_of: The method whose allocation a random method follows.
        until_damage: Stop after the amount at which 1 − the mean own CKA reaches this.
        task: A task of GLUE, or auto, for one made from the checkpoint's own labels; None for that of a known
            checkpoint, else auto.
        label_map: What labels mean that are not the name of one, such as `{1: "bad", 5: "good", 3: None}`; None leaves
            their sentences out.

    Returns:
        The result: shown as the player, with `to_frame()`, `save(path)`, and the fields of a result file.

    Raises:
        PrunescopeError: Bad input, in one line that says what to do.
    """
    data, text = keep_sentences(sentences, labels)
    rows = {"data": data, "text": text, "label": LABEL, "label_map": _meanings(label_map)}
    numbers = {"num_examples": plain(examples), "seed": plain(seed), "until_damage": plain(until_damage)}
    numbers["amounts"] = parse_amounts(_several(amounts))
    names = {"task": task, "method": method, "scope": scope, "points": points, "control_of": control_of}
    with _named(model) as checkpoint:
        request = SweepRequest.from_json({"checkpoint": checkpoint, **names, **numbers, **rows})
        return NotebookResult.of(run(find(request)))


def load_result(path: str | Path) -> NotebookResult:
    """Read a result file, of `result.save`, of the command line, or downloaded from the app.

    Raises:
        PrunescopeError: It is missing, damaged, or not a result that can be shown.
    """
    if not isinstance(path, str | os.PathLike):
        raise PrunescopeError(f"a {type(path).__name__} is not a result file: give its path")
    return NotebookResult.of(load(Path(path)))


def _several(values: Any) -> list[Any]:
    """Return several values as a list, and a single one, such as a text, in a list of its own."""
    values = plain(values)
    is_single = isinstance(values, str) or not isinstance(values, Iterable)
    return [values] if is_single else [plain(value) for value in values]


def _meanings(label_map: Any) -> list[tuple[str, Any]]:
    """Return what labels mean, by their text in the table."""
    if label_map is None:
        return []
    if not isinstance(label_map, Mapping):
        raise PrunescopeError(f"label_map is a {type(label_map).__name__}: give a dict such as {{1: 'bad', 3: None}}")
    return [(as_text(mark_of(value, "a label in label_map")), meaning) for value, meaning in label_map.items()]


@contextmanager
def _named(model: "str | Path | tuple[PreTrainedModel, PreTrainedTokenizerBase]") -> Iterator[str]:
    """Yield a checkpoint's name for a request; that of a loaded model is a folder, for as long as it is needed."""
    if isinstance(model, str | os.PathLike):
        yield os.fsdecode(model)
    elif isinstance(model, tuple) and len(model) == 2:
        from core.encoder.in_memory import write_folder

        with TemporaryDirectory(prefix="prunescope-", ignore_cleanup_errors=True) as parent:
            yield str(write_folder(*model, Path(parent)))
    else:
        fault = f"a {type(model).__name__} is not a checkpoint"
        raise PrunescopeError(f"{fault}: give a name, a folder, or a model and its tokenizer, (model, tokenizer)")
