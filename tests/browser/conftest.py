"""A copy of the app with made-up results on a port of its own, and Chromium to look at it: one of each a worker."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from benchmarks.serving import CHROMIUM, OPTIONS, served
from core.request.catalog import EMBEDDED, ROOT, SHIPPED
from tests.browser import shipped
from tests.browser.watching import PATIENCE, complaints_of, messages_of
from tests.builders import ship
from tests.tiny import make_bert

PIECES = ("app.py", "core", "ui", "pages", ".streamlit", "tests/builders.py", "tests/browser/site_pages")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running copy, with a tiny checkpoint in the place of the first embedded one."""
    folder = tmp_path_factory.mktemp("site")
    for piece in PIECES:
        source, target = ROOT / piece, folder / piece
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    for page in (folder / "tests/browser/site_pages").glob("*.py"):
        shutil.copy(page, folder / "pages")
    ship(folder / "cached_results" / "results", *shipped.SHIPPED)
    checkpoint = next(iter(EMBEDDED.values())).folder
    assert checkpoint is not None
    make_bert(folder / checkpoint.relative_to(ROOT))
    shutil.copytree(SHIPPED / "subsets", folder / SHIPPED.relative_to(ROOT) / "subsets")
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


@pytest.fixture(scope="session")
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """The one visitor of all tests: after the first page the browser has Streamlit's scripts at hand."""
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
    page.close()
    assert not complaints


@pytest.fixture
def messages(page: Page) -> list[str]:
    """What goes over the page's websocket, either way, as it comes."""
    return messages_of(page)
