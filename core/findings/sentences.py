"""Find the examples whose prediction changes under pruning, and the amount.

An example *flips* at the first pruning amount at which the model predicts another label than
without pruning. It may flip to the gold label or away from it, and it may come back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from core.inputs.texts import texts_of
from core.request.amounts import amount_text
from core.results.names import brief_label
from core.results.schema import SweepResult


@dataclass(frozen=True)
class Example:
    """One evaluation example over the pruning amounts.

    Attributes:
        row: Its row number in the split that it was drawn from.
        gold: Label index.
        predictions: Label indices, one per amount, the unpruned model's first.
        texts: One or two texts; empty if this computer does not have them.
    """

    row: int
    gold: int
    predictions: tuple[int, ...]
    texts: tuple[str, ...]

    @property
    def is_correct_unpruned(self) -> bool:
        """Whether the unpruned model predicts the gold label."""
        return self.predictions[0] == self.gold

    @cached_property
    def flip(self) -> int | None:
        """The first frame that predicts another label than the unpruned model; None for none."""
        return next(iter(changes_in(self.predictions)), None)

    @property
    def returns(self) -> bool:
        """Whether the model predicts the unpruned label again after the flip."""
        return bool(self.flip) and self.predictions[0] in self.predictions[self.flip :]


def examples_of(result: SweepResult) -> list[Example]:
    """Turn a result's frames, at least one, into examples in evaluation order."""
    task = result.task
    predictions = zip(*result.predictions, strict=True)
    texts = texts_of(task) or ((),) * len(task.examples)
    return list(map(Example, task.examples, task.gold, predictions, texts))


def changes_in(labels: Sequence[int]) -> list[int]:
    """Return the frames at which another label is predicted than one frame before."""
    return [k for k in range(1, len(labels)) if labels[k] != labels[k - 1]]


def spans(example: Example) -> list[tuple[int, int, int]]:
    """Cut an example's predictions where they change.

    Returns:
        For each stretch the index of its first frame, that of the frame after its last one, and the
        predicted label.
    """
    labels = example.predictions
    ends = [0, *changes_in(labels), len(labels)]
    return [(start, end, labels[start]) for start, end in pairwise(ends)]


def label_name(result: SweepResult, label: int) -> str:
    """Return the name on screen of a label index of the result's task."""
    return brief_label(result.task.label_names[label])


# ---------------------------------------------------------------- filters

ALL = "all"
KINDS: Mapping[str, Callable[[Example], bool]] = {
    ALL: lambda example: True,
    "flips": lambda example: bool(example.flip),
    "never": lambda example: not example.flip,
    "right": lambda example: bool(example.flip) and example.is_correct_unpruned,
    "wrong": lambda example: bool(example.flip) and not example.is_correct_unpruned,
    "returns": lambda example: example.returns,
}


def selected(
    result: SweepResult,
    examples: Sequence[Example],
    label: str = ALL,
    flips: str = ALL,
) -> list[Example]:
    """Filter the examples of a result, and put those that are correct unpruned first.

    In both groups those that flip earliest come first.

    Args:
        result: Their result.
        examples: All of them, at least one.
        label: The name of a gold label, or ALL.
        flips: A key of KINDS, or the amount of the flip as an address writes it.
    """
    amounts = [amount_text(amount) for amount in result.amounts]
    is_kind = KINDS.get(flips) or (lambda example: example.flip == amounts.index(flips))
    matches = []
    for example in examples:
        if label in (ALL, result.task.label_names[example.gold]) and is_kind(example):
            matches.append(example)

    def place(example: Example) -> tuple[bool, int, int]:
        flip = example.flip or len(example.predictions)
        return not example.is_correct_unpruned, flip, example.gold

    return sorted(matches, key=place)
