"""A server with a copy of the app and made-up results, and Chromium: one of each a worker."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    WebSocket,
    expect,
    sync_playwright,
)

from benchmarks.serving import CHROMIUM, OPTIONS, served
from core.request.catalog import EMBEDDED, ROOT
from core.results.schema import SweepResult
from core.results.store import save
from tests.browser import look, shipped
from tests.builders import ship
from tests.tiny import make_bert

OWN_RESULTS = "own"  # folder of the copy
SHORT_LIVED = (  # for pages open for seconds
    "--process-per-site",  # the next page finds Streamlit's scripts compiled
    "--js-flags=--no-opt --no-maglev",  # optimised code would come too late
    # Streaming would parse compiled scripts again. This switch replaces Playwright's own, and
    # repeats those of its features that matter. A page in the Hub's place may show the one under
    # test.
    "--disable-features=ScriptStreaming,PaintHolding,ThirdPartyStoragePartitioning,LocalNetworkAccessChecks",
)
Keep = Callable[[SweepResult], str]
PIECES = (
    "app.py",
    "core",
    "ui",
    "pages",
    "static",
    ".streamlit",
    "docs/methods.md",
    "cached_results/subsets",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a copy of the app, its first embedded checkpoint replaced by a tiny one."""
    folder = tmp_path_factory.mktemp("site")
    for piece in PIECES:
        source = ROOT / piece
        target = folder / piece
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    ship(
        folder / "cached_results" / "results",
        *shipped.SHIPPED,
        shipped.STUDY,
        shipped.RECOVERY,
    )
    make_bert(checkpoint_in(folder), layers=6)  # like the bundled ones
    return folder


def checkpoint_in(copy: Path) -> Path:
    """Return the place of the first embedded checkpoint in a copy of the app."""
    return copy / next(iter(EMBEDDED.values())).folder.relative_to(ROOT)


@pytest.fixture(scope="session")
def site(copy: Path) -> Iterator[str]:
    """The address of the running copy.

    It accepts uploads as in a Space, where its cookie does not reach a frame.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION", "false")
        with served(copy, copy / OWN_RESULTS) as address:
            yield address


@pytest.fixture
def keep(copy: Path) -> Iterator[Keep]:
    """Store a result among the visitor's own for one test, and return its key."""
    paths: list[Path] = []

    def kept(result: SweepResult) -> str:
        paths.append(save(result, copy / OWN_RESULTS))
        return result.key

    yield kept
    for path in paths:
        path.unlink()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    executable = (
        shutil.which("chromium-headless-shell") or CHROMIUM
    )  # the same engine without windows
    if not executable:
        pytest.skip("there is no Chromium on this computer")
    expect.set_options(timeout=look.PATIENCE)
    with sync_playwright() as playwright:
        environment = {
            name: value for name, value in os.environ.items() if name != "FONTCONFIG_FILE"
        }
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=[*OPTIONS, *SHORT_LIVED],
            env=environment,
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def context(chromium: Browser, site: str) -> Iterator[BrowserContext]:
    """The visitor of all tests, with a page that stays open.

    Without one, the browser would end the site's process.
    """
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(look.PATIENCE)
    context.new_page().goto(f"{site}/_stcore/health")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page for one test; errors in its console or scripts fail the test."""
    page = context.new_page()
    complaints = look.complaints_of(page)
    yield page
    page.close()
    assert not complaints


@pytest.fixture
def messages(page: Page) -> list[str]:
    """The messages over the page's websocket, both ways, as they come."""
    directions: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda _: directions.append("sent"))
        socket.on("framereceived", lambda _: directions.append("received"))

    page.on("websocket", listen)
    return directions
