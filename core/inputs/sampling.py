"""Stratified samples in a fixed random order."""

import numpy as np

from core.request.catalog import SUBSET_SEED


def stratified(labels: np.ndarray, size: int) -> tuple[int, ...]:
    """Samples rows so that every label keeps its share (largest remainders), in random order.

    Args:
        labels: Label index of every row, int64, shape (rows,).
        size: Rows to draw, at most `len(labels)`.
    """
    random = np.random.RandomState(SUBSET_SEED)  # legacy on purpose: NumPy guarantees that its stream never changes
    kinds, counts = np.unique(labels, return_counts=True)
    shares = counts * size  # in units of 1 / rows, so that remainders are exact integers
    quotas = shares // len(labels)
    by_remainder = np.argsort(-(shares % len(labels)), kind="stable")
    quotas[by_remainder[: size - quotas.sum()]] += 1
    order = random.permutation(len(labels))  # (rows,)
    drawn = [order[labels[order] == kind][:quota] for kind, quota in zip(kinds, quotas, strict=True)]
    return tuple(random.permutation(np.concatenate(drawn)).tolist())
