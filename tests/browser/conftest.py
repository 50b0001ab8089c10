"""A copy of the app with made-up results, running on a port of its own, and Chromium to look at it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from benchmarks.serving import CHROMIUM, OPTIONS, served
from core.request.catalog import ROOT
from tests.browser.shipped import SHIPPED
from tests.browser.watching import PATIENCE, complaints_of, messages_of
from tests.builders import ship

PIECES = ("app.py", "core", "ui", "pages", ".streamlit", "tests/builders.py", "tests/browser/site_pages")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running copy."""
    folder = tmp_path_factory.mktemp("site")
    for piece in PIECES:
        source, target = ROOT / piece, folder / piece
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    for page in (folder / "tests/browser/site_pages").glob("*.py"):
        shutil.copy(page, folder / "pages")
    ship(folder / "cached_results" / "results", *SHIPPED)
    with served(folder, folder / "own") as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("there is no Chromium on this computer")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that must not complain: errors in the console or of a script fail the test."""
    page = context.new_page()
    complaints = complaints_of(page)
    yield page
    assert not complaints


@pytest.fixture
def messages(page: Page) -> list[str]:
    """What goes over the page's websocket, either way, as it comes."""
    return messages_of(page)
