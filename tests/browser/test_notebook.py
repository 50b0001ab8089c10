"""A result below the cell of a notebook: it plays, it fits, and it has nothing to do with the page around it."""

import pytest
from playwright.sync_api import Page, expect

from core.exports.notebook import NotebookResult
from tests.browser.shipped import SST2

AROUND = "<!doctype html><style>h1 { color: red; margin: 3px }</style><h1>A notebook</h1>"


@pytest.mark.parametrize("width", [1100, 344])
def test_it_plays_is_seen_whole_and_keeps_to_itself(page: Page, width: int) -> None:
    page.set_content(f'{AROUND}<div style="width: {width}px">{NotebookResult.of(SST2)._repr_html_()}</div>')
    player = page.frame_locator("iframe").locator(".player")
    expect(player.locator(".stack svg")).to_be_visible()
    expect(player.locator(".readout b")).not_to_have_text("0 % of weights removed")  # it moves by itself
    hidden = "() => document.documentElement.scrollHeight - document.documentElement.clientHeight"
    assert page.frames[1].evaluate(hidden) <= 0
    expect(page.frame_locator("iframe").locator("h1")).to_have_css("margin", "0px")
    expect(page.locator("h1")).to_have_css("color", "rgb(255, 0, 0)")
    reach = "() => { try { return parent.document.title } catch (error) { return error.name } }"
    assert page.frames[1].evaluate(reach) == "SecurityError"
