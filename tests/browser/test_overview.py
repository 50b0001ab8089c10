"""The Overview's first figure and its three steps in a real browser."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.shipped import COLA, SST2
from tests.browser.test_in_chromium import check_looks, expect_printed, expected
from tests.browser.watching import box, eventually, expect_amount, expect_silence, open_still, resize

SIDES = {"left": SST2, "right": COLA}


@pytest.fixture(scope="module")
def opened(kept: Page, kept_messages: list[str], site: str) -> Page:
    open_still(kept, site)
    expect_silence(kept)
    return kept


@pytest.fixture
def overview(opened: Page) -> Page:
    """The kept page: the light Overview of a wide window whose players rest, unpruned; the first one has the focus."""
    opened.emulate_media(color_scheme="light")
    resize(opened, 1280, 800)
    for player in (opened.locator(".player.pair"), opened.locator(".player.finding")):
        player.get_by_label("Pruning amount").fill("0")
        player.focus()
    opened.locator(".stMain").evaluate("main => main.scrollTo(0, 0)")
    return opened


def numbers(player: Locator) -> list[str]:
    """What stands beside the bands, from the first layer to the last."""
    texts = player.locator(".stack svg text").all_text_contents()
    return [text for text in texts if re.fullmatch(r"\d\.\d\d", text)]


def bands(player: Locator) -> list[float]:
    """How long every band is, in pixels."""
    shapes = (
        player.locator(".stack svg .mark-rect")
        .nth(1)
        .locator("path")
        .evaluate_all("paths => paths.map((path) => path.getAttribute('d'))")
    )
    return [float(re.search(r"h(-?[\d.]+)", shape)[1]) for shape in shapes]  # type: ignore[index]


def own(frame: int) -> list[str]:
    return [f"{value:.2f}" for value in SST2.frames[frame].own("mean") or ()]


def test_bands_have_the_result_s_numbers_at_every_amount(overview: Page) -> None:
    page, player = overview, overview.locator(".player.finding")
    lengths = []
    for key, frame in (("Home", 0), ("End", 19), ("ArrowLeft", 18)):
        page.keyboard.press(key)
        eventually(page, lambda: numbers(player), own(frame))
        lengths.append(bands(player))
    assert all(after < before for before, after in zip(lengths[0], lengths[1], strict=True))
    scale = lengths[0][0]  # the first layer is 1 without pruning
    expected = [value or 0 for value in SST2.frames[18].own("mean") or ()]
    assert [length / scale for length in lengths[2]] == pytest.approx(expected, abs=0.01)


def test_what_matters_stands_on_the_first_screen(overview: Page) -> None:
    page, player = overview, overview.locator(".player.finding")
    for width, height in ((1280, 800), (390, 844)):
        resize(page, width, height)
        wide = [player.locator(".accuracy"), player.locator(".heatmap")] if width > 1000 else []
        for seen in (page.get_by_role("heading", level=1), player.locator(".stack"), *wide):
            assert box(seen).bottom <= height


def test_heatmap_and_controls_are_seen_first_and_can_be_read(overview: Page) -> None:
    check_looks(overview.locator(".player.finding"), "stack")


def test_both_sides_show_the_same_amount_at_every_step_and_keep_up_with_the_mouse(
    overview: Page, kept_messages: list[str]
) -> None:
    player, mouse = overview.locator(".player.pair"), overview.mouse
    player.focus()
    for index in range(4):
        expect_amount(player, SST2.amounts[index])
        for side, result in SIDES.items():
            expect_printed(player, side, expected(index, result=result))
        overview.keyboard.press("ArrowRight")
    player.get_by_label("Pruning amount").scroll_into_view_if_needed()
    slider = box(player.get_by_label("Pruning amount"))
    kept_messages.clear()
    mouse.move(slider.x + 10, slider.middle[1])
    mouse.down()
    for step in range(1, 40):
        mouse.move(slider.x + 10 + step / 39 * (slider.width - 20), slider.middle[1])
    for side, result in SIDES.items():
        expect_printed(player, side, expected(19, result=result))  # while the mouse is still down
    mouse.up()
    expect_amount(player, 0.95)
    assert kept_messages == []


def test_another_result_is_chosen_in_the_caption(page: Page, site: str) -> None:
    player = open_still(page, f"{site}/?result={COLA.key}")
    expect(page.get_by_text(re.compile("^[^·]*fine-tuned on CoLA · "))).to_be_visible()
    page.get_by_role("button", name="Change").click()
    page.get_by_text("First token", exact=True).click()
    expect(page.get_by_text(re.compile("^[^·]*fine-tuned on CoLA · .* · First token"))).to_be_visible()
    expect(page).to_have_url(re.compile(COLA.key))
    expect(player.locator(".stack svg")).to_be_visible()


def test_the_sentences_of_the_steps_move_when_seen_and_again(page: Page, site: str) -> None:
    page.goto(site)
    expect_silence(page)
    steps = page.locator(".steps")
    dot = steps.locator(".step").nth(2).locator(".dot").first
    steps.scroll_into_view_if_needed()
    expect(steps).to_have_class(re.compile("moving"))
    moving = "dot => dot.getAnimations().length"
    eventually(page, lambda: dot.evaluate(moving), 1)
    dot.evaluate("dot => Promise.all(dot.getAnimations().map((one) => one.finished))")
    assert dot.evaluate(moving) == 0, "it moves once, and then rests"
    page.get_by_role("button", name="Move them again").click()
    assert dot.evaluate(moving) == 1


def test_the_steps_rest_for_who_asked_for_less_motion(overview: Page) -> None:
    steps = overview.locator(".steps")
    steps.scroll_into_view_if_needed()
    expect(steps).to_have_class(re.compile("moving"))
    assert steps.locator(".dot").first.evaluate("dot => dot.getAnimations().length") == 0
    expect(overview.get_by_role("button", name="Move them again")).to_be_hidden()


def test_no_colour_scale_is_cut_off_on_a_telephone(overview: Page) -> None:
    resize(overview, 390, 844)
    pair = overview.locator(".player.pair")
    for side in ("left", "right"):
        for label in pair.locator(f".{side} .role-legend-label text").all():
            assert box(label).right <= box(pair.locator(f".{side}")).right
