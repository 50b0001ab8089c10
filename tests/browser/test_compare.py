"""Compare and Layers in a real browser: pictures in step, a click on a layer, no message while playing."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from core.results.schema import SweepResult
from tests.browser.shipped import COLA, SST2
from tests.browser.watching import amounts_played, eventually, expect_silence

Scheme = Literal["light", "dark"]

COMPARE = ("first", "second", "difference", "accuracy", "own")
TWO = f"compare?result={SST2.key}&other={COLA.key}"
LAYERS = ("curves", "survival", "row", "sparsity")


def open_still(page: Page, address: str, last: str) -> Locator:
    """Opens a page whose player does not start by itself; its player has the focus."""
    page.emulate_media(reduced_motion="reduce")
    page.goto(address)
    player = page.locator(".player")
    expect(player.locator(f".{last} svg")).to_be_visible()
    player.focus()
    return player


def numbers(player: Locator, name: str) -> list[float]:
    """The numbers in a heatmap's cells, row by row from the first layer."""
    texts = [text.replace("−", "-") for text in player.locator(f".{name} svg text").all_text_contents()]
    return [float(text) for text in texts if re.fullmatch(r"[-+]?\d\.\d\d", text)]


def cells(result: SweepResult, step: int) -> list[float]:
    """The values of a result's heatmap, row by row from the first layer."""
    return [value for row in result.frames[step].similarity["cka"]["mean"] for value in row if value is not None]


def test_both_heatmaps_and_their_difference_show_the_same_amount_at_every_step(page: Page, site: str) -> None:
    player = open_still(page, f"{site}/{TWO}", "own")
    page.keyboard.press("Home")
    for step in range(6):
        expect(player.locator(".readout b")).to_have_text(f"{5 * step} % of weights removed")
        sst2, cola = (cells(result, step) for result in (SST2, COLA))
        differences = [round(a, 2) - round(b, 2) for a, b in zip(sst2, cola, strict=True)]  # of the numbers beside it
        assert any(differences) == (step > 0)
        for name, wanted in (("first", sst2), ("second", cola), ("difference", differences)):
            rounded = pytest.approx(wanted, abs=0.00501)  # two decimals are shown
            eventually(page, lambda name=name: numbers(player, name), rounded)
        page.keyboard.press("ArrowRight")


def test_nothing_is_asked_of_the_server_while_it_plays(page: Page, site: str, messages: list[str]) -> None:
    player = open_still(page, f"{site}/{TWO}", "own")
    expect_silence(page)
    messages.clear()
    page.keyboard.press("Space")
    amounts_played(player, 5)
    assert messages == []


def test_a_click_on_a_layer_shows_its_row_and_the_address_follows(page: Page, site: str) -> None:
    player = open_still(page, f"{site}/layers", "sparsity")
    player.get_by_label("Pruning amount").fill("8")
    expect(player.locator(".row")).to_have_attribute("aria-label", re.compile("^Layer 1,"))
    player.locator(".survival .mark-rect path").nth(10).click()  # after six strips six bars, the first layer first
    expect(page).to_have_url(re.compile("layer=5"))
    expect(player.locator(".row")).to_have_attribute("aria-label", re.compile("^Layer 5,"))
    expect(page.get_by_text(re.compile("^Layer 5, attention block, keeps"))).to_be_visible()
    expect(player.locator(".readout b")).to_have_text("40 % of weights removed")
    page.reload()
    expect(player.locator(".row")).to_have_attribute("aria-label", re.compile("^Layer 5,"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
@pytest.mark.parametrize(("path", "pictures"), [(TWO, COMPARE), ("layers", LAYERS)])
def test_every_picture_fits(
    page: Page, site: str, path: str, pictures: tuple[str, ...], width: int, height: int, scheme: Scheme
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)
    player = open_still(page, f"{site}/{path}", pictures[-1])
    for name in pictures:
        assert not any("…" in text for text in player.locator(f".{name} svg text").all_text_contents()), "a text is cut"
        box, inside = player.locator(f".{name} svg").bounding_box(), player.bounding_box()
        assert box
        assert inside
        assert box["width"] > 100
        assert inside["x"] <= box["x"]
        assert box["x"] + box["width"] <= min(inside["x"] + inside["width"], width) + 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width
