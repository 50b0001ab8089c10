"""The Sentences page in a real browser, with a real worker and a tiny checkpoint in the embedded one's place."""

import re
import shutil
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from core.request.catalog import EMBEDDED, ROOT, SHIPPED
from tests.tiny import make_bert

NASTY = '<img src="x" onerror="document.title = `broken`"> a good **film** [link](http://x.y)'
SETTLING = 500  # milliseconds: a box that is opened while the page still scrolls closes again
A_WHILE = 60_000  # milliseconds: the first question also waits for the worker to import torch


@pytest.fixture
def sentences(page: Page, site: str) -> Page:
    page.goto(site)
    page.get_by_role("link", name="Sentences").click()
    expect(page.locator(".player .strip svg")).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    return page


@pytest.fixture(scope="session")
def embedded(site: str) -> None:
    """Puts a checkpoint and the written examples into the copy of the app."""
    (server,) = (one for one in psutil.Process().children() if "streamlit" in one.cmdline())
    home = Path(server.cwd())
    folder = next(iter(EMBEDDED.values())).folder
    assert folder is not None
    make_bert(home / folder.relative_to(ROOT))
    shutil.copytree(SHIPPED / "subsets", home / SHIPPED.relative_to(ROOT) / "subsets", dirs_exist_ok=True)


def test_a_filter_is_in_the_address_and_survives_a_reload(sentences: Page) -> None:
    expect(sentences.get_by_text("200 examples, earliest flip first")).to_be_visible()
    box = sentences.get_by_role("combobox", name="Flips")
    box.scroll_into_view_if_needed()
    sentences.wait_for_timeout(SETTLING)
    box.click()
    sentences.get_by_role("option", name="Right unpruned, then flips").click()
    heading = sentences.get_by_role("heading", name=re.compile(r"^\d+ examples, earliest"))
    expect(heading).not_to_have_text("200 examples, earliest flip first")
    words = heading.inner_text()
    expect(sentences).to_have_url(re.compile(r"/sentences\?.*flips=right"))
    sentences.reload()
    expect(sentences.get_by_role("heading", name=words)).to_be_visible()
    expect(sentences.locator(".player .strip svg")).to_be_visible()


def test_it_plays_without_a_message_to_the_server(sentences: Page, messages: list[str]) -> None:
    sentences.reload()
    expect(sentences.locator(".player .strip svg")).to_be_visible()
    sentences.wait_for_timeout(2_000)
    messages.clear()
    readout = sentences.locator(".readout b")
    before = readout.inner_text()
    sentences.get_by_role("button", name="Play").click()
    expect(readout).not_to_have_text(before)
    sentences.wait_for_timeout(2_000)
    sentences.get_by_role("button", name="Pause").click()
    assert not messages


@pytest.mark.usefixtures("embedded")
def test_a_typed_sentence_is_answered_in_step_with_the_examples_and_stays_text(sentences: Page) -> None:
    sentences.get_by_role("textbox", name="Sentence").fill(NASTY)
    sentences.get_by_role("button", name="Predict").click()
    expect(sentences.get_by_text("Unpruned, the model says")).to_be_visible(timeout=A_WHILE)
    expect(sentences.locator(".player .probabilities svg")).to_be_visible()
    expect(sentences.get_by_text('<img src="x"').first).to_be_visible()
    assert sentences.locator(".stMain img").count() == 0
    assert sentences.get_by_role("link", name="link").count() == 0
    assert sentences.title() == "Prunescope · Sentences"

    first, second = (sentences.locator(".readout b").nth(k) for k in (0, 1))
    sentences.get_by_role("slider", name="Pruning amount").first.focus()
    for _ in range(3):
        sentences.keyboard.press("ArrowRight")
        expect(second).to_have_text(first.inner_text())
    assert first.inner_text() != "Pruning amount 0.00"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["sentences", "methods"])
def test_both_pages_fit_a_telephone_in_both_themes(path: str, scheme: str, chromium: Browser, site: str) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{site}/{path}")
    expect(page.locator(".player .strip svg" if path == "sentences" else ".katex").first).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    assert page.get_by_test_id("stMain").evaluate("element => element.scrollWidth - element.clientWidth") <= 0
    context.close()


def test_the_table_of_contents_jumps_to_a_section(page: Page, site: str) -> None:
    page.goto(f"{site}/methods")
    page.get_by_role("link", name="When not to trust it").first.click()
    expect(page.get_by_role("heading", name="When not to trust it")).to_be_in_viewport()
    expect(page).to_have_url(re.compile(r"#limits$"))
