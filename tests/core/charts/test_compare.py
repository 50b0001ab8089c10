"""Two results in one picture: read from the SVG that Vega draws, frame by frame."""

import numpy as np
import pytest

from core.charts.compare import FLOOR_NOTE, compare_frames, compare_scene
from core.charts.grammar import BLANK, FIRST_COLOUR, SECOND_COLOUR, Spec
from core.charts.view import specs
from core.findings.compare import Axis, shown_together
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.pictures import axes, drawn, marks, told

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
UNITS = falling(
    0.8, method="attribution", scope=None, amounts=(0.0, 0.3, 0.6, 0.9), prunable_sparsity=lambda amount: amount * 5 / 6
)


def views(first: SweepResult = FIRST, second: SweepResult = SECOND, axis: Axis = "amount") -> dict[str, Spec]:
    return specs(compare_scene(first, second, "mean", axis).views)


def names(first: SweepResult, second: SweepResult) -> list[str]:
    return [frame["name"] for frame in compare_frames((first, second), shown_together(first, second))]


def test_the_diagonals_are_laid_over_one_another() -> None:
    for frame in (0, 2):
        points = told(views()["own"], frame, "Pruning", "point")
        shown = {(point["Pruning"].split()[0], point["Layer"]): float(point["Similarity"]) for point in points}
        assert shown == {
            (word, str(k + 1)): pytest.approx(result.frames[frame].similarity["cka"]["mean"][k][k], abs=0.0051)
            for result, word in ((FIRST, "Magnitude"), (SECOND, "Random"))
            for k in range(3)
        }


def test_granularities_share_the_axis_as_prunable_sparsity() -> None:
    assert names(FIRST, UNITS)[1] == "25 % of the encoder's weights removed"
    assert [row["amount"] for row in compare_scene(FIRST, UNITS, "mean").frames] == [0, 0.25, 0.5, 0.75]
    spec = views(FIRST, UNITS)["accuracy"]
    assert any("Share of encoder weights removed" in axis for axis in axes(spec))
    assert [row["amount"] for row in spec["datasets"]["accuracy"]][4:] == [0.0, 0.25, 0.5, 0.75]


def test_frames_are_named_by_both_places_and_by_whose_weights_are_removed() -> None:
    other = falling(1.2, method="random", amounts=(0.0, 0.3, 0.75))
    assert names(FIRST, other) == [
        "0 % of weights removed",
        "25 % and 30 % of weights removed",
        "75 % of weights removed",
    ]
    assert compare_scene(FIRST, other, "mean").frames[2]["detail"] == "accuracy 0.75 and 0.45"
    rows = views(FIRST, other)["accuracy"]["datasets"]["accuracy"]
    assert [row["k"] for row in rows] == [0, 1, None, 2, 0, 1, 2], "amounts of one alone are drawn, but have no frame"
    second, first = (falling(1.2, scope=f"layer:{k}", points="layer") for k in (1, 0))
    assert names(second, first)[-1] == "75 % of layer 2's weights and 75 % of layer 1's weights removed"
    assert names(second, second)[-1] == "75 % of layer 2's weights removed"


def test_rows_that_do_not_correspond_have_no_difference() -> None:
    for other in (falling(1.2, num_layers=4), falling(1.2, points="layer")):
        assert set(views(FIRST, other)) == {"first", "second", "accuracy"}


def test_heatmaps_and_their_difference_have_titles_of_equal_height() -> None:
    assert len({len(views()[side]["title"]) for side in ("first", "second", "difference")}) == 1


def test_the_floor_is_drawn_once_where_it_is_the_same_and_named_above_the_curves() -> None:
    def lines(first: SweepResult, second: SweepResult) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {}
        spec = views(first, second)["own"]
        for row in spec["datasets"]["floor"]:
            found.setdefault(row["line"], []).append(row["value"])
        assert spec["title"][1] == (FLOOR_NOTE if found else BLANK), "as high without"
        return found

    assert FIRST.floor
    bare, none = (result.model_copy(update={"floor": None}) for result in (FIRST, SECOND))
    other = SECOND.model_copy(update={"floor": FIRST.floor.model_copy(update={"cka": {"mean": (0.5, None, 0.1)}})})
    assert lines(FIRST, SECOND) == {"both": pytest.approx(FIRST.floor.cka["mean"], abs=1e-6)}
    assert lines(FIRST, other)["second"] == [0.5, 0.1]
    assert lines(FIRST, none).keys() == {"first"}
    assert lines(bare, none) == {}
    strokes = {line.get("stroke") for line in marks(drawn(views(FIRST, other)["own"], 0), "line mark")}
    assert strokes == {FIRST_COLOUR, SECOND_COLOUR}, "each floor has its result's colour"


@pytest.mark.parametrize("axis", ["damage", "divergence"])
def test_at_equal_change_both_heatmaps_match_on_it(axis: Axis) -> None:
    first, second = falling(0.4), falling(1.2, method="random")
    frames, spec = compare_scene(first, second, "mean", axis).frames, views(first, second, axis)
    own = spec["own"]["datasets"]["own"]
    for k, frame in enumerate(frames):
        means = [
            np.mean([row["v"][k] for row in own if row["series"] == side]) for side in {row["series"] for row in own}
        ]
        assert axis != "damage" or means == pytest.approx([1 - frame["amount"]] * 2, abs=2e-6)
        places = [row["amount"] for row in spec["accuracy"]["datasets"]["accuracy"] if row["k"] == k]
        assert places == [frame["amount"]] * 2


@pytest.mark.parametrize(("layers", "halved"), [(6, True), (12, False)])
def test_heatmaps_of_many_layers_stand_one_above_the_other_on_a_telephone(layers: int, halved: bool) -> None:
    first, second = (falling(speed, num_layers=layers) for speed in (0.4, 1.2))
    narrow = compare_scene(first, second, "mean").layout.css["narrow"]
    assert ('"first second"' in narrow) == halved
    assert ('"first first"' in narrow) == ('"second second"' in narrow) == (not halved)
