"""The picture that comes with the code is the one that the code draws, and suits any page."""

import re
from xml.etree import ElementTree

import pytest

from core.charts.methods import SCENES
from core.illustrate import PICTURE, picture

CSS = PICTURE.with_suffix(".css").read_text("utf-8")
SVG = "{http://www.w3.org/2000/svg}"
PARTS = {part.get("class", "").split()[1]: part for part in ElementTree.fromstring(PICTURE.read_text("utf-8"))}


def test_the_shipped_picture_is_up_to_date() -> None:
    assert PICTURE.read_text("utf-8") == picture(), "draw it again: python -m core.illustrate"


@pytest.mark.parametrize("name", PARTS)
def test_no_part_is_larger_than_its_box_on_the_page(name: str) -> None:
    (box,) = re.findall(r"\.picture {.*?aspect-ratio: (\d+) / (\d+);", CSS, re.DOTALL)
    (share,) = re.findall(r"\.example svg {\s*width: (\d+)%;", CSS)
    width, height = size(name)
    assert height / width * (int(share) / 100 if name == "example" else 1) <= float(box[1]) / float(box[0])


def test_text_has_one_size_in_all_parts() -> None:
    (share,) = re.findall(r"\.example svg {\s*width: (\d+)%;", CSS)
    (width,) = {size(name)[0] for name in SCENES}
    assert size("example")[0] / width == pytest.approx(int(share) / 100, abs=0.01)


@pytest.mark.parametrize("name", PARTS)
def test_text_has_the_colour_of_the_page_except_on_a_mark(name: str) -> None:
    classes = {group: group.get("class", "") for group in PARTS[name].iter(f"{SVG}g")}
    groups = [
        group for group, names in classes.items() if names.startswith("mark-text role-") and "-mark " not in names
    ]
    assert {"title-text", "title-subtitle", "axis-label"} <= {classes[group].partition("role-")[2] for group in groups}
    assert {text.get("fill") for group in groups for text in group} == {"currentColor"}
    arrows = [text for text in PARTS[name].iter(f"{SVG}text") if text.text == "→"]
    assert {arrow.get("fill") for arrow in arrows} == ({"currentColor"} if name in SCENES else set())


def size(name: str) -> tuple[float, float]:
    """Width and height of a part in its own pixels."""
    svg = PARTS[name].find(f"{SVG}svg")
    assert svg is not None
    _, _, width, height = map(float, svg.get("viewBox", "").split())
    return width, height
