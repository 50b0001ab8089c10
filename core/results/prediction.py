"""A checkpoint's prediction for a typed sentence or pair: the worker's order and its answer."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic.dataclasses import dataclass

from core.request.catalog import TASKS
from core.request.sweep_request import DataRequest, SweepRequest
from core.results.provenance import request_of
from core.results.schema import SweepResult


@dataclass(frozen=True)
class Prediction:
    """A checkpoint's predictions for one sentence or pair, amount by amount.

    Attributes:
        amounts: Pruning amounts, ascending from 0.
        labels: Label names.
        probabilities: For each amount, one probability per label.
        num_tokens: Tokens of the whole text, special ones included; the model reads the first
            MAX_LENGTH.
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


def question(result: SweepResult, texts: Sequence[str], request: SweepRequest) -> dict[str, Any]:
    """Return the fields of the worker's `predict` order.

    Args:
        result: A whole sweep.
        texts: One text for each column of its task.
        request: The request that led to it, which holds the places of folders and files.
    """
    swept = replace(
        request,
        until_damage=None,
        range_examples="subset",
        amounts=result.amounts,
    )
    return {
        **vars(swept),
        "revision": result.checkpoint.revision,
        "texts": [*texts],
    }


def request_to_predict(result: SweepResult, known: SweepRequest | None) -> SweepRequest | None:
    """Return the request with which a typed text can be tried.

    Args:
        result: A whole sweep. A bundled checkpoint is always at hand, with written examples to
            score on.
        known: The request that led to it, if its places are known.

    Returns:
        None if the checkpoint or the data are not at hand.
    """
    if result.checkpoint.source != "embedded" or result.task.name not in TASKS:
        return known
    written = DataRequest(result.checkpoint.id, result.task.name, data="written")
    return replace(request_of(result), **vars(written))
