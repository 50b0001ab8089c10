"""How far layers stay intact, which change first, whether chance does the same, and what the table shows of it."""

from collections.abc import Sequence

import numpy as np
import pytest

from core.findings.layers import first_by_chance, first_layer, layers_of
from core.findings.survival import interval_text, layer_survivals, own_similarity
from core.findings.tables import narrow, survival_table
from core.findings.words.lab import key_figures
from core.request.catalog import REDUCTIONS
from core.results.schema import SurvivalRecord, SweepResult
from tests.builders import FINE_AMOUNTS, make_result, with_own_key

AMOUNTS = (0.0, 0.2, 0.4, 0.6, 0.8)
INTACT = "Intact (similarity ≥ 0.9) up to"
Labels = tuple[str, ...]


def falling(*at: float, **settings: object) -> SweepResult:
    """Layers that keep 1 up to an amount and have 0.5 from the next one on; they last a fifth of a step longer."""

    def own(amount: float, point: int, size: int) -> float:
        return 1.0 if amount <= at[point] else 0.5

    return make_result(**{"num_layers": len(at), "amounts": AMOUNTS, "own_cka": own, "statistics": False, **settings})


def measured(*layers: tuple[float, float, float]) -> SweepResult:
    """Layers that stay intact up to an amount, each with its interval: low, value, high; 0.8 is "or beyond"."""
    at = [value for _, value, _ in layers]

    def own(amount: float, point: int, size: int) -> float:
        return 1 - 0.1 * amount / at[point] if at[point] < AMOUNTS[-1] else 1.0

    result = make_result(num_layers=len(at), amounts=AMOUNTS, own_cka=own)
    known = (result.statistics or {})["cka"]["mean"]
    records = tuple(
        SurvivalRecord(value=value, low=low, high=high, censored=value >= AMOUNTS[-1]) for low, value, high in layers
    )
    return with_own_key(result, statistics={"cka": {"mean": known.model_copy(update={"survival": records})}})


def undefined_first(*at: float) -> SweepResult:
    """The same as `falling`, above a first layer whose similarity is undefined at every amount."""

    def own(amount: float, point: int, size: int) -> float | None:
        return None if point == 0 else 1.0 if amount <= at[point - 1] else 0.5

    return make_result(num_layers=1 + len(at), amounts=AMOUNTS, own_cka=own)


@pytest.mark.parametrize(
    ("result", "first", "last", "rivals"),
    [
        (falling(0.6, 0.4, 0.2), ("3",), ("1",), ()),
        (falling(0.2, 0.4, 0.6), ("1",), ("3",), ()),
        (falling(0.2, 0.4, 0.2), ("1", "3"), ("2",), ()),
        (falling(0.4, 0.4), (), ("1", "2"), ()),  # all together
        (falling(0.9, 0.9), (), ("1", "2"), ()),  # none falls
        (falling(0.9, 0.4), ("2",), ("1",), ()),
        (falling(0.4), ("1",), ("1",), ()),
        (undefined_first(0.6, 0.4), ("3",), ("2",), ()),
        (undefined_first(0.4, 0.4), (), ("2", "3"), ()),
        (falling(0.4, 0.4, 0.2, 0.4, num_layers=2, points="both"), ("2a",), ("1a", "1", "2"), ()),
        (measured((0.55, 0.6, 0.66), (0.47, 0.5, 0.53), (0.39, 0.43, 0.46)), ("3",), ("1",), ()),
        (measured((0.6, 0.65, 0.7), (0.46, 0.5, 0.54), (0.39, 0.43, 0.47)), ("3",), ("1",), ("2",)),
        (measured((0.47, 0.55, 0.7), (0.46, 0.5, 0.54), (0.39, 0.43, 0.47)), ("3",), ("1",), ("1", "2")),
        (measured((0.7, 0.8, 0.8), (0.68, 0.75, 0.8)), ("2",), ("1",), ("1",)),  # what never falls may change as early
    ],
)
def test_which_layers_change_first_and_last(result: SweepResult, first: Labels, last: Labels, rivals: Labels) -> None:
    found = layers_of(result, "mean")
    told = [tuple(layer.label for layer in layers) for layers in (found.first, found.last, found.rivals)]
    assert told == [first, last, rivals]
    assert not first or first_layer(result, "mean") == first[0]


def test_layers_that_read_alike_are_equal_and_a_threshold_is_of_a_look() -> None:
    result = make_result(num_layers=3, amounts=AMOUNTS, own_cka=lambda a, p, n: 1 - a * (0.1, 0.2, 0.201)[p] / 0.6)
    assert [layer.label for layer in layers_of(result, "tokens").first] == ["2", "3"]
    sinking = make_result(num_layers=3, amounts=AMOUNTS, own_cka=lambda a, p, n: 1 - a * (0.05, 0.1, 0.02)[p])
    assert layers_of(sinking, "mean").first == ()
    assert [layer.label for layer in layers_of(sinking, "mean", 0.95).first] == ["2"]
    assert first_layer(sinking, "mean") == "2", "the one that has changed most"
    assert first_layer(make_result(num_layers=2, own_cka=lambda amount, point, size: None), "mean") == "1"


def controls(*firsts: Sequence[float]) -> list[SweepResult]:
    return [falling(*at, method="random", seed=seed) for seed, at in enumerate(firsts)]


SAME, OTHER, TIED, NEVER = (0.4, 0.2, 0.0), (0.2, 0.0, 0.2), (0.4, 0.2, 0.2), (0.9, 0.9, 0.9)


@pytest.mark.parametrize(
    ("at", "seeds", "expected"),
    [
        ((0.6, 0.4, 0.2), [SAME] * 5, (5, 5, True)),
        ((0.6, 0.4, 0.2), [SAME, TIED, SAME, SAME, SAME], (5, 5, False)),
        ((0.6, 0.4, 0.2), [SAME] * 2, (2, 2, False)),
        ((0.6, 0.4, 0.2), [SAME, OTHER, OTHER], (1, 3, False)),
        ((0.6, 0.2, 0.2), [TIED] * 5, (5, 5, True)),
        ((0.6, 0.2, 0.2), [SAME] * 5, (5, 5, False)),
        ((0.6, 0.4, 0.2), [SAME, NEVER], (1, 1, False)),
    ],
)
def test_what_random_removal_changes_first_is_counted_by_seed(
    at: tuple[float, ...], seeds: list[tuple[float, ...]], expected: tuple[int, int, bool]
) -> None:
    found = first_by_chance(falling(*at), controls(*seeds), "mean")
    assert (found.same, found.seeds, found.is_alike) == expected


@pytest.mark.parametrize(
    ("result", "first", "longest"),
    [
        (falling(0.6, 0.2), "Layer 2, at 24 %", "Layer 1, up to 64 %"),
        (falling(0.9, 0.4, 0.4), "Layers 2 and 3, at 44 %", "Layer 1, beyond 80 %"),
        (falling(0.4, 0.4), "All layers, at 44 %", "All layers, up to 44 %"),
        (falling(0.4), "Layer 1, at 44 %", "Layer 1, up to 44 %"),
        (falling(0.9, 0.9), "None, up to 80 %", "All layers, beyond 80 %"),
        (undefined_first(0.6, 0.4), "Layer 3, at 44 %", "Layer 2, up to 64 %"),
    ],
)
def test_the_labs_figures(result: SweepResult, first: str, longest: str) -> None:
    figures = key_figures(result, "mean")
    assert list(figures.values()) == [first, longest, "Unknown"]
    assert list(figures)[-1] == "Accuracy holds"


# ---------------------------------------------------------------- the table


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_the_table_says_what_the_statistics_say(reduction: str) -> None:
    result = make_result(num_layers=4)
    *table, tau = survival_table(result, reduction)
    last = own_similarity(result, reduction)[-1]
    for row, survival, value in zip(table, layer_survivals(result, reduction), last, strict=True):
        assert row["Layer"] == survival.title
        assert row[INTACT] == ("> 95 %" if survival.censored else f"{100 * survival.value:.0f} %")
        assert float(row["Similarity at 95 % removed"]) == pytest.approx(value, abs=0.00501)
        assert ("95 % interval" in row) == (reduction != "tokens")
    assert tau[INTACT] == "−1.00"


def test_the_table_has_other_thresholds_the_floor_and_the_correlation_with_depth() -> None:
    result = make_result(num_layers=3, own_cka=lambda a, p, n: 1 - 0.1 * a / (0.4, 0.6, 3)[p])
    *table, tau = survival_table(result, "mean")
    columns = {
        INTACT: ["40 %", "60 %", "> 95 %"],
        "≥ 0.8 up to": ["80 %", "> 95 %", "> 95 %"],
        "≥ 0.95 up to": ["20 %", "30 %", "> 95 %"],
        "With everything removed": [f"{value:.2f}" for value in (result.floor.cka["mean"] if result.floor else ())],
    }
    assert {name: [row[name] for row in table] for name in columns} == columns
    assert tau[INTACT] == "1.00"
    parts = narrow([*table, tau])
    assert [(len(part), len(part[0]), part[0]["Layer"]) for part in parts] == [
        (4, 4, table[0]["Layer"]),
        (3, 4, table[0]["Layer"]),
    ]
    assert list(survival_table(result, "mean", 0.8)[0])[3:5] == ["≥ 0.9 up to", "≥ 0.95 up to"]
    assert "With everything removed" not in survival_table(result, "mean", measure="partial_cka")[0]


def test_an_undefined_layer_is_in_the_table_and_not_in_the_order() -> None:
    table = survival_table(undefined_first(0.6, 0.4), "mean")
    assert [row[INTACT] for row in table] == ["undefined", "64 %", "44 %", "−1.00"]
    assert table[0]["95 % interval"] == "unknown"
    assert len({tuple(row) for row in table}) == 1, "the same columns in every row"
    assert len(survival_table(falling(0.4, 0.4), "mean")) == 2, "no order"


def test_intervals_end_beyond_the_last_amount() -> None:
    cases = {
        (0.312, 0.449): "31 to 45 %",
        (0.7, 0.8): "70 to beyond 80 %",
        (0.8, 0.8): "beyond 80 %",
        (0.391, 0.394): "under 1 % wide",
        (0.798, 0.8): "80 to beyond 80 %",
    }
    assert {interval: interval_text(interval, 0.8) for interval in cases} == cases


def test_survival_lies_between_the_frames_around_the_fall() -> None:
    result = make_result(num_layers=3)
    values = own_similarity(result, "cls")
    for layer, survival in enumerate(layer_survivals(result, "cls")):
        k = int(np.argmax(values[:, layer] < 0.9))
        assert FINE_AMOUNTS[k - 1] <= survival.value <= FINE_AMOUNTS[k]
