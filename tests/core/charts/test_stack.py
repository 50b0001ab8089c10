"""The layer stack: read from the SVG that Vega draws, frame by frame."""

import numpy as np
import pytest

from core.charts.grammar import ALONE_COLOUR, Spec
from core.charts.stack import AS_MUCH, CHANCE, EMPTIED, FINE_TUNES, FLOOR, MAX_WORDED, stack_view
from core.findings.matching import chance_beside
from core.findings.yardstick import OTHER_SEEDS, Yardstick
from core.results.schema import SweepResult
from tests.builders import declining, make_result, with_own_key
from tests.pictures import drawn, labels, marks, place

AMOUNTS = (0.0, 0.1, 0.2, 0.3)  # the overall change, for `declining`
WIDTH = 600  # pixels
METHOD = make_result(num_layers=4, amounts=AMOUNTS, own_cka=declining(0.8))
CONTROLS = [
    make_result(num_layers=4, amounts=AMOUNTS, own_cka=declining(share), method="random", seed=seed)
    for seed, share in enumerate((0.6, 0.8))
]


def stack(
    result: SweepResult = METHOD,
    controls: list[SweepResult] = CONTROLS,
    reduction: str = "mean",
    twins: Yardstick | None = None,
) -> Spec:
    view = stack_view(result, reduction, chance_beside(result, controls, reduction), twins)
    return {**view.spec, "width": WIDTH, "height": 300}


def values(spec: Spec, frame: int, name: str) -> list[float]:
    """What the tracks tell about every layer, from the first to the last."""
    tracks = [labels(rect) for rect in marks(drawn(spec, frame), "rect mark")][: len(spec["datasets"]["stack"])]
    return [float(track[name].split()[0]) for track in tracks]


def widths(spec: Spec, frame: int) -> list[float]:
    """How long every band is, in the length of a track."""
    shapes = [rect.get("d", "") for rect in marks(drawn(spec, frame), "rect mark")]
    lengths = [float(shape.partition("h")[2].partition("v")[0]) for shape in shapes]
    layers = len(spec["datasets"]["stack"])
    return [length / lengths[0] for length in lengths[layers:]]


def words(spec: Spec, frame: int = 0) -> list[str]:
    return [text.text or "" for text in marks(drawn(spec, frame), "text mark")]


def test_bands_are_as_long_as_the_layers_own_similarity_at_every_amount() -> None:
    spec = stack()
    for frame, change in enumerate(AMOUNTS):
        expected = [1 - change * 2 * share for share in (0.2, 0.2, 0.8, 0.8)]
        assert values(spec, frame, "Similarity") == pytest.approx(expected, abs=0.00501)
        assert widths(spec, frame) == pytest.approx(expected, abs=0.01)


def test_bands_have_the_colours_of_the_heatmap() -> None:
    def fills(frame: int) -> list[str | None]:
        return [rect.get("fill") for rect in marks(drawn(stack(), frame), "rect mark")][4:]

    assert set(fills(0)) == {"rgb(252, 253, 191)"}  # 1, where magma ends
    assert fills(3)[0] == fills(3)[1] != fills(3)[3] == fills(3)[2]


def test_random_removal_stands_where_it_has_changed_the_layers_as_much_overall() -> None:
    """Its seeds reach each of the method's changes at twice the speed: it is the change that is met, not the amount."""
    fast = [
        make_result(
            num_layers=4,
            amounts=AMOUNTS,
            own_cka=lambda amount, point, size, share=share: declining(share)(2 * amount, point, size),
            method="random",
            seed=seed,
        )
        for seed, share in enumerate((0.6, 0.8))
    ]
    for controls in (CONTROLS, fast):
        shown = values(stack(controls=controls), 2, "Random removal, same overall change")
        assert shown == pytest.approx([1 - 0.2 * 2 * share for share in (0.3, 0.3, 0.7, 0.7)], abs=5.1e-4)
        assert np.mean(shown) == pytest.approx(1 - AMOUNTS[2], abs=1e-3)


def test_seeds_that_never_change_as_much_are_left_out_and_none_leaves_no_mark() -> None:
    weak = make_result(num_layers=4, amounts=(0.0, 0.1), own_cka=declining(0.6), method="random", seed=2)
    chance = chance_beside(METHOD, [*CONTROLS, weak], "mean")
    assert chance
    assert chance.seeds.tolist() == [3, 3, 2, 2]
    told = labels(marks(drawn(stack(controls=[*CONTROLS, weak]), 2), "rect mark")[0])
    assert told["Random removal, same overall change"] == "0.88 (mean of 2 seeds)"
    spec = stack(controls=[weak])
    assert CHANCE in words(spec, 1)
    assert CHANCE not in words(spec, 2)
    assert labels(marks(drawn(spec, 1), "rect mark")[0])["Random removal, same overall change"].endswith(" (1 seed)")
    assert labels(marks(drawn(spec, 2), "rect mark")[0])["Random removal, same overall change"] == "undefined"


def test_the_finer_of_two_sweeps_of_a_seed_places_it() -> None:
    coarse = make_result(num_layers=4, amounts=(0.0, 0.3), own_cka=declining(0.8), method="random", seed=0)
    fine = make_result(
        num_layers=4,
        amounts=AMOUNTS,
        own_cka=lambda amount, point, size: declining(0.6 if amount < 0.25 else 0.8)(amount, point, size),
        method="random",
        seed=0,
    )
    chance = chance_beside(METHOD, [coarse, fine], "mean")
    assert chance
    assert chance.similarity[2] == pytest.approx([1 - 0.2 * 2 * share for share in (0.4, 0.4, 0.6, 0.6)])
    assert chance.seeds.tolist() == [1] * 4


def test_without_a_matched_control_there_is_no_mark_and_no_word_about_it() -> None:
    other = make_result(num_layers=4, amounts=AMOUNTS, method="random", controls="wanda")
    for controls in ([], [other]):
        spec = stack(controls=controls)
        assert AS_MUCH not in spec["description"]
        assert CHANCE not in words(spec)


def test_each_layer_says_its_number_and_how_far_it_is_intact() -> None:
    assert set(words(stack(), 1)) >= {"0.96", "0.84", CHANCE, FLOOR}
    intact = [text for text in words(stack(), 1) if "intact" in text]
    assert intact == ["intact up to 25 % *", "intact up to 25 %", "intact up to 6 %", "intact up to 6 %"]
    assert stack()["title"]["subtitle"] == f"{AS_MUCH}; {EMPTIED}", "the first layer's floor is 0.9"
    weak = make_result(num_layers=4, amounts=AMOUNTS, own_cka=declining(0.95))
    assert "still intact at 30 %" in words(stack(weak))
    almost = make_result(num_layers=4, amounts=(*AMOUNTS, 0.999), own_cka=lambda *_: 0.99)
    assert "still intact at 99.9 %" in words(stack(almost)), "more was not measured"


def test_an_undefined_layer_has_a_word_and_no_band_and_an_unknown_floor_no_line() -> None:
    result = make_result(
        num_layers=3, amounts=AMOUNTS, own_cka=lambda amount, point, size: None if point == 1 and amount else 0.95
    )
    spec = stack(result, [])
    assert len(widths(spec, 0)) == 3
    assert len(widths(spec, 1)) == 2
    assert "undefined" in words(spec, 1)
    assert FLOOR in words(spec)
    bare = with_own_key(result, floor=None)
    assert FLOOR not in words(stack(bare, []))
    assert FLOOR not in words(stack(bare, [], "tokens"))


def test_with_many_layers_there_are_no_words_beside_the_bands() -> None:
    deep = make_result(num_layers=MAX_WORDED + 1, amounts=AMOUNTS)
    assert set(words(stack(deep, []))) == {FLOOR}, "and each mark still has its name"
    assert EMPTIED in stack(deep, [])["description"]
    assert EMPTIED not in str(stack(deep, [])["title"]), "no star is drawn that it would explain"


def test_nothing_changes_its_size_while_it_plays() -> None:
    pictures = [drawn(stack(), frame) for frame in range(len(AMOUNTS))]
    assert len({(picture.get("viewBox"), picture[1].get("transform")) for picture in pictures}) == 1


def test_the_alternative_text_has_the_numbers_of_every_amount() -> None:
    told = stack()["usermeta"]["told"]
    assert len(told) == len(AMOUNTS)
    assert told[1].startswith(f"Layer 4: 0.84 ({CHANCE} 0.86), intact up to 6 %; Layer 3: ")
    assert told[3].endswith(f"Layer 1: 0.88 ({CHANCE} 0.82), intact up to 25 % *")
    assert CHANCE not in stack(controls=[])["usermeta"]["told"][1]


TWINS = Yardstick(((0.9, 0.8, 0.7, 0.4), (0.9, 0.7, 0.8, 0.6), (0.95, 0.75, float("nan"), 0.5)), 3)


def ranges(spec: Spec, frame: int = 0) -> list[tuple[float, float]]:
    """The ends of the marks of seed twins, in the length of a track, from the first layer to the last."""
    rects = marks(drawn(spec, frame), "rect mark")
    (track,) = {rect.get("d", "").partition("h")[2].partition("v")[0] for rect in rects[:4]}
    found = [rect.get("d", "") for rect in rects if rect.get("stroke") == ALONE_COLOUR]
    starts = [float(shape.removeprefix("M").partition(",")[0]) for shape in found]
    lengths = [float(shape.partition("h")[2].partition("v")[0]) for shape in found]
    return [
        (round(start / float(track), 2), round((start + length) / float(track), 2))
        for start, length in zip(starts, lengths, strict=True)
    ]


def test_seed_twins_are_a_range_below_each_band_that_does_not_move() -> None:
    spec = stack(twins=TWINS)
    assert ranges(spec, 0) == ranges(spec, 3) == [(0.9, 0.95), (0.7, 0.8), (0.7, 0.8), (0.4, 0.6)]
    assert OTHER_SEEDS in words(spec)
    assert spec["title"]["subtitle"] == f"{AS_MUCH}; {FINE_TUNES}; {EMPTIED}"
    assert spec["description"].endswith(spec["title"]["subtitle"])
    assert f"(random removal 0.86, {OTHER_SEEDS} 0.40 to 0.60)" in spec["usermeta"]["told"][1]
    assert labels(marks(drawn(spec, 0), "rect mark")[3])["Fine-tunes of other seeds"] == "0.40 to 0.60"


def test_two_checkpoints_are_a_point_a_layer_and_none_leave_no_trace() -> None:
    pair = Yardstick((TWINS.pairs[0],), 2)
    points = [mark for mark in marks(drawn(stack(twins=pair), 0), "point") if mark.get("fill") == ALONE_COLOUR]
    track = float(marks(drawn(stack(), 0), "rect mark")[0].get("d", "").partition("h")[2].partition("v")[0])
    assert [place(point)[0] / track for point in points] == pytest.approx([0.9, 0.8, 0.7, 0.4])
    assert f", {OTHER_SEEDS} 0.40)" in stack(twins=pair)["usermeta"]["told"][1]
    bare = stack()
    assert ranges(bare) == []
    assert OTHER_SEEDS not in words(bare)
    assert OTHER_SEEDS not in bare["description"] + bare["usermeta"]["told"][1]


def test_names_below_the_first_layer_do_not_meet() -> None:
    texts = marks(drawn(stack(twins=TWINS), 0), "text mark")
    (seeds, *_), (floor, *_) = (
        [place(text)[1] for text in texts if text.text == name] for name in (OTHER_SEEDS, FLOOR)
    )
    assert floor - seeds >= 13, "a line lower"
