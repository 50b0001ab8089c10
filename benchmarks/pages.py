"""`python -m benchmarks.pages`: how long a person waits for a picture, on every page of a warm server.

Chromium opens every page in a fresh browser and in one that has been there before, goes from page to page by the
navigation, and drags the player's slider; README.md says how to read the table.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from playwright.sync_api import BrowserContext, Locator, Playwright, ViewportSize, sync_playwright

from benchmarks.serving import CHROMIUM, OPTIONS, served
from core.command_line import OneLineParser, run_command
from core.errors import PrunescopeError
from core.request.catalog import ROOT
from ui.header import PAGES

WINDOW: ViewportSize = {"width": 1280, "height": 800}  # pixels
RUNS = 5
WARMING_VISITS = 3  # until Chromium keeps compiled scripts
SETTLING_MILLISECONDS = 1_500  # before the next measurement
MOVES = 40  # of the mouse in one drag
# The largest picture of each page, which a person opens it for; Methods: the last. Neighbours in the navigation differ.
PICTURES = {
    "Overview": ".player .stack .holder:not(.coming) svg",
    "Lab": ".player .heatmap .holder:not(.coming) svg",
    "Compare": ".player .second .holder:not(.coming) svg",
    "Grid": ".grid td svg",
    "Layers": ".player .rows .holder:not(.coming) svg",
    "Sentences": ".player .strip .holder:not(.coming) svg",
    "Present": ".player .heatmap .holder:not(.coming) svg",
    "Methods": ".explanation .example svg",
}
# Looks once a frame, also into components, and returns the milliseconds since the page was requested. Playwright's own
# waiting looks only twice a second.
SEEN = """selector => new Promise((resolve) => {
  const look = () => {
    const roots = [document, ...[...document.querySelectorAll("div")].map((div) => div.shadowRoot).filter(Boolean)];
    const found = roots.map((root) => root.querySelector(selector)).find((picture) => picture?.getClientRects().length);
    if (found) resolve(performance.now()); else requestAnimationFrame(look);
  };
  look();
})"""
NOTE_CLICK = "addEventListener('click', () => { globalThis.clicked = performance.now(); }, {capture: true, once: true})"
CLICKED = "globalThis.clicked"


def address_of(site: str, page: str) -> str:
    """Return the address that opens a page directly."""
    path = PAGES[page].removeprefix("pages/").removesuffix(".py")
    return site if path == "app" else f"{site}/{path}"


def open_in(context: BrowserContext, site: str, name: str) -> float:
    """Open a page in a new tab; return the seconds until its picture is seen."""
    page = context.new_page()
    page.goto(address_of(site, name), wait_until="commit")
    seen = page.evaluate(SEEN, PICTURES[name])
    page.wait_for_timeout(SETTLING_MILLISECONDS)
    page.close()
    return float(seen) / 1000


def open_fresh(playwright: Playwright, site: str, name: str) -> float:
    """Open a page in a browser that was never used."""
    with browser(playwright) as context:
        return open_in(context, site, name)


def open_again(playwright: Playwright, site: str, name: str, runs: int) -> list[float]:
    """Open a page repeatedly in one browser, which has been there before."""
    with browser(playwright) as context:
        for _ in range(WARMING_VISITS):
            open_in(context, site, name)
        return [open_in(context, site, name) for _ in range(runs)]


def switch(playwright: Playwright, site: str, runs: int) -> dict[str, list[float]]:
    """Go through all pages by the navigation, from the last to the first, after a round to warm up."""
    waited: dict[str, list[float]] = {name: [] for name in PAGES}
    with browser(playwright) as context:
        page = context.new_page()
        page.goto(site)
        page.evaluate(SEEN, PICTURES["Overview"])
        for _ in range(1 + runs):
            for name in reversed(PAGES):
                page.wait_for_timeout(SETTLING_MILLISECONDS)
                page.evaluate(NOTE_CLICK)
                page.get_by_role("link", name=name, exact=True).click()
                waited[name].append((page.evaluate(SEEN, PICTURES[name]) - page.evaluate(CLICKED)) / 1000)
    return {name: times[1:] for name, times in waited.items()}


def scrub(context: BrowserContext, site: str, name: str) -> float:
    """Drag the slider from end to end; return the seconds from the last move until the last picture is shown."""
    page = context.new_page()
    page.emulate_media(reduced_motion="reduce")
    page.goto(address_of(site, name))
    page.evaluate(SEEN, PICTURES[name])
    page.wait_for_timeout(SETTLING_MILLISECONDS)
    player = page.locator(".player").first
    pictures = player.locator(".pictures")
    player.focus()
    page.keyboard.press("End")
    page.wait_for_timeout(SETTLING_MILLISECONDS)
    last = drawn(pictures)
    page.keyboard.press("Home")
    page.wait_for_timeout(SETTLING_MILLISECONDS)
    slider = player.get_by_label("Pruning amount")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    height = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8, height)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 8, height, steps=MOVES)
    started = time.perf_counter()
    while drawn(pictures) != last:
        if time.perf_counter() - started > 5:
            raise PrunescopeError(
                f"{name}: the last picture did not appear within 5 s after the slider reached the end"
            )
    waited = time.perf_counter() - started
    page.close()
    return waited


def drawn(pictures: Locator) -> str:
    """Return the SVG of all pictures."""
    shown: str = pictures.evaluate(
        "pictures => [...pictures.querySelectorAll('svg')].map((svg) => svg.innerHTML).join()"
    )
    return shown


@contextmanager
def browser(playwright: Playwright) -> Iterator[BrowserContext]:
    """Start a browser with a profile of its own, which keeps files and compiled scripts on disk as a person's does."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=list(OPTIONS), viewport=WINDOW
        )
        yield context
        context.close()


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = OneLineParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument(
        "--runs", type=int, default=RUNS, help=f"how often each measurement is repeated (default: {RUNS})"
    )
    return parser.parse_args(arguments)


def in_words(waited: Sequence[float]) -> str:
    """Write the median, and the longest in brackets."""
    return f"{median(waited):.2f} ({max(waited):.2f})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    runs = parse(arguments).runs
    if CHROMIUM is None:
        raise PrunescopeError("there is no Chromium on this computer: install it, for example as apt's chromium")
    with TemporaryDirectory() as own, served(ROOT, Path(own)) as site, sync_playwright() as playwright:
        for name in PAGES:  # the first visitor warms the server
            open_fresh(playwright, site, name)
        switched = switch(playwright, site, runs)
        print(f"{'seconds, median (longest)':<28}{'fresh':>14}{'returning':>14}{'by navigation':>16}{'scrubbed':>14}")
        for name in PAGES:
            fresh = [open_fresh(playwright, site, name) for _ in range(runs)]
            again = open_again(playwright, site, name, runs)
            print(f"{name:<28}{in_words(fresh):>14}{in_words(again):>14}{in_words(switched[name]):>16}", end="")
            if name not in ("Methods", "Grid"):
                with browser(playwright) as context:
                    print(f"{in_words([scrub(context, site, name) for _ in range(runs)]):>14}", end="")
            print(flush=True)
    return 0


if __name__ == "__main__":
    run_command(main)
