"""A walk through all pages in a real browser, by the navigation and by link: wide and light, narrow and dark."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.watching import WORKER_PATIENCE, expect_idle, expect_silence
from ui.header import PAGES

FIRST, MIDDLE, LAST = 0, 10, 19  # places of the results' twenty amounts
PICTURES = {  # of every page, each of its pictures
    "Overview": ("stack", "heatmap", "accuracy", "left", "right", "left-accuracy", "right-accuracy"),
    "Lab": ("heatmap", "accuracy", "survival"),
    "Compare": ("first", "second", "difference", "accuracy", "own"),
    "Grid": (),
    "Layers": ("rows", "curve"),
    "Sentences": ("flips", "strip"),
    "Present": ("heatmap", "accuracy", "survival"),
    "Methods": ("unpruned", "little", "lot", "example"),
}
STILL = "Methods"  # whose pictures do not move; they are in no player
ESTIMATED = re.compile("^(Takes|Already computed|Computed already)")


@pytest.mark.long
@pytest.mark.parametrize(
    ("size", "theme"), [((1280, 800), "light"), ((390, 844), "dark")], ids=["wide and light", "narrow and dark"]
)
def test_every_page_opens_plays_and_stays_within_the_window(
    page: Page, site: str, size: tuple[int, int], theme: Literal["light", "dark"], messages: list[str]
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.goto(site)
    for name in PAGES:
        if name != "Overview":  # which is open: a click would draw it once more, at any moment
            page.get_by_role("link", name=name, exact=True).click()
        expect(page).to_have_title(re.compile(rf"^{name} · .*Prunescope$"))
        check_looks(page, name, size)
        if name == STILL:
            check_still(page)
        elif name == "Grid":  # whose pictures are cells of a table, which scrolls
            expect(page.locator(".grid td svg").first).to_be_visible()
        else:
            if name == "Lab":  # its estimate is asked for again and again until it is there
                expect(page.get_by_text(ESTIMATED)).to_be_visible(timeout=WORKER_PATIENCE)
            check_player(page.locator(".player").first, messages)
        link = page.url
        page.goto(link)
        expect(page).to_have_title(re.compile(rf"^{name} · .*Prunescope$"))
        check_looks(page, name, size)
        assert page.url == link


def check_looks(page: Page, name: str, size: tuple[int, int]) -> None:
    """All pictures are drawn, nothing sticks out, and nothing has failed."""
    for picture in PICTURES[name]:
        expect(drawing(page, picture)).to_be_visible()
    expect_idle(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollWidth - main.clientWidth") <= 0
    for picture in PICTURES[name]:
        box = drawing(page, picture).bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size[0]


def drawing(page: Page, picture: str) -> Locator:
    return page.locator(f".picture.{picture} svg")


def check_player(player: Locator, messages: list[str]) -> None:
    """It plays, pauses and goes where keys and mouse want it, all without the server."""
    page = player.page
    expect_silence(page)
    messages.clear()
    player.focus()
    for key, place in (("Home", FIRST), ("ArrowRight", FIRST + 1), ("End", LAST), ("ArrowLeft", LAST - 1)):
        page.keyboard.press(key)
        expect_place(player, place)
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    expect(player.get_by_label("Pause")).to_be_attached()
    expect(player.get_by_label("Pruning amount")).not_to_have_value(str(FIRST))
    page.keyboard.press("Space")
    expect(player.get_by_label("Play")).to_be_attached()
    player.get_by_label("Play").click()
    expect(player.get_by_label("Pause")).to_be_attached()
    player.get_by_label("Pause").click()
    drag(player.get_by_label("Pruning amount"))
    expect_place(player, MIDDLE)
    assert messages == []


def check_still(page: Page) -> None:
    """The pictures are whole, their text is as light or dark as the page's, and their values can be read aloud."""
    expect(page.locator(".player")).to_have_count(0)
    ink = page.get_by_test_id("stApp").evaluate("app => getComputedStyle(app).color")
    for name in PICTURES[STILL]:
        picture = page.locator(f".picture.{name}")
        expect(picture).to_have_attribute("aria-label", re.compile(r"\d\.\d\d"))
        expect(picture.locator(".role-title-text text").first).to_have_css("fill", ink)
        box, inside = picture.bounding_box(), drawing(page, name).bounding_box()
        assert box
        assert inside
        assert inside["width"] <= box["width"]
        assert inside["height"] <= box["height"]


def drag(slider: Locator) -> None:
    """Draws a slider's knob with the mouse from the left end to the middle amount."""
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box
    mouse, height, knob = slider.page.mouse, box["y"] + box["height"] / 2, 8  # pixels, half of the knob
    way = box["width"] - 2 * knob
    mouse.move(box["x"] + knob, height)
    mouse.down()
    mouse.move(box["x"] + knob + MIDDLE / LAST * way, height, steps=10)
    mouse.up()


def expect_place(player: Locator, place: int) -> None:
    """The player shows the amount at a position, and so does its slider."""
    expect(player.locator(".readout b")).to_have_text(re.compile(f"{5 * place} % of weights removed$"))
    expect(player.get_by_label("Pruning amount")).to_have_value(str(place))
