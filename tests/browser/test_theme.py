"""The colours of a figure are those of the app around a picture."""

import re

from playwright.sync_api import Page, expect

from core.charts.theme import THEMES, ThemeName
from tests.browser.watching import eventually

READ = """player => ["text", "background", "secondary-background", "primary"].map(
  (name) => getComputedStyle(player).getPropertyValue(`--st-${name}-color`).trim().toLowerCase())"""


def test_a_figure_has_the_colours_of_the_page(page: Page, site: str) -> None:
    page.goto(f"{site}/layers")
    player = page.locator(".player").first
    expect(player).to_have_class(re.compile("layers"))
    themes: tuple[ThemeName, ...] = ("light", "dark")
    for theme in themes:
        page.emulate_media(color_scheme=theme)
        known = THEMES[theme]
        colours = [known.text, known.background, known.secondary, known.accent]
        eventually(page, lambda: player.evaluate(READ), colours)
