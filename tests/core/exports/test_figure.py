"""Figures: what a page shows, in one picture of fixed size. Of every page, light and dark, in both sizes."""

import io
from collections import Counter
from dataclasses import replace
from itertools import cycle
from xml.etree import ElementTree

import pytest
import vl_convert
from PIL import Image

from core import renderer
from core.charts.grammar import Spec
from core.charts.overview import result_scene
from core.charts.theme import THEMES, ThemeName
from core.charts.view import Scene
from core.exports.drawing import draw
from core.exports.figure import SLIDE, Size, figure_of
from core.renderer import Canvas
from tests.builders import make_result
from tests.pictures import at_frame
from tests.scenes import RESULT, SCENES

SVG = "{http://www.w3.org/2000/svg}"
SIZES: tuple[Size, ...] = ("slide", "page")
MIDDLE = 1

every_page = pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)


def svg_of(scene: Scene, frame: int = MIDDLE, size: Size = "slide", theme: ThemeName = "light") -> ElementTree.Element:
    return ElementTree.fromstring(Canvas(figure_of(scene, size, theme).plain()).svg(frame))


def texts(picture: ElementTree.Element) -> list[str]:
    """All lines, each with one space between words, however they were broken."""
    return [" ".join(" ".join(element.itertext()).split()) for element in picture.iter(f"{SVG}text")]


def told(spec: Spec, frame: int) -> Counter[str]:
    """What the marks of a picture stand for at a frame: Vega writes it for screen readers."""
    config = {**spec["config"], "aria": True}
    picture = ElementTree.fromstring(vl_convert.vegalite_to_svg(at_frame({**spec, "config": config}, frame)))
    kinds = ("axis", "legend", "legend-symbol", "title", "title text")
    marks = [element for element in picture.iter() if element.get("aria-roledescription") not in (None, *kinds)]
    return Counter(mark.get("aria-label", "") for mark in marks)


@every_page
def test_a_figure_has_the_pictures_of_the_page_with_their_data_within_its_size(scene: Scene) -> None:
    on_page = {name: told(view.spec, MIDDLE) for name, view in scene.views.items()}
    for size in SIZES:
        figure = figure_of(scene, size)
        assert [part.name for part in figure.parts] == list(scene.views)
        for part, (name, view) in zip(figure.parts, scene.views.items(), strict=True):
            assert part.spec["datasets"] == dict(view.datasets)
            assert told(part.spec, MIDDLE) == on_page[name], f"the values of {name} at that amount"
            assert 0 <= part.x <= figure.width - part.spec["width"]
            assert 0 <= part.y <= figure.height - part.spec["height"]
        fills_screen = scene.layout.height(scene.views) is None
        assert figure.width == (SLIDE[0] if fills_screen or size == "slide" else 1240)
        assert figure.height == SLIDE[1] or (size == "page" and not fills_screen)
        assert figure.width % 4 == figure.height % 4 == 0, "a film needs an even number of pixels"


@pytest.mark.parametrize(("scene", "theme"), zip(SCENES.values(), cycle(THEMES), strict=False), ids=SCENES)
def test_it_says_what_the_page_says_in_the_colours_of_the_theme(scene: Scene, theme: ThemeName) -> None:
    picture, frame = svg_of(scene, theme=theme), scene.frames[MIDDLE]
    together = " ".join(texts(picture))
    headings = (view.heading for view in scene.views.values())
    for words in (scene.title, *scene.caption, f"{frame['name']} {frame['detail']}", *headings):
        assert " ".join(words.split()) in together
    assert picture.find(f"{SVG}rect").get("fill") == THEMES[theme].background
    assert next(picture.iter(f"{SVG}text")).get("fill") == THEMES[theme].text


def test_the_numbers_in_the_cells_are_those_of_the_amount() -> None:
    for k, frame in enumerate(RESULT.frames):
        values = [f"{value:.2f}" for row in frame.similarity["cka"]["mean"] for value in row if value is not None]
        assert Counter(values) <= Counter(texts(svg_of(SCENES["lab"], k)))


def test_pictures_keep_their_own_gradients_and_nothing_moves_but_what_changes() -> None:
    first, last = (svg_of(SCENES["compare"], k) for k in (0, 2))
    names = [element.get("id") for element in first.iter() if element.get("id")]
    assert 0 < len(names) == len(set(names)), "colour bars of two kinds stand in one figure"
    places = [[(part.get("x"), part.get("y")) for part in one.iter(f"{SVG}svg")] for one in (first, last)]
    assert places[0] == places[1]
    assert first.get("viewBox") == last.get("viewBox") == "0 0 1280 720"


def test_a_title_may_be_typed_and_long_and_is_text() -> None:
    typed = replace(SCENES["layers"], title="<b>Pruning & its </b> consequences, " * 12)
    assert [line.y < 100 for line in figure_of(typed).words[:3]] == [True, True, False], "two lines, then the caption"
    nearly, caption = figure_of(replace(SCENES["layers"], title="x" * 80)).words[:2]
    assert (nearly.size < 28, caption.y > 600) == (True, True), "somewhat smaller letters rather than a word on a line"
    said = texts(svg_of(typed))
    assert said[0].startswith("<b>Pruning & its </b>")
    assert said[1].endswith("…")


@pytest.mark.parametrize(("layers", "points", "shown"), [(6, "attention", 1), (24, "both", 0)])
def test_numbers_are_left_out_where_cells_are_too_small(layers: int, points: str, shown: int) -> None:
    result = make_result(num_layers=layers, amounts=(0.0,), points=points)
    heatmap, *_ = figure_of(result_scene(result, "mean")).parts
    assert heatmap.spec["config"]["style"]["number"]["opacity"] == shown


@pytest.mark.parametrize(("kind", "begins"), [("svg", b"<svg"), ("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_every_kind_of_still_is_drawn_in_a_process_of_its_own(kind, begins) -> None:
    figure = figure_of(SCENES["sentences"], theme="dark")
    content = draw(figure, kind, [MIDDLE])
    assert content.startswith(begins)
    here = renderer.draw({"figure": figure.plain(), "format": kind, "frames": [MIDDLE]})
    if kind != "pdf":  # whose date is that of the drawing
        assert content == here
    if kind == "png":
        assert Image.open(io.BytesIO(content)).size == (1920, 1080), "full HD"
