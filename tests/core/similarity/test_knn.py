"""Mutual nearest neighbours against scikit-learn, and properties."""

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from torch.utils._python_dispatch import TorchDispatchMode

from core.similarity import knn
from core.similarity.knn import mutual_knn, neighbourhoods_of


class Allocations(TorchDispatchMode):
    """Notes the bytes of every tensor that an operation returns."""

    def __init__(self, sizes: list[int]) -> None:
        super().__init__()
        self.sizes = sizes

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = function(*args, **(kwargs or {}))
        for one in found if isinstance(found, tuple | list) else (found,):
            if isinstance(one, torch.Tensor):
                self.sizes.append(one.untyped_storage().nbytes())
        return found


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
    found = mutual_knn(neighbourhoods_of(one), neighbourhoods_of(other))
    expected = [[by_scikit_learn(a, b) for b in other] for a in one]
    assert found.numpy() == pytest.approx(np.array(expected), abs=1e-12)


def test_rotation_scale_and_shift_change_nothing() -> None:
    one, other = features(0).double(), features(1).double()
    rotation = torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2)))[0]
    moved = 3 * other @ rotation + 7
    assert mutual_knn(neighbourhoods_of(one), neighbourhoods_of(moved)).numpy() == pytest.approx(
        mutual_knn(neighbourhoods_of(one), neighbourhoods_of(other)).numpy()
    )


def test_itself_is_one_and_unrelated_features_are_near_zero() -> None:
    one, other = features(0, n=400), features(1, n=400)
    assert mutual_knn(neighbourhoods_of(one), neighbourhoods_of(one)).diagonal().tolist() == [1, 1]
    assert mutual_knn(neighbourhoods_of(one), neighbourhoods_of(other)).abs().max() < 0.03


def test_everybody_has_ten_neighbours_and_none_is_its_own() -> None:
    found = neighbourhoods_of(features(0)).nearest  # (2, 60, 10)
    assert all(len(set(row)) == 10 for row in found.flatten(0, 1).tolist())
    assert (found != torch.arange(60)[:, None]).all()


def test_ties_go_by_index() -> None:
    # Two clusters of equal vectors: an example's ten neighbours are the first ten others of its cluster.
    one = torch.cat([torch.tensor([[1.0, 0.0]]).repeat(15, 1), torch.tensor([[0.0, 1.0]]).repeat(15, 1)])[None]
    found = neighbourhoods_of(one).nearest[0]
    assert sorted(found[14].tolist()) == list(range(10))
    assert sorted(found[29].tolist()) == list(range(15, 25))


def test_memory_does_not_grow_with_the_square_of_the_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    """In bands the numbers are the same, and the largest tensor is as small as a band."""
    one, other = features(0, n=300), features(1, n=300) + 0.5 * features(0, n=300)
    whole = mutual_knn(neighbourhoods_of(one), neighbourhoods_of(other))
    monkeypatch.setattr(knn, "BAND_BYTES", 50_000)
    sizes: list[int] = []
    with Allocations(sizes):
        banded = mutual_knn(neighbourhoods_of(one), neighbourhoods_of(other))
    assert torch.equal(banded, whole)
    assert max(sizes) <= 50_000 < 2 * 300 * 300 * 8


def test_a_constant_has_no_neighbours() -> None:
    constant = torch.ones(1, 30, 4)
    assert mutual_knn(neighbourhoods_of(constant), neighbourhoods_of(constant)).isnan().all()


def test_too_few_examples() -> None:
    with pytest.raises(ValueError, match="of 21 examples: at least 22"):
        neighbourhoods_of(features(0, n=21))
