"""Every download is made in a real browser and opened again."""

import csv
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import av
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from core.charts.overview import result_scene
from core.exports.films import LAST_HOLDS, RATE
from core.results.store import load
from tests.browser.shipped import WRITTEN
from tests.browser.test_lab import pick
from tests.browser.watching import eventually, expect_idle, fetched, unfold
from tests.builders import make_result
from ui.exports import FAILED

AMOUNTS = (0.0, 0.25, 0.5)  # as in site_pages/downloads.py
RESULT = make_result(num_layers=3, amounts=AMOUNTS)
RESULT_SCENE = result_scene(RESULT, "cls")


@pytest.fixture(scope="module")
def downloads(kept: Page, kept_messages: list[str], site: str) -> Page:
    """The downloads of a result, whatever title has been asked for."""
    return unfolded(kept, f"{site}/downloads")


def unfolded(page: Page, address: str) -> Page:
    """Opens a page and its downloads."""
    page.goto(address)
    unfold(page, re.compile("Download$"))
    return page


@pytest.mark.long
def test_films_are_made_and_have_every_amount(downloads: Page, tmp_path: Path) -> None:
    pick(downloads, "Frame duration", "125 ms")  # a short one is made sooner
    expect_idle(downloads)
    path = fetched(downloads, "GIF", tmp_path)
    assert path.name == f"prunescope-single-sst2-magnitude-{RESULT.key[:8]}.gif"
    with Image.open(path) as gif:
        assert (gif.format, gif.n_frames, gif.size) == ("GIF", len(AMOUNTS), (1920, 1080))
    with av.open(str(fetched(downloads, "MP4", tmp_path))) as film:
        stream = film.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 1920, 1080)
        assert stream.frames == RATE // 8 * (len(AMOUNTS) - 1 + LAST_HOLDS)


def test_a_picture_that_cannot_be_drawn_says_so_in_words_of_ours(page: Page, site: str) -> None:
    unfolded(page, f"{site}/downloads?broken")
    page.get_by_role("button", name="PNG").click()
    error = page.get_by_test_id("stDownloadButtonError")
    expect(error).to_be_visible()
    shown = error.evaluate("error => [getComputedStyle(error).fontSize, getComputedStyle(error, '::after').content]")
    assert shown == ["0px", f'"{FAILED}"']


def describes(row: dict[str, str]) -> bool:
    """Whether a row of the table of similarities is CKA of first tokens, half of the weights removed."""
    return (row["measure"], row["reduction"], float(row["amount"])) == ("cka", "cls", 0.5)


def test_a_frame_and_the_numbers_are_those_of_the_result(
    downloads: Page, kept_messages: list[str], tmp_path: Path
) -> None:
    downloads.get_by_role("textbox", name="Title").fill("For a <talk>")
    kept_messages.clear()
    downloads.keyboard.press("Enter")
    eventually(downloads, lambda: "received" in kept_messages, True)  # else the files on offer are those from before
    expect_idle(downloads)
    still, drawing = (fetched(downloads, kind, tmp_path) for kind in ("PNG", "SVG"))
    assert still.stem == drawing.stem
    with Image.open(still) as png:
        assert png.size == (1920, 1080)
        assert png.convert("RGB").getpixel((2, 2)) == (255, 255, 255)
    said = list(ElementTree.parse(drawing).getroot().itertext())
    assert "For a <talk>" in said
    assert RESULT_SCENE.frames[1]["name"] in said
    assert fetched(downloads, "PDF", tmp_path).read_bytes().startswith(b"%PDF")
    with fetched(downloads, "Numbers shown", tmp_path).open(newline="") as file:
        shown = [row["Similarity"] for row in csv.DictReader(file) if row["Shown at"] == "0.5"]
    assert [float(value) for value in shown] == [
        round(value, 6) for row in RESULT.frames[2].similarity["cka"]["cls"] for value in row if value is not None
    ]
    with fetched(downloads, "Similarities as CSV", tmp_path).open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if describes(row)]
    values = [value for row in RESULT.frames[2].similarity["cka"]["cls"] for value in row]
    assert [float(row["value"]) for row in rows] == values
    with fetched(downloads, "Metrics as CSV", tmp_path).open(newline="") as file:
        accuracies = [float(row["value"]) for row in csv.DictReader(file) if row["metric"] == "accuracy"]
    assert accuracies == [frame.metrics["accuracy"] for frame in RESULT.frames]
    assert load(fetched(downloads, "Result as JSON", tmp_path)) == RESULT


HEADINGS = """player => {
  const all = player.querySelectorAll(".readout b, .heading, .picture .role-title-text text");
  return [...all].map((words) => {
    const lines = [...words.querySelectorAll("tspan")];
    return (lines.length ? lines : [words]).map((line) => line.textContent).join(" ");
  });
}"""  # of the readout, the stage and every picture


@pytest.mark.parametrize("path", ["layers", "present"])  # of the others, without a browser: tests/pages/test_exports.py
def test_a_page_gives_what_it_shows_at_the_shared_amount(page: Page, site: str, path: str, tmp_path: Path) -> None:
    unfolded(page, f"{site}/{path}?result={WRITTEN.key}&amount=0.83")
    player = page.locator(".player").first
    expect(player.locator(".holder:not(.coming) svg").first).to_be_visible()
    shown = {plain(words) for words in player.evaluate(HEADINGS)}
    if path == "layers":  # the finding is the heading
        shown.add(plain(page.get_by_role("heading", level=1).inner_text()))
    file = fetched(page, "SVG", tmp_path)
    assert file.name.endswith("-0.80.svg")
    drawn = ElementTree.parse(file).getroot()
    said = plain(" ".join(drawn.itertext()))
    assert len(shown) > 2
    assert not [words for words in shown if words not in said]
    assert load(fetched(page, "Result as JSON", tmp_path)) == WRITTEN


def plain(words: str) -> str:
    """Words with one space between them, however they were broken into lines."""
    return " ".join(words.split())


def test_the_html_file_plays_without_a_network(downloads: Page, chromium: Browser, tmp_path: Path) -> None:
    check_file(fetched(downloads, "HTML player", tmp_path), chromium, two=False)


def test_the_html_file_of_two_results_plays_without_a_network(
    page: Page, chromium: Browser, site: str, tmp_path: Path
) -> None:
    check_file(fetched(unfolded(page, f"{site}/downloads?two"), "HTML player", tmp_path), chromium, two=True)


def check_file(path: Path, chromium: Browser, two: bool) -> None:
    assert 0.8e6 < path.stat().st_size < 1.5e6
    alone = chromium.new_context(offline=True, reduced_motion="reduce", viewport={"width": 1280, "height": 720})
    try:
        check_player(alone, path, two)
    finally:
        alone.close()


def check_player(context: BrowserContext, path: Path, two: bool) -> None:
    page = context.new_page()
    complaints: list[Any] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(urlsplit(request.url).scheme))
    page.goto(path.as_uri())
    heatmaps = page.locator(".first svg, .second svg" if two else ".heatmap svg")
    expect(heatmaps).to_have_count(2 if two else 1)
    expect(page.get_by_text("0 % of weights removed")).to_be_visible()
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_text("25 % of weights removed").first).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("slider", name="Pruning amount").press("End")
    expect(page.get_by_text("50 % of weights removed").first).to_be_visible()
    expect(heatmaps.first).to_contain_text(f"{RESULT.frames[2].similarity['cka']['cls'][2][2]:.2f}")
    scrolled = "() => document.documentElement.scrollHeight - document.documentElement.clientHeight"
    assert page.evaluate(scrolled) <= 0, "a talk's window shows all of it"
    assert not complaints
    assert requests == ["file"], "the file alone was read"
