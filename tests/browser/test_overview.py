"""The Overview's first figure and its three steps in a real browser."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.shipped import COLA, SST2
from tests.browser.test_in_chromium import open_still
from tests.browser.watching import amounts_played, eventually, expect_silence, resize

PICTURES = ("stack", "heatmap", "accuracy")


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


def test_bands_follow_the_amount_and_nothing_jumps(page: Page, site: str, messages: list[str]) -> None:
    page.goto(site)
    player = page.locator(".player.finding")
    expect(player.locator(".accuracy svg")).to_be_visible()
    expect_silence(page)
    messages.clear()
    sizes: set[str] = set()

    def note_sizes() -> None:
        boxes = [player.locator(f".{name} svg").bounding_box() for name in PICTURES]
        sizes.add(str([player.bounding_box(), *boxes]))

    amounts_played(player, 5, note_sizes)
    assert len(sizes) == 1
    assert messages == []


def test_bands_have_the_result_s_numbers_at_every_amount(page: Page, site: str) -> None:
    player = open_still(page, site)
    lengths = []
    for key, frame in (("Home", 0), ("End", 19), ("ArrowLeft", 18)):
        page.keyboard.press(key)
        eventually(page, lambda: numbers(player), own(frame))
        lengths.append(bands(player))
    assert all(after < before for before, after in zip(lengths[0], lengths[1], strict=True))
    scale = lengths[0][0]  # the first layer is 1 without pruning
    expected = [value or 0 for value in SST2.frames[18].own("mean") or ()]
    assert [length / scale for length in lengths[2]] == pytest.approx(expected, abs=0.01)


def test_the_alternative_text_tells_the_values_of_a_picture_that_rests(page: Page, site: str) -> None:
    player = open_still(page, site)
    stack = player.locator(".stack")
    page.keyboard.press("End")
    expect(stack).to_have_attribute("aria-label", re.compile(f"^Similarity .*Layer 6: {own(19)[5]}.*, intact up to"))
    page.keyboard.press("Home")
    expect(stack).to_have_attribute("aria-label", re.compile("Layer 6: 1.00"))
    page.keyboard.press("Space")
    expect(stack).not_to_have_attribute("aria-label", re.compile("Layer 6"))


def test_what_matters_stands_on_the_first_screen(page: Page, site: str) -> None:
    player = open_still(page, site)
    for width, height in ((1280, 800), (390, 844)):
        resize(page, width, height)
        wide = [player.locator(".accuracy"), player.locator(".heatmap")] if width > 1000 else []
        for seen in (page.get_by_role("heading", level=1), player.locator(".stack"), *wide):
            box = seen.bounding_box()
            assert box
            assert box["y"] + box["height"] <= height


def test_another_result_is_chosen_in_the_caption(page: Page, site: str) -> None:
    player = open_still(page, f"{site}/?result={COLA.key}")
    expect(page.get_by_text(re.compile("^[^·]*fine-tuned on CoLA · "))).to_be_visible()
    page.get_by_role("button", name="Change").click()
    page.get_by_text("First token").click()
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


def test_the_steps_rest_for_who_asked_for_less_motion(page: Page, site: str) -> None:
    open_still(page, site)
    steps = page.locator(".steps")
    steps.scroll_into_view_if_needed()
    expect(steps).to_have_class(re.compile("moving"))
    assert steps.locator(".dot").first.evaluate("dot => dot.getAnimations().length") == 0
    expect(page.get_by_role("button", name="Move them again")).to_be_hidden()


def test_no_colour_scale_is_cut_off_on_a_telephone(page: Page, site: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    pair = open_still(page, site, ".player.pair")
    for side in ("left", "right"):
        inside = pair.locator(f".{side}").bounding_box()
        assert inside
        for label in pair.locator(f".{side} .role-legend-label text").all():
            box = label.bounding_box()
            assert box
            assert box["x"] + box["width"] <= inside["x"] + inside["width"]
