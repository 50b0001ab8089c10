"""The explanation on the Methods page: its numbers are the engine's, and the pictures show them."""

import re

import numpy as np
import pytest
import torch

from core.charts.grammar import OUTLINE_COLOUR
from core.charts.methods import LAYER, SCENES, UNPRUNED, cka, explanation_views, similarities
from core.similarity.cka import cka as engine_cka
from core.similarity.gram import compare, prepare, u_centred_gram
from tests.pictures import drawn, labels, marks


@pytest.mark.parametrize("name", SCENES)
def test_the_number_in_a_scene_and_its_alternative_text_are_the_engine_s(name: str) -> None:
    grams = [prepare([u_centred_gram(torch.tensor(points)[None])]) for points in (UNPRUNED, SCENES[name].points)]
    value = float(engine_cka(compare(*grams))[0, 0])
    view = explanation_views()[name]
    assert [row["value"] for row in view.datasets["cka"]] == pytest.approx([value], abs=1e-6)
    texts = [text.text for text in marks(drawn(view.spec, 0), "text mark")]
    assert f"{value:.2f}" in texts
    assert re.findall(r"\d\.\d\d", view.description or "") == [f"{value:.2f}"]


def test_the_scenes_show_what_they_explain() -> None:
    values = [cka(UNPRUNED, scene.points) for scene in SCENES.values()]
    assert values[0] == pytest.approx(1)
    assert 0.85 < values[1] < 0.99
    assert 0 < values[2] < 0.4


@pytest.mark.parametrize(("name", "grouped"), [("unpruned", True), ("little", True), ("lot", False)])
def test_the_words_about_the_two_groups_are_true(name: str, grouped: bool) -> None:
    values = similarities(SCENES[name].points)  # (6, 6)
    np.fill_diagonal(values, np.nan)
    first, second = np.nanmean(values[:, :3], axis=1), np.nanmean(values[:, 3:], axis=1)  # (6,), with either group
    assert ((first > second).tolist() == [True] * 3 + [False] * 3) == grouped


def test_a_table_is_fuller_where_two_sentences_are_more_alike() -> None:
    view = explanation_views()["lot"]
    values = similarities(SCENES["lot"].points)
    cells = {
        (labels(rect)["first"], labels(rect)["second"]): float(rect.get("fill-opacity", "nan"))
        for rect in marks(drawn(view.spec, 0), "rect mark")
        if "first" in labels(rect)
    }
    assert len(cells) == 36
    for (first, second), opacity in cells.items():
        value = values["ABCDEF".index(first), "ABCDEF".index(second)]
        assert opacity == pytest.approx(max(value / values.max(), 0), abs=1e-5)


def test_the_outlined_cell_of_the_example_is_the_scene_that_is_pruned_a_little() -> None:
    view = explanation_views()["example"]
    value = cka(UNPRUNED, SCENES["little"].points)
    rects = marks(drawn(view.spec, 0), "rect mark")
    (outlined,) = [rect for rect in rects if rect.get("stroke") == OUTLINE_COLOUR]
    assert set(re.findall(r": (\d)\b", outlined.get("aria-label", ""))) == {str(LAYER)}
    assert [row["value"] for row in view.datasets["cells"] if row["baseline"] == row["pruned"] == LAYER] == [
        pytest.approx(value, abs=1e-6)
    ]
    assert all(0 <= row["value"] <= 1 for row in view.datasets["cells"])
    assert f"{value:.2f}" in (view.description or "")
