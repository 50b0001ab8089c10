"""The static edition, under its own content policy.

It is opened as a file, and from a server that knows nothing of it.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core import site as command
from core.request.pages import PAGES
from core.results.store import SHIPPED_RESULTS, load_any, place_in, save
from tests.browser import look
from tests.browser.shipped import COLA, RECOVERY, SST2, STUDY
from tests.browser.test_pages import PICTURES, STAYS, faults
from tests.browser.test_story import SCENES
from tests.builders import make_result, with_own_key
from tests.commands import call
from tests.core.test_site import taken

NAME = "<img src=x onerror=alert(1)>"
OTHER = make_result(task="qnli", num_layers=2, amounts=(0.0, 0.5))
STRANGE = with_own_key(
    OTHER,
    checkpoint=OTHER.checkpoint.model_copy(update={"id": NAME, "source": "folder"}),
)
CONTROL = make_result(method="random", controls="magnitude", seed=1)
LINKS = {
    "Story": "result={}&reduction=cls&scene=1",
    "Layers": "result={}&amount=0.95",
    "Compare": "result={}&other={}&axis=damage&amount=0.1",
    "Sentences": "result={}&flips=flip&label=negative",
    "Cut": f"study={STUDY.key}&most=0.05&keep=3&result={{}}",
}
NUMBERS = {  # the picture of each page whose numbers are compared
    "Story": ".scene:not([inert]) .stack",
    "Layers": ".rows",
    "Compare": ".first",
    "Present": ".heatmap",
}
UNFOLD = "for (const box of document.querySelectorAll('main > details')) box.open = true"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a site of a few results."""
    results = tmp_path_factory.mktemp("results")
    folder = tmp_path_factory.mktemp("static") / "site"
    for result in (SST2, COLA, CONTROL, STRANGE, STUDY, RECOVERY):
        save(result, results)
    call(command, f"{folder} --results {results}")
    return folder


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[str]:
    """The address of its first page, in a folder of a server."""
    with look.served_files(folder.parent) as address:
        yield f"{address}/site/"


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Page]:
    """A page about which nothing may appear in the console, not even a warning."""
    page = chromium.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page.set_default_timeout(look.PATIENCE)
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("dialog", lambda dialog: messages.append(dialog.message))
    yield page
    page.close()
    assert not messages


def test_every_page_is_whole_in_both_sizes_and_themes(visitor: Page, folder: Path) -> None:
    requests: list[str] = []
    visitor.on("request", lambda request: requests.append(request.url))
    for name, page in PAGES.items():
        visitor.emulate_media(color_scheme="dark")
        # So high that the bar of Layers covers nothing.
        visitor.set_viewport_size({"width": 390, "height": 1600})
        start = (folder / "index.html").as_uri()
        visitor.goto(f"{start}#/{page.address}?result={SST2.key}&scene=1")
        expect(visitor).to_have_title(re.compile(f"^{name}"))
        pictures = 0 if name == "Lab" else PICTURES.get(name, 0)
        expect(visitor.locator(".picture:has(svg)")).to_have_count(pictures)
        expect(visitor.get_by_role("heading", level=1)).to_have_count(1)
        look.expect_no_sideways_scroll(visitor)
        visitor.emulate_media(color_scheme="light")
        visitor.set_viewport_size({"width": 1280, "height": 1600})
        look.expect_no_sideways_scroll(visitor)
        visitor.evaluate(UNFOLD)
        if name == "Present":  # whose controls would fade meanwhile
            visitor.locator(".player").evaluate(STAYS)
        assert faults(visitor) == [], name  # the app is read in dark
    assert all(url.startswith((folder.as_uri(), "data:")) for url in requests)


def test_a_link_shows_the_same_in_both_editions(
    page: Page, visitor: Page, site: str, served: str
) -> None:
    def texts(where: Page, address: str) -> list[str]:
        where.goto(address)
        expect(where).to_have_title(re.compile(f"^{name} · "))
        player = where.locator(".player:visible, .scenes:visible").first
        expect(where.locator(".picture:visible svg").first).to_be_visible()
        headings = where.locator("h1:visible").all_inner_texts()
        return headings + player.locator(".readout:visible").all_inner_texts()

    page.emulate_media(reduced_motion="reduce")
    for name, query in LINKS.items():
        link = f"{PAGES[name].address}?{query.format(COLA.key, SST2.key)}"
        assert texts(page, f"{site}/{link}") == texts(visitor, f"{served}#/{link}")
    visitor.goto(f"{served}#/?result={SST2.key}&scene=99")
    expect(visitor).to_have_url(re.compile(rf"[?&]scene={SCENES}\b"))


def test_choices_make_an_address_that_the_app_understands(
    page: Page, visitor: Page, site: str, served: str
) -> None:
    visitor.goto(f"{served}#/layers?result={SST2.key}&layer=top")
    words = "The link asks for the layer “top”, which is not available here."
    expect(visitor.get_by_text(words)).to_be_visible()
    visitor.locator(".setup summary").click()
    visitor.locator("#reduction").select_option("cls")
    rows = visitor.locator(".rows-to-pick input")
    title = visitor.get_by_role("heading", level=1)
    rows.nth(1).focus()
    visitor.keyboard.press("ArrowDown")
    expect(rows.nth(2)).to_be_focused()
    address = f"#/layers?result={SST2.key}&reduction=cls&layer=4"
    look.eventually(visitor, lambda: visitor.evaluate("location.hash"), address)
    visitor.evaluate("navigator.clipboard.writeText = async (text) => { globalThis.copied = text }")
    visitor.get_by_label("Copy a link to this view").click()
    copied = visitor.evaluate("copied")
    assert copied.startswith(f"{served}#/layers?")
    assert copied.endswith("&amount=0.5")
    page.goto(f"{site}/{copied.partition('#/')[2]}")
    expect(page.get_by_role("heading", level=1)).to_have_text(title.inner_text())
    visitor.go_back()
    expect(visitor.locator("#layer")).to_have_value("")
    visitor.get_by_role("link", name="All results").click()
    expect(title).to_be_focused()


def test_results_are_searched_and_sorted_and_names_are_text(visitor: Page, served: str) -> None:
    visitor.goto(f"{served}#/grid?q=img&task=nowhere")
    count = visitor.get_by_role("status").filter(has_text="results")
    expect(count).to_have_text("1 of 3 results")
    expect(visitor.get_by_role("rowheader", name=NAME, exact=True)).to_be_visible()
    visitor.get_by_label("Search").fill("")
    expect(count).to_have_text("3 of 3 results")
    tasks = visitor.locator("tbody td:nth-child(2)")
    for order in (1, -1):
        visitor.get_by_role("button", name="Task").click()
        expect(visitor.get_by_role("button", name="Task")).to_be_focused()
        assert tasks.all_inner_texts() == sorted(tasks.all_inner_texts(), key=str.lower)[::order]
    visitor.get_by_role("row").filter(has_text=NAME).get_by_role("link", name="Open Layers").click()
    expect(visitor.locator(".setup summary")).to_contain_text(NAME)


@pytest.fixture(scope="module")
def edition(folder: Path) -> Path:
    """The edition of the shipped results, if .ci/run has built it, else that of a few."""
    return Path(os.environ.get("PRUNESCOPE_SITE", folder))


def test_it_is_small_and_its_policy_lets_nothing_in(edition: Path) -> None:
    files = {file: file.stat().st_size for file in edition.rglob("*") if file.is_file()}
    assert len(files) < 300
    assert sum(files.values()) < 60e6
    assert max(size for file, size in files.items() if file.parent.name == "data") < 1e6
    page = (edition / "index.html").read_text("utf-8")
    (policy,) = re.findall('Content-Security-Policy" content="([^"]*)', page)
    rules = dict(rule.split(maxsplit=1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == "'self'"
    assert {*" ".join(rules.values()).split()} == {
        "'none'",
        "'self'",
        "'unsafe-inline'",
        "data:",
    }


def test_the_numbers_of_a_page_are_those_of_its_result(visitor: Page, edition: Path) -> None:
    key = taken(edition / "data" / "index.js")["start"]
    shipped = {result.key: result for result in (SST2, COLA, STRANGE)}
    result = shipped.get(key) or load_any(place_in(SHIPPED_RESULTS, key))
    frames = result.frames
    middle = len(frames) // 2
    own = [f"{value:.2f}".replace("-", "−") for value in frames[middle].own("mean")]
    start = (edition / "index.html").as_uri()
    for name, selector in NUMBERS.items():
        visitor.goto(f"{start}#/{PAGES[name].address}?result={key}&scene=1")
        expect(visitor).to_have_title(re.compile(f"^{name} · "))
        picture = visitor.locator(selector).first
        expect(picture.locator("svg")).to_be_visible()
        if name == "Story":
            visitor.get_by_role("button", name="Play").click()
        visitor.get_by_label("Pruning amount").locator("visible=true").first.fill(str(middle))
        shown = re.compile(".*".join(map(re.escape, own)))
        expect(picture).to_have_attribute("aria-label", shown)
