"""Cells over a fixed axis of amounts: where they stand, and what they are coloured by."""

from itertools import pairwise

import pytest

from core.charts.strips import EVERYTHING, FIRST_EDGE, cell_rows, edges
from core.findings.survival import own_similarity
from tests.builders import make_result


def test_a_cell_reaches_half_way_to_the_amounts_beside_its_own() -> None:
    assert edges((0.0, 0.3, 0.5, 0.6)) == pytest.approx([FIRST_EDGE, 0.15, 0.4, 0.55, 0.65])


@pytest.mark.parametrize("amounts", [(0.0,), (0.0, 0.95), (0.0, 0.5, 0.99), (0.0, 0.05, 0.9)])
def test_every_amount_lies_in_its_cell_and_everything_removed_keeps_its_place(amounts: tuple[float, ...]) -> None:
    borders = edges(amounts)
    assert all(low < amount < high for amount, (low, high) in zip(amounts, pairwise(borders), strict=True))
    assert borders[-1] < 1 < EVERYTHING[1]


def test_cells_hold_the_values_of_the_file_and_undefined_ones_are_hatched() -> None:
    result = make_result(num_layers=2, amounts=(0.0, 0.5), holes=((0.5, 1, 1),))
    cells = cell_rows(result, own_similarity(result, "mean"), (0.25, 0.75))
    frames = [frame.similarity["cka"]["mean"] for frame in result.frames]
    assert [(cell["pick"], cell["amount"], cell["value"]) for cell in cells] == [
        ("1", "0 %", pytest.approx(frames[0][0][0], abs=1e-6)),
        ("1", "50 %", pytest.approx(frames[1][0][0], abs=1e-6)),
        ("2", "0 %", pytest.approx(frames[0][1][1], abs=1e-6)),
        ("2", "50 %", None),
    ]
    hole = cells[-1]
    assert hole["text"] == "undefined"
    assert (hole["y"], hole["y2"]) == (1.25, 1.75)
