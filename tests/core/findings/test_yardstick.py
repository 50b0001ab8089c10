"""Seed twins as a yardstick: found by their recipes, ranges over pairs, and from where on pruning changes more."""

import numpy as np
import pytest

from core.charts.layers import layer_scene
from core.findings.tables import survival_table
from core.findings.yardstick import Yardstick, yardstick
from core.results.choices import twins
from core.results.library import entry_of
from core.results.schema import SweepResult
from tests.builders import against, made_by_recipe, make_result, with_own_key

RESULT = make_result(num_layers=3, amounts=(0.0, 0.5, 0.9), own_cka=lambda amount, point, size: 1 - amount * point / 2)


def twin(first: int, second: int, similarity: float, family: str = "minilm-l6-sst2") -> SweepResult:
    """An unpruned checkpoint against one of another seed; every layer is as similar."""
    made = against(make_result(num_layers=3, amounts=(0.0,)), 3, cell=lambda *_: similarity)
    first_record, second_record = (made_by_recipe(made.checkpoint, family, seed) for seed in (first, second))
    return with_own_key(made, checkpoint=first_record, against=second_record)


PAIRS = [twin(1, 2, 0.7), twin(2, 1, 0.7), twin(1, 3, 0.8), twin(2, 3, 0.6)]


def test_twins_are_found_by_their_recipes() -> None:
    other = twin(1, 2, 0.9, family="minilm-l6-cola")
    found = twins(entry_of(RESULT), [entry_of(made) for made in (RESULT, *PAIRS, other)])
    assert [entry.key for entry in found] == [made.key for made in PAIRS]
    assert twins(entry_of(other), [entry_of(made) for made in PAIRS]) == ()


def test_the_range_is_over_pairs_each_counted_once() -> None:
    known, two = yardstick(RESULT, PAIRS, "mean"), yardstick(RESULT, PAIRS[:2], "mean")
    assert known
    assert two
    assert (known.checkpoints, known.ranges(0), known.words(0)) == (3, [(0.6, 0.8)], "0.60 to 0.80")
    assert (two.checkpoints, two.ranges(0)) == (2, [(0.7, 0.7)]), "two checkpoints are a line"
    assert yardstick(RESULT, PAIRS, "cls") is yardstick(RESULT, [], "mean") is None
    assert yardstick(make_result(num_layers=3, num_examples=100), PAIRS, "mean") is None, "other examples"


@pytest.mark.parametrize(
    ("own", "lowest", "expected"),
    [
        ((1.0, 0.75, 0.55), 0.6, 0.9),
        ((1.0, 0.5, 0.1), 0.6, 0.5),
        ((1.0, 0.9, 0.8), 0.6, None),
        ((1.0, 0.998, 0.998), 0.999, None),  # both read 1.00
        ((1.0, np.nan, 0.9), 0.6, 0.5),  # undefined has changed
        ((np.nan, np.nan, np.nan), 0.6, None),  # and what never was defined has not
        ((1.0, 0.1, 0.1), np.nan, None),
    ],
)
def test_from_where_on_a_layer_is_less_similar_than_twins(
    own: tuple[float, ...], lowest: float, expected: float | None
) -> None:
    assert Yardstick(((lowest,), (lowest + 0.1,)), 3).less_from((0.0, 0.5, 0.9), np.array(own), 0) == expected


def test_the_table_has_them_beside_each_layer() -> None:
    """Own similarity is 1, 1 − amount / 2 and 1 − amount; twins are 0.6 to 0.8 alike."""
    *table, _ = survival_table(RESULT, "mean", twins=yardstick(RESULT, PAIRS, "mean"))
    assert [row["Other seeds (3 checkpoints)"] for row in table] == ["0.60 to 0.80"] * 3
    assert [row["Less similar than these from"] for row in table] == ["never", "90 %", "50 %"]


def test_the_curve_shows_a_band_or_lines() -> None:
    def rows(twins: list[SweepResult]) -> list[tuple[float, float]]:
        scene = layer_scene(RESULT, "mean", "2", twins=yardstick(RESULT, twins, "mean"))
        return [(row["low"], row["high"]) for row in scene.views["curve"].datasets["twins"]]

    assert rows(PAIRS) == [(0.6, 0.8)]
    assert rows(PAIRS[:1]) == [(0.7, 0.7)]
    assert rows([]) == []
