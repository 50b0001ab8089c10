"""The Sentences page in a real browser, with a real worker and a tiny checkpoint in the embedded one's place."""

import re

import pytest
from playwright.sync_api import Page, expect

from core.results.schema import SweepResult
from tests.browser.watching import WORKER_PATIENCE, box, expect_idle

NASTY = '<img src="x" onerror="document.title = `broken`"> a good **film** [link](http://x.y)'


@pytest.fixture
def sentences(page: Page, site: str) -> Page:
    page.goto(f"{site}/sentences")
    expect(page.locator(".player .strip svg")).to_be_visible()
    expect_idle(page)
    return page


def test_the_typed_sentence_comes_first_and_a_filter_of_examples_survives_a_reload(sentences: Page) -> None:
    strip = box(sentences.locator(".player .strip"))
    assert box(sentences.get_by_role("textbox", name="Sentence")).bottom < strip.y < 800, "both on the first screen"
    expect(sentences.get_by_text("200 examples, earliest flip first")).to_be_visible()
    chooser = sentences.get_by_role("combobox", name="Flips")
    wanted = sentences.get_by_role("option", name=re.compile("^Correct unpruned, then flips"))
    chooser.scroll_into_view_if_needed()
    expect(chooser).to_be_in_viewport()
    chooser.press("ArrowDown")
    wanted.click()
    heading = sentences.get_by_role("heading", name=re.compile(r"^\d+ examples, earliest"))
    expect(heading).not_to_have_text("200 examples, earliest flip first")
    words = heading.inner_text()
    expect(sentences).to_have_url(re.compile(r"/sentences\?.*flips=right"))
    sentences.reload()
    expect(sentences.get_by_role("heading", name=words)).to_be_visible()
    expect(sentences.locator(".player .strip svg")).to_be_visible()


def test_a_typed_sentence_is_answered_in_step_with_the_examples_and_stays_text(
    page: Page, site: str, answering: SweepResult
) -> None:
    page.goto(f"{site}/sentences?result={answering.key}")
    expect(page.locator(".player .strip svg")).to_be_visible()
    expect_idle(page)
    page.get_by_role("textbox", name="Sentence").fill(NASTY)
    page.get_by_role("button", name="Predict").click()
    expect(page.get_by_text("Unpruned, the model says")).to_be_visible(timeout=WORKER_PATIENCE)
    expect(page.locator(".player .probabilities svg")).to_be_visible()
    expect(page.get_by_text('<img src="x"').first).to_be_visible()
    assert page.locator(".stMain img").count() == 0
    assert page.get_by_role("link", name="link").count() == 0
    assert page.title().startswith("Sentences · ")

    first, second = (page.locator(".readout b").nth(k) for k in (0, 1))
    page.get_by_role("slider", name="Pruning amount").first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
        expect(second).to_have_text(first.inner_text())
    assert first.inner_text() != "0 % of weights removed"
