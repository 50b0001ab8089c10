"""The player and the Overview in a real browser."""

import re
import time

import pytest
import vl_convert
from playwright.sync_api import Browser, Locator, Page, expect

from core.catalog import ROOT
from core.charts import player_views
from tests.builders import make_result

RESULT = make_result()
PICTURES = ("heatmap", "accuracy", "survival")


def open_still(page: Page, address: str) -> Locator:
    """Opens a page whose player does not start by itself; its first player has the focus."""
    page.emulate_media(reduced_motion="reduce")
    page.goto(address)
    player = page.locator(".player").first
    expect(player.locator(".survival svg")).to_be_visible()
    player.focus()
    return player


def amount(player: Locator) -> float:
    return float(player.locator(".readout b").inner_text().removeprefix("Pruning amount "))


def printed(player: Locator) -> list[str]:
    """The numbers in the heatmap's cells, by baseline layer from the first to the last."""
    texts = player.locator(".heatmap svg text").all_text_contents()
    return [text.replace("−", "-") for text in texts if re.fullmatch(r"−?\d\.\d\d", text)]


def expected(index: int, reduction: str = "mean") -> list[str]:
    return [f"{value:.2f}".replace("-0.00", "0.00") for row in RESULT.frames[index].cka[reduction] for value in row]


def expect_amount(player: Locator, value: float) -> None:
    expect(player.locator(".readout b")).to_have_text(f"Pruning amount {value:.2f}")


def expect_playing(player: Locator, playing: bool) -> None:
    expect(player.locator("[data-do=toggle]")).to_have_attribute("aria-label", "Pause" if playing else "Play")


# ---------------------------------------------------------------- playing


def test_it_plays_at_once_on_its_own_and_never_asks_the_server(page: Page, site: str, messages: list[str]) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(site)
    player = page.locator(".player")
    expect(player.locator(".survival svg")).to_be_visible()
    expect_playing(player, True)
    page.wait_for_timeout(1000)
    assert messages
    messages.clear()
    sizes, seen = set(), []
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        seen.append(amount(player))
        boxes = [player.locator(f".{name} svg").bounding_box() for name in PICTURES]
        sizes.add(str([player.bounding_box(), *boxes]))
        page.wait_for_timeout(50)
    assert messages == []
    assert len(set(seen)) >= 4
    assert seen == sorted(seen)
    assert len(sizes) == 1  # nothing jumps
    assert all(url.startswith((site, "data:", "blob:")) for url in requests)


def test_it_waits_for_who_asked_for_less_motion(page: Page, site: str) -> None:
    player = open_still(page, site)
    expect_playing(player, False)
    page.wait_for_timeout(1200)
    assert amount(player) == 0


def test_keys_step_and_play_and_the_picture_shows_the_numbers(page: Page, site: str) -> None:
    player = open_still(page, site)
    assert printed(player) == expected(0)
    page.keyboard.press("End")
    expect_amount(player, 0.95)
    page.wait_for_timeout(200)
    assert printed(player) == expected(19)
    page.keyboard.press("ArrowLeft")
    expect_amount(player, 0.9)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect_amount(player, 0.05)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect_amount(player, 0.95)  # round the loop
    page.keyboard.press("Space")
    expect_playing(player, True)
    page.keyboard.press("Space")
    expect_playing(player, False)


def test_buttons_slider_speed_and_loop(page: Page, site: str) -> None:
    player = open_still(page, site)
    player.get_by_label("One amount forth").click()
    expect_amount(player, 0.05)
    player.get_by_label("One amount back").click()
    expect_amount(player, 0)
    slider = player.get_by_label("Pruning amount")
    slider.fill("17")
    expect_amount(player, 0.85)
    expect(slider).to_have_attribute("aria-valuetext", "Pruning amount 0.85")
    page.wait_for_timeout(200)
    assert printed(player) == expected(17)
    loop = player.get_by_label("Loop")
    expect(loop).to_have_attribute("aria-pressed", "true")
    loop.click()
    expect(loop).to_have_attribute("aria-pressed", "false")
    player.get_by_label("Speed").select_option("4×")
    player.get_by_label("Play").click()
    expect_playing(player, False)  # it stops at the end
    expect_amount(player, 0.95)
    player.get_by_label("Play").click()  # and starts over
    expect_playing(player, True)
    assert amount(player) < 0.5


def test_another_reduction_keeps_amount_and_playing(page: Page, site: str) -> None:
    player = open_still(page, site)
    player.get_by_label("Pruning amount").fill("10")
    page.get_by_role("radio", name="First token").or_(page.get_by_role("button", name="First token")).click()
    expect(page).to_have_url(re.compile("reduction="))
    expect(page.get_by_text("first token)")).to_be_visible()
    page.wait_for_timeout(300)
    assert amount(player) == 0.5
    assert printed(player) == expected(10, "cls")
    gradient = player.locator(".role-legend-gradient path").get_attribute("fill")
    assert gradient
    assert gradient.startswith("url(#")  # whatever the address has become
    player.focus()
    page.keyboard.press("Space")
    page.get_by_text("Mean over tokens").click()
    expect(page.get_by_text("mean over tokens)")).to_be_visible()
    expect_playing(player, True)
    assert 0.5 <= amount(player) <= 0.9


def test_who_leaves_and_comes_back_finds_it_playing_from_the_start(page: Page, site: str) -> None:
    page.goto(site)
    player = page.locator(".player")
    player.get_by_label("Pruning amount").fill("12")
    expect_playing(player, False)
    page.get_by_role("link", name="Lab", exact=True).click()
    expect(player).to_have_count(0)
    page.wait_for_timeout(700)
    page.get_by_role("link", name="Overview").click()
    expect(player.locator(".survival svg")).to_be_visible()
    expect_playing(player, True)
    assert amount(player) < 0.6


def test_new_frames_join_while_amount_and_playing_go_on(page: Page, site: str) -> None:
    player = open_still(page, f"{site}/stream")
    more = page.get_by_role("button", name="One more")
    more.click()
    expect_amount(player, 0.2)  # who looks at the last frame sees the new one
    page.evaluate("document.querySelector('.stApp').dataset.mark = 'same page'")
    more.click()
    expect_amount(player, 0.4)
    player.focus()
    page.keyboard.press("ArrowLeft")
    more.click()
    expect(player.get_by_label("Pruning amount")).to_have_attribute("max", "3")
    assert amount(player) == 0.2  # who looks at another one is left there
    player.focus()
    page.keyboard.press("Space")
    more.click()
    expect(player.get_by_label("Pruning amount")).to_have_attribute("max", "4")
    expect_playing(player, True)


def test_players_of_a_group_move_by_amount_not_by_number(page: Page, site: str) -> None:
    left = open_still(page, f"{site}/pair")
    right = page.locator(".player").nth(1)
    expect(right.locator(".survival svg")).to_be_visible()
    shown = []
    for _ in range(5):
        shown.append((amount(left), amount(right)))
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(100)
    assert shown == [(0, 0), (0, 0.1), (0.2, 0.1), (0.4, 0.4), (0.4, 0.8)]
    right.get_by_label("Play").click()
    expect_playing(left, True)


def test_it_works_in_a_plain_file_without_any_server(page: Page) -> None:
    data = {
        "title": "Alone",
        "group": "main",
        "autoplay": False,
        "vega": None,
        "frames": [{"amount": f.amount, "name": f"Pruning amount {f.amount:.2f}", "detail": ""} for f in RESULT.frames],
        "views": player_views(RESULT, "mean"),
    }
    style, script = ((ROOT / "core" / f"player.{end}").read_text() for end in ("css", "js"))
    page.set_content(f"<style>{style}</style><main></main>")
    page.add_script_tag(content=vl_convert.javascript_bundle("globalThis.vegaEmbed = vegaEmbed;"), type="module")
    page.evaluate("data => { globalThis.data = data }", data)
    page.add_script_tag(
        content=f"{script}\nmountPlayer(document.querySelector('main'), globalThis.data);", type="module"
    )
    player = page.locator(".player")
    expect(player.locator(".survival svg")).to_be_visible()
    player.focus()
    page.keyboard.press("End")
    expect_amount(player, 0.95)


# ---------------------------------------------------------------- looks


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_heatmap_and_controls_are_seen_first_and_can_be_read(
    chromium: Browser, site: str, width: int, height: int, scheme: str
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    player = open_still(page, site)
    for name in PICTURES:
        box, inside = player.locator(f".{name} svg").bounding_box(), player.bounding_box()
        assert box
        assert inside
        assert inside["x"] <= box["x"]
        assert box["x"] + box["width"] <= min(inside["x"] + inside["width"], width) + 1
    for control in [player.locator(".heatmap"), player.get_by_label("Pruning amount"), *player.locator("button").all()]:
        box = control.bounding_box()
        assert box
        assert box["y"] + box["height"] <= height
    for button in player.locator("button, select").all():
        box = button.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 36
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ink = player.locator(".heatmap .role-axis-label text").first.evaluate("text => getComputedStyle(text).fill")
    paper = page.locator(".stApp").evaluate("app => getComputedStyle(app).backgroundColor")
    assert contrast(ink, paper) >= 4.5
    context.close()


def contrast(first: str, second: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)
