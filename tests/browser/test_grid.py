"""The page of a whole grid in a browser: its cells are links that the page follows itself."""

import re

from playwright.sync_api import Page, expect


def test_a_click_opens_a_result_and_keeps_the_visit(page: Page, site: str) -> None:
    page.goto(f"{site}/grid")
    link = page.locator(".grid td a:has(svg)").first
    expect(link).to_be_visible()
    page.evaluate("globalThis.visit = 'kept'")
    key = (link.get_attribute("href") or "").rpartition("=")[2]
    link.click()
    expect(page).to_have_url(re.compile(f"/layers\\?.*result={key}"))
    expect(page.locator(".player .rows svg")).to_be_visible()
    page.go_back()
    page.locator(".grid .state").first.click()
    expect(page).to_have_title(re.compile("^Overview · "))
    assert page.evaluate("globalThis.visit") == "kept"
