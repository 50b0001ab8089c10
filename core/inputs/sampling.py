"""Draw samples of labelled examples: seeded, proportionally stratified, in random order."""

from collections.abc import Sequence

import numpy as np

from core.errors import PrunescopeError
from core.request.catalog import MIN_EXAMPLES, SUBSET_SEED

Texts = tuple[tuple[str, ...], ...]  # one or two texts per example
Labelled = tuple[int, tuple[str, ...], int]  # a row of a split: its number, its texts, its label's index


def draw(
    rows: Sequence[Labelled],
    place: str,
    asked: int | None,
    default: int,
    excluded: Texts = (),
    fewest: int = MIN_EXAMPLES,
) -> list[Labelled]:
    """Draw a stratified sample in random order, the same sample every time.

    Args:
        rows: All labelled rows of a split.
        place: The name of the data in messages.
        asked: How many; None for the default number, or all if there are fewer.
        default: The default number.
        excluded: Examples that must not be drawn.
        fewest: The fewest rows that may be left to draw from.

    Raises:
        PrunescopeError: There are too few rows.
    """
    known = set(excluded)
    free = [row for row in rows if row[1] not in known]
    size = min(default, len(free)) if asked is None else asked
    if len(free) < max(size, fewest):
        raise PrunescopeError(
            f"{place} has only {len(free)} examples{' besides those evaluated' if excluded else ''}, and "
            f"{max(size, fewest)} are needed: ask for fewer, or add rows or choose other data"
        )
    labels = np.array([label for _, _, label in free], dtype=np.int64)  # (free,)
    return [free[k] for k in stratified(labels, size)]


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
