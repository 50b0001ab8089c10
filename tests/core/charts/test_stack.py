"""The layer stack: read from the SVG that Vega draws, frame by frame."""

import re

import numpy as np
import pytest

from core.charts.grammar import ALONE_COLOUR, Spec
from core.charts.stack import AS_MUCH, CHANCE, EMPTIED, FINE_TUNES, FLOOR, MAX_WORDED, stack_view
from core.findings.matching import chance_beside
from core.findings.yardstick import OTHER_SEEDS, Yardstick
from core.results.schema import SweepResult
from tests.builders import declining, make_result, with_own_key
from tests.pictures import drawn, marks, place, texts, told

AMOUNTS = (0.0, 0.1, 0.2, 0.3)  # the overall change, for `declining`
METHOD = make_result(num_layers=4, amounts=AMOUNTS, own_cka=declining(0.8))
AT_RANDOM = "Random removal, same overall change"
TWINS = Yardstick(((0.9, 0.8, 0.7, 0.4), (0.9, 0.7, 0.8, 0.6), (0.95, 0.75, float("nan"), 0.5)), 3)


def seed(share: float, number: int = 0, speed: float = 1, amounts: tuple[float, ...] = AMOUNTS) -> SweepResult:
    """A seed of random removal, of whose change this share lies in the upper half."""
    own = declining(share)
    settings = {"num_layers": 4, "amounts": amounts, "method": "random", "seed": number}
    return make_result(own_cka=lambda amount, *where: own(speed * amount, *where), **settings)


CONTROLS = [seed(0.6), seed(0.8, 1)]


def stack(result: SweepResult = METHOD, controls: list[SweepResult] = CONTROLS, twins: Yardstick | None = None) -> Spec:
    view = stack_view(result, "mean", chance_beside(result, controls, "mean"), twins)
    return {**view.spec, "width": 600, "height": 300}


def values(spec: Spec, frame: int, name: str) -> list[str]:
    """What the tracks tell about every layer, from the first to the last."""
    return [track[name] for track in told(spec, frame, "Layer")[: len(spec["datasets"]["stack"])]]


def spans(spec: Spec, frame: int = 0, **attributes: str) -> list[tuple[float, float]]:
    """Where the rectangles with these attributes begin and end, in the length of the first, which is a track."""
    rects = marks(drawn(spec, frame), "rect mark")
    shapes = [re.match(r"M([\d.]+),[\d.]+h([\d.]+)", rect.get("d", "")) for rect in rects]
    found = [(float(shape[1]), float(shape[2])) for shape in shapes if shape]
    return [
        (round(start / found[0][1], 2), round((start + length) / found[0][1], 2))
        for rect, (start, length) in zip(rects, found, strict=True)
        if all(rect.get(name) == value for name, value in attributes.items())
    ]


def test_bands_are_as_long_and_as_bright_as_the_layers_own_similarity_at_every_amount() -> None:
    for frame, change in enumerate(AMOUNTS):
        expected = [1 - change * 2 * share for share in (0.2, 0.2, 0.8, 0.8)]
        assert list(map(float, values(stack(), frame, "Similarity"))) == pytest.approx(expected, abs=0.00501)
        assert [end for _, end in spans(stack(), frame)[4:]] == pytest.approx(expected, abs=0.01)
    first, last = ([rect.get("fill") for rect in marks(drawn(stack(), k), "rect mark")][4:] for k in (0, 3))
    assert set(first) == {"rgb(252, 253, 191)"}  # 1, where magma ends
    assert last[0] == last[1] != last[3] == last[2]
    holed = make_result(num_layers=3, amounts=AMOUNTS, own_cka=lambda a, point, _: None if point == 1 and a else 0.95)
    assert [len(spans(stack(holed, []), frame)) - 3 for frame in (0, 1)] == [3, 2]
    assert {"undefined", FLOOR} <= set(texts(stack(holed, []), 1))
    assert FLOOR not in texts(stack(with_own_key(holed, floor=None), []), 0)


def test_random_removal_stands_where_it_has_changed_the_layers_as_much_overall() -> None:
    """Seeds that reach the method's changes at twice the speed stand there too: the amount does not matter."""
    for controls in (CONTROLS, [seed(0.6, 0, 2), seed(0.8, 1, 2)]):
        shown = [float(value.split()[0]) for value in values(stack(controls=controls), 2, AT_RANDOM)]
        assert shown == pytest.approx([1 - 0.2 * 2 * share for share in (0.3, 0.3, 0.7, 0.7)], abs=5.1e-4)
        assert np.mean(shown) == pytest.approx(1 - AMOUNTS[2], abs=1e-3)
    weak = seed(0.6, 2, amounts=(0.0, 0.1))
    assert values(stack(controls=[*CONTROLS, weak]), 2, AT_RANDOM)[0] == "0.88 (mean of 2 seeds)"
    spec = stack(controls=[weak])
    assert [CHANCE in texts(spec, frame) for frame in (1, 2)] == [True, False]
    assert [values(spec, frame, AT_RANDOM)[0].split(" ", 1)[-1] for frame in (1, 2)] == ["(1 seed)", "undefined"]
    for bare in (stack(controls=[]), stack(controls=[make_result(num_layers=4, method="random", controls="wanda")])):
        assert CHANCE not in " ".join([*texts(bare, 0), bare["title"]["subtitle"]])


def test_the_finer_of_two_sweeps_of_a_seed_places_it() -> None:
    own = [declining(share) for share in (0.6, 0.8)]
    fine = make_result(
        num_layers=4, amounts=AMOUNTS, own_cka=lambda amount, *at: own[amount > 0.25](amount, *at), method="random"
    )
    chance = chance_beside(METHOD, [seed(0.8, amounts=(0.0, 0.3)), fine], "mean")
    assert chance
    assert chance.similarity[2] == pytest.approx([1 - 0.2 * 2 * share for share in (0.4, 0.4, 0.6, 0.6)])


def test_each_layer_says_its_number_and_how_far_it_is_intact_where_there_is_room() -> None:
    words = texts(stack(), 1)
    assert set(words) >= {"0.96", "0.84", CHANCE, FLOOR}
    intact = [text for text in words if "intact" in text]
    assert intact == ["intact up to 25 % *", "intact up to 25 %", "intact up to 6 %", "intact up to 6 %"]
    assert stack()["title"]["subtitle"] == f"{AS_MUCH}; {EMPTIED}", "the first layer's floor is 0.9"
    many = stack(make_result(num_layers=MAX_WORDED + 1, amounts=AMOUNTS), [])
    assert set(texts(many, 0)) == {FLOOR}, "and each mark still has its name"
    assert EMPTIED not in str(many["title"]), "no star is drawn that it would explain"


def test_seed_twins_are_a_range_or_a_point_below_each_band_that_does_not_move() -> None:
    spec = stack(twins=TWINS)
    for frame in (0, 3):
        assert spans(spec, frame, stroke=ALONE_COLOUR) == [(0.9, 0.95), (0.7, 0.8), (0.7, 0.8), (0.4, 0.6)]
    assert spec["title"]["subtitle"] == f"{AS_MUCH}; {FINE_TUNES}; {EMPTIED}"
    assert values(spec, 0, "Fine-tunes of other seeds")[3] == "0.40 to 0.60"
    heights = {text.text: place(text)[1] for text in marks(drawn(spec, 0), "text mark")}
    assert heights[FLOOR] - heights[OTHER_SEEDS] >= 13, "a line lower"
    spec = stack(twins=Yardstick((TWINS.pairs[0],), 2))
    points = [mark for mark in marks(drawn(spec, 0), "point") if mark.get("fill") == ALONE_COLOUR]
    track = float(marks(drawn(spec, 0), "rect mark")[0].get("d", "").partition("h")[2].partition("v")[0])
    assert [place(point)[0] / track for point in points] == pytest.approx([0.9, 0.8, 0.7, 0.4])
    assert spans(stack(), stroke=ALONE_COLOUR) == []
