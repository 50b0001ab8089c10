"""Cells over a fixed axis of amounts: where they stand."""

from itertools import pairwise

import pytest

from core.charts.strips import EVERYTHING, FIRST_EDGE, cell_rows, edges
from core.findings.survival import own_similarity
from tests.builders import make_result


@pytest.mark.parametrize("amounts", [(0.0,), (0.0, 0.95), (0.0, 0.5, 0.99), (0.0, 0.05, 0.9)])
def test_every_amount_lies_in_its_cell_and_everything_removed_keeps_its_place(amounts: tuple[float, ...]) -> None:
    borders = edges(amounts)
    assert all(low < amount < high for amount, (low, high) in zip(amounts, pairwise(borders), strict=True))
    assert borders[-1] < 1 < EVERYTHING[1]
    assert edges((0.0, 0.3, 0.5, 0.6)) == pytest.approx([FIRST_EDGE, 0.15, 0.4, 0.55, 0.65]), "half way to the next"


def test_cells_hold_the_values_of_the_file() -> None:
    result = make_result(num_layers=2, amounts=(0.0, 0.5), holes=((0.5, 1, 1),))
    cells = cell_rows(result, own_similarity(result, "mean"), (0.25, 0.75))
    known = [[frame.similarity["cka"]["mean"][k][k] for frame in result.frames] for k in range(2)]
    assert [(cell["pick"], cell["amount"], cell["value"]) for cell in cells] == [
        (str(k + 1), amount, value if value is None else pytest.approx(value, abs=1e-6))
        for k, values in enumerate(known)
        for amount, value in zip(("0 %", "50 %"), values, strict=True)
    ]
    assert (cells[-1]["text"], cells[-1]["y"], cells[-1]["y2"]) == ("undefined", 1.25, 1.75)
