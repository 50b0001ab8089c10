"""The player in a real browser."""

import re
from itertools import pairwise

import vl_convert
from playwright.sync_api import BrowserContext, Locator, Page, expect

from core.charts.overview import SINGLE, player_frames, result_scene
from core.charts.theme import STYLE
from core.charts.view import reduction_choices
from core.request.catalog import REDUCTIONS, ROOT
from core.results.schema import SweepResult
from tests.browser.shipped import SST2
from tests.browser.watching import (
    amount,
    amounts_played,
    box,
    eventually,
    expect_amount,
    expect_playing,
    expect_silence,
    open_still,
    resize,
)

PICTURES = ("heatmap", "accuracy", "survival")


def printed(player: Locator, picture: str = "heatmap") -> list[str]:
    """The numbers in the heatmap's cells, by baseline layer from the first to the last."""
    texts = player.locator(f".{picture} svg text").all_text_contents()
    return [text.replace("−", "-") for text in texts if re.fullmatch(r"−?\d\.\d\d", text)]


def expected(index: int, reduction: str = "mean", result: SweepResult = SST2) -> list[str]:
    return [
        f"{value:.2f}".replace("-0.00", "0.00")
        for row in result.frames[index].similarity["cka"][reduction]
        for value in row
    ]


def expect_printed(player: Locator, picture: str, numbers: list[str]) -> None:
    eventually(player.page, lambda: printed(player, picture), numbers)


# ---------------------------------------------------------------- playing


def test_it_plays_at_once_on_its_own_and_never_asks_the_server(page: Page, site: str, messages: list[str]) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(f"{site}/single")
    player = page.locator(".player")
    expect(player.locator(".survival svg")).to_be_visible()
    expect_playing(player, True)
    expect_silence(page)
    assert messages
    messages.clear()
    sizes: set[str] = set()

    def note_sizes() -> None:
        boxes = [player.locator(f".{name} svg").bounding_box() for name in PICTURES]
        sizes.add(str([player.bounding_box(), *boxes]))

    seen = amounts_played(player, 5, note_sizes)
    assert messages == []
    assert sum(after < before for before, after in pairwise(seen)) <= 1  # forward, and round the loop
    assert len(sizes) == 1  # nothing jumps
    assert all(url.startswith((site, "data:", "blob:")) for url in requests)


def test_it_waits_for_who_asked_for_less_motion(page: Page, site: str) -> None:
    page.clock.install()
    player = open_still(page, f"{site}/single")
    expect_playing(player, False)
    page.clock.run_for(5_000)
    assert amount(player) == 0
    player.get_by_label("Play").click()
    page.clock.run_for(5_000)
    assert amount(player) > 0, "this clock does move a player"


def test_keys_and_buttons_step_and_play_and_the_picture_shows_the_numbers(page: Page, site: str) -> None:
    player = open_still(page, f"{site}/single")
    expect_printed(player, "heatmap", expected(0))
    for key, shown in (("End", 0.95), ("ArrowLeft", 0.9), ("Home", 0), ("ArrowRight", 0.05)):
        page.keyboard.press(key)
        expect_amount(player, shown)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect_amount(player, 0.95)  # round the loop
    expect_printed(player, "heatmap", expected(19))
    for playing in (True, False):
        page.keyboard.press("Space")
        expect_playing(player, playing)
    slider, loop = player.get_by_label("Pruning amount"), player.get_by_label("Loop")
    slider.fill("0")
    for label, shown in (("Next step", 0.05), ("Previous step", 0)):
        player.get_by_label(label).click()
        expect_amount(player, shown)
    slider.fill("17")
    expect(slider).to_have_attribute("aria-valuetext", "85 % of weights removed")
    expect_printed(player, "heatmap", expected(17))
    expect(loop).to_have_attribute("aria-pressed", "true")
    loop.click()
    expect(loop).to_have_attribute("aria-pressed", "false")
    player.get_by_label("Speed").select_option("4×")
    player.get_by_label("Play").click()
    expect_playing(player, False)  # it stops at the end
    expect_amount(player, 0.95)
    player.get_by_label("Speed").select_option("½×")
    player.get_by_label("Play").click()  # and starts over
    expect_playing(player, True)
    assert amount(player) < 0.95


def test_another_reduction_keeps_amount_and_playing(page: Page, site: str) -> None:
    player = open_still(page, f"{site}/single")
    player.get_by_label("Pruning amount").fill("10")
    page.get_by_role("radio", name="First token").or_(page.get_by_role("button", name="First token")).click()
    expect(page).to_have_url(re.compile("reduction="))
    expect(page.get_by_text("Shown: cls")).to_be_visible()
    expect_printed(player, "heatmap", expected(10, "cls"))
    assert amount(player) == 0.5
    gradient = player.locator(".role-legend-gradient path").get_attribute("fill")
    assert gradient
    assert gradient.startswith("url(#")  # whatever the address has become
    player.focus()
    player.get_by_label("Speed").select_option("½×")
    player.focus()
    page.keyboard.press("Space")
    page.get_by_text("Mean over tokens").click()
    expect(page.get_by_text("Shown: mean")).to_be_visible()
    expect_playing(player, True)
    assert amount(player) >= 0.5


def test_who_leaves_and_comes_back_finds_it_playing_from_the_start(page: Page, site: str) -> None:
    page.goto(site)
    player = page.locator(".player.finding")
    player.get_by_label("Pruning amount").fill("12")
    expect_playing(player, False)
    page.get_by_role("link", name="Methods", exact=True).click()
    expect(player).to_have_count(0)
    page.wait_for_function("!prunescopeClocks.has('overview')")
    page.get_by_role("link", name="Overview", exact=True).click()
    assert amount(player) < 0.6
    expect_playing(player, True)
    expect(player.locator(".heatmap svg")).to_be_visible()


def test_a_library_that_did_not_load_is_told_and_loaded_again(context: BrowserContext, site: str) -> None:
    page = context.new_page()  # which may complain
    page.route("**/*", lambda route: route.abort() if "vega" in route.request.url else route.fallback())
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{site}/single")
    player = page.locator(".player")
    words = "The pictures cannot be drawn here"
    expect(player.get_by_text(words)).to_be_visible()
    player.focus()
    page.keyboard.press("End")
    expect(player.get_by_text(words)).to_be_visible()
    page.unroute_all()
    page.set_viewport_size({"width": 900, "height": 800})
    expect(player.locator(".survival svg")).to_be_visible()
    expect_amount(player, 0.95)
    page.keyboard.press("Home")
    expect(player.get_by_text(words)).not_to_be_visible()
    page.close()


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
    for shown in [(0, 0), (0, 0.1), (0.2, 0.1), (0.4, 0.4), (0.4, 0.8)]:
        expect_amount(left, shown[0])
        expect_amount(right, shown[1])
        page.keyboard.press("ArrowRight")
    right.get_by_label("Play").click()
    expect_playing(left, True)


def test_a_copied_link_opens_at_its_amount_and_stands_still(context: BrowserContext, page: Page, site: str) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    player = open_still(page, f"{site}/single")
    player.get_by_label("Pruning amount").fill("7")
    player.get_by_label("Copy a link to this view").click()
    expect(player.get_by_label("Link copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == f"{site}/single?reduction=mean&amount=0.35"
    page.emulate_media(reduced_motion="no-preference")
    page.goto(link)
    expect(player.locator(".survival svg")).to_be_visible()
    expect_playing(player, False)
    expect_amount(player, 0.35)
    expect(player.get_by_label("Copy a link to this view")).to_be_visible()


def test_it_works_in_a_plain_file_without_any_server_and_switches_the_reduction(page: Page) -> None:
    data = {
        "title": "Alone",
        "group": "main",
        "autoplay": False,
        "layout": SINGLE.css,
        "style": STYLE,
        "axis": "Pruning amount",
        "frames": player_frames(SST2),
        "choices": reduction_choices({name: result_scene(SST2, name) for name in REDUCTIONS}),
    }
    style, script = ((ROOT / "core" / "charts" / f"player.{end}").read_text() for end in ("css", "js"))
    page.set_content(f"<style>{style}</style><main></main>")
    page.add_script_tag(content=vl_convert.javascript_bundle("globalThis.vegaEmbed = vegaEmbed;"), type="module")
    page.evaluate("data => { globalThis.data = data }", data)
    page.add_script_tag(
        content=f"{script}\nmountPlayer(document.querySelector('main'), globalThis.data);", type="module"
    )
    player = page.locator(".player")
    expect(player.locator(".survival svg")).to_be_visible()
    expect(player.get_by_label("Copy a link")).not_to_be_visible()  # there is no address to share
    player.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    expect_amount(player, 0.9)
    expect_printed(player, "heatmap", expected(18))
    player.get_by_label("Sentence vector").select_option("First token")
    expect_printed(player, "heatmap", expected(18, "cls"))
    expect_amount(player, 0.9)


# ---------------------------------------------------------------- looks


def test_heatmap_and_controls_are_seen_first_and_can_be_read(page: Page, site: str) -> None:
    check_looks(open_still(page, f"{site}/single"), "heatmap")


def check_looks(player: Locator, first: str) -> None:
    """A player is seen and can be read in a wide and light window, and in a narrow and dark one."""
    check_size(player, first, 1280, 800)
    player.page.emulate_media(color_scheme="dark")
    check_size(player, first, 390, 844)


def check_size(player: Locator, first: str, width: int, height: int) -> None:
    """Pictures and controls are within a window of this size, large enough to be hit, and dark on light or so."""
    page = player.page
    resize(page, width, height)
    around = box(player)
    for picture in map(box, player.locator(".picture svg").all()):
        assert around.x <= picture.x
        assert picture.right <= min(around.right, width) + 1
    controls = [player.get_by_label("Pruning amount"), *player.locator("button:visible").all()]
    assert all(box(control).bottom <= height for control in [player.locator(f".{first}"), *controls])
    for button in map(box, player.locator("button:visible, select:visible").all()):
        assert min(button.width, button.height) >= 36
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ink = player.locator(f".{first} .role-axis-label text").first.evaluate("text => getComputedStyle(text).fill")
    paper = page.locator(".stApp").evaluate("app => getComputedStyle(app).backgroundColor")
    assert contrast(ink, paper) >= 4.5


def contrast(first: str, second: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)
