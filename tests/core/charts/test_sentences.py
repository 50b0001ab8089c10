"""Pictures of examples and of a typed sentence: what is drawn where, in which colour, under the moving frame."""

from itertools import pairwise

import pytest

from core.charts.grammar import Rows
from core.charts.sentences import TOOLTIP_MAX_CHARS, flip_scene, probability_scene
from core.findings.sentences import examples_of
from core.results.prediction import Prediction
from tests.core.findings.made import flipping
from tests.pictures import drawn, marks

PREDICTION = Prediction((0.0, 0.5, 0.9), ("not_good", "good"), ((0.1, 0.9), (0.4, 0.6), (0.7, 0.3)), 5, 0)
RESULT = flipping()
SCENE = flip_scene(RESULT, examples_of(RESULT))
CELLS: Rows = SCENE.views["strip"].datasets["cells"]


def test_cells_cover_every_example_and_amount_once_and_tell_right_from_wrong() -> None:
    tops = sorted({cell["y"] for cell in CELLS})
    assert len(tops) == 5
    for top in tops:
        stretch = sorted((cell["x"], cell["x2"]) for cell in CELLS if cell["y"] == top)
        assert [stretch[0][0], *(a[1] - b[0] for a, b in pairwise(stretch)), stretch[-1][1]] == pytest.approx(
            [-0.025, *[0] * (len(stretch) - 1), 0.975]
        )
    away = [cell for cell in CELLS if cell["name"] == "Row 1"]
    assert [(cell["now"], cell["predicted"], cell["amounts"]) for cell in away] == [
        ("correct", "positive", "0 to 30 %"),
        ("incorrect", "negative", "60 to 90 %"),
    ]
    examples = [example.__class__(0, 1, (1,), ("x" * 500, "y")) for example in examples_of(RESULT)]
    alone = flip_scene(RESULT.model_copy(update={"frames": RESULT.frames[:1]}), examples)
    (text,) = {cell["text"] for cell in alone.views["strip"].datasets["cells"]}
    assert (len(text), text[-1]) == (TOOLTIP_MAX_CHARS, "…")


def test_bars_count_first_flips_by_what_they_become() -> None:
    bars = SCENE.views["flips"].datasets["bars"]
    counts = {(bar["amount"], bar["now"]): bar["y2"] - bar["y"] for bar in bars if bar["words"] != "0"}
    assert counts == {("30 %", "incorrect"): 1, ("60 %", "incorrect"): 1, ("90 %", "correct"): 1}
    details = [frame["detail"] for frame in SCENE.frames]
    assert details[0] == "3 of 5 correct · 0 predictions changed"
    assert details[1] == "2 of 5 correct · 1 prediction changed"


def test_probabilities_are_a_row_a_label_and_amount_and_of_many_labels_the_likeliest() -> None:
    scene = probability_scene(PREDICTION, RESULT)
    rows = scene.views["probabilities"].datasets["labels"]
    shown = [(row["label"], row["probability"]) for row in rows if row["k"] == 1]
    assert shown == [("not good", 0.4), ("good", 0.6)]
    assert scene.frames[1]["detail"] == "not good 0.40 · good 0.60"
    courses = ((0.11, 0.12, 0.13, 0.14, 0.15, 0.16, 0.09, 0.1), (*[0.09] * 7, 0.1))
    scene = probability_scene(Prediction((0.0, 0.5), tuple(f"label_{k}" for k in range(8)), courses, 5, 0), RESULT)
    assert scene.title.startswith("Probability of the 6 likeliest labels under ")
    spec, shown = scene.views["probabilities"].spec, [f"label {k}" for k in (1, 2, 3, 4, 5, 7)]
    assert list(dict.fromkeys(row["label"] for row in spec["datasets"]["labels"])) == shown, "one is predicted later"
    lines = [mark for mark in marks(drawn(spec, 0), "line mark") if mark.get("fill") != "none" or mark.get("stroke")]
    assert len({(line.get("stroke"), line.get("stroke-dasharray")) for line in lines}) == len(shown)
