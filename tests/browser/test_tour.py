"""All pages in a real browser: each by its link, wide and in both themes; all by the navigation, narrow and dark."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from core.charts.theme import THEMES, ThemeName
from tests.browser.shipped import COLA, SST2
from tests.browser.test_accessibility import expect_faint_heading_found, expect_no_faults, unfold_all
from tests.browser.watching import (
    WORKER_PATIENCE,
    box,
    eventually,
    expect_idle,
    expect_no_sideways_scroll,
    expect_silence,
)
from ui.header import NAVIGATION, PAGES

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
WIDE, NARROW = (1280, 800), (390, 844)
COLOURS = """player => ["text", "background", "secondary-background", "primary"].map(
  (name) => getComputedStyle(player).getPropertyValue(`--st-${name}-color`).trim().toLowerCase())"""
STAYS = """player => {
    const style = document.createElement("style");
    style.textContent = ".side { opacity: 1 !important; transition: none !important; }";
    player.append(style);
}"""


def link(site: str, name: str) -> str:
    """The address of a page with the results on show; the Lab is opened for a run of one's own."""
    path = PAGES[name].removeprefix("pages/").removesuffix(".py").removeprefix("app")
    return f"{site}/{path}" if name == "Lab" else f"{site}/{path}?result={SST2.key}&other={COLA.key}"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opened_by_its_link_is_whole_and_axe_finds_nothing_grave_in_either_theme(
    page: Page, site: str, messages: list[str], name: str
) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(link(site, name))
    check_page(page, name, WIDE, messages)
    assert page.url == link(site, name)
    unfold_all(page)
    if name == "Present":  # whose controls would hide while nobody uses them
        page.locator(".player.present").evaluate(STAYS)
    check_colours(page, "light")
    expect_no_faults(page)
    check_colours(page, "dark")
    if name != "Present":  # which has none
        expect_faint_heading_found(page)


@pytest.mark.long
def test_the_navigation_leads_to_every_page_narrow_and_dark(page: Page, site: str, messages: list[str]) -> None:
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.goto(link(site, "Overview"))
    for name in PAGES:
        if name != "Overview":  # which is open: a click would draw it once more, at any moment
            page.get_by_role("link", name=name, exact=True).click()
        check_page(page, name, NARROW, messages)
        assert page.url == link(site, name), "by which it is opened above"
    links = page.locator(f".st-key-{NAVIGATION} a").evaluate_all(
        "links => links.map((link) => link.getBoundingClientRect().top)"
    )
    assert (len(links), len(set(links))) == (len(PAGES), 2), "lines, of all that a telephone has to show"


def check_page(page: Page, name: str, size: tuple[int, int], messages: list[str]) -> None:
    """It is the page of this name, its pictures are drawn within the window, and its player plays."""
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


def check_colours(page: Page, theme: ThemeName) -> None:
    """The colours of figures in this theme are those of the app around a picture."""
    known = THEMES[theme]
    colours = [known.text, known.background, known.secondary, known.accent]
    for player in page.locator(".player").all():
        eventually(page, lambda player=player: player.evaluate(COLOURS), colours)  # type: ignore[misc]


def check_looks(page: Page, name: str, size: tuple[int, int]) -> None:
    """All pictures are drawn, nothing sticks out, and nothing has failed."""
    for picture in PICTURES[name]:
        expect(drawing(page, picture)).to_be_visible()
    expect_idle(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect_no_sideways_scroll(page, size[0])
    for picture in PICTURES[name]:
        shown = box(drawing(page, picture))
        assert shown.x >= 0
        assert shown.right <= size[0]


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
        around, inside = box(picture), box(drawing(page, name))
        assert inside.width <= around.width
        assert inside.height <= around.height


def drag(slider: Locator) -> None:
    """Draws a slider's knob with the mouse from the left end to the middle amount."""
    slider.scroll_into_view_if_needed()
    at, mouse, knob = box(slider), slider.page.mouse, 8  # pixels, half of the knob
    mouse.move(at.x + knob, at.middle[1])
    mouse.down()
    mouse.move(at.x + knob + MIDDLE / LAST * (at.width - 2 * knob), at.middle[1], steps=10)
    mouse.up()


def expect_place(player: Locator, place: int) -> None:
    """The player shows the amount at a position, and so does its slider."""
    expect(player.locator(".readout b")).to_have_text(re.compile(f"{5 * place} % of weights removed$"))
    expect(player.get_by_label("Pruning amount")).to_have_value(str(place))
