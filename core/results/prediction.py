"""A checkpoint's prediction for a sentence or pair that a visitor types: the worker's order, and its answer."""

from collections.abc import Sequence
from typing import Any

from pydantic.dataclasses import dataclass

from core.results.provenance import request_of
from core.results.schema import SweepResult


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


def question(result: SweepResult, texts: Sequence[str]) -> dict[str, Any]:
    """Return the fields of the worker's `predict` order: a checkpoint and its content, a pruning, and the texts."""
    request = vars(request_of(result))
    fields = {name: request[name] for name in ("checkpoint", "task", "method", "scope", "seed", "control_of")}
    return {**fields, "revision": result.checkpoint.revision, "amounts": [*result.amounts], "texts": [*texts]}
