"""Seed twins as a yardstick: found by their recipes, ranges over pairs, and what is said of a layer."""

from core.charts.layers import layer_scene
from core.findings.yardstick import Yardstick, layers_finding, yardstick, yardstick_finding
from core.results.choices import twins
from core.results.library import entry_of
from core.results.schema import SweepResult, WorkingRangeRecord
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
    known = yardstick(RESULT, PAIRS, "mean")
    assert sorted(known.of(0)) == [0.6, 0.7, 0.8]
    assert (known.checkpoints, known.is_band) == (3, True)
    assert not yardstick(RESULT, PAIRS[:2], "mean").is_band, "two checkpoints are a line"
    assert yardstick(RESULT, PAIRS, "cls") is yardstick(RESULT, [], "mean") is None
    assert yardstick(make_result(num_layers=3, num_examples=100), PAIRS, "mean") is None, "other examples"


def test_what_is_said_of_a_layer() -> None:
    known = yardstick(RESULT, PAIRS, "mean")
    first, last = (yardstick_finding(RESULT, known, label) for label in ("1", "3"))
    assert "similarity of 0.60 to 0.80 in layer 1 (3 checkpoints); no amount measured makes it less" in first
    assert "with 50 % of weights removed, pruning has made it less similar to itself than that." in last
    assert yardstick_finding(RESULT, None, "1") == ""


def working_to(amount: float) -> SweepResult:
    known = WorkingRangeRecord(
        to=amount, metric="accuracy", examples=200, shown_broken_from=None, smallest_drop=0.1, lead=0.4, reason=None
    )
    return with_own_key(RESULT, working_range=known)


def test_what_is_said_of_all_layers() -> None:
    """Own similarity is 1, 1 − amount / 2 and 1 − amount; twins are 0.6 to 0.8 alike."""
    known = yardstick(RESULT, PAIRS, "mean")
    twins = "than the least similar pair of fine-tunes that differ only in the seed (3 checkpoints) are to each other."
    assert layers_finding(RESULT, known) == (
        f"With 90 % of weights removed, layers 2 and 3 are less similar to themselves {twins}"
    )
    assert layers_finding(working_to(0.5), known) == (
        f"With 50 % of weights removed, where the model still works, layer 3 is less similar to itself {twins}"
    )
    assert "With 50 % of weights removed, where the model no longer works, layer 3 is" in layers_finding(
        working_to(0.0), known
    )
    low = Yardstick(((0.05, 0.05, 0.05),), 2)
    assert layers_finding(working_to(0.5), low).startswith("At every amount measured, each layer stays at least as")
    high = Yardstick(((1.5, 0.95, float("nan")),), 2)
    assert "layers 1 and 2 are less similar to themselves" in layers_finding(RESULT, high), "undefined is not less"
    assert layers_finding(RESULT, None) == layers_finding(with_own_key(RESULT, frames=RESULT.frames[:1]), known) == ""


def test_a_difference_that_is_not_shown_is_not_told() -> None:
    """A layer of 0.998 and twins of 0.999 both read 1.00."""
    result = make_result(num_layers=3, amounts=(0.0, 0.5), own_cka=lambda amount, point, size: 1 - 0.002 * (amount > 0))
    alike, above = (Yardstick(((lowest,) * 3,), 2) for lowest in (0.999, 1.01))
    assert layers_finding(result, alike).startswith("At every amount measured, each layer stays at least as")
    assert "every layer is less similar to itself" in layers_finding(result, above)
    assert "no amount measured makes it less" in yardstick_finding(result, alike, "1")
    assert "pruning has made it less similar" in yardstick_finding(result, above, "1")


def test_the_curve_shows_a_band_or_lines() -> None:
    def rows(twins: list[SweepResult]) -> list[tuple[float, float]]:
        scene = layer_scene(RESULT, "mean", "2", twins=yardstick(RESULT, twins, "mean"))
        return [(row["low"], row["high"]) for row in scene.views["curve"].datasets["twins"]]

    assert rows(PAIRS) == [(0.6, 0.8)]
    assert rows(PAIRS[:1]) == [(0.7, 0.7)]
    assert rows([]) == []


def test_what_pruning_makes_undefined_has_changed_and_what_never_was_defined_is_left_out() -> None:
    known = yardstick(RESULT, PAIRS, "mean")

    def becomes_undefined(amount: float, point: int, size: int) -> float | None:
        return None if point == 0 or (point == 1 and amount) else 1.0

    holes = make_result(num_layers=3, amounts=(0.0, 0.5, 0.9), own_cka=becomes_undefined)
    assert "With 90 % of weights removed, layer 2 is less similar to itself" in layers_finding(holes, known)
    assert "with 50 % of weights removed, pruning has made it less similar" in yardstick_finding(holes, known, "2")
    assert yardstick_finding(holes, known, "1") == ""
    never = make_result(num_layers=3, amounts=(0.0, 0.5), own_cka=lambda _, point, size: 1.0 if point else None)
    assert layers_finding(never, known).startswith(
        "At every amount measured, each layer whose similarity is defined stays at least as similar"
    )
    unknown = Yardstick(((float("nan"), 0.8, float("nan")), (0.7, float("nan"), float("nan"))), 3)
    assert yardstick_finding(RESULT, unknown, "1").startswith("Two fine-tunes that differ only in the seed have a sim")
    assert yardstick_finding(RESULT, unknown, "3") == ""
    assert layers_finding(RESULT, Yardstick(((float("nan"),) * 3,), 2)) == ""
