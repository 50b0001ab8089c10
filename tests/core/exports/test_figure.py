"""Figures of every page, light and dark."""

import re
from itertools import cycle
from xml.etree import ElementTree

import pytest
import vl_convert

from core.charts.layers import layer_scene
from core.charts.result import STAGE, result_scene
from core.charts.theme import THEMES, TYPEFACE, ThemeName
from core.charts.view import Scene
from core.exports.figure import SLIDE, broken, figure_of, width_of
from core.findings.words.numbers import unbroken
from core.renderer import drawn_frames
from tests.builders import make_result
from tests.scenes import SCENES

SIZE = re.compile(r"[\d.]+")
SVG = "{http://www.w3.org/2000/svg}"
MIDDLE = 1
DEEP, LARGE = (
    make_result(num_layers=count, points="layer", amounts=(0.0, 0.5)) for count in (12, 24)
)
TWELVE = result_scene(DEEP, "mean", STAGE)  # the lowest bars
MANY = [result_scene(LARGE, "mean"), layer_scene(LARGE, "mean", "3")]
TEXT = "Random pruning, matched to magnitude (seed 2), beside WANDA: 48 % of weights removed"


def svg_of(scene: Scene, frame: int = MIDDLE, theme: ThemeName = "light") -> ElementTree.Element:
    return ElementTree.fromstring(next(drawn_frames(figure_of(scene, theme=theme), [frame])))


def texts(picture: ElementTree.Element) -> list[str]:
    """Returns all lines, with single spaces between words."""
    return [
        " ".join(" ".join(element.itertext()).split()) for element in picture.iter(f"{SVG}text")
    ]


@pytest.mark.parametrize(
    ("scene", "theme"),
    zip(SCENES.values(), cycle(THEMES), strict=False),
    ids=SCENES,
)
def test_a_figure_has_the_pictures_words_and_colours_of_the_page(
    scene: Scene, theme: ThemeName
) -> None:
    figure = figure_of(scene)
    views = [scene.views[name] for name in scene.layout.on_slide.boxes(scene.views, *SLIDE)]
    data = [part["spec"]["datasets"] for part in figure["parts"]]
    assert data == [view.datasets for view in views]
    for part in figure["parts"]:
        assert 0 <= part["x"] <= figure["width"] - part["spec"]["width"]
        assert 0 <= part["y"] <= figure["height"] - part["spec"]["height"]
    assert (figure["width"], figure["height"]) == SLIDE
    picture = svg_of(scene, theme=theme)
    frame = scene.frames[MIDDLE]
    together = " ".join(texts(picture))
    for words in (
        scene.title,
        *scene.caption,
        f"{frame['name']} {frame['detail']}",
        *(view.heading for view in views),
    ):
        assert " ".join(words.split()) in together
    colours = (
        picture.find(f"{SVG}rect").get("fill"),
        next(picture.iter(f"{SVG}text")).get("fill"),
    )
    assert colours == (THEMES[theme].background, THEMES[theme].text)


@pytest.mark.parametrize("scene", [*SCENES.values(), TWELVE, *MANY])
def test_a_slide_is_read_from_the_last_row(scene: Scene) -> None:
    svg = svg_of(scene, len(scene.frames) // 2)
    footer = unbroken(" · ".join(scene.caption))
    shown = [text for text in svg.iter(f"{SVG}text") if text.get("opacity") != "0"]
    visible = [text.get("font-size", "") for text in shown if "".join(text.itertext()) != footer]
    assert len(visible) == len(shown) - 1, "the footer, on one line, may be smaller"
    assert (
        min(float(size) for text in visible for size in SIZE.findall(text)[:1])
        * 7.5
        * 72
        / SLIDE[1]
        >= 18
    ), "in points"
    assert scene is not TWELVE or sum(text.startswith("Layer ") for text in texts(svg)) == 12, (
        "all layers are labelled"
    )
    assert len({part["x"] for part in figure_of(scene)["parts"]}) <= 2, (
        "more are too narrow for such letters"
    )


def test_names_inside_pictures_are_unique() -> None:
    picture = svg_of(SCENES["compare"])
    names = [element.get("id") for element in picture.iter() if element.get("id")]
    assert 0 < len(names) == len(set(names)), "colour bars of two kinds stand in one figure"


def test_a_title_may_be_typed_and_long_and_is_text() -> None:
    typed = SCENES["layers"]._replace(title="<b>Pruning & its </b> consequences, " * 12)
    places = [float(y) for y in re.findall(r' y="([\d.]+)"', figure_of(typed)["words"])]
    assert [y < 110 for y in places[:3]] == [True, True, False], "two lines, then caption"
    lines = texts(svg_of(typed))
    assert (lines[0].startswith("<b>Pruning & its </b>"), lines[1][-1]) == (
        True,
        "…",
    )
    long = SCENES["lab"]._replace(frames=[{"amount": 0.0, "name": "A", "detail": TEXT * 3}])
    word = "x" * 100
    assert figure_of(long)["readouts"][0].count("<text ") > 2, (
        "a readout that is too long has lines of its own"
    )
    assert broken(word, 260, 20) == [f"{word[:20]}…"]


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "illicit little title",
        "MAMMOTH WORDS",
        "In these the upper layers change first",
    ],
)
def test_a_text_is_about_as_wide_as_it_is_drawn_and_broken_lines_fit(
    text: str,
) -> None:
    mark = {
        "text": {"value": text},
        "fontSize": {"value": 20},
        "fontWeight": {"value": "bold"},
    }
    marks = [
        {
            "type": "text",
            "encode": {"enter": {**mark, "font": {"value": TYPEFACE}}},
        }
    ]
    spec = {
        "$schema": "https://vega.github.io/schema/vega/v6.json",
        "width": 1,
        "height": 1,
        "marks": marks,
    }
    assert width_of(text, 20) == pytest.approx(
        vl_convert.vega_to_scenegraph(spec)["width"], rel=0.09
    )
    assert " ".join(broken(text, 260, 20)) == unbroken(text)
    assert all(
        width_of(line, 20) <= 260
        for line in (*broken(text, 260, 20), *broken(text, 260, 20, most=2))
    )
