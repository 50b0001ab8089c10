"""What the pictures show: read from the SVG that Vega draws, frame by frame."""

import pytest

from core.charts.grammar import Spec
from core.charts.overview import pair_scene, result_scene
from core.charts.view import reduction_choices, specs
from core.request.catalog import REDUCTIONS
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.core.charts.test_matrix import cells
from tests.pictures import drawn, labels, marks

AMOUNTS = (0.0, 0.25, 0.5, 0.75)


@pytest.fixture(scope="module")
def result() -> SweepResult:
    return make_result(num_layers=3, amounts=AMOUNTS, holes=((0.5, 2, 1),))


def drawings(result: SweepResult, reduction: str = "mean") -> dict[str, Spec]:
    return specs(result_scene(result, reduction).views)


@pytest.mark.parametrize("points", ["attention", "both"])
def test_nothing_changes_its_size_while_it_plays(points: str) -> None:
    result = make_result(num_layers=3, amounts=AMOUNTS, points=points, holes=((0.5, 0, 1),))
    for view in drawings(result).values():
        pictures = [drawn(view, frame) for frame in range(len(AMOUNTS))]
        assert len({(one.get("viewBox"), one[1].get("transform")) for one in pictures}) == 1


def test_the_first_frame_of_a_running_sweep_can_be_drawn() -> None:
    whole = make_result(num_layers=6)
    result = whole.model_copy(update={"frames": whole.frames[:1], "key": ""})
    views = drawings(result, "tokens")
    assert len(cells(views["heatmap"], 0)) == 36
    rects = marks(drawn(views["survival"], 0), "rect mark")
    assert len([rect for rect in rects if "Stays intact up to" in labels(rect)]) == 6


def test_frames_that_come_later_do_not_move_the_axes() -> None:
    whole = make_result(num_layers=3)
    part = whole.model_copy(update={"frames": whole.frames[:4], "key": ""})
    for early, late in zip(drawings(part).values(), drawings(whole).values(), strict=True):
        assert {**early, "datasets": None} == {**late, "datasets": None}
        ends = [[axis.get("aria-label") for axis in marks(drawn(view, 3), "axis")] for view in (early, late)]
        assert ends[0] == ends[1]


def test_two_results_stand_side_by_side_at_the_amounts_that_both_have() -> None:
    left, right = make_result(num_layers=2, amounts=AMOUNTS), make_result(num_layers=3, amounts=(0.0, 0.5, 0.6))
    scene = pair_scene((left, right), "mean", ("SST-2", "CoLA"))
    views, frames = scene.views, scene.frames
    assert [frame["amount"] for frame in frames] == [0.0, 0.5]
    assert frames[1]["detail"] == "accuracy SST-2 0.85 and CoLA 0.85"
    assert list(views) == ["left", "left-accuracy", "right", "right-accuracy"]
    assert [row["k"] for row in views["right-accuracy"].datasets["right-accuracy"]] == [0, 1, None]
    for side, result in (("left", left), ("right", right)):
        whole = drawings(result)["heatmap"]
        for frame, amount in enumerate((0.0, 0.5)):
            of_pair, alone = cells(views[side].spec, frame), cells(whole, result.amounts.index(amount))
            assert {key: cell.get("fill") for key, cell in of_pair.items()} == {
                key: cell.get("fill") for key, cell in alone.items()
            }
    assert views["right"].title == "CoLA"


def test_a_viewer_can_switch_between_all_reductions(result: SweepResult) -> None:
    choices = reduction_choices({name: result_scene(result, name) for name in REDUCTIONS})
    assert [choice["name"] for choice in choices] == list(REDUCTIONS)
    assert [choice["views"] for choice in choices] == [drawings(result, name) for name in REDUCTIONS]
