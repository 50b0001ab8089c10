"""Partial CKA against a projection in the space of U-centred Gram matrices, and its limits."""

import numpy as np
import pytest
import torch

from core.similarity.cka import cka
from core.similarity.gram import compare, prepare, u_centred_gram
from core.similarity.partial_cka import partial_cka


def features(seed: int, n: int = 40, width: int = 7) -> torch.Tensor:
    return torch.randn(1, n, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_is_the_cosine_of_what_is_left_after_projecting_the_floor_out() -> None:
    z = features(0)
    i, j = features(1) + 0.7 * z, features(2) + 0.5 * z + 0.6 * features(1)
    k, l, floor = (u_centred_gram(x).numpy().ravel() for x in (i, j, z))  # noqa: E741
    rest = [gram - (gram @ floor) / (floor @ floor) * floor for gram in (k, l)]
    expected = rest[0] @ rest[1] / np.sqrt((rest[0] @ rest[0]) * (rest[1] @ rest[1]))
    grams = [prepare([u_centred_gram(x)]) for x in (i, j, z)]
    values = (cka(compare(grams[a], grams[b])).numpy()[0] for a, b in ((0, 1), (0, 2), (1, 2)))
    assert partial_cka(*values)[0] == pytest.approx(expected, abs=1e-12)


def test_undefined_where_the_floor_explains_a_layer_whole() -> None:
    assert np.isnan(partial_cka(np.array([0.9]), np.array([0.99999]), np.array([0.5]))).all()
    assert np.isnan(partial_cka(np.array([0.9]), np.array([np.nan]), np.array([0.5]))).all()
