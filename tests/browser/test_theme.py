"""The colours of a figure are those of the app around a picture."""

import re

import pytest
from playwright.sync_api import Browser, expect

from core.charts.theme import THEMES, ThemeName

READ = """player => ["text", "background", "secondary-background", "primary"].map(
  (name) => getComputedStyle(player).getPropertyValue(`--st-${name}-color`).trim().toLowerCase())"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_figure_has_the_colours_of_the_page(chromium: Browser, site: str, theme: ThemeName) -> None:
    context = chromium.new_context(color_scheme=theme)
    try:
        page = context.new_page()
        page.goto(f"{site}/layers")
        player = page.locator(".player").first
        expect(player).to_have_class(re.compile("layers"))
        known = THEMES[theme]
        assert player.evaluate(READ) == [known.text, known.background, known.secondary, known.accent]
    finally:
        context.close()
