"""Which examples change their prediction under pruning, and at which amount; their texts, where they are at hand.

An example *flips* at the first pruning amount at which the model predicts another label than without pruning. This
says nothing about right or wrong: an example may flip to the gold label or away from it, and may come back. No torch
and no `datasets`: a page asks for this.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.inputs.texts import texts_of
from core.request.amounts import amount_text
from core.request.catalog import MAX_LENGTH
from core.results.names import amount_name
from core.results.prediction import Prediction
from core.results.schema import SweepResult


@dataclass(frozen=True)
class Example:
    """One evaluation example over the pruning amounts.

    Attributes:
        row: Its row number in the split that it was drawn from.
        gold: Label index.
        predictions: Label indices, one an amount, the unpruned model's first.
        texts: One or two texts; none where they are not at hand.
    """

    row: int
    gold: int
    predictions: tuple[int, ...]
    texts: tuple[str, ...] = ()

    @property
    def is_right_unpruned(self) -> bool:
        """Whether the unpruned model predicts the gold label."""
        return self.predictions[0] == self.gold

    @property
    def flip(self) -> int | None:
        """The first frame that predicts another label than the unpruned model; None if none does."""
        return next((k for k, label in enumerate(self.predictions) if label != self.predictions[0]), None)

    @property
    def returns(self) -> bool:
        """Whether the unpruned model's label comes back after the flip."""
        return self.flip is not None and self.predictions[0] in self.predictions[self.flip :]

    @property
    def num_words(self) -> int:
        """Words of all its texts; 0 where they are not at hand."""
        return sum(len(text.split()) for text in self.texts)


@dataclass(frozen=True)
class Span:
    """A stretch of amounts over which an example's prediction stays the same.

    Attributes:
        first: Index of its first frame.
        end: Index of the frame after its last one.
        label: The predicted label's index.
    """

    first: int
    end: int
    label: int


def examples_of(result: SweepResult) -> list[Example]:
    """Turns a result's frames into its examples, in evaluation order.

    Args:
        result: A whole sweep or the first frames of one, at least one.
    """
    task = result.task
    predictions = zip(*(frame.predictions for frame in result.frames), strict=True)
    texts = texts_of(task) or ((),) * len(task.examples)
    return [Example(*one) for one in zip(task.examples, task.gold, predictions, texts, strict=True)]


def spans(example: Example) -> list[Span]:
    """Cuts an example's predictions where they change.

    Args:
        example: The example.
    """
    labels = example.predictions
    starts = [k for k, label in enumerate(labels) if k == 0 or label != labels[k - 1]]
    return [Span(a, b, labels[a]) for a, b in zip(starts, [*starts[1:], len(labels)], strict=True)]


def in_order_of_flips(examples: Iterable[Example]) -> list[Example]:
    """Sorts examples: first those that the unpruned model gets right, in both groups the earliest flip first."""

    def place(example: Example) -> tuple[bool, int, int]:
        flip = len(example.predictions) if example.flip is None else example.flip
        return not example.is_right_unpruned, flip, example.gold

    return sorted(examples, key=place)


# ---------------------------------------------------------------- filters

Test = Callable[[Example], bool]

ALL = "all"
KINDS: Mapping[str, tuple[str, Test]] = {
    ALL: ("All", lambda example: True),
    "flips": ("Flips at some amount", lambda example: example.flip is not None),
    "never": ("Never flips", lambda example: example.flip is None),
    "right": ("Right unpruned, then flips", lambda example: example.is_right_unpruned and example.flip is not None),
    "wrong": ("Wrong unpruned, then flips", lambda example: not example.is_right_unpruned and example.flip is not None),
    "returns": ("Flips and comes back", lambda example: example.returns),
}
LENGTHS = ("short", "medium", "long")  # thirds of a result's examples


def flip_choices(result: SweepResult, examples: Sequence[Example]) -> dict[str, str]:
    """Gives the filters by flip: the kinds, then every amount at which examples flip first.

    Args:
        result: Where the examples come from.
        examples: All of them.

    Returns:
        Words of the address, and what they are called with the number of examples.
    """
    kinds = {name: f"{title} ({sum(map(test, examples))})" for name, (title, test) in KINDS.items()}
    counts = Counter(example.flip for example in examples)
    amounts = [(k, amount) for k, amount in enumerate(result.amounts) if counts[k]]
    return kinds | {amount_text(amount): f"First flips at {amount_name(amount)} ({counts[k]})" for k, amount in amounts}


def length_choices(examples: Sequence[Example]) -> dict[str, str]:
    """Gives the filters by length, thirds of the examples; none where there are no texts.

    Args:
        examples: All examples of a result, at least one.

    Returns:
        Words of the address and what they are called.
    """
    if not examples[0].texts:
        return {}
    short, long = _thirds(examples)
    names = f"Up to {short} words", f"{short + 1} to {long} words", f"More than {long} words"
    return {ALL: "Any", **dict(zip(LENGTHS, names, strict=True))}


def selected(
    result: SweepResult, examples: Sequence[Example], label: str = ALL, flips: str = ALL, length: str = ALL
) -> list[Example]:
    """Picks examples.

    Args:
        result: Where they come from.
        examples: All of them, at least one.
        label: The name of a gold label, or ALL.
        flips: A key of `flip_choices`.
        length: A key of `length_choices`, or ALL.
    """
    amounts = [amount_text(amount) for amount in result.amounts]
    wanted: Test = KINDS[flips][1] if flips in KINDS else lambda example: example.flip == amounts.index(flips)
    bounds = _thirds(examples)

    def third(example: Example) -> str:
        return LENGTHS[sum(example.num_words > bound for bound in bounds)]

    return [
        example
        for example in examples
        if label in (ALL, result.task.label_names[example.gold]) and wanted(example) and length in (ALL, third(example))
    ]


def _thirds(examples: Sequence[Example]) -> tuple[int, int]:
    """The words of the longest example of the shortest third, and of the middle one."""
    lengths = sorted(example.num_words for example in examples)
    return lengths[(len(lengths) - 1) // 3], lengths[(2 * len(lengths) - 1) // 3]


# ---------------------------------------------------------------- words


def flips_finding(result: SweepResult, examples: Sequence[Example]) -> str:
    """Says how many examples flip, when, and what the most pruned model makes of all of them.

    Args:
        result: Where the examples come from.
        examples: All of them.
    """
    right = sum(example.is_right_unpruned for example in examples)
    flips = sorted(example.flip for example in examples if example.flip is not None)
    count = f"Of {len(examples)} examples, the unpruned model gets {right} right"
    if not flips:
        return f"{count}; none flips up to amount {amount_name(result.amounts[-1])}."
    first, half = (amount_name(result.amounts[k]) for k in (flips[0], flips[(len(flips) - 1) // 2]))
    returning = sum(example.returns for example in examples)
    back = "1 of them comes" if returning == 1 else f"{returning or 'none'} of them come"
    label, most = Counter(example.predictions[-1] for example in examples).most_common(1)[0]
    return (
        f"{count}; {len(flips)} flip at some amount, the first at {first}, half of these by {half}, and {back} back. "
        f"At the largest amount, {amount_name(result.amounts[-1])}, {most} of {len(examples)} are predicted "
        f"“{label_name(result, label)}”."
    )


def label_name(result: SweepResult, label: int) -> str:
    """Names a label as people read it.

    Args:
        result: Whose task it is of.
        label: Its index.
    """
    return result.task.label_names[label].replace("_", " ")


MOST_TURNS = 3  # changes of mind that are told one by one


def prediction_finding(prediction: Prediction) -> str:
    """Says what is predicted without pruning, and where that changes.

    Args:
        prediction: At one amount at least.
    """
    amounts, predicted = prediction.amounts, prediction.predicted
    first = f"Unpruned, the model says “{_said(prediction, 0)}"
    changes = [k for k in range(1, len(predicted)) if predicted[k] != predicted[k - 1]]
    if not changes:
        return f"{first}, and it says so up to the largest amount, {amount_name(amounts[-1])}."
    turns = [f"“{_said(prediction, k)} from amount {amount_name(amounts[k])} on" for k in changes[:MOST_TURNS]]
    more = f", and changes {len(changes) - MOST_TURNS} more times" if len(changes) > MOST_TURNS else ""
    return f"{first}; pruned, it says {', then '.join(turns)}{more}."


def _said(prediction: Prediction, frame: int) -> str:
    label = prediction.predicted[frame]
    name = prediction.labels[label].replace("_", " ")
    return f"{name}” ({prediction.probabilities[frame][label]:.2f})"


def reading_note(prediction: Prediction) -> str:
    """Says what of the text the model does not read; empty where it reads all of it.

    Args:
        prediction: Of the text.
    """
    notes = []
    if prediction.num_tokens > MAX_LENGTH:
        notes.append(
            f"The text has {prediction.num_tokens} tokens; the model reads {MAX_LENGTH}: what comes after is cut off."
        )
    if prediction.num_unknown:
        count = "One token is" if prediction.num_unknown == 1 else f"{prediction.num_unknown} tokens are"
        notes.append(f"{count} unknown to the checkpoint, and read as [UNK].")
    return " ".join(notes)
