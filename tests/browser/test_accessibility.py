"""What axe-core finds, on every page in test_tour.py, and what it cannot find: use by keys alone, and by ear."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.shipped import COLA, SST2
from tests.browser.watching import eventually, expect_idle, unfold

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}  # what another theme can change
GRAVE = ("serious", "critical")
LAB_TITLE = "Prune a checkpoint and watch its layers"


@pytest.fixture(scope="module")
def opened(kept: Page, site: str) -> Locator:
    """The player of a comparison on a page with everything unfolded."""
    kept.emulate_media(reduced_motion="reduce")
    kept.goto(f"{site}/compare?result={SST2.key}&other={COLA.key}")
    player = kept.locator(".player.compare")
    expect(player.locator(".picture svg").first).to_be_visible()
    unfold_all(kept)
    return player


@pytest.fixture
def compared(opened: Locator) -> Locator:
    """The same player at rest, unpruned, with its table unfolded and the focus."""
    opened.get_by_label("Pruning amount").fill("0")
    if not opened.locator(".tables").is_visible():
        opened.locator(".numbers summary").click()
    opened.focus()
    return opened


def unfold_all(page: Page) -> None:
    """Unfolds everything on a page that can be."""
    expect_idle(page)
    page.evaluate("for (const box of document.querySelectorAll('details:not([open]) > summary')) box.click()")
    for table in page.locator(".numbers summary:visible").all():
        table.click()
    expect_idle(page)
    page.evaluate("document.querySelector('.stMain').scrollTo(0, 0)")  # axe passes over what is scrolled out at the top


def faults(page: Page, rules: object = STANDARDS, within: str | None = None) -> list[str]:
    found = Axe().run(page, within, {"runOnly": rules, "resultTypes": ["violations"]}).response["violations"]
    return [
        f"{fault['id']}: {node['html'][:120]} ({node['failureSummary']})"
        for fault in found
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]


def expect_no_faults(page: Page) -> None:
    """Axe finds nothing grave on a page in the light theme, nor in its colours when it has become dark."""
    assert faults(page) == []
    app = page.get_by_test_id("stApp")
    ink = app.evaluate("app => getComputedStyle(app).color")
    page.emulate_media(color_scheme="dark")
    expect(app).not_to_have_css("color", ink)
    texts = page.locator(".picture svg text")
    fills = "texts => texts.map((text) => getComputedStyle(text).fill)"
    eventually(page, lambda: ink in texts.evaluate_all(fills), False)  # every picture is drawn anew
    assert faults(page, COLOURS) == []


def expect_faint_heading_found(page: Page) -> None:
    """Axe does find what is wrong on this page, which is dark."""
    page.get_by_role("heading", level=1).evaluate("heading => { heading.style.color = '#222222' }")
    assert any(fault.startswith("color-contrast") for fault in faults(page, COLOURS, "h1"))


# ---------------------------------------------------------------- by keyboard alone


def focused(page: Page) -> str:
    """The name of the element that has the focus, also inside a component."""
    name: str = page.evaluate(
        """() => {
          let element = document.activeElement;
          while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
          return element?.ariaLabel ?? element?.textContent ?? "";
        }"""
    )
    return name


def test_keys_alone_reach_every_control_of_the_player(compared: Locator) -> None:
    page = compared.page
    wanted = ["Previous step", "Play", "Next step", "Pruning amount", "Speed", "Loop", "Copy a link to this view"]
    for name in wanted:
        page.keyboard.press("Tab")
        assert focused(page) == name
    page.keyboard.press("Tab")
    assert focused(page) == "Numbers as a table"
    page.keyboard.press("Space")
    expect(compared.locator(".tables")).not_to_be_visible()


def test_methods_has_contents_that_jump_and_links_whose_focus_is_told_from_the_current_page(
    page: Page, site: str
) -> None:
    page.goto(f"{site}/methods")
    links = page.get_by_test_id("stPageLink-NavLink")
    expect(links.first).to_be_visible()
    page.keyboard.press("Tab")
    while focused(page) != "Layers":
        page.keyboard.press("Tab")

    def outline(name: str) -> str:
        style: str = links.filter(has_text=name).evaluate("link => getComputedStyle(link).outlineStyle")
        return style

    assert (outline("Layers"), outline("Methods")) == ("solid", "none")
    page.get_by_role("link", name="When not to trust it").first.click()
    expect(page.get_by_role("heading", name="When not to trust it")).to_be_in_viewport()
    expect(page).to_have_url(re.compile(r"#limits$"))


def test_the_focus_of_who_uses_keys_follows_into_popovers_and_to_the_next_page(page: Page, site: str) -> None:
    page.goto(site)
    button, link = page.get_by_test_id("stPopoverButton"), page.get_by_role("link", name="Try your own model")
    expect(link).to_be_visible()
    expect_idle(page)
    button.press("Enter")
    expect(page.get_by_test_id("stPopoverBody").get_by_label("Task")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("stPopoverBody").get_by_label("Task")).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    link.press("Enter")
    expect(page.get_by_role("heading", name=LAB_TITLE)).to_be_focused()
    page.get_by_role("link", name="Methods").click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text(LAB_TITLE)
    expect_idle(page)
    assert not page.evaluate("document.activeElement.matches('h1')"), "who uses the mouse is left alone"


UNDER_RUN = """() => {
  const {left, top, width, height} = document.activeElement.getBoundingClientRect();
  return Boolean(document.elementFromPoint(left + width / 2, top + height / 2)?.closest(".st-key-lab-run"));
}"""


def test_no_setting_has_the_focus_under_the_bar_that_runs(page: Page, site: str) -> None:
    page.goto(f"{site}/lab")
    unfold(page, "More settings")
    page.get_by_label("Checkpoint").first.focus()
    passed: list[str] = []
    while (name := focused(page)) != "play_arrowRun":
        passed.append(name)
        assert not page.evaluate(UNDER_RUN), passed
        page.keyboard.press("Tab")
    assert len(passed) > 20


# ---------------------------------------------------------------- without seeing


def label(player: Locator, picture: str) -> str:
    return player.locator(f".picture.{picture}").get_attribute("aria-label") or ""


def test_the_alternative_texts_say_the_values_of_the_amount_at_rest(compared: Locator) -> None:
    for step in (0, 10):
        compared.get_by_label("Pruning amount").fill(str(step))
        own = [SST2.frames[step].similarity["cka"]["mean"][k][k] for k in range(6)]
        values = "; ".join(f"Layer {k + 1}: {value:.2f}" for k, value in enumerate(own))
        expect(compared.locator(".picture.first")).to_have_attribute("aria-label", re.compile(re.escape(values)))
        accuracy = SST2.frames[step].metrics["accuracy"]
        assert f"Accuracy {accuracy:.2f}, 95 % interval" in label(compared, "accuracy")
    compared.get_by_label("Play").click()
    expect(compared.locator(".picture.first")).not_to_have_attribute("aria-label", re.compile("Layer 1:"))


def test_the_table_holds_the_numbers_shown_and_rests_while_it_plays(compared: Locator) -> None:
    compared.get_by_label("Pruning amount").fill("10")
    says, first = compared.locator(".numbers > p"), compared.locator(".tables table").first
    expect(says).to_have_text(re.compile("^50 % of weights removed"))
    cells = first.locator("tbody tr").last.locator("td").all_inner_texts()
    assert cells == [f"{value:.2f}" for value in SST2.frames[10].similarity["cka"]["mean"][5]]
    compared.get_by_label("Play").click()
    expect(compared.get_by_label("Pruning amount")).not_to_have_value("10")
    expect(says).to_have_text(re.compile("^50 % of weights removed"))
    compared.get_by_label("Pause").click()
    shown = compared.locator(".readout b").inner_text()
    expect(says).to_have_text(re.compile(f"^{shown}"))
