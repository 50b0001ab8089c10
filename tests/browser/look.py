"""What tests in the browser wait for, and how they use a page.

Nothing here waits for a time to pass. PATIENCE only bounds how long a failing test goes on.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

from playwright.sync_api import (
    ConsoleMessage,
    FilePayload,
    Frame,
    Locator,
    Page,
    expect,
)

PATIENCE = 60_000  # milliseconds; a busy machine takes ten times as long as an idle one
# Milliseconds; the first run also waits until the worker has imported torch.
WORKER_PATIENCE = 240_000
ANIMATED = """element => Promise.allSettled(element.getAnimations({subtree: true})
    .filter((animation) => animation.effect.getComputedTiming().endTime < Infinity)
    .map((animation) => animation.finished))"""
FILLED = """pictures => pictures.every((picture) => {
    const { width, height } = picture.getBoundingClientRect(), box = picture.closest(".picture");
    const near = (one, other) => Math.abs(one - other) <= 1;
    if (!box || picture.closest(".coming")) return false;
    return near(width, box.clientWidth) && near(height, box.clientHeight);
})"""


@contextmanager
def served_files(folder: Path) -> Iterator[str]:
    """Serve a folder at localhost, another site than the app's 127.0.0.1; yield the address."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("localhost", 0), handler) as server:
        Thread(
            target=server.serve_forever,
            kwargs={"poll_interval": 0.02},
            daemon=True,
        ).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def csv(name: str, text: str) -> FilePayload:
    """Return a table to upload."""
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode()}


def box(part: Locator) -> SimpleNamespace:
    """Return where a part of the page is, which must be in sight.

    In pixels from the window's upper left corner.
    """
    found = part.bounding_box()
    return SimpleNamespace(
        **found,
        right=found["x"] + found["width"],
        bottom=found["y"] + found["height"],
    )


def open_still(page: Page, address: str) -> Locator:
    """Open a page whose player does not start by itself; return its first player."""
    page.emulate_media(reduced_motion="reduce")
    page.goto(address)
    player = page.locator(".player").first
    expect(player.locator(".picture").last.locator("svg")).to_be_visible()
    expect_idle(page)
    return player


def expect_amount(player: Locator, value: float) -> None:
    expect(player.locator(".readout b")).to_have_text(
        re.compile(f"{100 * value:.0f} % of weights removed$")
    )


def expect_playing(player: Locator, playing: bool) -> None:
    expect(player.locator("[data-do=toggle]")).to_have_attribute(
        "aria-label", "Pause" if playing else "Play"
    )


def expect_no_sideways_scroll(page: Page) -> None:
    """Wait until nothing is wider than the window."""
    wide = """[...document.querySelectorAll("html, .stMain")]
        .some((part) => part.scrollWidth > innerWidth)"""
    eventually(page, lambda: page.evaluate(wide), False)


def expect_idle(page: Page) -> None:
    """Wait until no script runs for this page, so that the server has sent all of it."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def eventually(page: Page, read: Callable[[], object], expected: object) -> None:
    """Wait until what is read is as expected: Vega draws a moment after the amount is shown."""
    end = time.monotonic() + PATIENCE / 1000
    while (value := read()) != expected and time.monotonic() < end:
        page.wait_for_timeout(50)
    assert value == expected


def resize(page: Page, width: int, height: int) -> None:
    """Resize the window, and wait until every picture is drawn for it."""
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    eventually(page, lambda: page.locator(".picture svg").evaluate_all(FILLED), True)


def unfold(page: Page, label: str | re.Pattern[str]) -> None:
    """Open an expander and wait until it stands still: one opened too early closes again."""
    summary = page.locator("summary").filter(has_text=label)
    details = summary.locator("..")

    def stays_open() -> bool:
        if details.get_attribute("open") is None:
            summary.click()
        expect_idle(page)
        details.evaluate(ANIMATED)
        return details.get_attribute("open") is not None

    eventually(page, stays_open, True)


def pick(page: Page | Frame, label: str, option: str) -> None:
    """Choose an option; a list that opens while the page still scrolls to it closes again."""
    chooser = page.get_by_role("combobox", name=label)
    chooser.scroll_into_view_if_needed()
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    chooser.click()
    page.get_by_role("option", name=option).click()


def fetched(page: Page, label: str, folder: Path) -> Path:
    """Click a download; return the file, under the name that the browser was given."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=label).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def amount(player: Locator) -> float:
    """Return the amount that a player shows."""
    text = player.locator(".readout b").inner_text()
    return float(text.removesuffix(" % of weights removed")) / 100


def numbers(player: Locator, picture: str) -> list[float]:
    """Return the numbers with two decimals in a picture, row by row from the first layer."""
    texts = [
        text.replace("−", "-")
        for text in player.locator(f".{picture} svg text").all_text_contents()
    ]
    return [float(text) for text in texts if re.fullmatch(r"[-+]?\d\.\d\d", text)]


def complaints_of(page: Page) -> list[str]:
    """Return a list to which errors of a page's console and scripts are added as they come."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(f"{message.text} {message.location['url']}")

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints
