"""Two results in one picture: read from the SVG that Vega draws, frame by frame."""

import math

import numpy as np
import pytest

from core.charts.compare import FLOOR_NOTE, compare_frames, compare_scene
from core.charts.grammar import BLANK, FIRST_COLOUR, SECOND_COLOUR, Spec
from core.charts.view import specs
from core.findings.compare import Axis, shown_together
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.pictures import drawn, labels, marks

AMOUNTS = (0.0, 0.25, 0.5, 0.75)
HOLE = (0.5, 2, 1)  # amount, row and column of a value that is undefined


def falling(speed: float, **settings: object) -> SweepResult:
    """A result whose every own CKA falls at the same speed."""
    return make_result(
        **{
            "num_layers": 3,
            "amounts": AMOUNTS,
            "own_cka": lambda amount, point, size: 1 - speed * amount,
            "accuracy": lambda amount: 0.9 - speed * amount / 2,
            **settings,
        }
    )


FIRST, SECOND = falling(0.4, holes=(HOLE,)), falling(1.2, method="random", seed=1)


def views(first: SweepResult = FIRST, second: SweepResult = SECOND, reduction: str = "mean") -> dict[str, Spec]:
    return specs(compare_scene(first, second, reduction).views)


# ---------------------------------------------------------------- curves


def test_the_diagonals_are_laid_over_one_another() -> None:
    spec = views()["own"]
    for frame in (0, 2):
        points = marks(drawn(spec, frame), "point")
        told = {
            (labels(point)["Pruning"].split()[0], labels(point)["Layer"]): labels(point)["Similarity"]
            for point in points
        }
        assert len(told) == 6
        for result, word in ((FIRST, "Magnitude"), (SECOND, "Random")):
            for k in range(3):
                value = result.frames[frame].similarity["cka"]["mean"][k][k]
                assert float(told[word, str(k + 1)]) == pytest.approx(value, abs=0.0051)


# ---------------------------------------------------------------- what is shown together


UNITS = falling(
    0.8, method="attribution", scope=None, amounts=(0.0, 0.3, 0.6, 0.9), prunable_sparsity=lambda amount: amount * 5 / 6
)


def test_granularities_share_the_axis_as_prunable_sparsity() -> None:
    together = shown_together(FIRST, UNITS)
    assert [(a.amount, b.amount) for a, b in together.pairs] == [(0.0, 0.0), (0.25, 0.3), (0.5, 0.6), (0.75, 0.9)]
    assert [frame["amount"] for frame in compare_frames((FIRST, UNITS), together)] == [0, 0.25, 0.5, 0.75]
    spec = views(FIRST, UNITS)["accuracy"]
    axes = [element.get("aria-label", "") for element in marks(drawn(spec, 0), "axis")]
    assert any("Share of encoder weights removed" in axis for axis in axes)
    assert [row["amount"] for row in spec["datasets"]["accuracy"]][4:] == [0.0, 0.25, 0.5, 0.75]


def test_frames_that_are_near_each_other_are_named_by_both_places() -> None:
    other = falling(1.2, method="random", amounts=(0.0, 0.3, 0.75))
    frames = compare_frames((FIRST, other), shown_together(FIRST, other))
    assert [frame["name"] for frame in frames] == [
        "0 % of weights removed",
        "25 % and 30 % of weights removed",
        "75 % of weights removed",
    ]
    assert frames[2]["detail"] == "accuracy 0.75 and 0.45"
    rows = views(FIRST, other)["accuracy"]["datasets"]["accuracy"]
    assert [row["k"] for row in rows] == [0, 1, None, 2, 0, 1, 2], "amounts of one alone are drawn, but have no frame"


def test_single_layers_are_named_where_an_amount_is_theirs() -> None:
    layers = [falling(1.2, scope=f"layer:{k}", points="layer") for k in (1, 0)]
    assert compare_frames((layers[0], layers[1]), shown_together(*layers))[-1]["name"] == (
        "75 % of layer 2's weights and 75 % of layer 1's weights removed"
    )
    assert compare_frames((layers[0], layers[0]), shown_together(layers[0], layers[0]))[-1]["name"] == (
        "75 % of layer 2's weights removed"
    )


def test_rows_that_do_not_correspond_have_no_difference() -> None:
    for other in (falling(1.2, num_layers=4), falling(1.2, points="layer")):
        assert set(views(FIRST, other)) == {"first", "second", "accuracy"}


def test_every_view_has_the_same_title_height_and_nothing_moves() -> None:
    drawings = views()
    heights = {len(drawings[side]["title"]) for side in ("first", "second", "difference")}
    assert len(heights) == 1
    for spec in drawings.values():
        pictures = [drawn(spec, frame) for frame in range(len(AMOUNTS))]
        assert len({(one.get("viewBox"), one[1].get("transform")) for one in pictures}) == 1


def test_data_hold_no_nan() -> None:
    for spec in views(reduction="cls").values():
        for rows in spec["datasets"].values():
            values = [value for row in rows for value in row.values() if isinstance(value, float)]
            assert not any(map(math.isnan, values))


def test_the_floor_is_drawn_once_where_it_is_the_same_and_named_above_the_curves() -> None:
    def lines(second: SweepResult) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {}
        for row in views(FIRST, second)["own"]["datasets"]["floor"]:
            found.setdefault(row["line"], []).append(row["value"])
        return found

    assert FIRST.floor
    assert lines(SECOND) == {"both": pytest.approx(FIRST.floor.cka["mean"], abs=1e-6)}
    lower = FIRST.floor.model_copy(update={"cka": {"mean": (0.5, None, 0.1)}})
    other = SECOND.model_copy(update={"floor": lower})
    assert lines(other)["second"] == [0.5, 0.1]
    strokes = {line.get("stroke") for line in marks(drawn(views(FIRST, other)["own"], 0), "line mark")}
    assert strokes == {FIRST_COLOUR, SECOND_COLOUR}, "each floor has its result's colour"
    assert lines(SECOND.model_copy(update={"floor": None})).keys() == {"first"}
    none = FIRST.model_copy(update={"floor": None})
    bare = views(none, SECOND.model_copy(update={"floor": None}))["own"]
    assert bare["datasets"]["floor"] == []
    assert [spec["title"][1] for spec in (views()["own"], bare)] == [FLOOR_NOTE, BLANK], "as high without"


@pytest.mark.parametrize("axis", ["damage", "divergence"])
def test_at_equal_change_both_heatmaps_match_on_it(axis: Axis) -> None:
    first, second = falling(0.4), falling(1.2, method="random")
    together = shown_together(first, second, axis)
    frames = compare_frames((first, second), together)
    spec = specs(compare_scene(first, second, "mean", axis).views)
    drawn_own = spec["own"]["datasets"]["own"]
    sides = dict.fromkeys(row["series"] for row in drawn_own)
    for k, frame in enumerate(frames):
        means = [np.mean([row["v"][k] for row in drawn_own if row["series"] == side]) for side in sides]
        if axis == "damage":
            assert means == pytest.approx([1 - frame["amount"]] * 2, abs=2e-6)
        places = [row["amount"] for row in spec["accuracy"]["datasets"]["accuracy"] if row["k"] == k]
        assert places == [frame["amount"]] * 2
    for view in spec.values():
        pictures = [drawn(view, frame) for frame in (0, len(frames) - 1)]
        assert len({(one.get("viewBox"), one[1].get("transform")) for one in pictures}) == 1


@pytest.mark.parametrize(("layers", "halved"), [(6, True), (12, False)])
def test_heatmaps_of_many_layers_stand_one_above_the_other_on_a_telephone(layers: int, halved: bool) -> None:
    first, second = (falling(speed, num_layers=layers) for speed in (0.4, 1.2))
    narrow = compare_scene(first, second, "mean").layout.narrow
    assert ('"first second"' in narrow) == halved
    assert ('"first first"' in narrow) == ('"second second"' in narrow) == (not halved)
