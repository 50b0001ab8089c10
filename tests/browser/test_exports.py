"""Every download of a result on show is made in a real browser and opened again."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from core.exports.notebook import NotebookResult
from core.results.store import load
from tests.browser import look
from tests.browser.conftest import Keep
from tests.builders import make_result

RESULT, OTHER = (make_result(num_layers=count, amounts=(0.0, 0.25, 0.5)) for count in (3, 2))

SIZES = "svgs => svgs.map((svg) => [svg.getAttribute('width'), svg.getAttribute('height')])"
HIDDEN = "document.documentElement.scrollHeight - document.documentElement.clientHeight"


@contextmanager
def opened_alone(chromium: Browser, saved: Path) -> Iterator[Page]:
    """Open a file in a talk's window without a network.

    Check that it reads nothing else and has no errors.
    """
    with chromium.new_context(
        offline=True,
        reduced_motion="reduce",
        viewport={"width": 1280, "height": 720},
    ) as alone:
        file = alone.new_page()
        complaints = look.complaints_of(file)
        requests = list[str]()
        file.on(
            "request",
            lambda request: requests.append(urlsplit(request.url).scheme),
        )
        file.goto(saved.as_uri())
        yield file
        assert (complaints, requests) == ([], ["file"])


def expect_whole(file: Page) -> None:
    """Wait until a talk's window shows all of a page."""
    look.eventually(file, lambda: file.evaluate(HIDDEN), 0)


def test_a_frame_and_the_file_are_those_of_the_result(
    page: Page, site: str, messages: list[str], keep: Keep, tmp_path: Path
) -> None:
    look.open_still(page, f"{site}/lab?result={keep(RESULT)}&reduction=cls&amount=0.3")
    look.unfold(page, "Download")
    page.get_by_role("textbox", name="Title").fill("For a <talk>")
    messages.clear()
    page.keyboard.press("Enter")
    look.eventually(page, lambda: "received" in messages, True)  # else the old files are offered
    look.expect_idle(page)
    page.get_by_role("button", name="PNG").click()
    with Image.open(look.fetched(page, "Save PNG", tmp_path)) as png:
        assert png.size == (1920, 1080)
        assert png.convert("RGB").getpixel((2, 2)) == (255, 255, 255)
    page.get_by_role("button", name="SVG").click()
    drawing = look.fetched(page, "Save SVG", tmp_path)
    assert drawing.name.endswith("-0.25.svg"), "the address has the amount"
    assert "For a <talk>" in " ".join(ElementTree.parse(drawing).getroot().itertext())
    assert load(look.fetched(page, "Result as JSON", tmp_path)) == RESULT


def test_a_story_is_printed_a_scene_a_page_and_turned_by_keys_without_a_network(
    page: Page, chromium: Browser, site: str, keep: Keep, tmp_path: Path
) -> None:
    page.goto(f"{site}/?result={keep(RESULT)}")
    look.unfold(page, "Take it to a talk")
    with opened_alone(chromium, look.fetched(page, "HTML", tmp_path)) as file:
        scenes = file.locator(".scene")
        drawn = file.locator(".holder:not(.coming) svg.marks")
        expect(scenes).to_have_count(file.locator(".dots button").count())
        expect(drawn).to_have_count(file.locator(".picture").count())
        sizes = drawn.evaluate_all(SIZES)
        content = file.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type /Page\b", content)) == scenes.count()
        assert set(re.findall(rb"/MediaBox \[(.*?)\]", content)) == {b"0 0 1152 648"}, (
            "16 by 9 inches"
        )
        assert b"/Subtype /Image" not in content, "all vectors"
        look.eventually(file, lambda: drawn.evaluate_all(SIZES), sizes)
        expect(scenes.nth(1)).not_to_be_visible()
        for key in ("ArrowRight", "ArrowLeft"):
            file.keyboard.press(key)
        expect(file.locator(".scene:not([inert]) .heatmap svg")).to_be_visible()
        file.keyboard.press("n")
        expect(file.locator(".notes")).to_be_visible()
        expect_whole(file)


def test_a_page_plays_offline(
    page: Page, chromium: Browser, site: str, keep: Keep, tmp_path: Path
) -> None:
    look.open_still(
        page,
        f"{site}/compare?result={keep(RESULT)}&other={keep(OTHER)}&reduction=cls",
    )
    look.unfold(page, "Download")
    saved = look.fetched(page, "HTML player", tmp_path)
    assert 0.8e6 < saved.stat().st_size < 1.5e6
    with opened_alone(chromium, saved) as file:
        player = file.locator(".player")
        heatmaps = file.locator(".first svg, .second svg")
        expect(heatmaps).to_have_count(2)
        player.get_by_role("button", name="Play").click()
        look.expect_amount(player, 0.25)
        player.get_by_role("button", name="Pause").click()
        file.keyboard.press("End")
        look.expect_amount(player, 0.5)
        expect(heatmaps.first).to_contain_text(f"{RESULT.frames[2].own('cls')[-1]:.2f}")
        expect_whole(file)
        look.resize(file, 1920, 1080)
        pictures = look.box(file.locator(".pictures"))
        assert pictures.x + pictures.right == pytest.approx(1920, abs=2), "in the middle"


def test_below_the_cell_of_a_notebook_it_plays_is_seen_whole_and_keeps_to_itself(
    page: Page,
) -> None:
    page.set_viewport_size({"width": 1280, "height": 2000})  # a frame out of sight rests
    cell = NotebookResult.of(RESULT)._repr_html_()
    cells = [f'<div style="width: {width}px">{cell}</div>' for width in (1100, 344)]
    page.set_content("<!doctype html>" + "".join(cells))
    reach = "() => { try { return parent.document.title } catch (error) { return error.name } }"
    for frame in page.frames[1:]:
        player = frame.locator(".player")
        expect(player.locator(".stack svg")).to_be_visible()
        expect(player.locator(".readout b")).not_to_have_text(
            "0 % of weights removed"
        )  # it moves by itself
        assert frame.evaluate(HIDDEN) == 0
        assert frame.evaluate(reach) == "SecurityError"
