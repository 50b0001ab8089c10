"""`python -m benchmarks.pages`: how long a person waits for a picture, on every page of a warm server.

Chromium opens every page in a fresh browser and in one that has been there before, goes from page to page by the
navigation, and draws the player's slider along; README.md says how to read the table.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

from playwright.sync_api import Browser, Locator, Page, ViewportSize, sync_playwright

from benchmarks.serving import CHROMIUM, OPTIONS, served
from core.catalog import ROOT
from core.command_line import OneLineParser, run_command
from core.errors import PrunescopeError
from ui.header import PAGES

WINDOW: ViewportSize = {"width": 1280, "height": 800}  # pixels
RUNS = 5
SETTLING = 1_500  # milliseconds before something else is measured
MOVES = 40  # of the mouse in one drag
# What a person opens a page for: its largest picture. Neighbours in the navigation have different ones.
PICTURES = {
    "Overview": ".player .right svg",
    "Lab": ".player .heatmap svg",
    "Compare": ".player .other svg",
    "Layers": ".player .curves svg",
    "Sentences": ".player .strip svg",
    "Present": ".player .heatmap svg",
    "Methods": ".katex >> nth=0",
}


def address_of(site: str, page: str) -> str:
    """Gives the address under which a page is opened directly."""
    path = PAGES[page].removeprefix("pages/").removesuffix(".py")
    return site if path == "app" else f"{site}/{path}"


def subject_of(page: Page, name: str) -> Locator:
    """Finds what a page is opened for."""
    return page.locator(PICTURES[name])


def seconds(act: Callable[[], object], then: Locator) -> float:
    """Measures from an act to the sight of something."""
    started = time.perf_counter()
    act()
    then.wait_for()
    return time.perf_counter() - started


def open_fresh(browser: Browser, site: str, name: str) -> tuple[float, float]:
    """Opens a page twice, first with nothing in the browser's cache."""
    context = browser.new_context(viewport=WINDOW)
    waited = []
    for _ in range(2):
        page = context.new_page()
        go = partial(page.goto, address_of(site, name), wait_until="commit")
        waited.append(seconds(go, subject_of(page, name)))
        page.wait_for_timeout(SETTLING)
        page.close()
    context.close()
    return waited[0], waited[1]


def switch(browser: Browser, site: str) -> dict[str, float]:
    """Goes through all pages by the navigation, from the last one to the first."""
    context = browser.new_context(viewport=WINDOW)
    page = context.new_page()
    page.goto(site)
    subject_of(page, "Overview").wait_for()
    waited = {}
    for name in reversed(PAGES):
        page.wait_for_timeout(SETTLING)
        link = page.get_by_role("link", name=name, exact=True)
        waited[name] = seconds(link.click, subject_of(page, name))
    context.close()
    return waited


def scrub(browser: Browser, site: str, name: str) -> float:
    """Draws the slider from end to end; measures how long after the last move the last picture stands."""
    context = browser.new_context(viewport=WINDOW, reduced_motion="reduce")
    page = context.new_page()
    page.goto(address_of(site, name))
    subject_of(page, name).wait_for()
    page.wait_for_timeout(SETTLING)
    player = page.locator(".player")
    pictures = player.locator(".pictures")
    player.focus()
    page.keyboard.press("End")
    page.wait_for_timeout(SETTLING)
    last = drawn(pictures)
    page.keyboard.press("Home")
    page.wait_for_timeout(SETTLING)
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
            raise PrunescopeError(f"{name}: after scrubbing to the end the last picture did not come within 5 s")
    waited = time.perf_counter() - started
    context.close()
    return waited


def drawn(pictures: Locator) -> str:
    """Gives what the pictures show, as their drawing instructions."""
    shown: str = pictures.evaluate(
        "pictures => [...pictures.querySelectorAll('svg')].map((svg) => svg.innerHTML).join()"
    )
    return shown


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parses the command line."""
    parser = OneLineParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help=f"of everything (default: {RUNS})")
    return parser.parse_args(arguments)


def in_words(waited: Sequence[float]) -> str:
    """Writes the median, and the longest in brackets."""
    return f"{median(waited):.2f} ({max(waited):.2f})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table."""
    runs = range(parse(arguments).runs)
    if CHROMIUM is None:
        raise PrunescopeError("there is no Chromium on this computer: install it, for example as apt's chromium")
    with served(ROOT) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        for name in PAGES:  # the first visitor warms the server
            open_fresh(browser, site, name)
        switched = [switch(browser, site) for _ in runs]
        print(f"{'seconds, median (longest)':<28}{'fresh':>14}{'returning':>14}{'by navigation':>16}{'scrubbed':>14}")
        for name in PAGES:
            opened = [open_fresh(browser, site, name) for _ in runs]
            scrubbed = "" if name == "Methods" else in_words([scrub(browser, site, name) for _ in runs])
            fresh, returning = (in_words([one[k] for one in opened]) for k in (0, 1))
            print(
                f"{name:<28}{fresh:>14}{returning:>14}{in_words([one[name] for one in switched]):>16}{scrubbed:>14}",
                flush=True,
            )
        browser.close()
    return 0


if __name__ == "__main__":
    run_command(main)
