"""The Lab in a real browser, with a real worker and a tiny checkpoint."""

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect
from sklearn.metrics import accuracy_score

from core.results.names import amount_name
from core.results.store import load
from tests.browser.conftest import OWN_RESULTS
from tests.browser.watching import WORKER_PATIENCE, expect_idle, expect_no_sideways_scroll, fetched, unfold
from tests.tiny import EMOTIONS, emotion_texts, make_texts, predicted_by_transformers

SHORT = "0.3, 0.6"
PLACE = "Folder or Hub model id"
SURVIVAL = ".player .survival .holder:not(.coming) svg >> nth=-1"  # while a new picture is drawn, the last one stays
LONG = ", ".join(f"{k / 100:.2f}" for k in range(1, 100))  # some ten seconds of processor time


@pytest.fixture
def lab(page: Page, site: str) -> Page:
    """The Lab with the bundled checkpoint, which is a tiny one, and the written examples; nothing is run yet."""
    page.goto(f"{site}/lab")
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
    return page


def point_at(page: Page, checkpoint: Path, data: Path) -> None:
    choose(page, "Checkpoint", f"Another one: {PLACE}", asks_for=PLACE)
    place = page.get_by_role("textbox", name=PLACE)
    place.fill(str(checkpoint))
    place.press("Enter")
    expect_idle(page)
    expect(page.get_by_role("button", name="Cancel")).not_to_be_visible()  # Enter in a path starts nothing
    pick(page, "Task", "SST-2")
    expect(page.locator(".st-key-lab-data-False")).to_be_visible()  # other examples to choose from
    expect_idle(page)
    choose(page, "Examples from", "A folder in the Hub's layout", asks_for="Folder of the data")
    page.get_by_role("textbox", name="Folder of the data").fill(str(data))


def pick(page: Page, label: str, option: str) -> None:
    """Chooses an option; a list that opens while the page still scrolls to it closes again."""
    box = page.get_by_role("combobox", name=label)
    box.scroll_into_view_if_needed()
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    box.click()
    page.get_by_role("option", name=option).click()


def choose(page: Page, label: str, option: str, asks_for: str) -> None:
    """Chooses an option after which another field appears: then the page has been drawn anew."""
    pick(page, label, option)
    expect(page.get_by_role("textbox", name=asks_for)).to_be_visible()
    expect_idle(page)


def ask(page: Page, amounts: str, examples: int) -> None:
    """Types what is run."""
    if not page.get_by_role("textbox", name="Amounts").is_visible():
        unfold(page, "More settings")
        choose(page, "Pruning amounts", "A list of my own", asks_for="Amounts")
    page.get_by_role("textbox", name="Amounts").fill(amounts)
    page.get_by_role("spinbutton", name="Number of examples").fill(str(examples))


def run(page: Page, amounts: str, examples: int) -> None:
    ask(page, amounts, examples)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("Example", exact=True)).not_to_be_visible()  # that player is not the run's


def expect_result(page: Page) -> None:
    expect(page).to_have_url(re.compile(r"/lab\?result=[0-9a-f]{64}$"), timeout=WORKER_PATIENCE)
    expect(page.locator(SURVIVAL)).to_be_visible()


def processes() -> tuple[psutil.Process, psutil.Process]:
    """The server and its worker, among what these tests have started."""
    (worker,) = (one for one in psutil.Process().children(recursive=True) if "core.worker" in one.cmdline())
    return worker.parent(), worker


def test_a_run_ends_in_a_result_that_is_there_at_once_the_next_time(
    lab: Page, copy: Path, tiny_bert: Path, glue_folder: Path
) -> None:
    point_at(lab, tiny_bert, glue_folder)
    run(lab, SHORT, 64)
    expect_result(lab)
    address = lab.url
    unfold(lab, "Check and recompute")
    lab.get_by_role("button", name="Check this frame").click()
    expect(lab.get_by_text("The frame is confirmed at 30 %")).to_be_visible(timeout=WORKER_PATIENCE)

    expect(lab.get_by_role("slider", name="Pruning amount")).to_have_attribute("max", "2")
    expect(lab.get_by_role("button", name="Run", exact=True)).not_to_be_visible()  # the settings have made way

    lab.locator(".st-key-lab-settings summary").first.click()
    expect(lab.get_by_text("Already computed; opens at once.")).to_be_visible()
    unfold(lab, "More settings")
    expect(lab.get_by_role("textbox", name="Amounts")).to_have_value(SHORT)
    server, worker = processes()
    (file,) = (copy / OWN_RESULTS).glob(f"{address.rpartition('=')[2]}*")
    written = file.stat().st_mtime_ns
    lab.get_by_role("button", name="Run", exact=True).click()
    expect(lab).to_have_url(address)
    lab.reload()
    expect_result(lab)
    assert lab.url == address
    assert file.stat().st_mtime_ns == written, "it is not computed again"

    assert any("torch" in mapped.path for mapped in worker.memory_maps())
    assert not any("torch" in mapped.path for mapped in server.memory_maps())


def test_a_run_says_how_long_it_takes_survives_other_pages_and_a_reload_and_stops_at_once(lab: Page) -> None:
    ask(lab, SHORT, 67)
    lab.get_by_role("spinbutton", name="Number of examples").press("Tab")
    expect(lab.get_by_text("Takes ")).to_be_visible(timeout=WORKER_PATIENCE)
    expect(lab.get_by_role("textbox", name="Amounts")).to_have_value(SHORT)
    run(lab, LONG, 128)
    expect(lab.locator(SURVIVAL)).to_be_visible(timeout=WORKER_PATIENCE)
    expect(lab).to_have_url(re.compile(r"/lab\?job=[\w-]+$"))
    job = lab.url.partition("?")[2]
    with resting(processes()[1]):
        lab.get_by_role("link", name="Overview", exact=True).click()
        expect(lab.get_by_role("link", name="Running:")).to_be_visible()
        assert job in lab.url
        lab.get_by_role("link", name="Running:").click()
        expect(lab.get_by_role("button", name="Cancel")).to_be_visible()
        lab.reload()
        expect(lab.locator(SURVIVAL)).to_be_visible()
        assert lab.url.endswith(f"/lab?{job}")
    lab.get_by_role("button", name="Cancel").click()
    expect(lab.get_by_text("Cancelled.")).to_be_visible()
    expect(lab.get_by_role("button", name="Cancel")).not_to_be_visible()
    expect_run_in_sight(lab)


@contextmanager
def resting(worker: psutil.Process) -> Iterator[None]:
    """Lets a worker do nothing meanwhile: its run would end before a slow browser has shown what it is to show."""
    worker.suspend()
    try:
        yield
    finally:
        worker.resume()


@pytest.mark.long
def test_a_killed_worker_is_reported_and_replaced(lab: Page) -> None:
    run(lab, LONG, 127)
    expect(lab.locator(SURVIVAL)).to_be_visible(timeout=WORKER_PATIENCE)
    _, worker = processes()
    worker.kill()
    expect(lab.get_by_role("alert")).to_contain_text("ended unexpectedly")
    expect(lab.locator(SURVIVAL)).to_be_visible()  # what had arrived

    expect_run_in_sight(lab)
    run(lab, SHORT, 65)
    expect_result(lab)
    assert processes()[1].pid != worker.pid


def test_a_file_is_run_and_its_result_is_found_and_deleted(lab: Page) -> None:
    pick(lab, "Examples from", "A file of my own")
    rows = "".join(f"{text},{label}\n" for text, label in zip(make_texts(60), ("pos", "neg") * 30, strict=True))
    upload = {"name": "mine.csv", "mimeType": "text/csv", "buffer": f"text,label\n{rows}".encode()}
    lab.locator(".st-key-lab-upload input[type=file]").set_input_files(upload)  # type: ignore[arg-type]
    expect(lab.get_by_text("60 examples: 30 negative, 30 positive.")).to_be_visible()
    run(lab, SHORT, 40)
    expect_result(lab)

    unfold(lab, "Your results (")
    own = lab.get_by_role("link", name="mine.csv")
    expect(own).to_be_visible()
    lab.get_by_role("button", name="Delete", exact=True).first.click()  # the newest comes first
    lab.get_by_role("button", name="Delete this result").click()
    expect(own).not_to_be_visible()
    expect(lab.get_by_text("Press Run")).to_be_visible()
    expect(lab).to_have_url(re.compile(r"/lab$"))


def test_six_labels_in_another_order_and_case_are_swept_and_saved_as_scikit_learn_scores_them(
    page: Page, site: str, copy: Path, tiny_emotions: Path, tmp_path: Path
) -> None:
    texts, gold = emotion_texts(60, seed=3)
    names = list(EMOTIONS)
    rows = "".join(f"{names[label].swapcase()},{k},{texts[k]}\n" for k, label in enumerate(gold))
    upload = {"name": "feelings.csv", "mimeType": "text/csv", "buffer": f"feeling,id,utterance\n{rows}".encode()}

    page.goto(f"{site}/lab")
    choose(page, "Checkpoint", f"Another one: {PLACE}", asks_for=PLACE)
    place = page.get_by_role("textbox", name=PLACE)
    place.fill(str(tiny_emotions))
    place.press("Enter")
    expect(page.get_by_text("Its 6 labels: Anger, fear, joy, love, sadness, surprise.")).to_be_visible()
    page.locator(".st-key-lab-upload input[type=file]").set_input_files(upload)  # type: ignore[arg-type]
    expect(page.locator(".st-key-lab-texts")).to_contain_text("utterance")
    expect(page.get_by_role("combobox", name="Label column")).to_have_value("feeling")
    expect(page.get_by_text("60 examples: 10 Anger, 10 fear, 10 joy")).to_be_visible()
    expect_run_in_sight(page)
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, main.scrollHeight)")
    page.get_by_role("button", name="Run", exact=True).click()
    expect_result(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("change")
    expect(page.get_by_text("Macro F1 holds")).to_be_in_viewport()

    result = load(copy / OWN_RESULTS / f"{page.url.rpartition('=')[2]}.json")
    examples = [texts[row] for row in result.task.examples]
    predicted = predicted_by_transformers(tiny_emotions, examples)
    assert [gold[row] for row in result.task.examples] == list(result.task.gold)
    assert list(result.frames[0].predictions) == predicted
    assert result.frames[0].metrics["accuracy"] == accuracy_score(result.task.gold, predicted)

    unfold(page, re.compile("Download$"))
    assert load(fetched(page, "Result as JSON", tmp_path)) == result
    page.get_by_role("button", name="Save checkpoint").click()
    code = page.locator("code").filter(has_text="from_pretrained(folder)")
    expect(code).to_be_visible(timeout=WORKER_PATIENCE)
    (line,) = [line for line in code.inner_text().splitlines() if line.startswith("folder = ")]
    words = page.get_by_text("The checkpoint pruned by ").inner_text()
    (frame,) = [frame for frame in result.frames if f"by {amount_name(frame.amount)} lies" in words]
    assert frame.amount > 0
    predicted = predicted_by_transformers(Path(ast.literal_eval(line.removeprefix("folder = "))), examples)
    assert list(frame.predictions) == predicted
    assert frame.metrics["accuracy"] == accuracy_score(result.task.gold, predicted)


def test_it_fits_a_telephone(lab: Page) -> None:
    lab.set_viewport_size({"width": 390, "height": 844})
    expect_no_sideways_scroll(lab, 390)
    lab.get_by_role("combobox", name="Checkpoint").scroll_into_view_if_needed()
    expect_run_in_sight(lab)
    run(lab, SHORT, 66)
    expect_result(lab)
    expect_no_sideways_scroll(lab, 390)
    expect(lab.locator(".player .heatmap")).to_be_visible()
    for figure in ("First layer to change", "Longest intact", "Accuracy holds"):
        expect(lab.get_by_text(figure)).to_be_in_viewport()


def expect_run_in_sight(page: Page) -> None:
    """Run can be pressed without scrolling, with what it takes or needs beside it."""
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
