"""The Present page in a real browser: the stage, its keys, and how it reads from the last row."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.shipped import COLA, SHIPPED, SST2, WRITTEN
from tests.browser.watching import amounts_played, eventually, expect_idle, expect_silence, resize

TITLE = "Magnitude pruning of the encoder"
ALL = "present?task=any&data=any"  # all results are in the show


def open_stage(page: Page, address: str, *, still: bool = True) -> Locator:
    if still:
        page.emulate_media(reduced_motion="reduce")
    page.goto(address)
    player = page.locator(".player.present")
    expect(player.locator(".survival svg")).to_be_visible()
    return player


def expect_amount(player: Locator, value: float) -> None:
    expect(player.locator(".readout b")).to_have_text(f"{100 * value:.0f} % of weights removed")


def test_it_plays_at_once_and_hides_its_controls(page: Page, site: str, messages: list[str]) -> None:
    player = open_stage(page, f"{site}/present", still=False)
    expect(player.get_by_label("Pause")).to_be_attached()
    expect_silence(page)
    messages.clear()
    amounts_played(player, 2)
    expect(player).to_have_class(re.compile("quiet"))
    assert messages == []
    expect(player.locator(".side")).to_have_css("opacity", "0")
    page.mouse.move(200, 200)
    page.mouse.move(300, 200)
    expect(player.locator(".side")).to_have_css("opacity", "1")


def test_keys_show_the_speaker_s_sentence_and_move_through_amounts_and_results_wherever_the_focus_is(
    page: Page, site: str
) -> None:
    player = open_stage(page, f"{site}/{ALL}")
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
    expect(player.get_by_label("Pause")).to_be_attached()


def test_full_screen_and_back(page: Page, site: str) -> None:
    player = open_stage(page, f"{site}/{ALL}")
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement !== null")
    page.keyboard.press("ArrowDown")
    expect(page).to_have_url(re.compile(SHIPPED[1].key))
    assert page.evaluate("document.fullscreenElement !== null")  # another result does not end it
    player.get_by_label("Full screen").click()
    page.wait_for_function("document.fullscreenElement === null")


def test_a_click_leaves_the_keys_to_the_stage_and_the_keyboard_keeps_its_place(page: Page, site: str) -> None:
    player = open_stage(page, f"{site}/{ALL}")
    button = player.get_by_label("Full screen")
    button.click()
    page.wait_for_function("document.fullscreenElement !== null")
    page.keyboard.press("Space")
    expect(player.get_by_label("Pause")).to_be_attached()
    assert page.evaluate("document.fullscreenElement !== null")
    button.press("Space")
    page.wait_for_function("document.fullscreenElement === null")
    expect(button).to_be_focused()


def test_a_typed_title_is_text_and_its_keys_are_its_own(page: Page, site: str) -> None:
    player = open_stage(page, f"{site}/present")
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
    player = open_stage(page, f"{site}/present")
    box = player.bounding_box()
    assert box
    assert (box["x"], box["width"], box["y"] + box["height"]) == (0, 1920, 1080)
    expect(page.get_by_role("link", name="Leave")).to_be_in_viewport()
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement !== null")
    expect(page.get_by_role("link", name="Leave")).not_to_be_visible()
    eventually(page, player.bounding_box, {"x": 0, "y": 0, "width": 1920, "height": 1080})
    for name in ("heatmap", "accuracy", "survival"):
        box = player.locator(f".{name} svg").bounding_box()
        assert box
        assert box["width"] > 880
        sizes = player.locator(f".{name} .role-axis text").evaluate_all(
            "texts => texts.map((text) => parseFloat(getComputedStyle(text).fontSize))"
        )
        assert sizes
        assert min(sizes) >= 24
    heatmap = player.locator(".heatmap svg").bounding_box()
    assert heatmap
    assert heatmap["height"] > 750
    expect(page.get_by_test_id("stHeader")).not_to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1920


def test_nothing_covers_the_caption(page: Page, site: str) -> None:
    player = open_stage(page, f"{site}/present?caption={'a long caption of a talk, ' * 6}")
    for width, height in ((1920, 1080), (1280, 800), (1024, 768), (390, 844)):
        resize(page, width, height)
        caption = player.locator(".caption").bounding_box()
        assert caption
        for name in (".bar", ".hint", ".survival"):
            other = player.locator(name).bounding_box()
            if other is None:  # the hint, on a telephone
                continue
            apart = (
                other["x"] >= caption["x"] + caption["width"]
                or other["y"] >= caption["y"] + caption["height"]
                or other["y"] + other["height"] <= caption["y"]
            )
            assert apart, name
        cut = player.locator(".caption").evaluate("text => text.scrollHeight > text.clientHeight + 1")
        assert not cut, f"{width} x {height}"


def test_no_number_is_cut_where_columns_are_narrow(page: Page, site: str) -> None:
    player = open_stage(page, f"{site}/{ALL}&result={WRITTEN.key}")
    for width, height in ((1024, 768), (1280, 1640), (820, 1180)):
        resize(page, width, height)
        longest = player.locator(".survival svg text").get_by_text("> 95 % *").first
        edges = longest.evaluate(
            "text => [text, text.ownerSVGElement].map((part) => part.getBoundingClientRect().right)"
        )
        assert edges[0] <= edges[1], f"{width} x {height}"
