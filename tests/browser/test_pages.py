"""Every page in a real browser: wide and light, narrow and dark.

It is used by mouse, by keys alone, and by screen readers.
"""

import re
from functools import partial

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from core.charts.theme import THEMES, ThemeName
from core.request.pages import PAGES
from tests.browser import look
from tests.browser.shipped import COLA, SST2

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LAST = 19  # place of the last amount
PLAYERS = (
    "Lab",
    "Layers",
    "Sentences",
    "Compare",
    "Present",
)  # of amounts, with the same keys
# Pictures of each page: of the story, those of its first scene; the next has none.
PICTURES = {
    "Story": 2,
    "Lab": 3,
    "Layers": 2,
    "Sentences": 1,
    "Compare": 5,
    "Cut": 1,
    "Recover": 2,
    "Present": 3,
}
PLAYER_COLOURS = """player => ["text", "background", "secondary-background", "primary"].map(
  (name) => getComputedStyle(player).getPropertyValue(`--st-${name}-color`).trim().toLowerCase())"""
SMALL = """buttons => buttons.map((button) => button.getBoundingClientRect())
  .filter(({width, height}) => Math.min(width, height) < 36)"""
OUTSIDE = """pictures => pictures.map((picture) => picture.getBoundingClientRect())
  .filter(({left, right}) => left < 0 || right > innerWidth)"""
STAYS = """player => {
    const style = document.createElement("style");
    style.textContent = ".side { opacity: 1 !important; transition: none !important; }";
    player.append(style);
}"""
FOCUSED = """() => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element?.ariaLabel ?? element?.textContent ?? "";
}"""  # the name of the focused element, also in a component


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_in_both_sizes_and_themes(
    page: Page, site: str, messages: list[str], name: str
) -> None:
    query = "" if name == "Lab" else f"?result={SST2.key}&other={COLA.key}"
    link = f"{site}/{PAGES[name].address}{query}"
    link += "&scene=1" if name == "Story" else ""
    page.emulate_media(reduced_motion="reduce")
    page.goto(link)
    expect(page).to_have_title(re.compile(rf"^{name} · .*Prunescope$"))
    expect(page.locator(".picture:has(svg)")).to_have_count(PICTURES.get(name, 0))
    check_looks(page, "light")
    player = page.locator(".player").first
    if name in PLAYERS:
        check_player(player, messages)
    if name == "Compare":
        check_keys_and_words(player)
    assert page.url == link
    unfold_all(page)
    if name == "Present":  # whose unused controls hide
        player.evaluate(STAYS)
    if name == "Lab":  # all others are read in light in the static edition
        assert faults(page) == []
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    check_looks(page, "dark")
    assert faults(page) == []


def check_looks(page: Page, theme: ThemeName) -> None:
    """Check that pictures have the theme's colours, and nothing is cut, sticks out or failed."""
    # Those in sight: others are drawn anew once they are.
    pictures = page.locator(".player .picture svg:not([inert] *)")
    look.eventually(page, lambda: pictures.evaluate_all(look.FILLED), True)
    look.expect_idle(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    look.expect_no_sideways_scroll(page)
    assert pictures.evaluate_all(OUTSIDE) == []
    assert not any("…" in text for text in pictures.locator("text").all_text_contents())
    names = ("text", "background", "secondary", "accent")
    colours = [getattr(THEMES[theme], name) for name in names]
    for player in page.locator(".player").all():
        look.eventually(page, partial(player.evaluate, PLAYER_COLOURS), colours)
        controls = player.locator("button:visible, select:visible")
        assert controls.evaluate_all(SMALL) == [], "too small to hit"


def check_player(player: Locator, messages: list[str]) -> None:
    """Check that it plays, pauses and moves by keys without the server."""
    page = player.page
    slider = player.get_by_label("Pruning amount")
    look.expect_idle(page)
    messages.clear()
    player.focus()
    keys = ("Home", "ArrowRight", "End", "ArrowLeft", "Home")
    for key, place in zip(keys, (0, 1, LAST, LAST - 1, 0), strict=True):
        page.keyboard.press(key)
        expect(slider).to_have_value(str(place))
        look.expect_amount(player, place / 20)
    page.keyboard.press("Space")
    look.expect_playing(player, True)
    expect(slider).not_to_have_value("0")
    page.keyboard.press("Space")
    look.expect_playing(player, False)
    assert messages == []


def check_keys_and_words(player: Locator) -> None:
    """Check that a comparison is used by keys alone and read by screen readers."""
    page = player.page
    player.focus()
    for name in (
        "Previous step",
        "Play",
        "Next step",
        "Pruning amount",
        "Speed",
        "Copy a link",
    ):
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUSED).startswith(name)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(player.locator(".tables")).to_be_visible()

    player.get_by_label("Pruning amount").fill("10")
    frame = SST2.frames[10]
    values = (f"Layer {k}: {value:.2f}" for k, value in enumerate(frame.own("mean"), start=1))
    first = player.locator(".picture.first")
    expect(first).to_have_attribute("aria-label", re.compile(re.escape("; ".join(values))))
    accuracy = re.compile(f"Accuracy {frame.metrics['accuracy']:.2f}, 95 % interval")
    expect(player.locator(".picture.accuracy")).to_have_attribute("aria-label", accuracy)
    summary = player.locator(".numbers > p")
    expect(summary).to_have_text(re.compile("^50 % of weights removed"))
    row = player.locator(".tables table").first.locator("tbody tr").last
    cells = [f"{value:.2f}" for value in frame.similarity.cka["mean"][5]]
    assert row.locator("td").all_inner_texts() == cells

    player.get_by_label("Play").click()
    expect(player.get_by_label("Pruning amount")).not_to_have_value("10")
    expect(first).not_to_have_attribute("aria-label", re.compile("Layer 1:"))
    expect(summary).to_have_text(re.compile("^50 % of weights removed"))  # both rest while it plays
    player.get_by_label("Pause").click()
    expect(summary).to_have_text(re.compile(f"^{player.locator('.readout b').inner_text()}"))
    player.locator(".numbers summary").click()  # folded as before


def unfold_all(page: Page) -> None:
    """Unfold everything on a page."""
    look.expect_idle(page)
    page.evaluate(
        "for (const box of document.querySelectorAll('details:not([open]) > summary')) box.click()"
    )
    for table in page.locator(".numbers summary:visible").all():
        table.click()
    look.expect_idle(page)
    page.evaluate(
        "document.querySelector('.stMain').scrollTo(0, 0)"
    )  # axe skips what is scrolled out at the top


def faults(page: Page) -> list[str]:
    """Return the serious faults that axe finds."""
    axe = Axe("0") if page.evaluate("'axe' in window") else Axe()  # its script is read once
    options = {
        "runOnly": STANDARDS,
        "resultTypes": ["violations"],
        "preload": False,
    }
    return [
        f"{fault['id']}: {node['html'][:120]} ({node['failureSummary']})"
        for fault in axe.run(page, options=options).response["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


def test_the_keyboards_focus_follows_into_popovers_and_to_the_next_page(
    page: Page, site: str
) -> None:
    page.goto(site)
    button = page.get_by_test_id("stPopoverButton")
    link = page.get_by_role("link", name="Lab", exact=True)
    task = page.get_by_test_id("stPopoverBody").get_by_label("Task")
    expect(link).to_be_visible()
    look.expect_idle(page)
    button.press("Enter")
    expect(task).to_be_visible()
    page.keyboard.press("Tab")
    expect(task).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    link.press("Enter")
    heading = page.get_by_role("heading", name="Prune a checkpoint and watch its layers")
    expect(heading).to_be_focused()
    page.get_by_role("link", name="Skip to main content").press("Enter")
    expect(heading).to_be_focused()
    page.get_by_role("link", name="Methods").click()
    expect(heading).to_have_count(0)
    look.expect_idle(page)
    assert not page.evaluate("document.activeElement.matches('h1')"), (
        "a mouse click leaves the focus alone"
    )
    page.get_by_role("link", name="When not to trust it").first.click()
    expect(page.get_by_role("heading", name="When not to trust it")).to_be_in_viewport()
