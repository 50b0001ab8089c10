"""The drawings that explain similarity on the Overview and on Methods: their numbers are the engine's."""

import re
from xml.etree import ElementTree

import pytest
import torch

from core.request.catalog import ROOT
from core.similarity.cka import cka
from core.similarity.gram import compare, prepare, u_centred_gram

STEPS, PARTS = (
    list(ElementTree.fromstring((ROOT / "core" / "charts" / name).read_text("utf-8")))
    for name in ("steps.html", "methods.html")
)
SIZE, RADIUS = (220, 128), 11  # of a step and of a dot, in pixels
DOT = re.compile(r"--x: (\S+)px; --y: (\S+)px; --to-x: (\S+)px; --to-y: (\S+)px.*?>(\w)<", re.DOTALL)


def dots(step: ElementTree.Element) -> dict[str, list[float]]:
    """Of every sentence, where it starts and ends: x and y, x and y."""
    return {
        name: [float(number) for number in numbers]
        for *numbers, name in DOT.findall(ElementTree.tostring(step, "unicode"))
    }


def numbers(part: ElementTree.Element) -> list[str]:
    return re.findall(r"\b\d\.\d\d\b", " ".join([part.get("aria-label", ""), *part.itertext()]))


@pytest.mark.parametrize("k", range(3))
def test_a_step_and_its_part_on_methods_show_the_number_of_where_the_sentences_end(k: int) -> None:
    placed = dots(STEPS[k])
    grams = [
        prepare([u_centred_gram(torch.tensor([place[first : first + 2] for place in placed.values()]).double()[None])])
        for first in (0, 2)
    ]
    shown = [*numbers(STEPS[k]), *numbers(PARTS[k])]
    assert len(shown) >= 3
    assert [float(number) for number in shown] == pytest.approx(
        [float(cka(compare(*grams))[0, 0])] * len(shown), abs=0.006
    )


def test_six_sentences_start_where_the_unpruned_layer_has_them_and_none_leaves_the_drawing() -> None:
    placed = [dots(step) for step in STEPS[:3]]
    assert [{name: place[:2] for name, place in one.items()} for one in placed] == [
        {name: place[2:] for name, place in placed[0].items()}
    ] * 3
    assert list(placed[0]) == list("ABCDEF")
    for x, y in (place[first : first + 2] for one in placed for place in one.values() for first in (0, 2)):
        assert RADIUS <= x <= SIZE[0] - RADIUS
        assert RADIUS <= y <= SIZE[1] - RADIUS


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.get("class"))
def test_text_has_the_colour_of_the_page_except_on_a_mark(part: ElementTree.Element) -> None:
    groups = [group for group in part.iter() if re.search(r"mark-text role-(?!mark)", group.get("class", ""))]
    assert groups
    assert {text.get("fill") for group in groups for text in group} == {"currentColor"}
