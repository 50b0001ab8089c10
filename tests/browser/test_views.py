"""Compare, All results, Layers and Sentences in a real browser, and a result that stays on show."""

import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import BrowserContext, Locator, Page, expect

from core.inputs.checkpoints import resolve
from core.request.pages import VIEWS
from tests.browser import look
from tests.browser.conftest import Keep, checkpoint_in
from tests.browser.shipped import WRITTEN
from tests.builders import make_result, with_own_key

OWN = make_result(task="cola", method="wanda", amounts=(0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6))
NASTY = '<img src="x" onerror="document.title = `broken`"> a good **film** [link](http://x.y)'


def rows(player: Locator) -> Locator:
    return player.get_by_role("radiogroup", name="Selected layer").get_by_role("radio")


def expect_on_show(page: Page, **further: str) -> Locator:
    """Wait until the page's first player shows the visitor's own result; check the address."""
    player = page.locator(".player").first
    expect(player.locator(".picture svg").first).to_be_visible()
    expect(player.get_by_role("slider")).to_have_attribute("max", "6")  # other results have more
    assert (
        dict(parse_qsl(urlsplit(page.url).query)).items() >= {"result": OWN.key, **further}.items()
    )
    return player


def test_a_row_is_picked_and_a_copied_link_opens_the_view(
    page: Page,
    site: str,
    context: BrowserContext,
    keep: Keep,
) -> None:
    player = look.open_still(page, f"{site}/layers?result={keep(OWN)}")
    look.resize(page, 390, 900)
    low = look.box(player.locator(".picture.rows")).bottom
    look.resize(page, 390, round(low) + 60)
    assert look.box(player.locator(".bar")).y > low, "the axis is in sight, and the slider below it"
    labels = player.locator(".rows .role-axis-label text")
    for width in (390, 1280):
        look.resize(page, width, 900)
        for label in labels.filter(has_text=re.compile("^[1-6]$")).all():
            row = look.box(rows(player).nth(6 - int(label.text_content() or 0)))
            text = look.box(label)
            assert row.y < text.y + text.height / 2 < row.bottom, "a row covers its strip"
    rows(player).nth(3).click(force=True)  # from the top: layer 3
    expect(page).to_have_url(re.compile("layer=3"))
    expect(player.locator(".curve .role-title-text")).to_have_text(
        re.compile("Layer 3, attention block")
    )
    look.expect_idle(page)
    rows(player).nth(3).press("ArrowDown")
    expect(page).to_have_url(re.compile("layer=2"))
    expect(rows(player).nth(4)).to_be_focused()  # though the page was redrawn
    expect(player.get_by_role("radio", checked=True)).to_have_attribute(
        "aria-label", re.compile("^Layer 2,")
    )
    page.reload()
    player = expect_on_show(page, layer="2")
    player.get_by_role("slider").fill("3")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    player.get_by_label("Copy a link").click()
    expect(player.get_by_label("Link copied")).to_be_visible()
    page.emulate_media(reduced_motion="no-preference")
    page.goto(page.evaluate("navigator.clipboard.readText()"))
    player = expect_on_show(page, layer="2", reduction="mean", amount="0.3")
    expect(player.get_by_role("slider")).to_have_value("3")
    look.expect_playing(player, False)


def test_the_navigation_keeps_the_result(page: Page, site: str, keep: Keep) -> None:
    look.open_still(page, f"{site}/compare?result={keep(OWN)}&other={WRITTEN.key}")
    for name in (
        "Methods",
        "Layers",
        "All results",
    ):  # of both lines of the navigation
        page.get_by_role("link", name=name, exact=True).click()
        title = f"^{name} · Wanda pruning of the encoder · .*CoLA.* · Prunescope$"
        expect(page).to_have_title(re.compile(title))
        expect(page.locator("[aria-current=page]")).to_have_text(name)
        expect(page.locator("[aria-current=true]")).to_have_count(int(name in VIEWS))
        if name == "Layers":
            expect_on_show(page, other=WRITTEN.key)
    # Beside the canvas, for screen readers.
    expect(page.get_by_test_id("stDataFrame").locator("tbody tr")).not_to_have_count(0)


def test_a_typed_sentence_is_answered_and_stays_text(
    page: Page, site: str, copy: Path, keep: Keep
) -> None:
    # The tiny checkpoint answers.
    revision = resolve(str(checkpoint_in(copy))).revision
    checkpoint = WRITTEN.checkpoint.model_copy(update={"revision": revision})
    key = keep(with_own_key(WRITTEN, checkpoint=checkpoint))
    look.open_still(page, f"{site}/sentences?result={key}")
    field = page.get_by_role("textbox", name="Sentence")
    field.fill(NASTY)
    page.get_by_role("button", name="Predict").click()
    expect(page.get_by_text("Unpruned, the model says")).to_be_visible(timeout=look.WORKER_PATIENCE)
    expect(page.locator(".player .probabilities svg")).to_be_visible()
    expect(page.get_by_text('<img src="x"').first).to_be_visible()
    expect(page.locator(".stMain img")).to_have_count(0)
    expect(page.get_by_role("link", name="link")).to_have_count(0)
    page.get_by_role("slider", name="Pruning amount").first.fill("2")
    for player in page.locator(".player").all():
        look.expect_amount(player, WRITTEN.amounts[2])
