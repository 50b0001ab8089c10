"""The Present page in a real browser: the stage, its keys, and its size on a projector."""

import re

from playwright.sync_api import Page, expect

from tests.browser import look
from tests.browser.shipped import COLA, SST2, WRITTEN

FULL = "document.fullscreenElement !== null"
HELD = "text => text.scrollHeight <= text.clientHeight + 1"
SIZES = "texts => texts.map((text) => parseFloat(getComputedStyle(text).fontSize))"
INTACT = re.compile("still intact|intact throughout")


def test_it_begins_paused_and_keys_move_through_amounts_and_results_but_not_from_a_field(
    page: Page, site: str
) -> None:
    page.goto(f"{site}/present")
    player = page.locator(".player.present")
    look.expect_amount(player, 0)
    look.expect_playing(player, False)
    expect(player).to_have_class(re.compile("quiet"))
    expect(player.locator(".side")).to_have_css("opacity", "0")
    page.mouse.move(200, 200)
    page.mouse.move(300, 200)
    expect(player.locator(".side")).to_have_css("opacity", "1")
    look.expect_idle(page)
    heading = player.locator(".heading")
    caption = player.locator(".caption")
    expect(heading).to_have_text("SST-2: magnitude pruning of the encoder")
    button = player.get_by_label("Full screen")
    page.keyboard.press("End")
    button.click()
    page.wait_for_function(FULL)
    keys = ("ArrowDown", "PageDown", "PageUp", "ArrowUp")
    for key, result in zip(keys, (COLA, SST2, COLA, SST2), strict=True):
        page.keyboard.press(key)
        expect(page).to_have_url(f"{site}/present?result={result.key}")
        expect(heading).to_have_text(re.compile("^CoLA: " if result is COLA else "^SST-2: "))
        look.expect_idle(page)
        look.expect_amount(player, 0.95)  # turning leaves amount and playing as they are
    assert page.evaluate(FULL), "none of them ends it"
    button.press("Space")
    page.wait_for_function(f"!({FULL})")
    expect(button).to_be_focused()
    page.keyboard.press("Home")
    field = page.get_by_role("textbox", name="A line of your own")
    field.click()
    field.press_sequentially("<b>f</b> ends")
    field.press("ArrowLeft")
    field.press("Enter")
    expect(caption).to_have_text("<b>f</b> ends")
    expect(caption.locator("b")).to_have_count(0)
    look.expect_amount(player, 0)
    assert not page.evaluate(FULL)
    expect(page).to_have_url(re.compile("caption=%3Cb%3Ef"))


def test_in_any_window_nothing_is_covered_or_cut_and_full_screen_has_large_text(
    page: Page, site: str
) -> None:
    caption = "a long caption of a talk, " * 6
    player = look.open_still(page, f"{site}/present?result={WRITTEN.key}&caption={caption}")
    page.keyboard.press("End")  # where every layer has its words
    for width, height in ((390, 844), (820, 1180), (1024, 768), (1920, 1080)):
        look.resize(page, width, height)
        text = look.box(player.locator(".caption"))
        for name in (".bar", ".hint", ".stack"):
            if player.locator(name).is_visible():  # the hint is not, on a telephone
                part = look.box(player.locator(name))
                beside = part.x >= text.right
                assert beside or part.y >= text.bottom or part.bottom <= text.y, name
        assert player.locator(".caption").evaluate(HELD)
        words = player.locator(".stack svg text").get_by_text(INTACT).first
        assert look.box(words).right <= look.box(player.locator(".stack svg")).right, width
    scrolled = "document.querySelector('.stMain').scrollTop"
    player.get_by_label("Full screen").focus()
    assert page.evaluate(scrolled) == 0, "the title stays"
    page.locator("summary:visible").last.focus()
    assert page.evaluate(scrolled) > 0
    page.keyboard.press("f")
    page.wait_for_function(FULL)
    look.eventually(
        page,
        player.bounding_box,
        {"x": 0, "y": 0, "width": 1920, "height": 1080},
    )
    for name in ("heatmap", "accuracy", "stack"):
        assert look.box(player.locator(f".{name} svg")).width > 880
        assert min(player.locator(f".{name} .role-axis text").evaluate_all(SIZES)) >= 24
