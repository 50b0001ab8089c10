"""Pictures of examples and of a typed sentence: what is drawn where, in which colour."""

import pytest

from core.charts.sentences import TOOLTIP_MAX_CHARS, flip_scene, probability_scene
from core.findings.sentences import examples_of
from core.results.prediction import Prediction
from tests.core.findings.made import flipping
from tests.pictures import drawn, marks

RESULT = flipping()
ROWS = RESULT.task.examples


def test_cells_cover_every_example_and_amount_once() -> None:
    scene = flip_scene(RESULT, examples_of(RESULT))
    cells = scene.views["strip"].datasets["cells"]
    assert len({cell["y"] for cell in cells}) == 5
    assert sum(cell["x2"] - cell["x"] for cell in cells) == pytest.approx(5 * (0.975 + 0.025))
    words = [
        (cell["now"], cell["predicted"], cell["amounts"])
        for cell in cells
        if cell["name"] == f"Row {ROWS[1]}"
    ]
    assert words == [
        ("correct", "positive", "0 % to 30 %"),
        ("incorrect", "negative", "60 % to 90 %"),
    ]
    details = [frame["detail"] for frame in scene.frames[:2]]
    assert details == [
        "3 of 5 correct · 0 predictions changed",
        "2 of 5 correct · 1 prediction changed",
    ]
    examples = [
        example.__class__(
            0,
            1,
            (1,),
            ("x" * 500, "y"),
        )
        for example in examples_of(RESULT)
    ]
    alone = flip_scene(
        RESULT.model_copy(update={"frames": RESULT.frames[:1]}),
        examples,
    )
    (text,) = {cell["text"] for cell in alone.views["strip"].datasets["cells"]}
    assert (len(text), text[-1]) == (TOOLTIP_MAX_CHARS, "…")


def test_probabilities_are_a_row_a_label_and_amount_and_of_many_labels_the_likeliest() -> None:
    scene = probability_scene(
        Prediction(
            (0.0, 0.5),
            ("not_good", "good"),
            ((0.1, 0.9), (0.4, 0.6)),
            5,
            0,
        ),
        RESULT,
    )
    rows = scene.views["probabilities"].datasets["labels"]
    assert [(r["label"], r["value"]) for r in rows if r["k"] == 1] == [
        ("not_good", 0.4),
        ("good", 0.6),
    ]
    assert scene.frames[1]["detail"] == "not_good 0.40 · good 0.60"
    courses = ((0.11, 0.12, 0.13, 0.14, 0.15, 0.16, 0.09, 0.1), (*[0.09] * 7, 0.1))
    scene = probability_scene(
        Prediction(
            (0.0, 0.5),
            tuple(f"label_{k}" for k in range(8)),
            courses,
            5,
            0,
        ),
        RESULT,
    )
    assert scene.title.startswith("Probability of the 6 likeliest labels under ")
    spec = scene.views["probabilities"].spec
    shown = [f"label_{k}" for k in (1, 2, 3, 4, 5, 7)]
    assert list(dict.fromkeys(row["label"] for row in spec["datasets"]["labels"])) == shown, (
        "one is predicted later"
    )
    lines = marks(drawn(spec, 0), "line mark")
    assert len({(line.get("stroke"), line.get("stroke-dasharray")) for line in lines}) == len(shown)
