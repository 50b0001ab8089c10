"""The story in a real browser.

It is turned by mouse, keys and finger; its address, the guess, and the first player.
"""

import re

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import look
from tests.browser.shipped import COLA, SST2
from tests.browser.test_pages import faults

SCENES = 7
HERE = ".scene:not([inert])"  # the scene on show
CURRENT = ".dots [aria-current]"
OUTSIDE = """story => {
  const {right, bottom} = story.getBoundingClientRect();
  const parts = [...story.querySelectorAll("*:not(svg *)")];
  const seen = parts.filter((part) => part.checkVisibility({visibilityProperty: true}));
  const ends = seen.map((part) => [part.className || part.tagName, part.getBoundingClientRect()]);
  const isOut = (end) => end.right > right + 1 || end.bottom > bottom + 1;
  const out = ends.filter(([, end]) => end.width && isOut(end));
  return out.map(([name]) => name);
}"""  # parts that stick out of the story
CUT = """pictures => pictures.filter((box) => {
  const [title, whole] = [".role-title text", "svg"]
    .map((part) => box.querySelector(part).getBoundingClientRect());
  return title.top < whole.top - 4;
}).length"""  # pictures whose title has no room; a text's box is a little higher than its letters


def story(page: Page) -> Locator:
    return page.locator(".scenes")


def expect_scene(page: Page, place: int) -> None:
    """Wait until this scene, from 1, is on show and in the address."""
    expect(page.locator(CURRENT)).to_have_attribute("aria-label", re.compile(f"^Scene {place}: "))
    expect(page).to_have_url(re.compile(rf"[?&]scene={place}\b"))


def expect_drawn(page: Page) -> None:
    """Wait until every picture of the scene on show is drawn and fills its box."""
    expect(page.locator(HERE)).to_have_count(1)
    expect(page.locator(f"{HERE} .picture:not(:has(svg))")).to_have_count(0)
    look.eventually(
        page,
        lambda: page.locator(f"{HERE} .picture svg").evaluate_all(look.FILLED),
        True,
    )


SWIPE = """(story, [from, to]) => {
  const at = (kind, clientX) => story.dispatchEvent(
    new PointerEvent(
      kind, {pointerType: "touch", clientX, clientY: 300, bubbles: true, composed: true}));
  at("pointerdown", from);
  at("pointerup", to);
}"""


def test_turning_asks_no_server_and_the_address_keeps_the_scene(
    page: Page, site: str, messages: list[str]
) -> None:
    page.goto(site)
    expect_scene(page, 1)
    look.expect_idle(page)
    messages.clear()
    keys = ("ArrowRight", "PageDown", "ArrowLeft", "PageUp", "ArrowLeft")
    for key, place in zip(keys, (2, 3, 2, 1, 1), strict=True):
        page.keyboard.press(key)  # wherever the focus is
        expect_scene(page, place)
    page.get_by_label("Scene 1: ").click()
    player = page.locator(f"{HERE} .player")
    page.keyboard.press("Space")
    look.expect_playing(player, False)  # the dot has the focus, and takes the key
    page.get_by_role("button", name="Play").click()
    look.expect_playing(player, True)
    player.focus()
    page.keyboard.press("Space")
    look.expect_playing(player, False)
    before = look.amount(player)
    page.keyboard.press(".")
    look.expect_amount(player, (round(20 * before) + 1) % 20 / 20)
    scrub = player.get_by_label("Pruning amount")
    scrub.fill("10")
    scrub.press("ArrowLeft")
    look.expect_amount(player, 0.45)  # there the arrows step
    expect_scene(page, 1)
    page.get_by_role("button", name="Next →").click()
    expect_scene(page, 2)
    page.keyboard.press("n")
    expect(page.locator(".notes")).to_be_visible()
    page.get_by_role("button", name="Notes").click()
    expect(page.locator(".notes")).to_be_hidden()
    assert messages == [], "the server is not asked"
    page.reload()
    expect_scene(page, 2)
    page.get_by_role("link", name="Methods", exact=True).click()
    expect(page).to_have_url(re.compile("/methods"))  # which stands in the history from then on
    expect(story(page)).to_have_count(0)
    page.go_back()
    expect_scene(page, 2)
    page.goto(f"{site}/?result={COLA.key}&scene=99")
    for ends, place in (
        ((0, 0), SCENES),
        ((100, 300), SCENES - 1),
        ((290, 300), SCENES - 1),
        ((300, 100), SCENES),
    ):
        story(page).evaluate(SWIPE, list(ends))
        expect_scene(page, place)


def test_a_question_is_answered_once_it_is_played(page: Page, site: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(site)
    expect_drawn(page)
    title = page.locator(".scenes .title")
    guess = page.locator(f"{HERE} .stack svg text:text-is('your guess')").last
    expect(guess).to_have_count(0)
    page.get_by_role("radio", name=re.compile("^Layer 5")).press("Space")
    expect(guess).to_be_visible()
    page.get_by_role("radio", name=re.compile("^Layer 1")).click()
    expect(page.get_by_role("radio", name=re.compile("^Layer 1"))).to_be_checked()
    expect_drawn(page)
    expect(title).to_contain_text("?")
    expect(page.get_by_label("Pruning amount")).to_be_hidden()
    expect(page.get_by_text("just press Play")).to_be_visible()
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_text("just press Play")).to_be_hidden()
    page.get_by_label("Pruning amount").press("End")
    expect(title).not_to_contain_text("?")
    expect(page.locator(".said")).to_contain_text("layer 1: ")
    mark = look.box(guess)
    picture = look.box(page.locator(f"{HERE} .stack"))
    assert mark.y > picture.y + picture.height / 2, "the first layer lies at the bottom"
    assert mark.bottom <= picture.bottom


def test_every_scene_fits_any_window_without_a_fault_and_full_screen_covers_the_page(
    page: Page, site: str
) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": 390, "height": 664})
    page.goto(site)
    expect_drawn(page)
    for width, height, places in (
        (390, 664, range(1, SCENES + 1)),
        (1280, 800, range(SCENES, 0, -1)),
        (1024, 768, range(1, SCENES + 1)),
    ):
        if width == 1024:
            page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": width, "height": height})
        for place in places:
            expect_scene(page, place)
            expect_drawn(page)
            look.expect_no_sideways_scroll(page)
            assert story(page).evaluate(OUTSIDE) == [], place
            assert page.locator(f"{HERE} .picture").evaluate_all(CUT) == 0, place
            assert look.box(story(page)).height <= max(height, 740), "a lower window scrolls"
            if width == (390, 1024)[place % 2]:  # half of the scenes in each theme
                assert faults(page) == []
            if place != places[-1]:
                page.keyboard.press("ArrowRight" if places.step > 0 else "ArrowLeft")
    page.get_by_label("Scene 1: ").click()
    expect_drawn(page)
    before = look.box(page.locator(f"{HERE} .pictures")).height
    page.keyboard.press("n")
    expect(page.locator(".notes")).to_be_visible()
    expect(page.locator(".said")).to_be_visible()
    assert look.box(page.locator(f"{HERE} .pictures")).height > before - 8 * 16
    assert story(page).evaluate(OUTSIDE) == []
    page.get_by_role("button", name="Full screen").click()
    expect(page.get_by_role("button", name="Full screen")).to_be_hidden()
    page.wait_for_function("document.fullscreenElement")
    link = page.get_by_role("link", name="Methods", exact=True)
    covers = """link => {
      const {x, y} = link.getBoundingClientRect();
      return !link.contains(document.elementFromPoint(x + 3, y + 3));
    }"""
    assert link.evaluate(covers)
    page.keyboard.press("f")
    page.wait_for_function("!document.fullscreenElement")
    assert not link.evaluate(covers)


def test_a_player_asks_no_server_and_shows_the_numbers(
    page: Page, site: str, messages: list[str]
) -> None:
    page.goto(site)
    player = page.locator(f"{HERE} .player")
    slider = player.get_by_label("Pruning amount")
    toggle = player.locator("[data-do=toggle]")
    expect(player.locator(".heatmap svg")).to_be_visible()
    look.expect_idle(page)
    messages.clear()
    toggle.click()
    slider.press("End")  # after which the controls stay
    look.expect_playing(player, False)
    before = player.bounding_box()
    slider.fill("0")
    for step, place in (("Next step", 1), ("Previous step", 0)):
        player.get_by_label(step).click()
        look.expect_amount(player, place / 20)
        assert player.bounding_box() == before, "nothing jumps"
        own = [round(value, 2) for value in SST2.frames[place].own("mean") or ()]
        look.eventually(page, lambda own=own: look.numbers(player, "stack"), own)
    slider.fill("17")
    expect(slider).to_have_attribute("aria-valuetext", "85 % of weights removed")
    player.get_by_label("Speed").select_option("4×")
    toggle.click()
    look.expect_playing(player, False)  # it stops at the end
    look.expect_amount(player, 0.95)
    toggle.click()  # and starts over
    look.expect_playing(player, True)
    assert look.amount(player) < 0.95
    assert messages == []

    # Another choice of the page keeps the player at its amount.
    slider.press("End")
    look.expect_playing(player, False)
    slider.fill("10")
    page.get_by_test_id("stPopoverButton").click()
    page.get_by_text("First token", exact=True).click()
    cells = np.ravel(SST2.frames[10].matrix("cls")).tolist()
    wanted = pytest.approx(cells, abs=0.00501)  # two decimals are shown
    look.eventually(page, lambda: look.numbers(player, "heatmap"), wanted)
    assert look.amount(player) == 0.5
    expect(page).to_have_url(re.compile("scene=1.*reduction=cls|reduction=cls.*scene=1"))
