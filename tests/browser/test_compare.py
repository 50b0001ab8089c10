"""Compare in a real browser: pictures in step, and the switch of the axis."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from core.results.schema import SweepResult
from tests.browser.shipped import COLA, SST2
from tests.browser.watching import box, eventually, open_still, resize

COMPARE = ("first", "second", "difference", "accuracy", "own")
TWO = f"compare?result={SST2.key}&other={COLA.key}"


@pytest.fixture(scope="module")
def opened(kept: Page, site: str) -> Locator:
    return open_still(kept, f"{site}/{TWO}")


@pytest.fixture
def player(opened: Locator) -> Locator:
    """The player of the kept page at rest, unpruned, in a wide window and with the focus."""
    resize(opened.page, 1280, 800)
    opened.get_by_role("slider").fill("0")
    opened.focus()
    return opened


def numbers(player: Locator, name: str) -> list[float]:
    """The numbers in a heatmap's cells, row by row from the first layer."""
    texts = [text.replace("−", "-") for text in player.locator(f".{name} svg text").all_text_contents()]
    return [float(text) for text in texts if re.fullmatch(r"[-+]?\d\.\d\d", text)]


def cells(result: SweepResult, step: int) -> list[float]:
    """The values of a result's heatmap, row by row from the first layer."""
    return [value for row in result.frames[step].similarity["cka"]["mean"] for value in row if value is not None]


def test_both_heatmaps_and_their_difference_show_the_same_amount_at_every_step(player: Locator) -> None:
    page = player.page
    for step in range(3):
        expect(player.locator(".readout b")).to_have_text(f"{5 * step} % of weights removed")
        sst2, cola = (cells(result, step) for result in (SST2, COLA))
        differences = [round(a, 2) - round(b, 2) for a, b in zip(sst2, cola, strict=True)]  # of the numbers beside it
        assert any(differences) == (step > 0)
        for name, wanted in (("first", sst2), ("second", cola), ("difference", differences)):
            rounded = pytest.approx(wanted, abs=0.00501)  # two decimals are shown
            eventually(page, lambda name=name: numbers(player, name), rounded)
        page.keyboard.press("ArrowRight")


def test_the_axis_is_switched_at_the_picture_which_stays_where_it_is(page: Page, site: str) -> None:
    player = open_still(page, f"{site}/{TWO}")
    switch = page.get_by_role("radio", name="Equal overall change").or_(
        page.get_by_role("button", name="Equal overall change")
    )
    picture, above = box(player.locator(".first")), box(switch).y
    assert 0 < picture.y - above < 200
    assert picture.bottom < 800, "in the first screen"
    switch.click()
    expect(player.locator(".readout b")).to_have_text(re.compile("^Overall change"))
    expect(player.get_by_role("slider")).to_have_accessible_name(re.compile("^Overall change"))
    assert box(player.locator(".first")).y - box(switch).y == picture.y - above


def test_every_picture_fits(player: Locator) -> None:
    page = player.page
    for width, height in ((1280, 800), (390, 844)):
        resize(page, width, height)
        for name in COMPARE:
            texts = player.locator(f".{name} svg text").all_text_contents()
            assert not any("…" in text for text in texts), "a text is cut"
            picture, around = box(player.locator(f".{name} svg")), box(player)
            assert picture.width > 100
            assert around.x <= picture.x
            assert picture.right <= min(around.right, width) + 1
        assert page.evaluate("document.documentElement.scrollWidth") <= width
