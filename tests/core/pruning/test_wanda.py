"""Wanda: hand-computed rows, norms equal to a direct computation, padding without influence."""

import pytest
import torch
from tiny import make_calibration, make_texts
from torch import Tensor, nn

from core.pruning import Baseline, Plan, module_of
from core.pruning.rows import RowPlan, ranks
from core.pruning.wanda import score

TEXTS = make_texts(40, seed=6)


def wanda(model: nn.Module, tokenizer: object, scope: str = "encoder") -> Plan:
    calibration = make_calibration(tokenizer, [0] * len(TEXTS), seed=6)
    return module_of("wanda").plan(Baseline(model, (0.5,), scope, calibration=calibration))


def kept(plan: Plan, amount: float) -> list[Tensor]:
    return list(plan.keep_masks(amount, plan.parameters))


@pytest.mark.parametrize(("columns", "kind"), [(7, torch.int16), (1 << 15, torch.int16), (40_000, torch.int32)])
def test_ranks_are_the_places_in_a_stable_sort(columns: int, kind: torch.dtype) -> None:
    scores = torch.rand(columns, 3, generator=torch.Generator().manual_seed(columns)).T  # not contiguous
    scores[1] = scores[1].mul(4).floor()  # ties, zeros among them
    scores[2] *= 1e-42  # denormal
    places = ranks(scores)
    assert places.dtype == kind
    assert torch.equal(places.argsort(dim=1), scores.argsort(dim=1, stable=True))


def test_hand_computed_mask() -> None:
    weight = nn.Parameter(torch.tensor([[1.0, -2.0, 3.0, 0.5], [-1.0, 1.0, 0.25, 2.0]]))
    norms = torch.tensor([3.0, 1.0, 0.1, 4.0], dtype=torch.float64)
    # |W| · norm: [3, 2, 0.3, 2] and [3, 1, 0.025, 8]; in the first row columns 1 and 3 tie, 1 goes first.
    plan = RowPlan([weight], [score(weight, norms)])
    assert kept(plan, 0.5)[0].tolist() == [[True, False, False, True], [True, False, False, True]]
    assert kept(plan, 0.74)[0].tolist() == kept(plan, 0.5)[0].tolist(), "int(0.74 · 4) = 2"
    assert kept(plan, 0.75)[0].tolist() == [[True, False, False, False], [False, False, False, True]]
