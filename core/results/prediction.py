"""A sentence or pair that a visitor types: what may be typed, the question to the worker, its answer; no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import PrunescopeError
from core.request.catalog import MAX_LENGTH, Task
from core.results.schema import SweepResult

MOST_CHARACTERS = 2_000  # of one text: several times what MAX_LENGTH tokens hold


@dataclass(frozen=True)
class Prediction:
    """What a checkpoint makes of one sentence or pair, amount by amount.

    Attributes:
        amounts: Pruning amounts, ascending from 0.
        labels: Names of the labels.
        probabilities: For each amount one probability a label.
        num_tokens: Tokens of the whole text, special ones included; what exceeds MAX_LENGTH is not read.
        num_unknown: Tokens among those read that the checkpoint has no word piece for.
    """

    amounts: tuple[float, ...]
    labels: tuple[str, ...]
    probabilities: tuple[tuple[float, ...], ...]
    num_tokens: int
    num_unknown: int

    @property
    def predicted(self) -> list[int]:
        """The most probable label's index, one an amount."""
        return [max(range(len(row)), key=row.__getitem__) for row in self.probabilities]


def check_texts(texts: Sequence[str], task: Task) -> tuple[str, ...]:
    """Returns what was typed, without the space around it, or refuses it.

    Args:
        texts: One for each of the task's columns.
        task: The task.

    Raises:
        PrunescopeError: The number of texts is wrong, or one is empty or too long.
    """
    if len(texts) != len(task.text_columns):
        raise PrunescopeError(f"{len(texts)} texts: {task.title} reads {len(task.text_columns)}, give as many")
    stripped = tuple(text.strip() for text in texts)
    for column, text in zip(task.text_columns, stripped, strict=True):
        if not text:
            raise PrunescopeError(f"the {column_name(column)} is empty: type at least one word")
        if len(text) > MOST_CHARACTERS:
            raise PrunescopeError(
                f"the {column_name(column)} has {len(text):,} characters: at most {MOST_CHARACTERS:,} are taken, "
                f"of which the model reads {MAX_LENGTH} tokens; shorten it"
            )
    return stripped


def column_name(column: str) -> str:
    """Names a task's text column as people read it: `sentence1` is the first sentence."""
    ordinals = {"1": "first ", "2": "second "}
    return ordinals.get(column[-1], "") + column.rstrip("12")


def question(result: SweepResult, texts: Sequence[str]) -> dict[str, Any]:
    """States what the worker's `predict` needs: the pruning of a result, and the texts.

    Args:
        result: On an embedded checkpoint.
        texts: From `check_texts`.
    """
    return {
        "checkpoint": result.checkpoint.id,
        "task": result.task.name,
        "method": result.pruning.method,
        "scope": result.pruning.scope,
        "seed": result.pruning.seed,
        "amounts": list(result.amounts),
        "texts": list(texts),
    }


def answer(outcome: dict[str, Any]) -> Prediction:
    """Reads what the worker answered.

    Args:
        outcome: The fields of a Prediction, as JSON gives them.
    """
    return Prediction(
        **{
            **outcome,
            "amounts": tuple(outcome["amounts"]),
            "labels": tuple(outcome["labels"]),
            "probabilities": tuple(map(tuple, outcome["probabilities"])),
        }
    )
