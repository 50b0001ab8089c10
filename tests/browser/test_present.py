"""The Present page in a real browser: the stage, its keys, and how it reads from the last row."""

import re

from playwright.sync_api import Page, expect

from tests.browser.shipped import COLA, SHIPPED, SST2, WRITTEN
from tests.browser.watching import (
    amounts_played,
    box,
    eventually,
    expect_amount,
    expect_idle,
    expect_playing,
    open_still,
    resize,
)

TITLE = "Magnitude pruning of the encoder"
ALL = "present?task=any&data=any"  # all results are in the show


def test_it_plays_at_once_and_hides_its_controls(page: Page, site: str) -> None:
    page.goto(f"{site}/present")
    player = page.locator(".player.present")
    expect_playing(player, True)
    amounts_played(player, 2)
    expect(player).to_have_class(re.compile("quiet"))
    expect(player.locator(".side")).to_have_css("opacity", "0")
    page.mouse.move(200, 200)
    page.mouse.move(300, 200)
    expect(player.locator(".side")).to_have_css("opacity", "1")


def test_keys_show_the_speaker_s_sentence_and_move_through_amounts_and_results_wherever_the_focus_is(
    page: Page, site: str
) -> None:
    player = open_still(page, f"{site}/{ALL}", focus=False)
    expect(player.locator(".spoken")).not_to_be_visible()
    page.keyboard.press("s")
    expect(player.locator(".spoken")).to_have_text(
        re.compile("pruning changes the upper layers most.* Accuracy is 0.90 unpruned")
    )
    expect(player.locator(".survival svg")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    player.get_by_label("Speaker's sentence").click()
    expect(player.locator(".spoken")).not_to_be_visible()
    page.keyboard.press("ArrowRight")
    expect_amount(player, 0.05)
    page.keyboard.press("End")
    expect_amount(player, 0.95)
    for key, result in (("ArrowDown", SHIPPED[1]), ("PageDown", SHIPPED[2]), ("PageUp", COLA), ("ArrowUp", SST2)):
        page.keyboard.press(key)
        expect(page).to_have_url(f"{site}/{ALL}&result={result.key}")
        expect_idle(page)
        expect_amount(player, 0.95)  # turning leaves amount and playing as they are
    page.keyboard.press("ArrowUp")
    expect(page).to_have_url(re.compile(f"&result=(?!{SST2.key})[0-9a-f]{{64}}$"))  # round, to the last one
    page.keyboard.press("ArrowDown")
    expect(page).to_have_url(f"{site}/{ALL}&result={SST2.key}")
    expect_idle(page)  # until then, turning would leave it at rest
    page.keyboard.press("Space")
    expect_playing(player, True)


def test_a_click_leaves_the_keys_to_the_stage_and_the_keyboard_keeps_its_place(page: Page, site: str) -> None:
    player = open_still(page, f"{site}/{ALL}", focus=False)
    button, filled = player.get_by_label("Full screen"), "document.fullscreenElement !== null"
    button.click()
    page.wait_for_function(filled)
    page.keyboard.press("ArrowDown")
    expect(page).to_have_url(re.compile(SHIPPED[1].key))
    expect_idle(page)
    page.keyboard.press("Space")
    expect_playing(player, True)
    assert page.evaluate(filled), "neither ends it"
    button.press("Space")
    page.wait_for_function(f"!({filled})")
    expect(button).to_be_focused()


def test_a_typed_title_is_text_and_its_keys_are_its_own(page: Page, site: str) -> None:
    player = open_still(page, f"{site}/present", focus=False)
    expect(player.locator(".heading")).to_have_text(TITLE)
    field = page.get_by_role("textbox", name="Title")
    field.click()
    field.press_sequentially("<b>f</b> ends")
    field.press("ArrowLeft")
    field.press("Enter")
    expect(player.locator(".heading")).to_have_text("<b>f</b> ends")
    expect(player.locator(".heading b")).to_have_count(0)
    expect_amount(player, 0)
    assert page.evaluate("document.fullscreenElement === null")
    expect(page).to_have_url(re.compile("title=%3Cb%3Ef"))
    page.reload()
    expect(player.locator(".heading")).to_have_text("<b>f</b> ends")


def test_on_a_projector_it_fills_the_screen_and_is_read_from_the_last_row(page: Page, site: str) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    player = open_still(page, f"{site}/present", focus=False)
    stage = box(player)
    assert (stage.x, stage.width, stage.bottom) == (0, 1920, 1080)
    expect(page.get_by_role("link", name="Leave")).to_be_in_viewport()
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement !== null")
    expect(page.get_by_role("link", name="Leave")).not_to_be_visible()
    eventually(page, player.bounding_box, {"x": 0, "y": 0, "width": 1920, "height": 1080})
    for name in ("heatmap", "accuracy", "survival"):
        assert box(player.locator(f".{name} svg")).width > 880
        sizes = player.locator(f".{name} .role-axis text").evaluate_all(
            "texts => texts.map((text) => parseFloat(getComputedStyle(text).fontSize))"
        )
        assert sizes
        assert min(sizes) >= 24
    assert box(player.locator(".heatmap svg")).height > 750
    expect(page.get_by_test_id("stHeader")).not_to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1920


def test_nothing_covers_the_caption(page: Page, site: str) -> None:
    player = open_still(page, f"{site}/present?caption={'a long caption of a talk, ' * 6}", focus=False)
    for width, height in ((1920, 1080), (1280, 800), (1024, 768), (390, 844)):
        resize(page, width, height)
        caption = box(player.locator(".caption"))
        for name in (".bar", ".hint", ".survival"):
            if player.locator(name).is_visible():  # the hint is not, on a telephone
                other = box(player.locator(name))
                assert other.x >= caption.right or other.y >= caption.bottom or other.bottom <= caption.y, name
        cut = player.locator(".caption").evaluate("text => text.scrollHeight > text.clientHeight + 1")
        assert not cut, f"{width} x {height}"


def test_no_number_is_cut_where_columns_are_narrow(page: Page, site: str) -> None:
    player = open_still(page, f"{site}/{ALL}&result={WRITTEN.key}", focus=False)
    for width, height in ((1024, 768), (1280, 1640), (820, 1180)):
        resize(page, width, height)
        longest = player.locator(".survival svg text").get_by_text("> 95 % *").first
        edges = longest.evaluate(
            "text => [text, text.ownerSVGElement].map((part) => part.getBoundingClientRect().right)"
        )
        assert edges[0] <= edges[1], f"{width} x {height}"
