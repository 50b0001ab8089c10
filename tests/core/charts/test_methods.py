"""The picture on the Methods page: its numbers are CKA, its drawing is well-formed and says what it shows."""

import re
from xml.etree import ElementTree

import pytest
import torch

from core.charts.methods import MAGMA, SCENES, UNPRUNED, cka, magma, picture
from core.similarity.cka import cka as engine_cka
from core.similarity.cka import compare, prepare, u_centred_gram


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.title)
def test_the_numbers_in_the_picture_are_those_of_the_engine(scene: object) -> None:
    grams = [prepare([u_centred_gram(torch.tensor(points)[None])]) for points in (UNPRUNED, scene.points)]  # type: ignore[attr-defined]
    value = cka(UNPRUNED, scene.points)  # type: ignore[attr-defined]
    assert value == pytest.approx(float(engine_cka(compare(*grams))[0, 0]))
    assert f">{value:.2f}</text>" in picture()


def test_the_scenes_tell_the_story() -> None:
    values = [cka(UNPRUNED, scene.points) for scene in SCENES]
    assert values[0] == pytest.approx(1)
    assert 0.85 < values[1] < 0.99
    assert 0 < values[2] < 0.4


def test_the_drawing_is_well_formed_and_inherits_the_text_colour() -> None:
    tree = ElementTree.fromstring(picture())
    drawings = list(tree)
    assert all(drawing.attrib["aria-label"] for drawing in drawings)
    assert {drawing.attrib["fill"] for drawing in drawings} == {"currentColor"}
    own = [text for text in tree.iter("text") if "fill" in text.attrib]
    assert {text.attrib["fill"] for text in own} <= {"black", "white"}, "on a coloured ground only"


def test_magma_runs_through_its_stops() -> None:
    for k, colour in enumerate(MAGMA):
        assert magma(k / 10) == f"#{colour}"
    assert magma(-0.4) == magma(0)
    assert magma(1.2) == magma(1)
    assert re.fullmatch(r"#[0-9a-f]{6}", magma(0.33))
