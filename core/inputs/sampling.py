"""Draw samples of labelled examples: seeded, proportionally stratified, in random order."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from core.errors import PrunescopeError
from core.request.catalog import DEFAULT_EXAMPLES, MIN_EXAMPLES, SUBSET_SEED

Texts = tuple[tuple[str, ...], ...]  # one or two texts per example


@dataclass(frozen=True)
class Sample:
    """Some rows of a split: row numbers, texts, label indices."""

    rows: tuple[int, ...]
    texts: Texts
    gold: tuple[int, ...]

    def at(self, positions: Iterable[int]) -> "Sample":
        """Return the rows at these positions, in this order."""
        chosen = tuple(positions)
        return Sample(
            tuple(self.rows[k] for k in chosen),
            tuple(self.texts[k] for k in chosen),
            tuple(self.gold[k] for k in chosen),
        )


def draw(
    rows: Sample, place: str, num_examples: int | None, default: int = DEFAULT_EXAMPLES, excluded: Texts = ()
) -> Sample:
    """Draw a stratified sample in random order, the same sample every time.

    Args:
        rows: All labelled rows of a split.
        place: The name of the data in messages.
        num_examples: How many; None for the default number, or all if there are fewer.
        default: The default number.
        excluded: Examples that must not be drawn.

    Raises:
        PrunescopeError: There are too few rows.
    """
    known = set(excluded)
    free = np.array([k for k, texts in enumerate(rows.texts) if texts not in known], dtype=np.int64)  # (free,)
    size = _size(num_examples, len(free), place, default)
    drawn = free[list(stratified(np.array(rows.gold, dtype=np.int64)[free], size))].tolist()
    return rows.at(drawn)


def stratified(labels: np.ndarray, size: int) -> tuple[int, ...]:
    """Sample rows in random order; every label keeps its share (by largest remainders).

    Args:
        labels: Label index of every row, int64, shape (rows,).
        size: Rows to draw, at most `len(labels)`.
    """
    random = np.random.RandomState(SUBSET_SEED)  # legacy on purpose: NumPy promises never to change its stream
    kinds, counts = np.unique(labels, return_counts=True)
    shares = counts * size  # in units of 1 / rows, so that remainders are exact integers
    quotas = shares // len(labels)
    by_remainder = np.argsort(-(shares % len(labels)), kind="stable")
    quotas[by_remainder[: size - quotas.sum()]] += 1
    order = random.permutation(len(labels))  # (rows,)
    drawn = [order[labels[order] == kind][:quota] for kind, quota in zip(kinds, quotas, strict=True)]
    return tuple(random.permutation(np.concatenate(drawn)).tolist())


def _size(asked: int | None, available: int, place: str, default: int) -> int:
    """Decide the number of examples, or refuse."""
    if available < MIN_EXAMPLES:
        raise PrunescopeError(f"{place} has {available} examples: CKA needs at least {MIN_EXAMPLES}, choose other data")
    if asked is None:
        return min(default, available)
    if asked > available:
        raise PrunescopeError(f"{asked} examples: {place} has only {available}, ask for at most that many")
    return asked
