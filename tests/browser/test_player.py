"""The player of the story's first scene in a real browser."""

import re
from itertools import pairwise

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import look
from tests.browser.shipped import COLA, SST2

PICTURES = ("stack", "heatmap")
PLAYER = ".scene:not([inert]) .player"


def answered(player: Locator) -> Locator:
    """Play to the end, after which the controls stay."""
    player.locator("[data-do=toggle]").click()
    player.get_by_label("Pruning amount").press("End")
    look.expect_playing(player, False)
    return player


def test_it_plays_and_never_asks_the_server(page: Page, site: str, messages: list[str]) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(site)
    player = page.locator(PLAYER)
    expect(player.locator(".heatmap svg")).to_be_visible()
    look.expect_silence(page)
    messages.clear()
    answered(player).locator("[data-do=toggle]").click()
    seen, sizes = [look.amount(player)], set()
    for _ in range(look.PATIENCE // 20):
        boxes = [player.locator(f".{name} svg").bounding_box() for name in PICTURES]
        sizes.add(str([player.bounding_box(), *boxes]))
        page.wait_for_timeout(20)
        seen += [now for now in [look.amount(player)] if now != seen[-1]]
        if len(seen) == 5:
            break
    assert len(seen) == 5
    assert sum(after < before for before, after in pairwise(seen)) <= 1  # forward, and round the loop
    assert len(sizes) == 1, "nothing jumps"
    assert messages == []
    assert all(url.startswith((site, "data:", "blob:")) for url in requests)


def test_keys_and_buttons_step_and_play_and_the_pictures_show_the_numbers(page: Page, site: str) -> None:
    player = answered(look.open_still(page, site, PLAYER))
    slider, toggle = player.get_by_label("Pruning amount"), player.locator("[data-do=toggle]")
    slider.fill("0")
    player.get_by_label("Loop").click()  # off in a story
    for step, place in ((None, 0), ("Next step", 1), ("Previous step", 0), ("Previous step", 19)):  # round the loop
        if step:
            player.get_by_label(step).click()
        look.expect_amount(player, place / 20)
        own = [round(value, 2) for value in SST2.frames[place].own("mean") or ()]
        look.eventually(page, lambda own=own: look.numbers(player, "stack"), own)
        wanted = pytest.approx(look.cells(SST2, place), abs=0.00501)  # two decimals are shown
        look.eventually(page, lambda: look.numbers(player, "heatmap"), wanted)
    slider.fill("17")
    expect(slider).to_have_attribute("aria-valuetext", "85 % of weights removed")
    player.get_by_label("Loop").click()
    player.get_by_label("Speed").select_option("4×")
    toggle.click()
    look.expect_playing(player, False)  # it stops at the end
    look.expect_amount(player, 0.95)
    toggle.click()  # and starts over
    look.expect_playing(player, True)
    assert look.amount(player) < 0.95


def test_another_reduction_keeps_result_and_amount(page: Page, site: str) -> None:
    player = answered(look.open_still(page, f"{site}/?result={COLA.key}", PLAYER))
    player.get_by_label("Pruning amount").fill("10")
    page.get_by_test_id("stPopoverButton").click()
    page.get_by_text("First token", exact=True).click()
    expect(page.get_by_role("button", name=re.compile("fine-tuned on CoLA · .* · First token"))).to_be_visible()
    wanted = pytest.approx(look.cells(COLA, 10, "cls"), abs=0.00501)
    look.eventually(page, lambda: look.numbers(player, "heatmap"), wanted)
    assert look.amount(player) == 0.5
    expect(page).to_have_url(re.compile("scene=1.*reduction=cls|reduction=cls.*scene=1"))
    gradient = player.locator(".role-legend-gradient path").first.get_attribute("fill") or ""
    assert gradient.startswith("url(#"), "whatever the address has become"
