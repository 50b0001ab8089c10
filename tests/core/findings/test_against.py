"""What is said of a result against another checkpoint follows from its matrices."""

from core.charts.closest import closest_rows
from core.findings.against import closest_layers
from core.findings.tables import closest_table
from core.results.schema import SweepResult, WorkingRangeRecord
from tests.builders import against, make_result, with_own_key

UNPRUNED = ((0.5, 0.3, 0.1), (0.1, 0.29, 0.9), (0.3, 0.8, 0.6))  # (the other's layers, the pruned model's)
WORKING = ((0.5, 0.75, 0.1), (0.1, 0.29, 0.4), (0.3, 0.7, 0.3))
BROKEN = ((0.1, 0.1, 0.1), (0.9, 0.1, 0.1), (0.1, 0.1, 0.1))
MATRICES = {0.0: UNPRUNED, 0.3: WORKING, 0.6: BROKEN}
RANGE = WorkingRangeRecord(
    to=0.3, metric="accuracy", examples=200, shown_broken_from=0.6, smallest_drop=0.05, lead=0.4, reason=None
)


def on(matrices: dict[float, tuple[tuple[float, ...], ...]]) -> SweepResult:
    """Three layers whose similarities to those of another checkpoint are given at each amount."""

    def cell(amount: float, row: float, column: float) -> float:
        return matrices[amount][round(2 * row)][round(2 * column)]

    made = against(make_result(num_layers=3, amounts=tuple(matrices)), 3, cell=cell)
    return with_own_key(made, working_range=RANGE)


def test_the_closest_layer_is_the_other_models_and_the_table_follows_it() -> None:
    result = on(MATRICES)
    found = [layer for layer in closest_layers(result, "mean") if layer]
    assert [(layer.closest, layer.value, layer.next) for layer in found] == [
        ("1", 0.5, "3"), ("3", 0.8, "1"), ("2", 0.9, "3"),
    ]  # fmt: skip
    row = closest_table(result, "mean")[2]
    assert row["Most similar, unpruned"] == "2 (0.90), then 3 (0.60)"
    assert row["With 30 % of weights removed"] == "2 (0.40), then 3 (0.30)"
    assert row["Same number, unpruned"].startswith("0.60")


def test_the_chart_has_the_closest_layer_of_every_frame() -> None:
    rows = closest_rows(on(MATRICES), "mean")
    assert [row["closest"] for row in rows] == [["1", "1", "2"], ["3", "1", "1"], ["2", "2", "1"]]
    assert [row["own"] for row in rows] == [[0.5, 0.5, 0.1], [0.29, 0.29, 0.1], [0.6, 0.3, 0.1]]
