"""The three steps that explain similarity: their numbers are the engine's, and the sentences end where these say."""

import re

import pytest
import torch

from core.charts.methods import SCENES, SENTENCES, UNPRUNED
from core.charts.steps import HEIGHT, RADIUS, SCALE, STEPS, WIDTH, steps_html
from core.similarity.cka import cka as engine_cka
from core.similarity.gram import compare, prepare, u_centred_gram

FIGURES = re.findall(r"<figure.*?</figure>", steps_html(), re.DOTALL)
DOT = re.compile(r"--x: (\S+)px; --y: (\S+)px; --to-x: (\S+)px; --to-y: (\S+)px.*?>(\w)</text>")


def dots(figure: str) -> dict[str, list[float]]:
    """Of every sentence, where it starts and ends: x and y, x and y."""
    return {name: [float(number) for number in numbers] for *numbers, name in DOT.findall(figure)}


@pytest.mark.parametrize(("figure", "step"), zip(FIGURES, STEPS, strict=True), ids=[step.scene for step in STEPS])
def test_the_number_of_a_step_is_the_engine_s_for_where_its_sentences_end(figure: str, step: object) -> None:
    ends = torch.tensor([[(x - WIDTH / 2) / SCALE, (HEIGHT / 2 - y) / SCALE] for _, _, x, y in dots(figure).values()])
    grams = [prepare([u_centred_gram(points.double()[None])]) for points in (torch.tensor(UNPRUNED), ends)]
    value = float(engine_cka(compare(*grams))[0, 0])
    shown = [float(number) for number in re.findall(r"\b\d\.\d\d\b", figure)]
    assert len(shown) == 3, "in the alternative text, beside the bar and in its length"
    assert shown == pytest.approx([value] * 3, abs=0.006)


def test_all_sentences_start_where_the_unpruned_layer_has_them() -> None:
    starts = [{name: place[:2] for name, place in dots(figure).items()} for figure in FIGURES]
    assert starts[0] == starts[1] == starts[2]
    assert list(starts[0]) == list(SENTENCES)
    assert all(place[:2] == place[2:] for place in dots(FIGURES[0]).values()), "in the first step nothing moves"


def test_no_sentence_leaves_the_drawing() -> None:
    for figure in FIGURES:
        for x, y in (place[k : k + 2] for place in dots(figure).values() for k in (0, 2)):
            assert RADIUS <= x <= WIDTH - RADIUS
            assert RADIUS <= y <= HEIGHT - RADIUS


def test_every_scene_of_the_methods_page_is_a_step() -> None:
    assert [step.scene for step in STEPS] == list(SCENES)
