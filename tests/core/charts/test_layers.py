"""Layers as a stack, as rows and as a curve: read from the SVG that Vega draws, frame by frame."""

import re

import numpy as np
import pytest

from core.charts.grammar import Spec
from core.charts.layers import BAR, layer_scene
from core.charts.stack import KEY, stack_view
from core.findings.layers import layers_of, own_similarity
from core.findings.words.layers import survival_text
from core.findings.words.numbers import two_places
from core.results.schema import SweepResult
from tests.builders import declining, make_result
from tests.pictures import drawn, labels, marks, specs, texts, tooltips

AMOUNTS = (0.0, 0.25, 0.5, 0.75)
THREE = {"num_layers": 3, "amounts": AMOUNTS}
RESULT = make_result(**THREE, holes=((0.5, 1, 2), (0.75, 2, 2)))
SEEDS = [
    make_result(
        **THREE,
        method="random",
        seed=k,
        own_cka=lambda a, *_: 1 - a,
    )
    for k in range(3)
]


def views(result: SweepResult = RESULT, chosen: str = "2") -> dict[str, Spec]:
    return specs(layer_scene(result, "mean", chosen, SEEDS))


# ---------------------------------------------------------------- rows


def test_a_layers_strip_bar_and_numbers_are_one_row_that_can_be_picked() -> None:
    own = own_similarity(RESULT, "mean")
    floor = np.array(RESULT.floor.cka["mean"])
    cells = tooltips(views()["rows"], 0, "Predictions changed")
    values = np.vstack([own, floor]).T  # (points, frames and everything removed)
    assert [cell["Similarity"].replace("-", "−") for cell in cells] == list(
        map(two_places, values.ravel())
    )
    assert [cell["This layer's weights removed"] for cell in cells[:5]] == [
        "0 %",
        "25 %",
        "50 %",
        "75 %",
        "",
    ]
    datasets = views()["rows"]["datasets"]
    for row, (strip, layer) in enumerate(
        zip(datasets["strips"], layers_of(RESULT, "mean").every, strict=True)
    ):
        lowest = min(
            cell["y"] for cell in datasets["cells"] if cell["pick"] == strip["pick"] == layer.label
        )
        assert row == strip["y"] < row + BAR[1] < lowest < strip["y2"] == row + 1
        assert strip["name"] == f"{layer.title}, intact up to {survival_text(layer)}"


def test_a_bar_is_bright_while_its_layer_has_never_fallen() -> None:
    result = make_result(num_layers=4)
    for frame in (0, 6, 19):
        rects = marks(drawn(views(result)["rows"], frame), "rect mark")
        bright = [
            rect.get("opacity") == "1" for rect in rects if "Stays intact up to" in labels(rect)
        ]
        assert (
            bright
            == (
                own_similarity(
                    result,
                    "mean",
                )[: frame + 1]
                >= 0.9
            )
            .all(axis=0)
            .tolist()
        )


@pytest.mark.parametrize(("layers", "height"), [(12, 130), (12, 100), (24, 120)])
def test_every_layer_has_its_words_in_letters_that_fit_or_none_has(
    layers: int, height: int
) -> None:
    result = make_result(num_layers=layers, own_cka=declining(0.8))
    written = layers * (height / layers > 8)
    picture = {**stack_view(result, "mean").spec, "height": height}
    last = len(result.frames) - 1
    rows = {**views(result)["rows"], "height": height}
    assert sum("%" in text for text in texts(picture, last)) == written
    assert not any(
        "%" in text
        for text in texts(
            picture,
            0,
        )
    ), "nothing tells what comes"
    assert sum("%" in text for text in texts(rows, 0)) == written
    sizes = {
        text.attrib["font-size"]
        for text in marks(
            drawn(picture, 0),
            "text mark",
        )
    }
    assert ("12px" in sizes) == (height == 130), "low rows have smaller letters"
    elements = drawn(picture, 0).iter()
    labels = [
        text
        for text in elements
        if re.fullmatch(
            r"Layer \d+",
            text.text or "",
        )
    ]
    assert 1 < sum(label.get("opacity") == "1" for label in labels) < layers + bool(written)


# ---------------------------------------------------------------- the selected layer


def test_the_curve_is_the_selected_layers_with_its_interval_beside_its_control() -> None:
    spec = views(chosen="1")["curve"]
    own = own_similarity(RESULT, "mean")[:, 0]
    intervals = RESULT.statistics.cka["mean"].own
    for row, value, frame in zip(
        spec["datasets"]["own"],
        own,
        intervals,
        strict=True,
    ):
        shown = (row["value"], row["low"], row["high"])
        assert shown == pytest.approx((value, *frame[0]), abs=1e-6)
    assert [texts(spec, frame)[-1] for frame in range(len(AMOUNTS))] == list(
        map(
            two_places,
            own,
        )
    )
    assert len(spec["datasets"]["seeds"]) == len(SEEDS) * len(AMOUNTS)
    alone = layer_scene(
        RESULT.model_copy(update={"floor": None}),
        "mean",
        "1",
    ).views["curve"]
    key = "dashed: intact from 0.9"
    assert alone.title.endswith(f"\n{key}")
    assert spec["title"][1].startswith(f"{key}; dotted: everything removed; grey: random removal")


# ---------------------------------------------------------------- the stack

CHANGES = (0.0, 0.1, 0.2, 0.3)  # the overall change, for `declining`
FOUR = {"num_layers": 4, "amounts": CHANGES}
METHOD = make_result(**FOUR, own_cka=declining(0.8))


def stack(result: SweepResult = METHOD) -> Spec:
    return {**stack_view(result, "mean").spec, "width": 600, "height": 300}


def spans(spec: Spec, frame: int = 0) -> list[tuple[float, float]]:
    """Where rectangles begin and end, in the length of the first, which is a track."""
    rects = [
        tuple(
            map(
                float,
                re.findall(r"M([\d.]+),[\d.]+h([\d.]+)", rect.get("d", ""))[0],
            )
        )
        for rect in marks(drawn(spec, frame), "rect mark")
    ]
    whole = rects[0][1]
    return [(round(x / whole, 2), round((x + w) / whole, 2)) for x, w in rects]


def test_bands_are_as_long_as_the_layers_own_similarity_beside_what_is_intact_and_the_floor() -> (
    None
):
    for frame, change in enumerate(CHANGES):
        expected = [1 - change * 2 * share for share in (0.2, 0.2, 0.8, 0.8)]
        assert [end for _, end in spans(stack(), frame)[4:]] == pytest.approx(
            expected,
            abs=0.01,
        )
    words = texts(stack(), 1)
    assert {"0.96", "0.84", "intact up to 6 %"} <= set(words)
    assert (
        "intact up to 25 %" in words,
        "intact up to 25 %"
        in texts(
            stack(),
            3,
        ),
    ) == (False, True)
    assert stack()["title"][0].endswith(f"; {KEY}")
    holed = make_result(
        num_layers=3,
        amounts=CHANGES,
        own_cka=lambda a, point, _: None if point == 1 and a else 0.95,
    )
    assert [len(spans(stack(holed), frame)) - 3 for frame in (0, 1)] == [3, 2], (
        "grey where it is undefined"
    )
    assert KEY not in stack(holed.model_copy(update={"floor": None}))["title"][0]
