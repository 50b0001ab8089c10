"""Pictures of examples and of a typed sentence: what is drawn where, in which colour, under the moving frame."""

from itertools import pairwise
from typing import Any

import pytest
import vl_convert

from core.charts.sentences import TOOLTIP_MAX_CHARS, flip_scene, probability_scene
from core.charts.view import View
from core.findings.sentences import examples_of
from core.results.prediction import Prediction
from tests.core.findings.test_sentences import made
from tests.pictures import at_frame, drawn, marks

PREDICTION = Prediction((0.0, 0.5, 0.9), ("not_good", "good"), ((0.1, 0.9), (0.4, 0.6), (0.7, 0.3)), 5, 0)


def rows(view: View, name: str) -> list[dict[str, Any]]:
    return view.datasets[name]


def test_cells_cover_every_example_and_amount_once() -> None:
    result = made()
    cells = rows(flip_scene(result, examples_of(result)).views["strip"], "cells")
    tops = sorted({cell["top"] for cell in cells})
    assert len(tops) == 5
    for top in tops:
        stretch = sorted((cell["left"], cell["end"]) for cell in cells if cell["top"] == top)
        assert stretch[0][0] == -0.05, "nobody removes less than nothing"
        assert stretch[-1][1] == 1.0, "nor more than all"
        assert all(a[1] == b[0] for a, b in pairwise(stretch))


def test_a_cell_tells_right_from_wrong_and_what_is_said() -> None:
    result = made()
    cells = rows(flip_scene(result, examples_of(result)).views["strip"], "cells")
    away = [cell for cell in cells if cell["name"] == "Row 10"]
    assert [(cell["now"], cell["predicted"], cell["amounts"]) for cell in away] == [
        ("correct", "positive", "0 to 30 %"),
        ("incorrect", "negative", "60 to 90 %"),
    ]
    assert away[0]["end"] == away[1]["left"] == pytest.approx(0.45), "half way between the two amounts"


def test_bars_count_first_flips_by_what_they_become() -> None:
    result = made()
    bars = rows(flip_scene(result, examples_of(result)).views["flips"], "bars")
    counts = {(bar["amount"], bar["now"]): bar["words"] for bar in bars if bar["words"] != "0"}
    assert counts == {("30 %", "incorrect"): "1", ("60 %", "incorrect"): "1", ("90 %", "correct"): "1"}
    assert all(bar["high"] - bar["low"] == int(bar["words"]) for bar in bars)


def test_frames_say_how_many_are_right_and_how_many_have_changed() -> None:
    result = made()
    frames = flip_scene(result, examples_of(result)).frames
    assert [frame["detail"] for frame in frames] == [
        "3 of 5 correct · 0 predictions changed",
        "2 of 5 correct · 1 prediction changed",
        "2 of 5 correct · 1 prediction changed",
        "2 of 5 correct · 3 predictions changed",
    ]


def test_long_texts_are_cut_under_the_mouse() -> None:
    result = made()
    examples = [example.__class__(0, 1, (1, 1, 1, 1), ("x" * 500, "y")) for example in examples_of(result)]
    (text,) = {cell["text"] for cell in rows(flip_scene(result, examples).views["strip"], "cells")}
    assert len(text) == TOOLTIP_MAX_CHARS
    assert text.endswith("…")


def test_probabilities_are_one_row_a_label_and_amount() -> None:
    view = probability_scene(PREDICTION, made()).views["probabilities"]
    assert [(row["k"], row["label"], row["probability"]) for row in rows(view, "labels")] == [
        (0, "not good", 0.1),
        (0, "good", 0.9),
        (1, "not good", 0.4),
        (1, "good", 0.6),
        (2, "not good", 0.7),
        (2, "good", 0.3),
    ]
    assert probability_scene(PREDICTION, made()).frames[1]["detail"] == "not good 0.40 · good 0.60"


def test_of_many_labels_the_likeliest_are_drawn_and_each_looks_different() -> None:
    labels = tuple(f"label_{k}" for k in range(8))
    courses = ((0.11, 0.12, 0.13, 0.14, 0.15, 0.16, 0.09, 0.1), (*[0.09] * 7, 0.1))
    prediction = Prediction((0.0, 0.5), labels, courses, 5, 0)
    scene = probability_scene(prediction, made())
    assert scene.title.startswith("Probability of the 6 likeliest labels under ")
    spec = scene.views["probabilities"].spec
    shown = [f"label {k}" for k in (1, 2, 3, 4, 5, 7)]  # the last one is predicted at the end
    assert list(dict.fromkeys(row["label"] for row in spec["datasets"]["labels"])) == shown
    lines = [mark for mark in marks(drawn(spec, 0), "line mark") if mark.get("fill") != "none" or mark.get("stroke")]
    assert len({(line.get("stroke"), line.get("stroke-dasharray")) for line in lines}) == len(shown)


@pytest.mark.parametrize("frame", [0, 2])
def test_vega_draws_them_all_without_a_warning(frame: int, capfd: pytest.CaptureFixture[str]) -> None:
    result = made()
    for view in (
        *flip_scene(result, examples_of(result)).views.values(),
        *probability_scene(PREDICTION, made()).views.values(),
    ):
        spec = {**at_frame(view.spec, frame), "width": 300, "height": 120}
        assert "<svg" in vl_convert.vegalite_to_svg(spec)
    assert "WARN" not in capfd.readouterr().err
