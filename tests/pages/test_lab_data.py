"""A visitor's own model, file or data set in the Lab, with a worker without a model."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.jobs.queue import JobQueue
from core.request.limits import kind_of_data
from tests.opened import (
    address,
    errors,
    fill,
    follow,
    open_page,
    press,
    prose,
    run,
)
from tests.pages.conftest import Runs
from tests.queues import RESULT, running

LAB = "pages/lab.py"
ROWS = "id,review,mood\n" + "".join(
    f"{k},sentence number {k},{'good' if k % 2 else 'bad'}\n" for k in range(30)
)
UNSURE = ROWS.replace("sentence number 7,good", "sentence number 7,unsure").replace(
    "sentence number 9,", ","
)
UNDECIDED = "Match 2 label values to continue"
FETCH = "Fetch its first 10,000 rows"
MEANINGS = {"good": "positive", "bad": "negative"}


def upload(page: AppTest, content: str, name: str = "mine.csv") -> AppTest:
    if any(box.key == "lab-data-True" for box in page.selectbox):
        fill(page, {"data-True": "own sentences"})
    page.file_uploader(key="lab-upload").set_value((name, content.encode(), "text/csv"))
    return run(page)


def match(page: AppTest, **meanings: str) -> AppTest:
    """Match values of the label column to labels."""
    return fill(
        page,
        {f"means-sst2-{value}": meaning for value, meaning in meanings.items()},
    )


def meaning(page: AppTest, value: str) -> str | None:
    return page.selectbox(key=f"lab-means-sst2-{value}").value


def cancelled(queue: JobQueue, page: AppTest) -> str:
    """Run the settings, and cancel the run; return its job."""
    job = address(press(page, "Run"))["job"]
    running(queue, job)
    press(run(page), "Cancel")
    return job


# ---------------------------------------------------------------- a file


def test_a_file_becomes_the_data_of_a_run_and_serves_until_another_is_chosen(
    queue: JobQueue, runs: Runs
) -> None:
    page = fill(open_page(LAB), {"data-True": "own sentences"})
    assert (
        "a label column and 1 with text, of any names. The model's labels: “negative”, “positive”."
        in prose(page)
    )
    upload(page, UNSURE)
    assert page.multiselect(key="lab-texts").values == ["review"]
    assert page.selectbox(key="lab-column-label").value == "mood"
    assert UNDECIDED.replace("2", "3") in prose(page), "values are not matched by their order"
    assert "sentence number 0" in prose(page), "an example"
    press(page, "Run")
    assert not runs.requests
    match(page, **MEANINGS, unsure="left out")
    assert not page.error
    assert "28 examples: 15 negative, 13 positive; 2 left out." in prose(page)
    follow(follow(page, "Methods"), "Lab")
    assert "The file that you chose last is used again." in prose(page)
    cancelled(queue, page)
    assert page.multiselect(key="lab-texts").values == ["review"]
    press(page, "Run")
    first, again = runs.requests
    assert first == again
    assert kind_of_data(first.data or "") == "own"
    assert (first.text, first.label, dict(first.label_map)) == (
        ("review",),
        "mood",
        {**MEANINGS, "unsure": None},
    )


def test_what_labels_mean_is_asked_anew_for_another_file_or_model(
    queue: JobQueue, runs: Runs, moods: Path
) -> None:
    page = match(upload(open_page(LAB), ROWS), good="negative", bad="positive")
    upload(page, f"{ROWS}30,one more,good\n", "other.csv")
    assert meaning(page, "good") == "undecided"
    assert UNDECIDED in prose(page)
    job = cancelled(queue, match(page, good="left out", bad="negative"))
    assert meaning(open_page(LAB, job=job), "good") == "left out", (
        "a link to the run brings them back"
    )
    fill(page, {"checkpoint": "other checkpoint", "place": str(moods)})
    assert UNDECIDED in prose(page)


def test_a_bad_file_is_not_run_and_its_content_is_shown_as_text(
    queue: JobQueue, runs: Runs
) -> None:
    page = upload(open_page(LAB), ROWS + "<b>,*x*\n")
    assert "Expected 3 fields in row 32, saw 2" in page.error[0].value
    press(page, "Run")
    assert not runs.requests
    assert any("Choose your file" in error for error in errors(page))
    page = upload(
        open_page(LAB),
        ROWS.replace("sentence number 0,bad", "<b>*x*</b>,0").replace("good", "1"),
    )
    assert any("\\<b\\>\\*x\\*" in text.value for text in page.markdown), "the content is escaped"
    assert not any("<b>" in text.value for text in page.markdown if "style" not in text.value)
    fill(page, {"texts": []})
    assert "0 text columns: choose 1, other than the label column" in prose(page)


def test_columns_of_pairs_are_guessed_and_a_value_is_asked_for_once_in_any_case(
    queue: JobQueue, runs: Runs
) -> None:
    """A checkpoint of the catalog that reads pairs does so under its own labels, too."""
    same = ("Yes", "no", "YES", "No", "yes", "Yes")
    rows = "".join(
        f"x{k}f-00{k}-a9c{k}e1b7{k}d,It may rain.,Rain {'may come' * k}.,{same[k % 6]}\n"
        for k in range(12)
    )
    for task, labels in {
        "qqp": ("not_duplicate", "duplicate"),
        "auto": ("LABEL_0", "LABEL_1"),
    }.items():
        page = fill(
            open_page(LAB),
            {"checkpoint": "embedded:qqp", "task-embedded:qqp": task},
        )
        fill(
            page,
            {f"data-{'own' if task == 'auto' else 'True'}": "own sentences"},
        )
        upload(page, f"id,headline_a,headline_b,is_duplicate\n{rows}")
        assert page.multiselect(key="lab-texts").values == [
            "headline_a",
            "headline_b",
        ]
        values = [box.label for box in page.selectbox if "means" in str(box.key)]
        assert values == ["“no”, “No” mean", "“Yes”, “YES”, “yes” mean"]
        fill(
            page,
            {f"means-{task}-no": labels[0], f"means-{task}-Yes": labels[1]},
        )
        assert f"12 examples: 4 {labels[0]}, 8 {labels[1]}." in prose(page)
        press(page, "Run")
        request = runs.requests.pop()
        assert (request.text, request.label) == (
            ("headline_a", "headline_b"),
            "is_duplicate",
        )
        assert request.label_map == (("no", labels[0]), ("Yes", labels[1]))


# ---------------------------------------------------------------- a model


@pytest.fixture
def moods(tmp_path: Path) -> Path:
    """A folder with the configuration of a classifier of three labels."""
    folder = tmp_path / "moods"
    folder.mkdir()
    names = {"0": "Glad", "1": "sad", "2": "in between"}
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "id2label": names}))
    return folder


def test_a_link_for_ones_own_model_asks_for_it_first_and_keeps_it(
    queue: JobQueue, moods: Path
) -> None:
    page = open_page(LAB, own="model")
    assert page.selectbox(key="lab-checkpoint").value == "other checkpoint"
    assert page.text_input(key="lab-place").value == ""
    assert not page.error
    fill(page, {"place": str(moods), "method": "wanda"})
    assert not errors(page)
    follow(follow(page, "Methods"), "Lab")
    assert (
        page.text_input(key="lab-place").value,
        page.selectbox(key="lab-method").value,
    ) == (
        str(moods),
        "wanda",
    )
    page = open_page(LAB, own="model", result=RESULT.key)
    assert address(page) == {"result": RESULT.key}, "not beside a result"


def test_ones_own_checkpoint_defines_its_task(queue: JobQueue, runs: Runs, moods: Path) -> None:
    page = fill(open_page(LAB), {"checkpoint": "other checkpoint"})
    assert page.selectbox(key="lab-task-other checkpoint").value == "auto"
    assert "enter its place above first" in prose(page)
    fill(page, {"place": str(moods)})
    assert not runs.requests, "nothing runs before Run"
    assert "The model's labels: “Glad”, “sad”, “in between”." in prose(page)
    assert "one or two with text" in prose(page)
    values = ("GLAD", "in_between", "Sad")
    upload(
        page,
        "text,reply,mood\n" + "".join(f"text {k},reply {k},{values[k % 3]}\n" for k in range(12)),
    )
    assert not page.info
    assert "12 examples: 4 Glad, 4 sad, 4 in between." in prose(page)
    press(fill(page, {"texts": ["text", "reply"]}), "Run")
    (request,) = runs.requests
    assert (request.task, request.text, request.label, request.label_map) == (
        "auto",
        ("text", "reply"),
        "mood",
        (),
    )


# ---------------------------------------------------------------- a data set on the Hub


def fetch(name: str, split: str = "validation") -> AppTest:
    page = fill(
        open_page(LAB),
        {"data-True": "data set", "dataset": name, "split": split},
    )
    return run(press(page, FETCH))


def test_a_data_set_on_the_hub_is_read_and_run_at_a_commit(queue: JobQueue, runs: Runs) -> None:
    page = fetch("owner/moods/en", "test")
    assert meaning(page, "POSITIVE") == "positive"
    assert "Match 1 label value to continue" in prose(page)
    press(page, "Run")
    assert not runs.requests
    match(page, meh="left out")
    assert "20 examples: 10 negative, 10 positive; 10 left out." in prose(page)
    job = cancelled(queue, page)
    page = open_page(LAB, job=job)
    assert "The data set of the run on show is used again." in prose(page)
    press(page, "Run")
    first, again = runs.requests
    assert first == again
    assert (first.data, first.split) == (
        f"hub:owner/moods/en@{'c' * 40}",
        "test",
    )
    assert (first.text, first.label, first.label_map) == (
        ("text",),
        "label",
        (("meh", None),),
    )


def test_another_data_set_is_fetched_before_a_run_and_only_when_asked(
    queue: JobQueue, runs: Runs
) -> None:
    page = fill(match(fetch("owner/moods"), meh="left out"), {"dataset": "owner/large"})
    press(page, "Run")
    assert not runs.requests
    assert any("Fetch a data set on the Hub" in error for error in errors(page))
    assert not any((box.key or "").startswith("lab-means-") for box in page.selectbox)
    assert meaning(run(press(page, FETCH)), "POSITIVE") == "positive"


def test_a_refused_data_set_is_reported(queue: JobQueue) -> None:
    for name, words in {
        "moods": "is not a data set",
        "../x/y": "not a data set",
        "owner/refused": "<b>gated",
    }.items():
        page = fill(open_page(LAB), {"data-True": "data set", "dataset": name})
        assert words in errors(press(page, FETCH))[0]
