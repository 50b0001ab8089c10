"""Mutual nearest neighbours against scikit-learn, and properties."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from core.similarity.knn import mutual_knn, nearest


def features(seed: int, points: int = 2, n: int = 60, width: int = 5) -> torch.Tensor:
    return torch.randn(points, n, width, generator=torch.Generator().manual_seed(seed))


def by_scikit_learn(one: torch.Tensor, other: torch.Tensor, k: int = 10) -> float:
    """The same of two representations, by sets."""
    sets = []
    for points in (one, other):
        centred = (points - points.mean(0)).double().numpy()
        found = NearestNeighbors(n_neighbors=k, metric="cosine").fit(centred).kneighbors(return_distance=False)
        sets.append([set(row) for row in found])
    n = len(one)
    m = np.mean([len(a & b) / k for a, b in zip(*sets, strict=True)])
    return float((m - k / (n - 1)) / (1 - k / (n - 1)))


def test_agrees_with_scikit_learn_for_every_pair_of_points() -> None:
    one = features(0)
    other = one + 0.5 * features(1)
    found = mutual_knn(nearest(one), nearest(other))
    expected = [[by_scikit_learn(a, b) for b in other] for a in one]
    assert found.numpy() == pytest.approx(np.array(expected), abs=1e-12)


def test_rotation_scale_and_shift_change_nothing() -> None:
    one, other = features(0).double(), features(1).double()
    rotation = torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2)))[0]
    moved = 3 * other @ rotation + 7
    assert mutual_knn(nearest(one), nearest(moved)).numpy() == pytest.approx(
        mutual_knn(nearest(one), nearest(other)).numpy()
    )


def test_itself_is_one_and_unrelated_features_are_near_zero() -> None:
    one, other = features(0, n=400), features(1, n=400)
    assert mutual_knn(nearest(one), nearest(one)).diagonal().tolist() == [1, 1]
    assert mutual_knn(nearest(one), nearest(other)).abs().max() < 0.03


def test_everybody_has_ten_neighbours_and_none_is_its_own() -> None:
    found = nearest(features(0))
    assert (found.sum(-1) == 10).all()
    assert (found.diagonal(dim1=-2, dim2=-1) == 0).all()


def test_ties_go_by_index() -> None:
    # Two clusters of equal vectors: an example's ten neighbours are the first ten others of its cluster.
    one = torch.cat([torch.tensor([[1.0, 0.0]]).repeat(15, 1), torch.tensor([[0.0, 1.0]]).repeat(15, 1)])[None]
    found = nearest(one)[0]
    assert found[14].nonzero().flatten().tolist() == list(range(10))
    assert found[29].nonzero().flatten().tolist() == list(range(15, 25))


def test_a_constant_has_no_neighbours() -> None:
    constant = torch.ones(1, 30, 4)
    assert mutual_knn(nearest(constant), nearest(constant)).isnan().all()


def test_too_few_examples() -> None:
    with pytest.raises(ValueError, match="of 21 examples: at least 22"):
        nearest(features(0, n=21))
