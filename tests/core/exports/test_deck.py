"""The story to take along: slides that are read from the last row, their PDF and their pictures."""

import io
import json
from itertools import chain
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from PIL import Image
from pypdf import PdfReader

from core.charts.story import Step, story
from core.charts.theme import THEMES, ThemeName
from core.charts.view import frame_of
from core.exports.deck import deck_of
from core.exports.figure import SLIDE, width_of
from core.exports.player_page import story_page
from core.renderer import draw, drawn_frames
from tests.builders import make_result
from tests.core.findings import made
from tests.core.findings.made import SEEDS, network
from tests.studies import make_study, with_sizes

SVG = "{http://www.w3.org/2000/svg}"
TITLE = "<b>My</b> talk & yours"
HALVES = [made.half("layers:0-1", 0.5), made.half("layers:2-3", 0.1)]
WHOLE = make_result(num_layers=4, amounts=(0.0, 0.2, 0.6))
STORIES = {
    "all but chance": story(WHOLE, "mean", [], HALVES, with_sizes(make_study()), None),
    "chance": story(network(), "mean", SEEDS, [], None, None),
    "twelve layers": story(make_result(num_layers=12, points="layer"), "mean", [], [], None, None),
}


def words(svg: str) -> str:
    """All that a slide says, with one space between words, however they were broken."""
    root = ElementTree.fromstring(svg)
    return " ".join(" ".join(" ".join(text.itertext()) for text in root.iter(f"{SVG}text")).split())


@pytest.mark.parametrize(
    ("steps", "theme"), zip(STORIES.values(), ("light", "dark", "light"), strict=True), ids=STORIES
)
def test_each_scene_is_a_slide_that_is_read_from_the_last_row(steps: tuple[Step, ...], theme: ThemeName) -> None:
    deck, shown = deck_of(steps, TITLE, theme), [step for step in steps if step.scene or step.name == "similar"]
    svgs = list(drawn_frames(deck, range(len(deck["slides"]))))
    lines = [line for slide in deck["slides"] for line in (*slide["words"], *chain(*slide["readouts"]))]
    assert all(width_of(line["bold"] + line["text"], line["size"]) <= SLIDE[0] - 60 for line in lines), "none is cut"
    for step, svg in zip(shown, svgs, strict=True):
        said = words(svg)
        assert all(" ".join(text.split()) in said for text in (step.said.heading, *step.said.sentences))
        if step.scene and step.start is not None:
            assert step.scene.frames[frame_of(step.scene.amounts, step.start)]["name"] in said
        seen = [text for text in ElementTree.fromstring(svg).iter(f"{SVG}text") if text.get("opacity") != "0"]
        sizes = [float(text.get("font-size", "24").removesuffix("px")) for text in seen]
        assert min(sizes) * 7.5 * 72 / SLIDE[1] >= 18, "in points"
        assert THEMES[theme].background in svg
    first = words(svgs[0])
    caption = next(step.scene.caption for step in steps if step.scene)
    for text in (TITLE, *caption, "similarity 0.08", "Rotation is ignored; small shifts cost a little."):
        assert text in first
    assert sum(circle in svgs[0] for circle in ("#d9670f", "#2584cf")) == 2


def test_one_page_holds_all_scenes_with_their_notes_and_no_name_breaks_out() -> None:
    steps, result = STORIES["all but chance"], WHOLE.model_copy(update={"key": "k" * 64})
    page = story_page(steps, result, "</script><script>alert(1)</script>", "dark")
    (line,) = (line for line in page.splitlines() if line.startswith("mountStory(document"))
    data = json.loads(line.removeprefix('mountStory(document.querySelector("main"), ').partition(");</script>")[0])
    assert (data["key"], [step["name"] for step in data["steps"]]) == (result.key, [step.name for step in steps])
    for told, step in zip(data["steps"], steps, strict=True):
        assert (tuple(told["notes"]), bool(told["player"])) == (step.notes, bool(step.scene))
        assert set(told["player"]["views"] if told["player"] else ()) == set(step.scene.views if step.scene else ())
    assert "alert(1)</script>" not in page
    assert page.count("</script>") == 2
    assert "default-src 'none'" in page
    assert len(page.encode()) < 2e6


def test_its_pages_are_one_pdf_and_its_pictures_one_zip() -> None:
    order = {"figure": deck_of(STORIES["chance"], TITLE), "frames": [0, 1, 2], "milliseconds": 500}
    pages = PdfReader(io.BytesIO(draw({**order, "format": "pdf"}))).pages
    assert [page.mediabox.width / page.mediabox.height for page in pages] == pytest.approx([16 / 9] * 3)
    assert ["My" in page.extract_text() for page in pages] == [True, False, False]
    with ZipFile(io.BytesIO(draw({**order, "format": "zip"}))) as archive:
        assert archive.namelist() == ["1.png", "2.png", "3.png"]
        assert {Image.open(archive.open(name)).size for name in archive.namelist()} == {(1920, 1080)}
