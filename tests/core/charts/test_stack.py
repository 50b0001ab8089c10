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
    return make_result(
        num_layers=4,
        amounts=amounts,
        own_cka=lambda amount, point, size: own(speed * amount, point, size),
        method="random",
        seed=number,
    )


CONTROLS = [seed(0.6), seed(0.8, 1)]


def stack(
    result: SweepResult = METHOD,
    controls: list[SweepResult] = CONTROLS,
    reduction: str = "mean",
    twins: Yardstick | None = None,
) -> Spec:
    view = stack_view(result, reduction, chance_beside(result, controls, reduction), twins)
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


def test_random_removal_stands_where_it_has_changed_the_layers_as_much_overall() -> None:
    """Seeds that reach the method's changes at twice the speed stand there too: the amount does not matter."""
    for controls in (CONTROLS, [seed(0.6, 0, 2), seed(0.8, 1, 2)]):
        shown = [float(value.split()[0]) for value in values(stack(controls=controls), 2, AT_RANDOM)]
        assert shown == pytest.approx([1 - 0.2 * 2 * share for share in (0.3, 0.3, 0.7, 0.7)], abs=5.1e-4)
        assert np.mean(shown) == pytest.approx(1 - AMOUNTS[2], abs=1e-3)


def test_seeds_that_never_change_as_much_are_left_out_and_none_leaves_no_mark() -> None:
    weak = seed(0.6, 2, amounts=(0.0, 0.1))
    chance = chance_beside(METHOD, [*CONTROLS, weak], "mean")
    assert chance
    assert chance.seeds.tolist() == [3, 3, 2, 2]
    assert values(stack(controls=[*CONTROLS, weak]), 2, AT_RANDOM)[0] == "0.88 (mean of 2 seeds)"
    spec = stack(controls=[weak])
    assert [CHANCE in texts(spec, frame) for frame in (1, 2)] == [True, False]
    assert values(spec, 1, AT_RANDOM)[0].endswith(" (1 seed)")
    assert values(spec, 2, AT_RANDOM)[0] == "undefined"


def test_the_finer_of_two_sweeps_of_a_seed_places_it() -> None:
    own = [declining(share) for share in (0.6, 0.8)]
    fine = make_result(
        num_layers=4,
        amounts=AMOUNTS,
        own_cka=lambda amount, *where: own[amount > 0.25](amount, *where),
        method="random",
    )
    chance = chance_beside(METHOD, [seed(0.8, amounts=(0.0, 0.3)), fine], "mean")
    assert chance
    assert chance.similarity[2] == pytest.approx([1 - 0.2 * 2 * share for share in (0.4, 0.4, 0.6, 0.6)])
    assert chance.seeds.tolist() == [1] * 4


def test_without_a_matched_control_there_is_no_mark_and_no_word_about_it() -> None:
    other = make_result(num_layers=4, amounts=AMOUNTS, method="random", controls="wanda")
    for controls in ([], [other]):
        spec = stack(controls=controls)
        assert AS_MUCH not in spec["description"]
        assert CHANCE not in " ".join([*texts(spec, 0), *spec["usermeta"]["told"]])


def test_each_layer_says_its_number_and_how_far_it_is_intact() -> None:
    words = texts(stack(), 1)
    assert set(words) >= {"0.96", "0.84", CHANCE, FLOOR}
    assert [text for text in words if "intact" in text] == [
        *("intact up to 25 % *", "intact up to 25 %"),
        *("intact up to 6 %", "intact up to 6 %"),
    ]
    assert stack()["title"]["subtitle"] == f"{AS_MUCH}; {EMPTIED}", "the first layer's floor is 0.9"
    almost = make_result(num_layers=4, amounts=(*AMOUNTS, 0.999), own_cka=lambda *_: 0.99)
    assert "still intact at 99.9 %" in texts(stack(almost), 0), "more was not measured"
    told = stack()["usermeta"]["told"]
    assert len(told) == len(AMOUNTS)
    assert told[1].startswith(f"Layer 4: 0.84 ({CHANCE} 0.86), intact up to 6 %; Layer 3: ")
    assert told[3].endswith(f"Layer 1: 0.88 ({CHANCE} 0.82), intact up to 25 % *")


def test_an_undefined_layer_has_a_word_and_no_band_and_an_unknown_floor_no_line() -> None:
    result = make_result(
        num_layers=3, amounts=AMOUNTS, own_cka=lambda amount, point, size: None if point == 1 and amount else 0.95
    )
    spec = stack(result, [])
    assert [len(spans(spec, frame)) - 3 for frame in (0, 1)] == [3, 2]
    assert "undefined" in texts(spec, 1)
    assert FLOOR in texts(spec, 0)
    for reduction in ("mean", "tokens"):
        assert FLOOR not in texts(stack(with_own_key(result, floor=None), [], reduction), 0)


def test_with_many_layers_there_are_no_words_beside_the_bands() -> None:
    spec = stack(make_result(num_layers=MAX_WORDED + 1, amounts=AMOUNTS), [])
    assert set(texts(spec, 0)) == {FLOOR}, "and each mark still has its name"
    assert EMPTIED in spec["description"]
    assert EMPTIED not in str(spec["title"]), "no star is drawn that it would explain"


def test_seed_twins_are_a_range_below_each_band_that_does_not_move() -> None:
    spec = stack(twins=TWINS)
    for frame in (0, 3):
        assert spans(spec, frame, stroke=ALONE_COLOUR) == [(0.9, 0.95), (0.7, 0.8), (0.7, 0.8), (0.4, 0.6)]
    assert spec["title"]["subtitle"] == f"{AS_MUCH}; {FINE_TUNES}; {EMPTIED}"
    assert spec["description"].endswith(spec["title"]["subtitle"])
    assert f"(random removal 0.86, {OTHER_SEEDS} 0.40 to 0.60)" in spec["usermeta"]["told"][1]
    assert values(spec, 0, "Fine-tunes of other seeds")[3] == "0.40 to 0.60"
    written = [(text.text, place(text)[1]) for text in marks(drawn(spec, 0), "text mark")]
    assert dict(written)[FLOOR] - dict(written)[OTHER_SEEDS] >= 13, "a line lower"


def test_two_checkpoints_are_a_point_a_layer_and_none_leave_no_trace() -> None:
    spec = stack(twins=Yardstick((TWINS.pairs[0],), 2))
    points = [mark for mark in marks(drawn(spec, 0), "point") if mark.get("fill") == ALONE_COLOUR]
    track = float(marks(drawn(spec, 0), "rect mark")[0].get("d", "").partition("h")[2].partition("v")[0])
    assert [place(point)[0] / track for point in points] == pytest.approx([0.9, 0.8, 0.7, 0.4])
    assert f", {OTHER_SEEDS} 0.40)" in spec["usermeta"]["told"][1]
    assert spans(stack(), stroke=ALONE_COLOUR) == []
    assert OTHER_SEEDS not in " ".join([*texts(stack(), 0), stack()["description"], *stack()["usermeta"]["told"]])
