"""Layers in a real browser: rows are picked by mouse and by keys, and stand on one axis whatever is shown before."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from core.results.names import amount_name
from core.results.schema import SweepResult
from core.results.store import save
from tests.browser.conftest import OWN_RESULTS
from tests.browser.shipped import SST2
from tests.browser.test_accessibility import expect_no_faults
from tests.browser.watching import box, eventually, expect_idle, expect_silence, open_still, resize, unfold
from tests.builders import make_result

FEW = make_result(amounts=(0.0, 0.9), num_examples=100)  # amounts that no shipped result has
DEEP = make_result(num_layers=24, points="both", amounts=(0.0, 0.3, 0.6), num_examples=100)


@pytest.fixture
def own(copy: Path) -> Iterator[dict[str, SweepResult]]:
    """Results of the visitor's own, of other amounts and of another depth."""
    paths = [save(result, copy / OWN_RESULTS) for result in (FEW, DEEP)]
    yield {"few": FEW, "deep": DEEP}
    for path in paths:
        path.unlink()


def opened(page: Page, site: str, query: str = "") -> Locator:
    player = open_still(page, f"{site}/layers{query}")
    expect_silence(page)
    return player


def rows(player: Locator) -> Locator:
    return player.get_by_role("radiogroup", name="Selected layer").get_by_role("radio")


def selected(player: Locator) -> str:
    """The layer whose row is selected, as a screen reader says it."""
    return player.get_by_role("radio", checked=True).first.get_attribute("aria-label") or ""


def test_the_heading_s_layer_is_selected_until_mouse_or_keys_pick_another(page: Page, site: str) -> None:
    player = opened(page, site)
    expect(page.get_by_role("heading", level=1)).to_have_text(
        re.compile("^Layer 6 changes first: it falls below 0.9 at")
    )
    eventually(page, lambda: selected(player)[:8], "Layer 6,")
    expect(rows(player)).to_have_count(6)
    page.mouse.click(*box(rows(player).nth(3)).middle)  # from the top: layer 3
    expect(page).to_have_url(re.compile("layer=3"))
    expect(player.locator(".curve .role-title-text")).to_have_text(re.compile("Layer 3, attention block"))
    eventually(page, lambda: selected(player)[:8], "Layer 3,")
    expect_idle(page)
    rows(player).first.focus()
    page.keyboard.press("ArrowDown")
    expect(page).to_have_url(re.compile("layer=5"))
    eventually(page, lambda: selected(player)[:8], "Layer 5,")
    expect(rows(player).nth(1)).to_be_focused()  # the page was drawn anew meanwhile
    page.keyboard.press("ArrowDown")
    expect(page).to_have_url(re.compile("layer=4"))
    player.locator("[data-do=forward]").click()
    middle = SST2.frames[11].own("mean")
    assert middle
    eventually(page, lambda: selected(player).rpartition(": ")[2], f"{middle[3]:.2f}")


def test_a_row_lies_over_its_strip_in_any_size_and_tables_and_chooser_can_be_read(page: Page, site: str) -> None:
    player = opened(page, site)
    for width in (1280, 390):
        resize(page, width, 900)
        labels = player.locator(".rows .role-axis-label text").filter(has_text=re.compile("^[1-6]$"))
        expect(labels).to_have_count(6)
        for label in labels.all():
            row = box(rows(player).nth(6 - int(label.text_content() or 0)))
            assert row.y < box(label).middle[1] < row.bottom
    unfold(page, "Details")
    tables = page.get_by_test_id("stExpanderDetails").locator("table")
    expect(tables.first).to_be_visible()
    for table in tables.all():
        assert table.evaluate("table => table.scrollWidth <= table.parentElement.clientWidth")
    resize(page, 1280, 800)
    page.get_by_role("button", name=re.compile("MiniLM-L6")).click()
    expect(page.get_by_role("combobox", name=re.compile("Result"))).to_be_visible()
    expect_idle(page)
    expect_no_faults(page)


def axis(player: Locator, picture: str) -> list[str]:
    """The labels of the amounts under a picture, from left to right."""
    labels = player.locator(f".{picture} .role-axis-label text").all()
    return [words for _, words in sorted((box(text).x, text.text_content() or "") for text in labels) if "%" in words]


def test_after_a_result_of_other_amounts_the_axis_is_in_order(
    page: Page, site: str, own: dict[str, SweepResult]
) -> None:
    ticks = [f"{share}\u00a0%" for share in (0, 20, 40, 60, 80, 100)]
    player = opened(page, site, f"?result={FEW.key}")
    unfold(page, "Details")
    close_up = page.locator(".player").nth(1)
    expect(close_up.locator(".row svg")).to_be_visible()
    page.get_by_role("button", name=re.compile("MiniLM-L6")).click()
    page.get_by_role("combobox", name=re.compile("Result")).click()
    page.get_by_role("option").filter(has_not_text="100 examples").first.click()
    expect(page).not_to_have_url(re.compile(FEW.key))
    expect_idle(page)
    expect(page.get_by_text(re.compile("^Layer .* stays intact "))).to_be_visible()
    eventually(page, lambda: axis(player, "rows"), ticks)
    eventually(page, lambda: axis(close_up, "row"), ticks)
    columns = close_up.locator(".row .mark-rect path").evaluate_all(
        "paths => new Set(paths.map((path) => path.getBoundingClientRect().x)).size"
    )
    assert columns >= len(SST2.amounts), amount_name(SST2.amounts[-1])


def test_many_rows_keep_apart_and_the_bar_stays_in_sight(page: Page, site: str, own: dict[str, SweepResult]) -> None:
    player = opened(page, site, f"?result={DEEP.key}")
    expect(rows(player)).to_have_count(48)
    for width, height in ((1280, 800), (390, 800), (1280, 2000)):
        resize(page, width, height)
        assert box(player.locator(".bar")).bottom <= height
        numbers = player.locator(".rows .mark-text.role-mark text").evaluate_all(
            """texts => texts.filter((text) => text.textContent).map((text) => (
                 [text.getBoundingClientRect().y, parseFloat(getComputedStyle(text).fontSize)]
               ))"""
        )
        assert len(numbers) >= 48
        letters = numbers[0][1]
        places = sorted(place for place, _ in numbers)
        assert min(after - before for before, after in pairwise(places)) >= letters
        assert page.evaluate("document.documentElement.scrollWidth") <= width
