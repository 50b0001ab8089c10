"""What the pictures show: read from the SVG that Vega draws, frame by frame."""

from itertools import product
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest

from core.charts.grammar import LIGHT_FROM, UNDEFINED_COLOUR, Spec
from core.charts.matrix import MAX_PRINTED
from core.charts.overview import pair_views, player_views
from core.charts.view import reduction_choices, specs
from core.findings.overview import own_cka
from core.request.catalog import REDUCTIONS, SURVIVAL_THRESHOLD
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.pictures import drawn, labels, marks, place

AMOUNTS = (0.0, 0.25, 0.5, 0.75)
HOLE = (2, 2, 1)  # frame, row, column of a value that is undefined


@pytest.fixture(scope="module")
def result() -> SweepResult:
    return make_result(num_layers=3, amounts=AMOUNTS, holes=((AMOUNTS[HOLE[0]], HOLE[1], HOLE[2]),))


def drawings(result: SweepResult, reduction: str = "mean") -> dict[str, Spec]:
    return specs(player_views(result, reduction))


def cells(spec: Spec, frame: int) -> dict[tuple[str, str], ElementTree.Element]:
    """The heatmap's cells by the titles of baseline and pruned layer."""
    rects = [rect for rect in marks(drawn(spec, frame), "rect mark") if "CKA" in labels(rect)]
    return {(labels(rect)["Baseline"], labels(rect)["Pruned"]): rect for rect in rects}


def name(layer: int) -> str:
    return f"Layer {layer + 1}, attention block"


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_every_cell_tells_its_value_to_three_decimals(result: SweepResult, reduction: str) -> None:
    spec = drawings(result, reduction)["heatmap"]
    for frame in (0, 3):
        shown = cells(spec, frame)
        assert len(shown) == 9
        for i, j in product(range(3), range(3)):
            value = result.frames[frame].cka[reduction][i][j]
            assert value is not None
            assert float(labels(shown[name(i), name(j)])["CKA"]) == pytest.approx(value, abs=5.1e-4)


def test_an_undefined_cell_is_grey_and_hatched_and_says_so(result: SweepResult) -> None:
    spec = drawings(result)["heatmap"]
    shown = cells(spec, HOLE[0])
    assert labels(shown[name(HOLE[1]), name(HOLE[2])])["CKA"] == "undefined"
    assert [key for key, cell in shown.items() if cell.get("fill") == UNDEFINED_COLOUR] == [(name(2), name(1))]
    strokes = marks(drawn(spec, HOLE[0]), "rule mark")
    assert {(labels(stroke)["baseline"], labels(stroke)["pruned"]) for stroke in strokes} == {("3", "2")}
    assert not marks(drawn(spec, 0), "rule mark")


def test_negative_values_are_painted_as_the_low_end_but_told_as_they_are() -> None:
    result = make_result(num_layers=2, amounts=(0.0, 0.5), own_cka=lambda amount, point, size: -0.2 if amount else 1.0)
    own = cells(drawings(result)["heatmap"], 1)[name(0), name(0)]
    assert labels(own)["CKA"] == "-0.200"
    assert own.get("fill") == "rgb(0, 0, 4)"  # where magma begins


def test_colours_mean_the_same_in_every_result() -> None:
    faint = make_result(num_layers=2, amounts=(0.0, 0.5), own_cka=lambda amount, point, size: 1 - amount * 0.02)
    strong = make_result(num_layers=2, amounts=(0.0, 0.5))
    fills = [
        [cells(drawings(one)["heatmap"], frame)[name(1), name(1)].get("fill") for frame in (0, 1)]
        for one in (faint, strong)
    ]
    assert fills[0][0] == fills[1][0] == "rgb(252, 253, 191)"  # 1, where magma ends
    assert fills[0][1] != fills[1][1]


def test_printed_numbers_can_be_read_on_every_shade() -> None:
    def luminance(rgb: np.ndarray) -> float:
        linear = np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    magma = matplotlib.colormaps["magma"]
    for value in np.linspace(0, 1, 201):
        shade = luminance(np.array(magma(value)[:3]))
        contrast = (shade + 0.05) / 0.05 if value > LIGHT_FROM else 1.05 / (shade + 0.05)
        assert contrast >= 4.5, f"{value:.3f}"


def test_numbers_are_printed_where_they_fit_and_never_in_undefined_cells(result: SweepResult) -> None:
    def printed(one: SweepResult, frame: int) -> int:
        return len(marks(drawn(drawings(one)["heatmap"], frame), "text mark"))

    assert printed(result, 0) == 9
    assert printed(result, HOLE[0]) == 8
    fits, crowded = (make_result(num_layers=k, amounts=(0.0,)) for k in (MAX_PRINTED, MAX_PRINTED + 1))
    assert printed(fits, 0) == MAX_PRINTED**2
    assert printed(crowded, 0) == 0


@pytest.mark.parametrize("points", ["attention", "both"])
def test_nothing_changes_its_size_while_it_plays(points: str) -> None:
    result = make_result(num_layers=3, amounts=AMOUNTS, points=points, holes=((0.5, 0, 1),))
    for view in drawings(result).values():
        pictures = [drawn(view, frame) for frame in range(len(AMOUNTS))]
        assert len({(one.get("viewBox"), one[1].get("transform")) for one in pictures}) == 1


def test_points_of_both_kinds_alternate_and_are_explained() -> None:
    result = make_result(num_layers=2, amounts=(0.0,), points="both")
    spec = drawings(result)["heatmap"]
    assert [row["pruned"] for row in spec["datasets"]["cells"][:4]] == ["1a", "1", "2a", "2"]
    axes = [element.get("aria-label", "") for element in marks(drawn(spec, 0), "axis")]
    assert any("'Layer of the pruned model (1a: attention block, 1: output)'" in axis for axis in axes)
    assert any(axis.endswith("1a, 1, 2a, 2") for axis in axes)
    assert ("Layer 2, output", "Layer 1, attention block") in cells(spec, 0)


def test_the_accuracy_picture_marks_the_frame_and_the_majority_class() -> None:
    result = make_result(num_layers=2, amounts=AMOUNTS, accuracy=lambda amount: 0.9 - amount / 2)
    spec = drawings(result)["accuracy"]
    assert spec["datasets"]["accuracy-majority"] == [{"accuracy": 0.5, "text": "always the majority class: 0.50"}]
    places = []
    for frame, amount in enumerate(AMOUNTS):
        picture = drawn(spec, frame)
        (marker,) = marks(picture, "point")
        lines = [rule for rule in marks(picture, "rule mark") if list(labels(rule)) == ["Pruning amount"]]
        places.append(place(marker))
        assert [place(line)[0] for line in lines] == [place(marker)[0]]
        assert float(labels(marker)["Accuracy"]) == pytest.approx(0.9 - amount / 2, abs=0.0051)
    assert [x for x, _ in places] == sorted(x for x, _ in places)  # right as the amount grows
    assert places[0][1] < places[-1][1]  # down as accuracy falls


def test_a_bar_is_bright_exactly_while_its_layer_has_never_fallen() -> None:
    result = make_result(num_layers=4)
    values = own_cka(result, "mean")
    spec = drawings(result)["survival"]
    for frame in (0, 6, 12, 19):
        rects = marks(drawn(spec, frame), "rect mark")
        bars = [rect for rect in rects if "Survives up to" in labels(rect)]
        bright = [bar.get("opacity") == "1" for bar in bars]
        assert bright == (values[: frame + 1] >= SURVIVAL_THRESHOLD).all(axis=0).tolist()


def test_a_layer_that_never_falls_is_said_to_outlast_the_sweep() -> None:
    result = make_result(num_layers=2, amounts=AMOUNTS, own_cka=lambda amount, point, size: 1 - amount * point)
    bars = drawings(result)["survival"]["datasets"]["bars"]
    assert [bar["text"] for bar in bars] == ["> 0.75", "0.10"]
    assert bars[0]["ends"] == len(AMOUNTS)


def test_the_first_frame_of_a_running_sweep_can_be_drawn() -> None:
    whole = make_result(num_layers=6)
    result = whole.model_copy(update={"frames": whole.frames[:1], "key": ""})
    views = drawings(result, "tokens")
    assert len(cells(views["heatmap"], 0)) == 36
    assert len([bar for bar in marks(drawn(views["survival"], 0), "rect mark") if "Survives up to" in labels(bar)]) == 6


def test_frames_that_come_later_do_not_move_the_axes() -> None:
    whole = make_result(num_layers=3)
    part = whole.model_copy(update={"frames": whole.frames[:4], "key": ""})
    for early, late in zip(drawings(part).values(), drawings(whole).values(), strict=True):
        assert {**early, "datasets": None} == {**late, "datasets": None}
        ends = [[axis.get("aria-label") for axis in marks(drawn(view, 3), "axis")] for view in (early, late)]
        assert ends[0] == ends[1]


def test_two_results_stand_side_by_side_at_the_amounts_that_both_have() -> None:
    left, right = make_result(num_layers=2, amounts=AMOUNTS), make_result(num_layers=3, amounts=(0.0, 0.5, 0.6))
    views, frames = pair_views((left, right), "mean", ("SST-2", "CoLA"))
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
    choices = reduction_choices(lambda name: player_views(result, name))
    assert [choice["name"] for choice in choices] == list(REDUCTIONS)
    assert [choice["views"] for choice in choices] == [drawings(result, name) for name in REDUCTIONS]
