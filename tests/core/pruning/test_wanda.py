"""Rows of scores; tests/independent has what Wanda removes."""

import pytest
import torch

from core.pruning.rows import ranks


@pytest.mark.parametrize(("columns", "kind"), [(7, torch.int16), (1 << 15, torch.int16), (40_000, torch.int32)])
def test_ranks_are_the_places_in_a_stable_sort(columns: int, kind: torch.dtype) -> None:
    scores = torch.rand(columns, 3, generator=torch.Generator().manual_seed(columns)).T  # not contiguous
    scores[1] = scores[1].mul(4).floor()  # ties, zeros among them
    scores[2] *= 1e-42  # denormal
    places = ranks(scores)
    assert places.dtype == kind
    assert torch.equal(places.argsort(dim=1), scores.argsort(dim=1, stable=True))
