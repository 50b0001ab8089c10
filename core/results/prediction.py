"""A sentence or pair that a visitor types: its limits, the order to the worker, and the answer."""

from collections.abc import Sequence
from typing import Any

from pydantic.dataclasses import dataclass

from core.errors import PrunescopeError
from core.request.catalog import MAX_LENGTH, Task
from core.results.schema import SweepResult

MAX_CHARACTERS = 2_000  # per text: several times what fits into MAX_LENGTH tokens


@dataclass(frozen=True)
class Prediction:
    """A checkpoint's predictions for one sentence or pair, amount by amount.

    Attributes:
        amounts: Pruning amounts, ascending from 0.
        labels: Label names.
        probabilities: For each amount, one probability per label.
        num_tokens: Tokens of the whole text, special ones included; the model reads the first MAX_LENGTH.
        num_unknown: Tokens among those read for which the checkpoint has no word piece.
    """

    amounts: tuple[float, ...]
    labels: tuple[str, ...]
    probabilities: tuple[tuple[float, ...], ...]
    num_tokens: int
    num_unknown: int

    @property
    def predicted(self) -> list[int]:
        """Index of the most probable label at each amount."""
        return [max(range(len(row)), key=row.__getitem__) for row in self.probabilities]


def check_texts(texts: Sequence[str], task: Task) -> tuple[str, ...]:
    """Strip the space around typed texts, one for each of the task's columns.

    Raises:
        PrunescopeError: The number of texts is wrong, or one is empty or too long.
    """
    stripped = tuple(text.strip() for text in texts)
    for column, text in zip(task.text_columns, stripped, strict=True):
        if not 0 < len(text) <= MAX_CHARACTERS:
            raise PrunescopeError(
                f"the {column_name(column)} has {len(text):,} characters: type between 1 and {MAX_CHARACTERS:,} "
                f"(the model reads no more than {MAX_LENGTH} tokens)"
            )
    return stripped


def column_name(column: str) -> str:
    """Name a task's text column on screen: `sentence1` becomes `first sentence`."""
    ordinals = {"1": "first ", "2": "second "}
    return ordinals.get(column[-1], "") + column.rstrip("12")


def question(result: SweepResult, texts: Sequence[str]) -> dict[str, Any]:
    """Return the fields of the worker's `predict` order: an embedded checkpoint, its content, a pruning, the texts."""
    pruning = result.pruning
    return {
        "checkpoint": result.checkpoint.id,
        "revision": result.checkpoint.revision,
        "task": result.task.name,
        **pruning.model_dump(include={"method", "scope", "seed"}),
        "control_of": pruning.controls,
        "amounts": list(result.amounts),
        "texts": list(texts),
    }
