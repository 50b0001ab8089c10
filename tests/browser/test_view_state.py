"""The result on show in a real browser: whatever is clicked, reloaded, followed or copied, it is still that one.

That every widget and every link keeps it, without a browser: tests/pages/test_view_state.py and test_every_widget.py.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from core.results.schema import SweepResult
from core.results.store import save
from tests.browser.conftest import OWN_RESULTS
from tests.browser.shipped import WRITTEN
from tests.browser.test_layers import rows
from tests.browser.watching import box, expect_idle, unfold
from tests.builders import make_result
from ui.header import PAGES

OWN = make_result(task="cola", method="wanda", amounts=(0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6))
LAST = "6"  # place of its largest amount, by which it is known: results that pages show by themselves have more


@pytest.fixture
def own(copy: Path) -> Iterator[SweepResult]:
    """A result among the visitor's own ones."""
    path = save(OWN, copy / OWN_RESULTS)
    yield OWN
    path.unlink()


def expect_on_show(page: Page, other: SweepResult | None = None) -> Locator:
    """The first player of the page shows the visitor's own result, and the address names it."""
    player = page.locator(".player").first
    expect(player.locator(".picture svg").first).to_be_visible()
    expect(player.get_by_role("slider")).to_have_attribute("max", LAST)
    known = parameters(page.url)
    assert known["result"] == OWN.key
    assert known.get("other") == (other.key if other else None)
    return player


def parameters(address: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}


def copied(context: BrowserContext, page: Page, player: Locator) -> str:
    """The link that a player copies."""
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    player.get_by_label("Copy a link").click()
    expect(player.get_by_label("Link copied")).to_be_visible()
    link: str = page.evaluate("navigator.clipboard.readText()")
    return link


@pytest.fixture
def still(page: Page) -> Page:
    """A page where nothing plays by itself."""
    page.emulate_media(reduced_motion="reduce")
    return page


def test_on_layers_it_stays_whatever_is_clicked(
    still: Page, site: str, context: BrowserContext, own: SweepResult
) -> None:
    page = still
    page.goto(f"{site}/layers?result={own.key}")
    player = expect_on_show(page)
    page.mouse.click(*box(rows(player).nth(3)).middle)
    expect(page).to_have_url(re.compile("layer="))
    expect_on_show(page)
    page.get_by_test_id("stPopover").get_by_role("button").click()
    page.get_by_role("radio", name="0.95").click()
    expect(page).to_have_url(re.compile("threshold=0.95"))
    page.keyboard.press("Escape")
    expect_on_show(page)
    unfold(page, "Download")
    page.get_by_role("button", name="Make GIF").click()
    expect(page.get_by_text("Drawing frame")).to_be_visible()
    expect_on_show(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name=re.compile("(Make|Download) GIF"))).to_be_visible()  # it may have been done
    player = expect_on_show(page)
    page.reload()
    player = expect_on_show(page)
    player.get_by_role("slider").fill("3")
    link = copied(context, page, player)
    known = parameters(page.url)
    assert parameters(link) == {**known, "reduction": "mean", "measure": "cka", "amount": "0.3"}
    assert known["threshold"] == "0.95"
    assert known["layer"]
    page.goto(link)
    player = expect_on_show(page)
    expect(player.get_by_role("slider")).to_have_value("3")


@pytest.mark.long
def test_it_goes_through_the_navigation_and_survives_a_reload(still: Page, site: str, own: SweepResult) -> None:
    page = still
    page.goto(f"{site}/compare?result={own.key}&other={WRITTEN.key}")
    expect_on_show(page, WRITTEN)
    for name in PAGES:
        page.get_by_role("link", name=name, exact=True).click()
        wanda = "" if name in ("Methods", "Grid") else "Wanda pruning of the encoder, CoLA.* · "
        expect(page).to_have_title(re.compile(f"^{name} · {wanda}Prunescope$"))
        expect(page.locator("[aria-current=page]")).to_have_text(name)
        if not wanda:
            continue
        expect_on_show(page, WRITTEN)
    page.get_by_role("link", name="Compare", exact=True).click()
    expect_on_show(page, WRITTEN)
    expect_idle(page)
    page.reload()
    expect_on_show(page, WRITTEN)


def test_a_comparison_is_copied_with_both_results_the_axis_and_the_reduction(
    still: Page, site: str, context: BrowserContext, own: SweepResult
) -> None:
    page = still
    page.goto(f"{site}/compare?result={own.key}&other={WRITTEN.key}")
    player = expect_on_show(page, WRITTEN)
    page.get_by_role("radio", name="Equal overall change").click()
    expect(page).to_have_url(re.compile("axis=damage"))
    page.get_by_test_id("stPopover").get_by_role("button").click()
    page.get_by_role("radio", name="First token").click()
    expect(page).to_have_url(re.compile("reduction=cls"))
    page.keyboard.press("Escape")
    expect_idle(page)
    player.get_by_role("slider").fill("3")
    readout = player.locator(".readout").inner_text()
    link = copied(context, page, player)
    on_show = {"result": own.key, "other": WRITTEN.key, "axis": "damage", "reduction": "cls"}
    assert parameters(link).items() >= on_show.items()
    assert "amount" in parameters(link)
    page.goto(link)
    expect(player.locator(".readout")).to_have_text(readout, use_inner_text=True)
