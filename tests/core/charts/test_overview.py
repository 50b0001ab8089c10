"""Two results beside each other, and the first frame of a sweep that still runs."""

from core.charts.overview import pair_scene, result_scene
from tests.builders import make_result
from tests.core.charts.test_matrix import cells, heatmap
from tests.pictures import told

AMOUNTS = (0.0, 0.25, 0.5, 0.75)


def test_the_first_frame_of_a_running_sweep_can_be_drawn() -> None:
    whole = make_result(num_layers=6)
    result = whole.model_copy(update={"frames": whole.frames[:1], "key": ""})
    views = result_scene(result, "tokens").views
    assert len(cells(views["heatmap"].spec, 0)) == 36
    assert len(told(views["survival"].spec, 0, "Stays intact up to")) == 6


def test_two_results_stand_side_by_side_at_the_amounts_that_both_have() -> None:
    left, right = make_result(num_layers=2, amounts=AMOUNTS), make_result(num_layers=3, amounts=(0.0, 0.5, 0.6))
    scene = pair_scene((left, right), "mean", ("SST-2", "CoLA"))
    views = scene.views
    assert [frame["amount"] for frame in scene.frames] == [0.0, 0.5]
    assert scene.frames[1]["detail"] == "accuracy SST-2 0.85 and CoLA 0.85"
    assert list(views) == ["left", "left-accuracy", "right", "right-accuracy"]
    assert [row["k"] for row in views["right-accuracy"].datasets["right-accuracy"]] == [0, 1, None]
    for side, result in (("left", left), ("right", right)):
        for frame, amount in enumerate((0.0, 0.5)):
            of_pair, alone = cells(views[side].spec, frame), cells(heatmap(result), result.amounts.index(amount))
            assert [cell.get("fill") for cell in of_pair.values()] == [cell.get("fill") for cell in alone.values()]
    assert views["right"].title == "CoLA"
