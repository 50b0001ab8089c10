"""The Lab in a real browser, with the real worker and a tiny checkpoint."""

import re
from pathlib import Path

import psutil
from playwright.sync_api import Page, expect

from tests.browser import look
from tests.tiny import EMOTIONS, emotion_texts

LONG = ", ".join(f"{k / 100:.2f}" for k in range(1, 100))  # about ten seconds of processor time
# The old picture stays until a new one is drawn.
STACK = ".player .stack .holder:not(.coming) svg >> nth=-1"


def expect_run_in_sight(page: Page) -> None:
    """Wait until Run can be pressed without scrolling."""
    button = page.get_by_role("button", name="Run", exact=True)
    expect(button).to_be_in_viewport(ratio=1)
    expect(button).to_be_enabled()


def test_a_run_survives_other_pages_and_a_reload_and_stops_at_once(page: Page, site: str) -> None:
    page.goto(f"{site}/lab")
    look.unfold(page, "More settings")
    look.pick(page, "Pruning amounts", "A list of my own")
    page.get_by_role("textbox", name="Amounts").fill(LONG)
    page.get_by_role("spinbutton", name="Number of examples").fill("127")
    page.set_viewport_size({"width": 1280, "height": 600})  # lower than the page of a run
    page.get_by_text("Open a result file").first.scroll_into_view_if_needed()
    page.get_by_role("button", name="Run", exact=True).click()
    cancel = page.get_by_role("button", name="Cancel")
    expect(page.get_by_text("Example:", exact=True)).not_to_be_visible()
    expect(cancel).to_be_in_viewport()
    expect(page.locator(STACK)).to_be_visible(timeout=look.WORKER_PATIENCE)
    expect(page).to_have_url(re.compile(r"/lab\?job=[\w-]+$"))
    slider = page.locator(".player").first.get_by_label("Pruning amount")
    expect(slider).to_have_attribute("max", re.compile("^[1-9]"))  # frames join as they come
    line = page.locator(".player .accuracy .mark-line path").first
    expect(line).to_have_attribute("d", re.compile("L"))  # as well
    job = page.url.partition("?")[2]
    children = psutil.Process().children(recursive=True)
    (worker,) = (child for child in children if "core.worker" in child.cmdline())
    worker.suspend()  # else its run would end before a slow browser has shown what it is to show
    page.get_by_role("link", name="Story", exact=True).click()
    expect(page.get_by_role("link", name="Running:")).to_be_visible()
    assert job in page.url
    page.get_by_role("link", name="Running:").click()
    expect(cancel).to_be_visible()
    page.reload()
    expect(page.locator(STACK)).to_be_visible()
    cancel.click()
    worker.resume()
    expect(page.get_by_text("Cancelled.")).to_be_visible()
    expect_run_in_sight(page)


def test_ones_own_table_runs_on_a_telephone(
    page: Page,
    site: str,
    tiny_emotions: Path,
) -> None:
    texts, gold = emotion_texts(60, seed=3)
    rows = [f"{EMOTIONS[label]},{text}\n" for label, text in zip(gold, texts, strict=True)]
    table = look.csv("feelings.csv", "".join(["feeling,utterance\n", *rows]))
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site}/lab")

    look.pick(page, "Checkpoint", "My own checkpoint (folder or Hub id)")
    place = page.get_by_role("textbox", name="Folder or Hub model id")
    place.fill(str(tiny_emotions))
    place.press("Enter")
    expect(page.get_by_text("The model's labels: “Anger”, “fear”")).to_be_visible()
    page.locator(".st-key-lab-upload input[type=file]").set_input_files(table)
    expect(page.get_by_text("60 examples: 10 Anger, 10 fear, 10 joy")).to_be_visible()
    expect_run_in_sight(page)
    page.get_by_role("button", name="Run", exact=True).click()
    stored = re.compile(r"/lab\?result=[0-9a-f]{64}$")
    expect(page).to_have_url(stored, timeout=look.WORKER_PATIENCE)

    picture = page.get_by_role("img", name="Similarity (CKA) of every pair of layers")
    expect(picture).to_be_in_viewport()
    look.expect_no_sideways_scroll(page)
