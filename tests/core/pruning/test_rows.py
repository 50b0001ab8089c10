"""Ranks within rows: a stable sort's, ties and long rows included; the masks that follow from them."""

import pytest
import torch
from torch import nn

from core.pruning.rows import RowPlan, ranks


@pytest.mark.parametrize(("columns", "kind"), [(7, torch.int16), (1 << 15, torch.int16), (40_000, torch.int32)])
def test_ranks_are_the_places_in_a_stable_sort(columns: int, kind: torch.dtype) -> None:
    random = torch.Generator().manual_seed(columns)
    scores = torch.rand(3, columns, generator=random)
    scores[1] = scores[1].mul(4).floor()  # ties, zeros among them
    scores[2] *= 1e-42  # denormal
    places = ranks(scores)
    assert places.dtype == kind
    assert torch.equal(places.argsort(dim=1), scores.argsort(dim=1, stable=True))


def test_ranks_of_columns_that_are_not_contiguous() -> None:
    assert ranks(torch.tensor([[3.0, 0.0], [1.0, 0.0], [2.0, 9.0]]).T).tolist() == [[2, 0, 1], [0, 1, 2]]


def test_every_row_loses_its_own_lowest() -> None:
    plan = RowPlan([nn.Parameter(torch.ones(2, 4))], [torch.tensor([[3.0, 1.0, 2.0, 1.0], [40.0, 10.0, 30.0, 20.0]])])
    (quarter,) = plan.keep_masks(0.49, plan.parameters)  # int(0.49 · 4) = 1: of two equal scores the lower column
    (half,) = plan.keep_masks(0.5, plan.parameters)
    assert quarter.tolist() == [[True, False, True, True], [True, False, True, True]]
    assert half.tolist() == [[True, False, True, False], [True, False, True, False]]
